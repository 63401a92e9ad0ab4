package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/deadletter"
	"sluice/gateway/record"
)

// deadLetters puts records of a topic that cannot be stored there into its dead-letter topic, as they were sent, and gives
// them their Acks when that is done. A dead letter that cannot be stored either is not tried again: its record gets its own
// error, or that of the dead letter if that is worth sending the record again.
type deadLetters struct {
	from   string
	topic  string
	causes []string
	limit  int64 // dead_letter.buffer.memory
	ids    *letterIDs
	pool   *record.Pool
	route  routeFunc
	log    *slog.Logger

	mu      sync.Mutex
	waiting []*letter
	closed  bool
	wake    chan struct{}
	stop    chan struct{}
	wg      sync.WaitGroup

	held   atomic.Int64 // bytes of letters without an outcome
	open   atomic.Int64 // letters without an outcome
	stored atomic.Int64
	failed atomic.Int64 // also those for which there was no memory

	noRoom, notStored occasion
}

// occasion is something that may happen for every record, and is logged now and then.
type occasion struct {
	mu     sync.Mutex
	logged time.Time
	untold int64
}

// logEvery is how often an occasion is logged.
const logEvery = 10 * time.Second

// due counts it, and returns how often it has happened if that is to be logged now.
func (o *occasion) due(now time.Time) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.untold++
	if now.Sub(o.logged) < logEvery {
		return 0
	}
	n := o.untold
	o.logged, o.untold = now, 0
	return n
}

// letter is a copy of a record that is to become a dead letter.
type letter struct {
	batch  *record.Batch
	index  int
	ack    record.Ack // that it would have ended with
	record record.Record
	size   int64
}

func newDeadLetters(cfg config.Topic, s *Topics) *deadLetters {
	d := &deadLetters{
		from: cfg.Name, topic: cfg.DeadLetter.Topic, causes: cfg.DeadLetter.Causes, limit: cfg.DeadLetter.BufferMemory,
		ids: s.letterIDs, pool: s.pool, route: s.route, log: s.log.With("topic", cfg.Name, "dead_letter.topic", cfg.DeadLetter.Topic),
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	d.wg.Go(d.run)
	return d
}

// look tells early what would else show with the first dead letter: that there is no topic for it.
func (d *deadLetters) look() {
	to, err := d.route(d.topic)
	if err == nil {
		_, err = to.out.PartitionsAtLeast(0)
	}
	if err != nil && !err.Code.Retriable() {
		d.log.Warn("there is no topic for dead letters; records that belong there will get their own errors", "error", err)
	}
}

// letterIDs names dead letters: no two of all replicas have the same name.
type letterIDs struct {
	replica string
	last    atomic.Int64
}

func newLetterIDs() *letterIDs {
	p := make([]byte, 8)
	_, _ = rand.Read(p) // never fails
	return &letterIDs{replica: hex.EncodeToString(p)}
}

func (n *letterIDs) next() string { return n.replica + "-" + strconv.FormatInt(n.last.Add(1), 10) }

// cause is why record i of b, which would end with ack, becomes a dead letter; "" if it does not.
func (d *deadLetters) cause(b *record.Batch, i int, ack *record.Ack, refused bool) string {
	e := ack.Detail
	lost := b.LastTry && i == 0 && triedOften(ack.Code) // of a spool
	switch {
	case e == nil || ack.Code == record.Dropped:
		return ""
	case e.Module != "": // its on_error says so
		return deadletter.CauseInterceptor
	case ack.Code == record.SchemaMismatch && slices.Contains(d.causes, deadletter.CauseSchema):
		return deadletter.CauseSchema
	case lost && slices.Contains(d.causes, deadletter.CauseUndelivered):
		return deadletter.CauseUndelivered
	case b.Replayed && ack.Code != record.RecordTooLarge && ack.Code != record.InvalidRecord: // it is sent again
		return ""
	case refused && !b.Replayed: // its sender is told, and knows better what to do
		return ""
	case (ack.Code == record.RecordTooLarge || ack.Code == record.InvalidRecord) && slices.Contains(d.causes, deadletter.CauseBroker):
		return deadletter.CauseBroker
	case b.Unattended && slices.Contains(d.causes, deadletter.CauseUndelivered):
		return deadletter.CauseUndelivered
	}
	return ""
}

// Rescue implements [record.Rescuer].
func (d *deadLetters) Rescue(b *record.Batch, i int, ack record.Ack, refused bool) func() {
	cause := d.cause(b, i, &ack, refused)
	if cause == "" {
		return nil
	}
	r := b.Original(i)
	l := &letter{batch: b, index: i, ack: ack, size: int64(r.Size()) + 2*record.Overhead}
	if d.held.Add(l.size) > d.limit {
		if b.Replayed && l.size <= d.limit { // its spool has it still: it is sent again when there is room
			d.open.Add(1)
			full := record.Errorf(record.NotAvailable, "dead_letter.buffer.memory = %d is full", d.limit)
			return func() { d.settle(l, full.Failed(record.NoPartition)) }
		}
		d.held.Add(-l.size)
		d.failed.Add(1)
		if n := d.noRoom.due(time.Now()); n > 0 {
			d.log.Warn("records get their errors: there is no memory for their dead letters", "records", n, "code", ack.Code, "dead_letter.buffer.memory", d.limit)
		}
		return nil
	}
	d.open.Add(1)
	l.record = d.copyOf(r, cause, &ack, b.Records[i].Partition)
	return func() { d.push(l) }
}

// copyOf is the dead letter of r. It keeps its partition, for who reads the two topics side by side.
func (d *deadLetters) copyOf(r *record.Record, cause string, ack *record.Ack, partition int32) record.Record {
	at := r.Timestamp
	if at == record.NoTimestamp {
		at = time.Now().UnixMilli()
	}
	about := deadletter.Letter{
		ID: d.ids.next(), Topic: d.from, Partition: partition, Offset: record.NoOffset, Timestamp: at,
		Cause: cause, Code: ack.Code.String(), Module: ack.Detail.Module, Exception: deadletter.Exception(ack.Code, ack.Detail.Module),
		Message: ack.Detail.Error(), Unknown: ack.Code.OutcomeUnknown(),
	}
	c := record.Record{
		Topic: d.topic, Key: slices.Clone(r.Key), Value: slices.Clone(r.Value), Timestamp: record.NoTimestamp,
		Partition: partition, Explicit: partition != record.NoPartition,
	}
	had := make([]record.Header, len(r.Headers))
	for i, h := range r.Headers {
		had[i] = record.Header{Key: string([]byte(h.Key)), Value: slices.Clone(h.Value)}
	}
	c.Headers = about.AppendHeaders(had[:0:0], had)
	return c
}

func (d *deadLetters) push(l *letter) {
	d.mu.Lock()
	if d.closed { // a reload replaced the topic while its last records were under way
		d.mu.Unlock()
		d.settle(l, record.Errorf(record.NotAvailable, "the settings of topic %q were changed", d.from).Failed(record.NoPartition))
		return
	}
	d.waiting = append(d.waiting, l)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *deadLetters) take() []*letter {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.waiting
	d.waiting = nil
	return all
}

func (d *deadLetters) run() {
	for {
		select {
		case <-d.wake:
		case <-d.stop:
			d.send(d.take())
			return
		}
		d.send(d.take())
	}
}

// send sends letters in batches as a request would be.
func (d *deadLetters) send(all []*letter) {
	for len(all) > 0 {
		to, err := d.route(d.topic)
		if err != nil {
			for _, l := range all {
				d.settle(l, err.Failed(record.NoPartition))
			}
			return
		}
		n := d.fits(all, to.BatchMemory())
		d.sendBatch(to, all[:n])
		all = all[n:]
	}
}

// fits is how many letters go into one batch.
func (d *deadLetters) fits(all []*letter, most int) int {
	size := 0
	for n, l := range all[:min(len(all), record.MaxBatchRecords)] {
		if size += int(l.size); size > most && n > 0 {
			return n
		}
	}
	return min(len(all), record.MaxBatchRecords)
}

func (d *deadLetters) sendBatch(to *Topic, letters []*letter) {
	partitions := to.partitions()
	b := d.pool.Batch()
	b.Verbatim = true
	for _, l := range letters {
		r := b.Add(d.topic)
		*r = l.record
		if r.Key != nil {
			r.Key = b.Copy(r.Key)
		}
		if r.Value != nil {
			r.Value = b.Copy(r.Value)
		}
		if r.Partition >= partitions {
			r.Partition, r.Explicit = record.NoPartition, false
		}
	}
	b.Done = func(b *record.Batch) {
		for i, l := range letters {
			d.settle(l, b.Acks[i])
		}
		b.Free()
	}
	b.Start()
	b.CountIn(to.ended)
	to.deliverFromOther(b)
}

// settle ends a letter, and with it its record.
func (d *deadLetters) settle(l *letter, ack record.Ack) {
	d.held.Add(-l.size)
	if ack.OK() {
		d.stored.Add(1)
	} else {
		d.failed.Add(1)
		if n := d.notStored.due(time.Now()); n > 0 {
			d.log.Error("dead letters could not be stored", "records", n, "record_code", l.ack.Code, "code", ack.Code, "error", ack.Detail)
		}
	}
	l.batch.Rescued(l.index, d.verdict(l, &ack))
	d.open.Add(-1)
}

// verdict is the Ack of a record whose dead letter ended with ack.
func (d *deadLetters) verdict(l *letter, ack *record.Ack) record.Ack {
	why := l.ack.Detail
	if ack.OK() {
		return (&record.Error{
			Code: record.DeadLettered, Message: why.Message, Err: why.Err,
			Letter: &record.Letter{Topic: d.topic, Partition: ack.Partition, Offset: ack.Offset, Code: l.ack.Code},
		}).Failed(l.ack.Partition)
	}
	e := &record.Error{Code: l.ack.Code, RetryAfter: why.RetryAfter, Err: why.Err}
	reason := ack.Code.String()
	if ack.Detail != nil {
		reason = ack.Detail.Message
		if ack.Code.Retriable() && !l.ack.Code.OutcomeUnknown() {
			e.Code, e.RetryAfter = ack.Code, ack.Detail.RetryAfter
		}
	}
	e.Message = why.Message + "; its dead letter could not be stored in " + d.topic + " either: " + reason
	return e.Failed(l.ack.Partition)
}

// close sends what waits and ends the worker. No batch may be under way any more but those that wait for their dead letters.
func (d *deadLetters) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	close(d.stop)
	d.wg.Wait()
}

// deadLetterTopics is the topics that are dead_letter.topic of another.
func (s *Topics) deadLetterTopics() map[string]bool {
	names := make(map[string]bool)
	s.each(func(e *topicEntry) {
		if e.topic.letters != nil {
			names[e.topic.letters.topic] = true
		}
	})
	return names
}

// awaitDeadLetters waits until every dead letter has its outcome, or ctx ends.
func (s *Topics) awaitDeadLetters(ctx context.Context) {
	s.each(func(e *topicEntry) {
		for e.topic.letters != nil && e.topic.letters.open.Load() > 0 {
			select {
			case <-time.After(lookInterval):
			case <-ctx.Done():
				return
			}
		}
	})
}
