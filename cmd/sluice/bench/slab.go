package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// slab is records that are produced together and used again when all of them are acknowledged, so that the loop allocates
// nothing and pays for its bound once per slab, not once per record.
type slab struct {
	records []kgo.Record
	left    atomic.Int64
}

const slabRecords = 100

// loop produces until ctx ends, and then waits until every record has been answered. All records in flight together are
// bounded by buffer.memory.
func (t *tight) loop(ctx context.Context, client *kgo.Client) {
	free := t.slabs()
	background := context.Background() // a record once begun is finished: cancelling it would fail its whole batch
	for ctx.Err() == nil {
		var s *slab
		select {
		case s = <-free:
		case <-ctx.Done():
			continue
		}
		s.left.Store(slabRecords)
		done := t.done(s, free)
		for i := range s.records {
			r := &s.records[i]
			r.Timestamp = time.Time{} // kgo fills it in; all else is as it was
			client.Produce(background, r, done)
		}
	}
	for range cap(free) {
		<-free
	}
}

// slabs are all the slabs there are; taking one out of the channel is what bounds the loop.
func (t *tight) slabs() chan *slab {
	n := max(t.kafka.memory()/int64(slabRecords*max(t.size, 1)), 2)
	vs := values(t.size, slabRecords)
	free := make(chan *slab, min(n, 10_000))
	for n := range cap(free) {
		s := &slab{records: make([]kgo.Record, slabRecords)}
		for i := range s.records {
			s.records[i].Value = vs[i%len(vs)]
			if t.keys > 0 {
				s.records[i].Key = fmt.Appendf(nil, keyFormat, keyDigits, (n*slabRecords+i)%t.keys)
			}
		}
		free <- s
	}
	return free
}

// done is the promise of a slab's records.
func (t *tight) done(s *slab, free chan<- *slab) func(*kgo.Record, error) {
	return func(_ *kgo.Record, err error) {
		if err != nil {
			t.failed.Add(1)
			t.why.CompareAndSwap(nil, &err)
		} else {
			t.acked.Add(1)
		}
		if s.left.Add(-1) == 0 {
			free <- s
		}
	}
}
