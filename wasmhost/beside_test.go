package wasmhost

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// fails are bodies of on_send with which every call fails.
func fails() map[string]string {
	return map[string]string{
		"endless loop":  forever(""),
		"trap":          "(unreachable)",
		"memory growth": "(loop $g (br_if $g (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)",
	}
}

// beside is a healthy guest and a hostile one of the same host, which fails every call.
type beside struct {
	healthy, hostile *Guest
}

func newBeside(t testing.TB, r *rig, body string) *beside {
	t.Helper()
	many := func(s *Settings) { s.Instances = runtime.GOMAXPROCS(0) }
	return &beside{healthy: r.configure(t, r.module(t, deeds(true), ""), many), hostile: r.configure(t, r.module(t, body, ""), many)}
}

// attack calls the hostile guest a thousand times a second, as a busy topic would, until stop is called.
func (s *beside) attack() (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for {
			s.hostile.OnSend(batchOf(times(10, keyPass)...))
			select {
			case <-pace.C:
			case <-over:
				return
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// serve makes n calls of the healthy guest from each of as many goroutines as there are processors, and says how long they
// took and how many records did not pass.
func (s *beside) serve(n int) (took time.Duration, lost int) {
	var callers sync.WaitGroup
	var mu sync.Mutex
	begin := time.Now()
	for range runtime.GOMAXPROCS(0) {
		callers.Go(func() {
			b, missed := batchOf(times(100, keyPass)...), 0
			for range n {
				s.healthy.OnSend(b)
				for i := range b.Records {
					if b.Records[i].Verdict != Passed {
						missed++
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			lost += missed
		})
	}
	callers.Wait()
	return time.Since(begin), lost
}

// TestHealthyBesideHostile: a guest that fails every call is soon not called any more, and the other one loses no record.
func TestHealthyBesideHostile(t *testing.T) {
	for name, body := range fails() {
		t.Run(name, func(t *testing.T) {
			s := newBeside(t, newRig(t, func(l *Limits) {
				l.BreakerFailures = DefaultLimits().BreakerFailures
				l.Module.MemoryPages = 64 // more takes long under the race detector
			}), body)
			stop := s.attack()
			defer stop()
			for state := BreakerClosed; state == BreakerClosed; state, _ = s.hostile.Breaker() {
				if _, lost := s.serve(20); lost > 0 {
					t.Fatalf("%d records lost", lost)
				}
			}
			if calls := s.hostile.Stats.Hooks[OnSend].Calls.Load(); calls == 0 || calls > maxRetries {
				t.Errorf("it was called %d times until it was given up", calls)
			}
		})
	}
}

// BenchmarkHealthyBesideHostile compares a guest's time alone and beside one of the same host that fails every call, in
// turns: x-alone is their ratio, 1 if it does not notice.
func BenchmarkHealthyBesideHostile(b *testing.B) {
	const calls = 2000
	all := fails()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			s := newBeside(b, newRig(b, func(l *Limits) { *l = DefaultLimits() }), all[name])
			var alone, disturbed time.Duration
			for b.Loop() {
				took, lost := s.serve(calls)
				alone += took
				stop := s.attack()
				took, missed := s.serve(calls)
				stop()
				disturbed += took
				if lost+missed > 0 {
					b.Fatalf("%d records lost", lost+missed)
				}
			}
			n := float64(b.N * calls * runtime.GOMAXPROCS(0))
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(alone)/n, "ns/call-alone")
			b.ReportMetric(float64(disturbed)/n, "ns/call-beside")
			b.ReportMetric(float64(disturbed)/float64(alone), "x-alone")
			b.ReportMetric(float64(s.hostile.Stats.Hooks[OnSend].Calls.Load()), "hostile-calls")
		})
	}
}
