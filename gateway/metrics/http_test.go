package metrics

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestObserve(t *testing.T) {
	h := NewHTTP([]string{"none", "records"})
	s := newSet(newClock().now)
	s.HTTP(h)
	h.Observe(1, 200, 500*time.Microsecond, 10) // a bound belongs to its bucket
	h.Observe(1, 200, 500*time.Microsecond+1, 10)
	h.Observe(1, 599, time.Hour, 0)
	h.Observe(1, 100, -time.Second, -5) // what cannot be is counted as nothing
	h.Observe(2, 200, 0, 1)
	h.Observe(-1, 99, 0, 1)
	h.Observe(0, 600, 0, 1)

	got := values(t, s)
	for metric, want := range map[string]float64{
		"sluice_http_requests_total route=records status=200": 2,
		"sluice_http_requests_total route=records status=599": 1,
		"sluice_http_requests_total route=records status=100": 1,
		"sluice_http_requests_total route=none status=200":    1,
		"sluice_http_requests_total route=none status=other":  2,
		"sluice_http_request_bytes_total route=records":       20,
		"sluice_http_request_bytes_total route=none":          3,
	} {
		if got[metric] != want {
			t.Errorf("%s is %v, want %v", metric, got[metric], want)
		}
	}
	for _, m := range scrape(t, s)["sluice_http_request_duration_seconds"].GetMetric() {
		sum, want := m.GetHistogram().GetSampleSum(), 0.0
		if m.GetLabel()[0].GetValue() == "records" {
			want = (time.Hour + time.Millisecond + 1).Seconds()
		}
		if !near(sum, want) {
			t.Errorf("%s: the durations come to %v s, want %v", m.GetLabel(), sum, want)
		}
	}
}

func TestDurationHistogram(t *testing.T) {
	h := NewHTTP([]string{"records"})
	s := New()
	s.HTTP(h)
	for _, d := range bounds {
		h.Observe(0, 200, d, 0)
		h.Observe(0, 200, d+1, 0)
	}
	m := scrape(t, s)["sluice_http_request_duration_seconds"].GetMetric()[0].GetHistogram()
	var got, want []float64
	for _, b := range m.GetBucket() {
		got = append(got, b.GetUpperBound(), float64(b.GetCumulativeCount()))
	}
	var sum time.Duration
	for i, d := range bounds {
		want = append(want, d.Seconds(), float64(2*i+1))
		sum += 2*d + 1
	}
	if n := len(got) - 2; n < 0 || got[n+1] != float64(2*len(bounds)) {
		t.Fatalf("the last bucket holds %v, want all %d", got, 2*len(bounds))
	}
	if diff := cmp.Diff(want, got[:len(got)-2]); diff != "" {
		t.Error(diff)
	}
	if m.GetSampleCount() != uint64(2*len(bounds)) || !near(m.GetSampleSum(), sum.Seconds()) {
		t.Errorf("%d samples of %v s, want %d of %v", m.GetSampleCount(), m.GetSampleSum(), 2*len(bounds), sum.Seconds())
	}
}

func TestNoRoutes(t *testing.T) {
	h := NewHTTP(nil)
	s := New()
	s.HTTP(h)
	h.Observe(3, 200, 0, 1)
	if got := values(t, s)["sluice_http_requests_total route=none status=200"]; got != 1 {
		t.Errorf("%v requests were counted, want 1", got)
	}
}

func TestObserveAllocatesNothing(t *testing.T) {
	h := NewHTTP([]string{"none", "records"})
	if n := testing.AllocsPerRun(1000, func() { h.Observe(1, 200, 7*time.Millisecond, 256) }); n != 0 {
		t.Errorf("Observe allocates %v times", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	h := NewHTTP([]string{"none", "records"})
	for name, d := range map[string]time.Duration{"fast": 700 * time.Microsecond, "slow": time.Minute} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.Observe(1, 200, d, 256)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				h.Observe(1, 200, 7*time.Millisecond, 256)
			}
		})
	})
}

func BenchmarkScrape(b *testing.B) {
	s := New()
	s.Producer(func() Snapshot {
		snap := full()
		for i := range 99 {
			snap.Topics = append(snap.Topics, Topic{Source: i, Table: string(rune('A' + i))})
		}
		return snap
	})
	s.HTTP(NewHTTP([]string{"none", "records"}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
