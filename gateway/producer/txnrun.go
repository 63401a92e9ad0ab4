package producer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// culprit is the record because of which a transaction was aborted.
type culprit struct {
	batch *record.Batch
	index int
}

// txnRun is a transaction that has a client.
type txnRun struct {
	*Transaction
	client  *txnClient
	begun   time.Time
	left    atomic.Int64
	done    chan struct{} // closed when every record has its answer
	failed  chan struct{} // closed when the first has failed
	err     *record.Error // why it is not committed
	culprit *culprit      // the record that it is about; nil if none
	unknown bool          // whether it is committed is not known

	mu     sync.Mutex
	errors map[*kgo.Record]error
}

// run is the transaction from its begin to its end. It is true if the client has none open then.
func (r *txnRun) run() (clean bool) {
	k := r.client.client()
	if err := k.BeginTransaction(); err != nil {
		r.err = r.client.verdict(err, r.begun)
		r.client.kill()
		return false
	}
	timer := time.NewTimer(r.pool.cfg.Timeout)
	defer timer.Stop()
	if !r.known(k, timer.C) || !r.produce(k, timer.C) {
		return false
	}
	r.listed(k, timer.C)
	return r.commit(k)
}

// known waits until k has seen the partitions that the records go to, which others may have seen before it.
func (r *txnRun) known(k *kgo.Client, late <-chan time.Time) bool {
	tick := time.NewTicker(growthCheck)
	defer tick.Stop()
	for _, c := range r.chunks {
		for !seen(k, c.topic.name, c.last) {
			k.ForceMetadataRefresh()
			select {
			case <-tick.C:
			case <-late:
				r.err = r.client.late(nil)
				return false
			}
		}
	}
	return true
}

// produce sends the records and waits until each has its answer. It is true if all are in the transaction.
func (r *txnRun) produce(k *kgo.Client, late <-chan time.Time) bool {
	r.left.Store(int64(r.records))
	for _, c := range r.chunks {
		for i := range c.slots {
			k.Produce(context.Background(), c.slots[i].fresh(), r.acked)
		}
	}
	timedOut := false
	select {
	case <-r.done:
	case <-r.failed:
	case <-late:
		timedOut = true
		r.client.kill() // kgo would go on for ever; who takes the id over aborts what is in the log
	}
	if !timedOut {
		r.abandon(k)
	}
	<-r.done // only now nobody looks at the bytes of the records any more
	if timedOut {
		r.err = r.client.late(nil)
		return false
	}
	return r.judge()
}

// abandon ends what is still under way after a record has failed.
func (r *txnRun) abandon(k *kgo.Client) {
	select {
	case <-r.failed:
	default:
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), r.begun.Add(r.pool.cfg.Timeout))
	defer cancel()
	if k.AbortBufferedRecords(ctx) != nil {
		r.client.kill()
	}
}

// acked is kgo's promise. It only notes the result: what was stored is in the Record.
func (r *txnRun) acked(rec *kgo.Record, err error) {
	if err != nil {
		r.mu.Lock()
		if r.errors == nil {
			r.errors = make(map[*kgo.Record]error)
			close(r.failed)
		}
		r.errors[rec] = err
		r.mu.Unlock()
	}
	if r.left.Add(-1) == 0 {
		close(r.done)
	}
}

// judge finds the first record that failed, other than because of another one; false if there is one.
func (r *txnRun) judge() bool {
	if len(r.errors) == 0 {
		return true
	}
	var cause error
	for _, c := range r.chunks {
		for i := range c.slots {
			err := r.errors[&c.slots[i].Record]
			if err == nil || r.culprit != nil && (errors.Is(err, kgo.ErrAborting) || !errors.Is(cause, kgo.ErrAborting)) {
				continue
			}
			cause, r.culprit = err, &culprit{c.batch, c.slots[i].index}
		}
	}
	r.err = r.client.verdict(cause, r.begun)
	if r.err.Code == record.Aborted || r.err.Code == record.Fenced || r.err.Code == record.BrokerError {
		r.culprit = nil // nothing is wrong with the record
	}
	return false
}

// listed waits until k lists the partitions with the records. It does so only after it has begun to send the first records of a
// topic, so their answers may come before, and it would take the transaction for one without records (franz-go 1.22.2,
// storePartitionsUpdate).
func (r *txnRun) listed(k *kgo.Client, late <-chan time.Time) {
	for _, c := range r.chunks {
		for {
			if leader, _, _ := k.PartitionLeader(c.topic.name, c.last); leader >= 0 {
				break
			}
			timer := time.NewTimer(time.Millisecond)
			select {
			case <-timer.C:
			case <-late: // commit finds out
				timer.Stop()
				return
			}
		}
	}
}

// commit ends the transaction. Its context must never end: whether it happened could not be known then.
func (r *txnRun) commit(k *kgo.Client) (clean bool) {
	before := r.client.commits.Load()
	err := k.EndTransaction(context.Background(), kgo.TryCommit)
	written := r.client.commits.Load() - before
	switch {
	case err == nil && written > 0:
		return true
	case err == nil: // kgo took it for one without records
		r.err = &record.Error{Code: record.Aborted, Message: "the transaction was not committed"}
		r.client.kill()
	case written == 0, written == 1 && (tookOver(err) || aborts(err)):
		r.err = r.client.verdict(err, r.begun)
	default:
		r.unknown = true
		r.err = &record.Error{
			Code: record.Unknown, Message: "the commit was not confirmed; all records of the transaction are stored, or none", Err: err,
		}
		if tookOver(err) && time.Since(r.begun) < r.pool.cfg.Timeout {
			r.pool.fence(r.client.id, err)
		}
		r.client.kill() // it must not commit later, nor abort what may be committed
	}
	return false
}

// count counts how it ended.
func (r *txnRun) count() {
	st := &r.pool.Stats
	switch {
	case r.err == nil:
		st.Committed.Add(1)
	case r.unknown:
		st.Unknown.Add(1)
	case r.err.Code == record.Fenced:
		st.Fenced.Add(1)
	case r.culprit != nil:
		st.Rejected.Add(1)
	default:
		st.Failed.Add(1)
	}
}
