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
	open         atomic.Int64 // batches that are watched and have not ended
	wg           sync.WaitGroup
	log          *slog.Logger

	mu     sync.Mutex // of closed, and of sending to batches
	closed bool
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
	q.open.Add(1)
	b.Hold()
	b.Ended = q.put
}

// put runs where a Kafka client waits for it. The bytes of the records are given back: memory that is no longer charged to
// buffer.memory must not wait in a queue.
func (q *ackQueue) put(b *record.Batch) {
	b.Forget()
	if !q.offer(b) {
		q.dropped.Add(int64(len(b.Records)))
		b.Free()
	}
	q.open.Add(-1)
}

func (q *ackQueue) offer(b *record.Batch) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	select {
	case q.batches <- b:
		return true
	default:
		return false
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

// close tells what is still queued and ends the workers. Of a batch that ends afterwards nobody is told.
func (q *ackQueue) close() {
	q.mu.Lock()
	q.closed = true
	close(q.batches)
	q.mu.Unlock()
	q.wg.Wait()
	if n := q.dropped.Load(); n > 0 {
		q.log.Warn("interceptors were not told of all acknowledgements: their queue was full", "records", n)
	}
}
