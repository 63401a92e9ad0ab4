package partitioner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		o    partitioner.Options
		want []string // all in the error
	}{
		{"murmur3", partitioner.Options{BatchSize: 1}, []string{`partitioner = "murmur3"`, "murmur2", "uniform-bytes"}},
		{"", partitioner.Options{BatchSize: 1}, []string{`partitioner = ""`, "round-robin"}},
		{"sticky", partitioner.Options{BatchSize: -1}, []string{"batch.size = -1", "sticky"}},
		{"sticky", partitioner.Options{BatchSize: 1 << 31}, []string{"batch.size = 2147483648", "2147483647"}},
		{
			"murmur2",
			partitioner.Options{BatchSize: 1, AvailabilityTimeout: -time.Second},
			[]string{"partitioner.availability.timeout.ms = -1000"},
		},
	}
	for _, tt := range tests {
		q, err := partitioner.New(tt.name, tt.o)
		if err == nil || q != nil {
			t.Errorf("New(%q, %+v) = %v, %v; want an error", tt.name, tt.o, q, err)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("New(%q): error %q does not contain %q", tt.name, err, want)
			}
		}
	}
}

// Java: BuiltInPartitionerTest.testStickyBatchSizeMoreThatZero.
func TestStickyBatchSizeMoreThatZero(t *testing.T) {
	for _, name := range []string{partitioner.Murmur2, partitioner.UniformBytes, partitioner.Sticky} {
		if _, err := partitioner.New(name, partitioner.Options{BatchSize: 0}); err == nil {
			t.Errorf("%s takes batch.size 0", name)
		}
		if _, err := partitioner.New(name, partitioner.Options{BatchSize: 1}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// each runs f with every built-in partitioner.
func each(t *testing.T, f func(t *testing.T, q *partitioner.Partitioner)) {
	t.Helper()
	for _, name := range partitioner.Names() {
		t.Run(name, func(t *testing.T) { f(t, newPartitioner(t, name, partitioner.Options{BatchSize: 64, Adaptive: true})) })
	}
}

func TestOnlyOpenRecordsOfTheTopicAreTouched(t *testing.T) {
	each(t, func(t *testing.T, q *partitioner.Partitioner) {
		t.Helper()
		for _, key := range [][]byte{nil, {}, []byte("key")} {
			b := newBatch(7, 10)
			for i := range b.Records {
				b.Records[i].Key = key
			}
			b.Complete(0, record.Ack{Code: record.Rejected})
			b.Records[1].Explicit = true // has none, and still nobody else may choose
			b.Records[2].Explicit, b.Records[2].Partition = true, 77
			b.Records[3].Topic = "elsewhere"
			b.Records[4].Partition = 78 // a guest chose
			q.Partition(b, some(9, 5, 6))
			for i, want := range []int32{-1, -1, 77, -1, 78} {
				if got := b.Records[i].Partition; got != want {
					t.Errorf("key %q: record %d got partition %d, want %d untouched", key, i, got, want)
				}
			}
			for i := 5; i < 7; i++ {
				if got := b.Records[i].Partition; got < 0 || got > 8 {
					t.Errorf("key %q: record %d got partition %d of 9", key, i, got)
				}
			}
		}
	})
}

func TestKeylessRecordsGoToAvailablePartitions(t *testing.T) {
	tests := []struct {
		p    *record.Partitions
		want map[int32]bool
	}{
		{some(6, 1, 4), map[int32]bool{1: true, 4: true}},
		{some(6, 5), map[int32]bool{5: true}},
		{some(3), map[int32]bool{0: true, 1: true, 2: true}},
		{some(1), map[int32]bool{0: true}},
		{some(0), map[int32]bool{-1: true}}, // nothing is known of the topic: the caller answers that
	}
	each(t, func(t *testing.T, q *partitioner.Partitioner) {
		t.Helper()
		for _, tt := range tests {
			seen := make(map[int32]bool)
			for range 40 {
				b := newBatch(10, 20)
				q.Partition(b, tt.p)
				for i := range b.Records {
					seen[b.Records[i].Partition] = true
				}
			}
			if got, want := fmt.Sprint(seen), fmt.Sprint(tt.want); got != want {
				t.Errorf("%d of %d available: records went to %s, want all of %s", len(tt.p.Available), tt.p.Count, got, want)
			}
		}
	})
}

func TestIgnoreKeys(t *testing.T) {
	for _, name := range []string{partitioner.Murmur2, partitioner.UniformBytes, partitioner.Sticky} {
		keyed := newPartitioner(t, name, partitioner.Options{BatchSize: 1})
		ignoring := newPartitioner(t, name, partitioner.Options{BatchSize: 1, IgnoreKeys: true})
		byKey, ignored := make(map[int32]bool), make(map[int32]bool)
		for range 200 {
			byKey[one(keyed, all(5), []byte("key"))] = true
			ignored[one(ignoring, all(5), []byte("key"))] = true
		}
		if len(byKey) != 1 || len(ignored) != 5 {
			t.Errorf("%s: one key went to %d partitions, and to %d of 5 when keys are ignored", name, len(byKey), len(ignored))
		}
	}
	for _, name := range []string{partitioner.CRC32, partitioner.FNV1a} {
		q := newPartitioner(t, name, partitioner.Options{IgnoreKeys: true})
		first := one(q, all(50), []byte("key"))
		for range 50 {
			if got := one(q, all(50), []byte("key")); got != first {
				t.Errorf("%s: partitioner.ignore.keys has an effect: partitions %d and %d", name, first, got)
			}
		}
	}
}
