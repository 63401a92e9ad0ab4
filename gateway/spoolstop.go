package gateway

import (
	"context"
	"time"
)

// drainShare is how much of shutdown.timeout.ms spools may go on sending, in quarters: the rest is for what is under way then, or it
// would have an unknown outcome and be sent again after the next start.
const drainShare = 3

// drainAll has spools send what they have. It returns when they are empty, when what is left cannot be sent now, or when drainShare of the
// time is over. If Kafka does not answer there is nothing to wait for.
func (s *spools) drainAll(ctx context.Context, timeout time.Duration) {
	var all []*topicSpool
	records := int64(0)
	for _, q := range s.all() {
		if n, _ := q.waiting(); n > 0 && q.topic.Load() != nil {
			all, records = append(all, q), records+n
		}
	}
	if records == 0 || timeout <= 0 {
		return
	}
	if err := s.cluster.Reach(ctx); err != nil {
		s.log.Warn("Kafka does not answer, so what waits in spools is not sent before the stop", "records", records, "error", err)
		return
	}
	s.log.Info("sending what waits in spools", "records", records)
	ctx, cancel := context.WithTimeout(ctx, timeout*drainShare/4)
	defer cancel()
	for _, q := range all {
		close(q.drain)
		q.awake()
	}
	for _, q := range all {
		select {
		case <-q.drained:
		case <-q.ended:
		case <-ctx.Done():
			return
		}
	}
}

func (q *topicSpool) isDraining() bool {
	select {
	case <-q.drain:
		return true
	default:
		return false
	}
}

// tellDrained tells who drains the spool that it is empty, or that what is left was tried and came back, and nothing was stored.
func (q *topicSpool) tellDrained() {
	stuck := q.futile > 0 && q.behind && len(q.open) == 0
	if !q.toldDrained && q.isDraining() && (stuck || q.empty()) {
		q.toldDrained = true
		close(q.drained)
	}
}

// untilDrain ends a pause when the spool is drained: what waits is tried once more without one.
func (q *topicSpool) untilDrain() <-chan struct{} {
	if q.futile > 0 {
		return nil
	}
	return q.drain
}

// stop has nothing more sent. What is under way goes on.
func (q *topicSpool) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return
	}
	q.stopped = true
	close(q.halt)
	q.out.Load().Close()
	q.start.Do(func() { // it never began
		close(q.halted)
		close(q.ended)
	})
}

func (q *topicSpool) close() {
	if err := q.disk.Close(); err != nil {
		q.log.Error("the spool did not close cleanly; records may be sent again", "error", err)
	}
}

// haltAll has nothing more sent, and returns when nothing more is.
func (s *spools) haltAll() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	all := s.all()
	for _, q := range all {
		q.stop()
	}
	for _, q := range all {
		<-q.halted
	}
}

// close waits for what is under way and closes all. It logs what stays on disk.
func (s *spools) close() {
	s.haltAll()
	for _, q := range s.all() {
		<-q.ended
		q.close()
		if records, bytes := q.waiting(); records > 0 {
			q.log.Info("records stay in the spool until the next start", "records", records, "bytes", bytes)
		}
	}
	s.closers.Wait()
	s.disown()
}

// underWay is the number of records that were sent and have no Ack. They are in the spool, too.
func (s *spools) underWay() (n int64) {
	for _, q := range s.all() {
		n += q.out.Load().Stats.Open()
	}
	return n
}
