package gateway

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"sluice/gateway/record"
)

const (
	ackQueueLength = 1024 // batches
	ackWorkers     = 1    // one keeps the batches of a topic in the order of their Acks
)

// ackQueue is step 7: it tells the interceptors of a topic about Acks, away from the goroutine that answers for all
// records of a Kafka client. A queue that is full drops, and counts what it dropped: telling is not worth stalling.
type ackQueue struct {
	interceptors []Interceptor
	batches      chan *record.Batch
	dropped      atomic.Int64 // records
	wg           sync.WaitGroup
	log          *slog.Logger
}

func newAckQueue(interceptors []Interceptor, log *slog.Logger) *ackQueue {
	q := &ackQueue{interceptors: interceptors, batches: make(chan *record.Batch, ackQueueLength), log: log}
	for range ackWorkers {
		q.wg.Go(q.run)
	}
	return q
}

// watch makes q see b when its last record has its Ack.
func (q *ackQueue) watch(b *record.Batch) {
	b.Hold()
	b.Ended = q.put
}

// put runs where a Kafka client waits for it. The bytes of the records are given back: memory that is no longer charged to
// buffer.memory must not wait in a queue.
func (q *ackQueue) put(b *record.Batch) {
	b.Forget()
	select {
	case q.batches <- b:
	default:
		q.dropped.Add(int64(len(b.Records)))
		b.Free()
	}
}

func (q *ackQueue) run() {
	for b := range q.batches {
		for _, i := range q.interceptors {
			i.OnAck(b)
		}
		b.Free()
	}
}

// close tells what is still queued and ends the workers. No batch may end afterwards.
func (q *ackQueue) close() {
	close(q.batches)
	q.wg.Wait()
	if n := q.dropped.Load(); n > 0 {
		q.log.Warn("interceptors were not told of all acknowledgements: their queue was full", "records", n)
	}
}
