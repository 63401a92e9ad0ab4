package partitioner_test

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

const goroutines = 8

// together runs f in several goroutines at once and waits for all.
func together(f func(worker int)) {
	var wg sync.WaitGroup
	for w := range goroutines {
		wg.Go(func() { f(w) })
	}
	wg.Wait()
}

// While leaders and loads change, every record gets a partition that was available in what its batch was shown.
func TestHammerWhileLeadersAndLoadsChange(t *testing.T) {
	whole := loaded(5000, 0, 3000, 0, 100, 70_000)
	views := []*record.Partitions{whole, {Topic: topic, Count: 6, Available: []int32{1, 4, 5}, Load: whole.Load}, some(6), some(6, 2)}
	for _, name := range partitioner.Names() {
		t.Run(name, func(t *testing.T) {
			q := newPartitioner(t, name, partitioner.Options{BatchSize: 300, Adaptive: true, AvailabilityTimeout: time.Millisecond})
			together(func(w int) {
				b := newBatch(20, 40)
				b.Records[7].Key = []byte("key")
				for i := range 500 {
					p := views[(w+i)%len(views)]
					whole.Load[i%6].Bytes.Add(int64(i%7 - 3))
					whole.Load[i%6].LastAck.Store(time.Now().UnixMilli())
					unset(b)
					q.Partition(b, p)
					for j := range b.Records {
						got := b.Records[j].Partition
						ok := len(p.Available) == 0 || b.Records[j].Key != nil || slices.Contains(p.Available, got)
						if got < 0 || got >= p.Count || !ok {
							t.Errorf("record %d got partition %d of %d, available %v", j, got, p.Count, p.Available)
							return
						}
					}
				}
			})
		})
	}
}

// Of two partitions, sticky takes one and the other in turn, each for exactly four records; round-robin for one. So if no
// goroutine's records are forgotten or counted twice, both partitions get the same number in every round.
func TestHammerCountsExactly(t *testing.T) {
	// A lost turn of round-robin can only be seen when two processors hit the same instant, so it needs many more tries.
	for name, batches := range map[string]int{partitioner.Sticky: 2000, partitioner.RoundRobin: 16_000} {
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 4 * (10 + recordBytes), Rand: func() uint64 {
			runtime.Gosched() // lets others in between a look at the state and the claim
			return 0
		}})
		for round := range 20 {
			if first, second := hammerTwo(q, batches); first != second {
				t.Fatalf("%s: in round %d the partitions got %d and %d records, want the same", name, round, first, second)
			}
		}
	}
}

// hammerTwo says how many records each of two partitions gets, when each goroutine sends that many batches of three.
func hammerTwo(q *partitioner.Partitioner, batches int) (first, second int64) {
	p := all(2)
	var count [2]atomic.Int64
	together(func(int) {
		var mine [2]int64
		b := newBatch(3, 10)
		for range batches {
			unset(b)
			q.Partition(b, p)
			for i := range b.Records {
				mine[b.Records[i].Partition]++
			}
		}
		count[0].Add(mine[0])
		count[1].Add(mine[1])
	})
	return count[0].Load(), count[1].Load()
}
