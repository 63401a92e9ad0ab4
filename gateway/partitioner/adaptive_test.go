package partitioner_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

// noon is the time of tests that need one.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// loaded is a topic with that many bytes waiting per partition, the last acknowledgement of each at noon.
func loaded(bytes ...int64) *record.Partitions {
	p := all(int32(len(bytes)))
	for _, n := range bytes {
		l := &record.Load{}
		l.Bytes.Store(n)
		l.LastAck.Store(noon.UnixMilli())
		p.Load = append(p.Load, l)
	}
	return p
}

// frequencies says how often each partition is chosen in n choices of an adaptive partitioner.
func frequencies(q *partitioner.Partitioner, p *record.Partitions, n int) []int {
	count := make([]int, p.Count)
	for range n {
		count[one(q, p, nil)]++
	}
	return count
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

// Java: BuiltInPartitionerTest.adaptivePartitionsTest.
func TestAdaptivePartitions(t *testing.T) {
	for _, name := range []string{partitioner.Murmur2, partitioner.UniformBytes} {
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 1, Adaptive: true, Rand: counting(), Now: at(noon)})
		got := frequencies(q, loaded(5, 0, 3, 0, 1), 2*21)
		if diff := cmp.Diff([]int{2 * 1, 2 * 6, 2 * 3, 2 * 6, 2 * 5}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAdaptiveQueueSizes(t *testing.T) {
	const old = -time.Minute
	tests := []struct {
		name    string
		bytes   []int64
		lastAck []time.Duration // against noon; missing: at noon
		leaders []int32         // missing: all
		timeout time.Duration
		want    []int // in as many choices as they sum up to
	}{
		{name: "rounded up to whole batches", bytes: []int64{0, 1, 10, 11, 20}, want: []int{3, 2, 2, 1, 1}},
		{name: "all alike", bytes: []int64{21, 22, 30}, want: []int{4, 4, 4}},
		{name: "nothing waits", bytes: []int64{0, 0}, want: []int{5, 5}},
		{name: "a count below zero is nothing", bytes: []int64{-100, 10}, want: []int{2, 1}},
		{name: "only leaders", bytes: []int64{0, 40, 10}, leaders: []int32{0, 2}, want: []int{2, 0, 1}},
		{name: "only leaders, whose queues are alike", bytes: []int64{0, 40, 0}, leaders: []int32{0, 2}, want: []int{3, 0, 3}},
		{name: "late", bytes: []int64{10, 10, 20}, lastAck: []time.Duration{old}, timeout: time.Second, want: []int{0, 2, 1}},
		{name: "late, others alike", bytes: []int64{10, 9, 8}, lastAck: []time.Duration{old}, timeout: time.Second, want: []int{0, 3, 3}},
		{name: "one is left", bytes: []int64{10, 9}, lastAck: []time.Duration{old}, timeout: time.Second, want: []int{0, 9}},
		{name: "late, but idle", bytes: []int64{0, 10}, lastAck: []time.Duration{old, 0}, timeout: time.Second, want: []int{2, 1}},
		{name: "none is left", bytes: []int64{10, 99}, lastAck: []time.Duration{old, old}, timeout: time.Second, want: []int{4, 4}},
		{name: "the timeout is off", bytes: []int64{10, 20}, lastAck: []time.Duration{old}, want: []int{2, 1}},
		{
			name: "late only after the timeout", bytes: []int64{10, 10, 20}, timeout: time.Second,
			lastAck: []time.Duration{-time.Second, -time.Second - time.Millisecond}, want: []int{2, 0, 1},
		},
		{name: "huge, and chosen once in a lifetime", bytes: []int64{1 << 62, 0}, want: []int{1, 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := loaded(tt.bytes...)
			for i, ago := range tt.lastAck {
				p.Load[i].LastAck.Store(noon.Add(ago).UnixMilli())
			}
			if tt.leaders != nil {
				p.Available = tt.leaders
			}
			q := newPartitioner(t, partitioner.UniformBytes, partitioner.Options{
				BatchSize: 10, Adaptive: true, AvailabilityTimeout: tt.timeout, Rand: counting(), Now: at(noon),
			})
			n := 0
			for _, w := range tt.want {
				n += w
			}
			got := make([]int, p.Count)
			for range n {
				b := newBatch(1, 10) // fills a batch
				q.Partition(b, p)
				got[b.Records[0].Partition]++
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAdaptiveIsOffWithoutLoadOrByChoice(t *testing.T) {
	unloaded := loaded(100, 0)
	unloaded.Load = nil
	short := loaded(0, 0, 0)
	short.Load = short.Load[:2] // the topic has grown: the new one counts as idle
	leaderless := loaded(100, 0)
	leaderless.Available = nil
	tests := []struct {
		name     string
		p        *record.Partitions
		adaptive bool
		want     []int
	}{
		{partitioner.UniformBytes, unloaded, true, []int{10, 10}},
		{partitioner.UniformBytes, leaderless, true, []int{10, 10}},
		{partitioner.UniformBytes, loaded(100, 0), false, []int{10, 10}},
		{partitioner.UniformBytes, short, true, []int{10, 10, 10}},
		{partitioner.Sticky, loaded(100, 0), true, []int{10, 10}},
	}
	for i, tt := range tests {
		q := newPartitioner(t, tt.name, partitioner.Options{BatchSize: 1, Adaptive: tt.adaptive, Rand: counting()})
		n := 10 * len(tt.want)
		if diff := cmp.Diff(tt.want, frequencies(q, tt.p, n)); diff != "" {
			t.Errorf("case %d (-want +got):\n%s", i, diff)
		}
	}
}

// The load is looked at again after a few milliseconds, not for each choice; but at once when the leaders change.
func TestAdaptiveLooksAgain(t *testing.T) {
	now := noon
	q := newPartitioner(t, partitioner.UniformBytes, partitioner.Options{
		BatchSize: 1, Adaptive: true, AvailabilityTimeout: time.Second, Rand: counting(), Now: func() time.Time { return now },
	})
	p := loaded(3, 0)
	steps := []struct {
		name  string
		after time.Duration
		do    func()
		want  []int
	}{
		{"at first", 0, func() {}, []int{1, 4}},
		{"too early", 4 * time.Millisecond, func() { p.Load[0].Bytes.Store(0); p.Load[1].Bytes.Store(3) }, []int{1, 4}},
		{"in time", time.Millisecond, func() {}, []int{4, 1}},
		{"no answer for long", 2 * time.Second, func() {}, []int{5, 0}},
		{"leaders change", 0, func() { p = &record.Partitions{Topic: topic, Count: 2, Available: []int32{1}, Load: p.Load} }, []int{0, 5}},
	}
	for _, s := range steps {
		now = now.Add(s.after)
		s.do()
		if diff := cmp.Diff(s.want, frequencies(q, p, 5)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}
