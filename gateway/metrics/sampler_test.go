package metrics

import (
	"math"
	"testing"
	"time"
)

// step is a stretch of time at whose end a snapshot is taken by a scrape, and what the scrape is to show.
type step struct {
	after time.Duration
	topic Topic
	want  map[string]float64
}

const (
	sendRate = "kafka_producer_record_send_rate topic=t"
	sendSum  = "kafka_producer_record_send_total topic=t"
	sizeAvg  = "kafka_producer_record_size_avg_bytes topic=t"
	sizeMax  = "kafka_producer_record_size_max_bytes topic=t"
	waitPart = "kafka_producer_bufferpool_wait_ratio topic=t"
)

func TestWindows(t *testing.T) {
	nan := math.NaN()
	counts := func(n, size int64, largest int64) Topic {
		return Topic{Appended: n, Acked: n, Bytes: n * size, MaxRecord: largest, Wait: time.Duration(n) * time.Millisecond}
	}
	tests := map[string][]step{
		"a rate that has just begun is taken over 30 s": {
			{time.Second, counts(300, 10, 10), map[string]float64{sendRate: 10, sendSum: 300, waitPart: 0.01}},
			{14 * time.Second, counts(300, 10, 0), map[string]float64{sendRate: 10, sizeMax: 10}},
		},
		"nothing happened": {
			{time.Second, counts(0, 0, 0), map[string]float64{sendRate: 0, sizeAvg: nan, sizeMax: nan, waitPart: 0}},
		},
		"a largest value of zero is a value": {
			{time.Second, counts(3, 0, 0), map[string]float64{sizeAvg: 0, sizeMax: 0}},
		},
		"two windows, the older one forgotten": {
			{30 * time.Second, counts(60, 10, 20), map[string]float64{sendRate: 2, sizeAvg: 10, sizeMax: 20}},
			{15 * time.Second, counts(60, 10, 0), map[string]float64{sendRate: 60.0 / 45, sizeAvg: 10, sizeMax: 20}},
			// 30 records of 40 bytes in the second window
			{
				15 * time.Second,
				Topic{Appended: 90, Acked: 90, Bytes: 600 + 1200, MaxRecord: 15},
				map[string]float64{sendRate: 1, sizeAvg: 40, sizeMax: 15},
			},
			{30 * time.Second, Topic{Appended: 90, Acked: 90, Bytes: 1800}, map[string]float64{sendRate: 0, sizeAvg: nan, sizeMax: nan}},
		},
		"sampled more rarely than the windows are long": {
			{120 * time.Second, counts(240, 10, 20), map[string]float64{sendRate: 2, sizeMax: 20}},
			{60 * time.Second, counts(300, 10, 5), map[string]float64{sendRate: 1, sizeMax: 5}},
		},
		"a count that falls for a moment": {
			{30 * time.Second, counts(60, 10, 20), map[string]float64{sendSum: 60}},
			{15 * time.Second, counts(50, 10, 20), map[string]float64{sendSum: 60, sendRate: 60.0 / 45}},
			{15 * time.Second, counts(90, 10, 20), map[string]float64{sendSum: 90, sendRate: 1}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			s := newSet(c.now)
			var now Topic
			s.Producer(func() Snapshot { return Snapshot{Topics: []Topic{now}} })
			for i, step := range steps {
				c.advance(step.after)
				now = step.topic
				now.Table = "t"
				got := values(t, s)
				for metric, want := range step.want {
					if !near(got[metric], want) {
						t.Errorf("step %d: %s is %v, want %v", i, metric, got[metric], want)
					}
				}
			}
		})
	}
}

// TestScrapersAgree holds that windows turn by the clock: who scrapes often sees what who scrapes rarely sees.
func TestScrapersAgree(t *testing.T) {
	c := newClock()
	var n int64
	source := func() Snapshot {
		return Snapshot{Topics: []Topic{{Table: "t", Acked: n, Appended: n, Bytes: n * n, MaxRecord: n}}}
	}
	often, rarely := newSet(c.now), newSet(c.now)
	often.Producer(source)
	rarely.Producer(source)
	for second := range 100 {
		c.advance(time.Second)
		n += int64(second % 7)
		often.tick()
		values(t, often)
		if second%15 == 14 {
			rarely.tick()
		}
	}
	a, b := values(t, often), values(t, rarely)
	for _, metric := range []string{sendRate, sendSum, sizeAvg, sizeMax} {
		if !near(a[metric], b[metric]) || a[metric] == 0 {
			t.Errorf("%s is %v scraped every second and %v every 15 s", metric, a[metric], b[metric])
		}
	}
}

// TestTopicsOfATable holds that topics of one table are summed, and that the sum never falls while the table is there.
func TestTopicsOfATable(t *testing.T) {
	topic := func(source, acked int64) Topic {
		return Topic{
			Source: source, Table: "t", Acked: acked, Appended: acked, MaxRecord: acked, BufferTotal: 100,
			BufferAvailable: 10 * source, Waiting: 1,
		}
	}
	const (
		available = "kafka_producer_buffer_available_bytes topic=t"
		requests  = "kafka_producer_waiting_threads topic=t"
		full      = "sluice_buffer_over_80_percent topic=t"
	)
	steps := []struct {
		name   string
		topics []Topic
		want   map[string]float64
	}{
		{"two topics", []Topic{topic(1, 100), topic(3, 50)}, map[string]float64{sendSum: 150, sizeMax: 100, available: 40, requests: 2, full: 1}},
		{"both go on", []Topic{topic(1, 110), topic(3, 55)}, map[string]float64{sendSum: 165, sizeMax: 110}},
		{"one is replaced", []Topic{topic(3, 55), topic(2, 7)}, map[string]float64{sendSum: 172, available: 50, full: 0}},
		{"one goes", []Topic{topic(2, 8)}, map[string]float64{sendSum: 173, available: 20, requests: 1}},
	}
	c := newClock()
	s := newSet(c.now)
	var topics []Topic
	s.Producer(func() Snapshot { return Snapshot{Topics: topics} })
	for _, step := range steps {
		c.advance(time.Second)
		topics = step.topics
		got := values(t, s)
		for metric, want := range step.want {
			if got[metric] != want {
				t.Errorf("%s: %s is %v, want %v", step.name, metric, got[metric], want)
			}
		}
	}
	topics = nil
	if v, ok := values(t, s)[sendSum]; ok {
		t.Errorf("the table is gone and its series still there, %v", v)
	}
	if n := len(s.scopes[ofTopic].seen); n != 0 {
		t.Errorf("%d sources are remembered that are gone", n)
	}
}

// TestClientsOfAnID holds that clients with one client.id are summed and compared with the largest batch.size.
func TestClientsOfAnID(t *testing.T) {
	c := newClock()
	s := newSet(c.now)
	s.Producer(func() Snapshot {
		return Snapshot{Clients: []Client{
			{Source: 1, ID: "c", BatchSize: 1000, Batches: 1, BatchBytes: 100, InFlight: 1},
			{Source: 2, ID: "c", BatchSize: 500, Batches: 3, BatchBytes: 900, InFlight: 2},
			{Source: 3, ID: "d", Batches: 1, BatchBytes: 1},
		}}
	})
	got := values(t, s)
	for metric, want := range map[string]float64{
		"sluice_client_batches_total client_id=c":         4,
		"kafka_producer_requests_in_flight client_id=c":   3,
		"kafka_producer_batch_size_avg_bytes client_id=c": 250,
		"sluice_client_batch_fill_ratio client_id=c":      0.25,
		"sluice_client_batch_fill_ratio client_id=d":      math.NaN(),
	} {
		if !near(got[metric], want) {
			t.Errorf("%s is %v, want %v", metric, got[metric], want)
		}
	}
}
