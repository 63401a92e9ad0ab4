package metrics

import (
	"fmt"
	"maps"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

const (
	oneID   = "0123456789abcdef0123456789abcdef"
	otherID = "ffffffffffff000000000000000000"
)

// distributionOf counts values as the host does.
func distributionOf(values ...int64) Distribution {
	var d Distribution
	for _, v := range values {
		d.Buckets[min(bits.Len64(uint64(v)), DistributionBuckets-1)]++
		d.Sum += v
	}
	return d
}

// short is as much of an id as the labels show.
func short(id string) string { return id[:min(len(id), 12)] }

// fullModules is a snapshot in which every figure is different.
func fullModules() Modules {
	return Modules{
		Short: short, CandidatesEnded: 16,
		Versions: []ModuleVersion{{
			Module: "redact", Version: oneID,
			Hooks: []ModuleHook{
				{Name: "partition"}, // never called: it is not shown
				{
					Name: "on_send", Calls: 40, Records: 4000, Changed: 300, Dropped: 20, Routed: 1,
					Errors:  map[string]int64{"trap": 7, "breaker_open": 90},
					Latency: distributionOf(1_000_000, 3_000_000), Fuel: distributionOf(5000),
				},
				{Name: "on_ack", Errors: map[string]int64{"no_instance": 8}},
			},
			Live: 4, Idle: 3, Memory: 262144, Discarded: 9, Recycled: 11, StartsFailed: 12,
			Waits: distributionOf(1, 2, 3), LinesDropped: 14, Counters: map[string]int64{"masked": 77, "balance": -5}, CountersRefused: 15,
		}},
		Serving: []Serving{
			{Module: "redact", Version: oneID, Table: "logs.*", Role: "active"},
			{Module: "redact", Version: oneID, Table: "logs.*", Role: "active", Breaker: BreakerOpen},
			{Module: "redact", Version: oneID, Table: "logs.*", Role: "active", Breaker: BreakerHalfOpen},
			{Module: "redact", Version: oneID, Table: "orders", Role: "active"},
			{Module: "redact", Version: otherID, Table: "orders", Role: "shadow", Breaker: BreakerHalfOpen},
		},
	}
}

// wantModules is what a scrape shows of fullModules.
func wantModules() map[string]float64 {
	const v = " module=redact version=0123456789ab"
	want := map[string]float64{
		"sluice_module_candidates_ended_total":                                        16,
		"sluice_module_memory_bytes" + v:                                              262144,
		"sluice_module_instances module=redact state=live version=0123456789ab":       4,
		"sluice_module_instances module=redact state=idle version=0123456789ab":       3,
		"sluice_module_instances_discarded_total" + v:                                 9,
		"sluice_module_instances_recycled_total" + v:                                  11,
		"sluice_module_instance_starts_failed_total" + v:                              12,
		"sluice_module_instance_wait_seconds" + v:                                     3,
		"sluice_module_log_lines_dropped_total" + v:                                   14,
		"sluice_module_counters_refused_total" + v:                                    15,
		"sluice_module_counter_total module=redact name=masked version=0123456789ab":  77,
		"sluice_module_counter_total module=redact name=balance version=0123456789ab": -5,

		"sluice_module_breaker_state module=redact topic=logs.* version=0123456789ab": 2,
		"sluice_module_breaker_state module=redact topic=orders version=0123456789ab": 0,
		"sluice_module_breaker_state module=redact topic=orders version=ffffffffffff": 1,
		"sluice_module_version_info module=redact role=active version=0123456789ab":   1,
		"sluice_module_version_info module=redact role=shadow version=ffffffffffff":   1,
	}
	for hook, figures := range map[string][7]float64{"on_send": {40, 4000, 300, 20, 1, 2, 1}, "on_ack": {}} {
		for i, name := range []string{
			"calls_total", "records_total", "records_changed_total", "records_dropped_total", "records_routed_total",
			"call_duration_seconds", "call_fuel",
		} {
			want["sluice_module_"+name+" hook="+hook+v] = figures[i]
		}
	}
	for reason, n := range map[string]float64{"on_send trap": 7, "on_send breaker_open": 90, "on_ack no_instance": 8} {
		hook, reason, _ := strings.Cut(reason, " ")
		want["sluice_module_record_errors_total hook="+hook+" module=redact reason="+reason+" version=0123456789ab"] = n
	}
	return want
}

func TestScrapeOfModules(t *testing.T) {
	s := newSet(newClock().now)
	s.Modules(fullModules)
	got := values(t, s)
	maps.DeleteFunc(got, func(name string, _ float64) bool { return !strings.HasPrefix(name, "sluice_module_") })
	if diff := cmp.Diff(wantModules(), got); diff != "" {
		t.Error(diff)
	}
}

// TestDistribution holds that every histogram has the bounds 2^i - 1 of its span, that a bound belongs to its bucket, and
// that what is larger than all bounds is counted.
func TestDistribution(t *testing.T) {
	for name, h := range map[string]struct {
		span  span
		per   float64
		le    []float64 // first and last
		place func(*ModuleVersion, Distribution)
	}{
		"sluice_module_call_duration_seconds": {
			callTime, 1e9,
			[]float64{1023e-9, 1.073741823},
			func(v *ModuleVersion, d Distribution) { v.Hooks[0].Latency = d },
		},
		"sluice_module_instance_wait_seconds": {
			waitTime, 1e9,
			[]float64{16383e-9, 17.179869183},
			func(v *ModuleVersion, d Distribution) { v.Waits = d },
		},
		"sluice_module_call_fuel": {
			callFuel, 1,
			[]float64{1023, 1073741823},
			func(v *ModuleVersion, d Distribution) { v.Hooks[0].Fuel = d },
		},
	} {
		t.Run(name, func(t *testing.T) {
			samples := []int64{0, 1, 1 << 50}
			want := map[float64]float64{}
			for i := h.span.from; i <= h.span.to; i++ {
				samples = append(samples, 1<<i-1, 1<<i) // the second belongs to the next bucket
				want[float64(int64(1)<<i-1)/h.per] = float64(2*(i-h.span.from) + 3)
			}
			v := ModuleVersion{Module: "m", Version: oneID, Live: 1, Hooks: []ModuleHook{{Name: "on_send", Calls: 1}}}
			h.place(&v, distributionOf(samples...))
			s := newSet(newClock().now)
			s.Modules(func() Modules { return Modules{Short: short, Versions: []ModuleVersion{v}} })

			m := scrape(t, s)[name].GetMetric()[0].GetHistogram()
			got, buckets := map[float64]float64{}, finite(m)
			for _, b := range buckets {
				got[b.GetUpperBound()] = float64(b.GetCumulativeCount())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if first, last := buckets[0].GetUpperBound(), buckets[len(buckets)-1].GetUpperBound(); !near(first, h.le[0]) || !near(last, h.le[1]) {
				t.Errorf("bounds from %v to %v, want %v", first, last, h.le)
			}
			sum := 0.0
			for _, v := range samples {
				sum += float64(v) / h.per
			}
			if m.GetSampleCount() != uint64(len(samples)) || !near(m.GetSampleSum(), sum) {
				t.Errorf("%d samples of %v, want %d of %v", m.GetSampleCount(), m.GetSampleSum(), len(samples), sum)
			}
		})
	}
}

// finite is the buckets without the one that holds everything.
func finite(h *dto.Histogram) []*dto.Bucket {
	all := h.GetBucket()
	if n := len(all); n > 0 && all[n-1].GetUpperBound() > 1e300 {
		all = all[:n-1]
	}
	return all
}

// TestRestingVersions holds that a version is shown while it serves and for an hour after it last did or counted something,
// and comes back with all it had counted.
func TestRestingVersions(t *testing.T) {
	const calls = "sluice_module_calls_total hook=on_send module=m version=0123456789ab"
	serving := []Serving{{Module: "m", Version: oneID, Table: "t", Role: "active"}}
	for _, test := range []struct {
		name  string
		steps []struct {
			after   time.Duration
			live    int64
			serving []Serving
			calls   int64
			shown   bool
		}
	}{
		{"never did anything", steps{{0, 0, nil, 0, false}}},
		{"serves idly for hours, with its instances lost", steps{{0, 1, nil, 0, true}, {5 * time.Hour, 0, serving, 0, true}, {5 * time.Hour, 0, serving, 0, true}}},
		{"has instances that drain", steps{{0, 1, serving, 3, true}, {2 * time.Hour, 1, nil, 3, true}}},
		{"rests and comes back", steps{
			{0, 1, serving, 5, true},
			{59 * time.Minute, 0, nil, 5, true},
			{time.Minute, 0, nil, 5, false},
			{time.Hour, 0, nil, 6, true},
			{59 * time.Minute, 0, nil, 6, true},
			{2 * time.Minute, 0, nil, 6, false},
			{time.Minute, 1, serving, 6, true},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClock()
			s := newSet(c.now)
			var now Modules
			s.Modules(func() Modules { return now })
			for i, step := range test.steps {
				c.advance(step.after)
				v := ModuleVersion{Module: "m", Version: oneID, Live: step.live}
				v.Hooks = []ModuleHook{{Name: "on_send", Calls: step.calls, Errors: map[string]int64{"trap": 0}}}
				now = Modules{Short: short, Versions: []ModuleVersion{v}, Serving: step.serving}
				n, shown := values(t, s)[calls]
				if shown != step.shown || n != float64(step.calls) && shown {
					t.Errorf("step %d: shown %t with %v calls, want %t with %d", i, shown, n, step.shown, step.calls)
				}
			}
		})
	}
}

type steps = []struct {
	after   time.Duration
	live    int64
	serving []Serving
	calls   int64
	shown   bool
}

// TestEqualShortIDs holds that two versions of a module with equal short ids cannot make a scrape fail, and that the same
// version of two modules is no reason for whole ids.
func TestEqualShortIDs(t *testing.T) {
	twin := short(oneID) + "ffff"
	version := func(module, id string, memory int64) ModuleVersion {
		return ModuleVersion{Module: module, Version: id, Live: 1, Memory: memory}
	}
	s := newSet(newClock().now)
	s.Modules(func() Modules {
		return Modules{
			Short:    short,
			Versions: []ModuleVersion{version("a", oneID, 1), version("a", twin, 2), version("b", oneID, 3), version("c", "abc", 4)},
			Serving:  []Serving{{Module: "a", Version: twin, Table: "t", Role: "active"}, {Module: "b", Version: oneID, Table: "t", Role: "active"}},
		}
	})
	got := values(t, s)
	for name, want := range map[string]float64{
		"sluice_module_memory_bytes module=a version=" + oneID:                 1,
		"sluice_module_memory_bytes module=a version=" + twin:                  2,
		"sluice_module_memory_bytes module=b version=0123456789ab":             3,
		"sluice_module_memory_bytes module=c version=abc":                      4,
		"sluice_module_version_info module=a role=active version=" + twin:      1,
		"sluice_module_version_info module=b role=active version=0123456789ab": 1,
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// TestBindingsOfATable holds that what bindings count never falls: not when a reload makes them anew, not when one goes.
func TestBindingsOfATable(t *testing.T) {
	binding := func(source int, n int64) Binding {
		return Binding{Source: source, Module: "m", Table: "t", Compared: n, Differed: n / 2, DeadLettered: 3 * n}
	}
	c := newClock()
	s := newSet(c.now)
	var now []Binding
	s.Producer(func() Snapshot { return Snapshot{Bindings: now} })
	for i, step := range []struct {
		bindings []Binding
		want     float64
	}{
		{[]Binding{binding(1, 100), binding(2, 20)}, 120},
		{[]Binding{binding(1, 110), binding(3, 2)}, 132},
		{[]Binding{binding(3, 4)}, 134},
		{[]Binding{binding(3, 4), {Source: 4, Module: "m", Table: "else", Compared: 1000}}, 134},
	} {
		c.advance(time.Second)
		now = step.bindings
		got := values(t, s)
		for name, want := range map[string]float64{
			"shadow_compared_total": step.want, "shadow_differed_total": step.want / 2, "dead_lettered_total": 3 * step.want,
		} {
			if n := got["sluice_module_"+name+" module=m topic=t"]; n != want {
				t.Errorf("step %d: %s is %v, want %v", i, name, n, want)
			}
		}
	}
}

// TestNamesAreClean has Prometheus' own linter look at all names, types and help texts of the gateway.
func TestNamesAreClean(t *testing.T) {
	s := filled(t)
	all, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(all).Lint()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{
		"kafka_producer_connection_count": true, // ends with _count, as Kafka's name does
		"sluice_module_counter_total":     true, // a type is in its name: that of what it shows
	}
	for _, p := range problems {
		if !known[p.Metric] {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		delete(known, p.Metric)
	}
	for name := range known {
		t.Errorf("%s is clean by now: take it out of the list", name)
	}
}

func BenchmarkScrapeModules(b *testing.B) {
	snap := fullModules()
	for i := range 49 {
		v := snap.Versions[0]
		v.Module = fmt.Sprint("m", i)
		snap.Versions = append(snap.Versions, v)
	}
	s := New()
	s.Modules(func() Modules { return snap })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
