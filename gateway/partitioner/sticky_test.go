package partitioner_test

import (
	"testing"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

// recordBytes is what an empty record counts: what it takes in a batch at least.
const recordBytes = 7

// Java: BuiltInPartitionerTest.testStickyPartitioning.
func TestStickyPartitioning(t *testing.T) {
	for _, name := range []string{partitioner.Murmur2, partitioner.UniformBytes, partitioner.Sticky} {
		// Room for 3 records.
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 3 * recordBytes, Rand: counting()})
		p := all(3)
		first := one(q, p, nil)
		for range 2 {
			if got := one(q, p, nil); got != first {
				t.Errorf("%s: switched from %d to %d before the batch size was reached", name, first, got)
			}
		}
		if got := one(q, p, nil); got == first {
			t.Errorf("%s: still on partition %d after the batch size was reached", name, got)
		}
		// Switching works even when there is one partition.
		q = newPartitioner(t, name, partitioner.Options{BatchSize: 1})
		for range 10 {
			if got := one(q, all(1), nil); got != 0 {
				t.Errorf("%s: partition %d of 1", name, got)
			}
		}
	}
}

// Within one batch, and across batches: what counts are the bytes of the records, keyed ones excluded.
func TestStickySwitchesWithinABatch(t *testing.T) {
	q := newPartitioner(t, partitioner.Sticky, partitioner.Options{BatchSize: 100, Rand: counting()})
	var runs []int
	last := int32(-1)
	for range 5 {
		b := newBatch(7, 50-recordBytes-4) // with the header below 50 bytes each: two make a batch
		for i := range b.Records {
			b.Records[i].Headers = []record.Header{{Key: "h", Value: []byte("abc")}}
		}
		b.Add(topic).Key = []byte("key")
		q.Partition(b, all(3))
		for i := range b.Records[:7] {
			if got := b.Records[i].Partition; got != last {
				runs = append(runs, 0)
				last = got
			}
			runs[len(runs)-1]++
		}
	}
	for i, n := range runs[:len(runs)-1] {
		if n != 2 {
			t.Fatalf("run %d has %d records, want 2 (%v)", i, n, runs)
		}
	}
	if len(runs) != 18 { // 35 records
		t.Errorf("%d runs, want 18: %v", len(runs), runs)
	}
}

func TestStickyOversizedRecordFillsItsPartitionAlone(t *testing.T) {
	q := newPartitioner(t, partitioner.Sticky, partitioner.Options{BatchSize: 100, Rand: counting()})
	b := newBatch(4, 5000)
	q.Partition(b, all(2))
	for i := 1; i < 4; i++ {
		if b.Records[i].Partition == b.Records[i-1].Partition {
			t.Errorf("records %d and %d, each larger than the batch size, share partition %d", i-1, i, b.Records[i].Partition)
		}
	}
}

// Java: StickyPartitionCacheTest.testStickyPartitionCache: the next partition is never the last one, unless it is alone.
func TestStickyPartitionCache(t *testing.T) {
	for _, p := range []*record.Partitions{all(2), all(5), some(9, 2, 3, 8), some(4)} {
		q := newPartitioner(t, partitioner.Sticky, partitioner.Options{BatchSize: 1})
		seen := make(map[int32]bool)
		last := one(q, p, nil)
		for range 300 {
			got := one(q, p, nil)
			if got == last {
				t.Fatalf("leaders %v of %d: partition %d again", p.Available, p.Count, got)
			}
			seen[got], last = true, got
		}
		if want := max(len(p.Available), 1); len(seen) < want {
			t.Errorf("leaders %v of %d: only %v were chosen", p.Available, p.Count, seen)
		}
	}
	q := newPartitioner(t, partitioner.Sticky, partitioner.Options{BatchSize: 1})
	for range 10 {
		if got := one(q, some(5, 3), nil); got != 3 {
			t.Errorf("partition %d, but only 3 has a leader", got)
		}
	}
}

// Java: BuiltInPartitionerTest.unavailablePartitionsTest and StickyPartitionCacheTest.unavailablePartitionsTest.
func TestUnavailablePartitions(t *testing.T) {
	for _, name := range []string{partitioner.Murmur2, partitioner.UniformBytes, partitioner.Sticky} {
		o := partitioner.Options{BatchSize: 1}
		q, seen := newPartitioner(t, name, o), make(map[int32]bool)
		for range 100 {
			seen[one(q, some(3, 0, 2), nil)] = true
		}
		if seen[1] || !seen[0] || !seen[2] {
			t.Errorf("%s: topic A went to %v, want 0 and 2", name, seen)
		}
		q = newPartitioner(t, name, o)
		for range 100 {
			if got := one(q, some(2, 1), nil); got != 1 {
				t.Fatalf("%s: topic B went to %d, want 1", name, got)
			}
		}
		q = newPartitioner(t, name, o)
		for range 2 {
			if got := one(q, some(1), nil); got != 0 {
				t.Fatalf("%s: topic C went to %d, want 0 although it has no leader", name, got)
			}
		}
	}
}

// Other than in Java: a partition that loses its leader is left at once, not after another batch.size bytes.
func TestStickyLeavesAPartitionWithoutLeader(t *testing.T) {
	for _, name := range []string{partitioner.UniformBytes, partitioner.Sticky} {
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 1 << 20})
		first := one(q, all(2), nil)
		if got := one(q, some(2, 1-first), nil); got != 1-first {
			t.Errorf("%s: partition %d has no leader any more and still gets records", name, got)
		}
		if got := one(q, all(2), nil); got != 1-first {
			t.Errorf("%s: went back to %d before the batch size was reached", name, got)
		}
		if got := one(q, some(2), nil); got != 1-first {
			t.Errorf("%s: went to %d when no partition has a leader; waiting here is as good as there", name, got)
		}
	}
}
