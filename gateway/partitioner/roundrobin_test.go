package partitioner_test

import (
	"testing"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

// Java: RoundRobinPartitionerTest.testRoundRobinWithUnavailablePartitions.
func TestRoundRobinWithUnavailablePartitions(t *testing.T) {
	q := newPartitioner(t, partitioner.RoundRobin, partitioner.Options{})
	p := some(3, 0, 2)
	count := make(map[int32]int)
	for range 100 {
		count[one(q, p, nil)]++
	}
	if count[0] != 50 || count[2] != 50 {
		t.Errorf("100 records went to %v, want 50 to each of 0 and 2", count)
	}
}

// Java: testRoundRobinWithKeyBytes and testRoundRobinWithNullKeyBytes. There one partitioner serves all topics, here each
// topic has its own; so the other topic's records are in the same batch, and must not use up a turn.
func TestRoundRobinWithKeyBytes(t *testing.T)     { roundRobin(t, []byte("key")) }
func TestRoundRobinWithNullKeyBytes(t *testing.T) { roundRobin(t, nil) }

func roundRobin(t *testing.T, key []byte) {
	t.Helper()
	q := newPartitioner(t, partitioner.RoundRobin, partitioner.Options{})
	count := make(map[int32]int)
	for i := range 30 {
		b := newBatch(1, 0)
		b.Records[0].Key = key
		if i%5 == 0 {
			b.Add("topicB").Key = key
		}
		q.Partition(b, all(3))
		count[b.Records[0].Partition]++
	}
	for partition := range int32(3) {
		if count[partition] != 10 {
			t.Errorf("partition %d got %d records, want 10", partition, count[partition])
		}
	}
}

func TestRoundRobinGoesOnAcrossBatchesAndWithoutLeaders(t *testing.T) {
	q := newPartitioner(t, partitioner.RoundRobin, partitioner.Options{})
	var got []int32
	for _, step := range []struct {
		records int
		p       *record.Partitions
	}{{2, all(3)}, {3, all(3)}, {4, some(3)}, {3, some(5, 1, 4)}} {
		b := newBatch(step.records, 0)
		q.Partition(b, step.p)
		for i := range b.Records {
			got = append(got, b.Records[i].Partition)
		}
	}
	want := []int32{0, 1, 2, 0, 1, 2, 0, 1, 2, 4, 1, 4} // turns 9, 10, 11 over {1, 4}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("partitions %v, want %v", got, want)
		}
	}
}
