//go:build !race

package partitioner_test

import (
	"testing"

	"sluice/gateway/partitioner"
)

func TestPartitionAllocatesNothing(t *testing.T) {
	for _, name := range partitioner.Names() {
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 1000, Adaptive: true})
		p := loaded(5000, 0, 3000, 0, 100)
		b := newBatch(100, 256)
		for i := range b.Records[:50] {
			b.Records[i].Key = []byte("a key of some length")
		}
		if n := testing.AllocsPerRun(2000, func() { unset(b); q.Partition(b, p) }); n != 0 {
			t.Errorf("%s: %v allocations per batch, want none", name, n)
		}
	}
}
