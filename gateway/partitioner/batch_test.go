package partitioner_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

const topic = "orders"

func newPartitioner(tb testing.TB, name string, o partitioner.Options) *partitioner.Partitioner {
	tb.Helper()
	q, err := partitioner.New(name, o)
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

// newBatch is a batch of n records with a value of size bytes each and no key.
func newBatch(n, size int) *record.Batch {
	b := new(record.Pool).Batch()
	for range n {
		b.Add(topic).Value = b.Alloc(size)
	}
	b.Done = func(*record.Batch) {}
	b.Start()
	return b
}

// unset takes the partitions of all records away again.
func unset(b *record.Batch) {
	for i := range b.Records {
		b.Records[i].Partition = record.NoPartition
	}
}

// all is a topic of which every partition has a leader.
func all(count int32) *record.Partitions {
	p := &record.Partitions{Topic: topic, Count: count}
	for i := range count {
		p.Available = append(p.Available, i)
	}
	return p
}

// some is a topic of which only the given partitions have a leader.
func some(count int32, available ...int32) *record.Partitions {
	return &record.Partitions{Topic: topic, Count: count, Available: available}
}

// one partitions a single record with that key.
func one(q *partitioner.Partitioner, p *record.Partitions, key []byte) int32 {
	b := newBatch(1, 0)
	b.Records[0].Key = key
	q.Partition(b, p)
	return b.Records[0].Partition
}

// counting is 0, 1, 2 and so on, as in the SequentialPartitioner of Java's test. It is not chance, but visits all.
func counting() func() uint64 {
	var n atomic.Uint64
	return func() uint64 { return n.Add(1) - 1 }
}

func seeded(seed uint64) func() uint64 { return rand.New(rand.NewPCG(seed, 1)).Uint64 }
