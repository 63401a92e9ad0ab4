package wasmhost

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/wasmhost/compile"
)

// swapped is a guest whose version is exchanged while others call it.
type swapped struct {
	*rig
	stats   *Stats
	wasm    []byte // has a place for the version, which makes each its own module
	current atomic.Pointer[Guest]
	served  atomic.Int64
	lost    atomic.Int64 // calls that found no instance, or the wrong version
}

const noVersion = "v000000"

func newSwapped(t *testing.T) *swapped {
	t.Helper()
	// Tens of KB of machine code, so that it shows if it stays.
	padding := strings.Repeat("(local.set 0 (i32.add (i32.mul (local.get 0) (local.get 0)) (i32.load (local.get 0))))", 1000)
	h := hostile{
		wat:  patch(2, 8, 512, 12, len(noVersion)),
		more: fmt.Sprintf("(data (i32.const 512) %q) (func (param i32) %s)", noVersion, padding),
	}
	l := DefaultLimits()
	l.Instances, l.BreakerFailures = 2, 1<<30
	l.CallTimeout, l.AcquireTimeout, l.InitTimeout = timeForAll, timeForAll, timeForAll
	host, err := New(Options{Limits: l, Compile: compile.Options{CacheBytes: 1}}) // which holds one
	if err != nil {
		t.Fatal(err)
	}
	s := &swapped{rig: &rig{host: host}, stats: host.NewStats(), wasm: h.wasm(t)}
	t.Cleanup(func() {
		if g := s.current.Load(); g != nil {
			g.Close()
		}
		if err := host.Close(); err != nil || host.Memory() != 0 {
			t.Errorf("%v; %d bytes of memory are still charged", err, host.Memory())
		}
	})
	return s
}

// swap puts version i in force, and gives up the one before.
func (s *swapped) swap(t *testing.T, i int) {
	t.Helper()
	name := fmt.Sprintf("v%06d", i)
	m, err := s.host.Compile(t.Context(), bytes.Replace(s.wasm, []byte(noVersion), []byte(name), 1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	if m.Cached {
		t.Errorf("version %d is not new", i)
	}
	g, err := m.Configure(Settings{Topic: "orders", Name: "swapped", Version: name, Log: NewLog(1), Stats: s.stats})
	if err != nil {
		t.Fatal(err)
	}
	if old := s.current.Swap(g); old != nil {
		old.Close()
	}
}

// call makes one call of the version in force.
func (s *swapped) call() {
	g := s.current.Load()
	if !g.Use() {
		return // it was swapped just now
	}
	defer g.Done()
	b := batchOf("k")
	if g.OnSend(b); b.Records[0].Verdict != Passed || string(b.Records[0].Value) != g.settings.Version {
		s.lost.Add(1)
	}
	s.served.Add(1)
}

// swaps puts versions from to to in force, one after the other, under load.
func (s *swapped) swaps(t *testing.T, from, to int) {
	t.Helper()
	var callers sync.WaitGroup
	defer callers.Wait()
	var over atomic.Bool
	defer over.Store(true)
	for range 3 {
		callers.Go(func() {
			for !over.Load() {
				s.call()
			}
		})
	}
	for i := from; i < to; i++ {
		before := s.served.Load()
		s.swap(t, i)
		for s.served.Load() == before { // each version serves somebody, or nothing was swapped under load
			runtime.Gosched()
		}
	}
}

// usage is what a process holds.
type usage struct {
	goroutines int
	live       int64
	rss        int64 // bytes; 0 if it cannot be told here
}

func (s *swapped) usage(t *testing.T) usage {
	t.Helper()
	debug.FreeOSMemory()
	return usage{goroutines: runtime.NumGoroutine(), live: s.stats.Live.Load(), rss: rss(t)}
}

func rss(t *testing.T) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestSwapsLeaveNothing: 500 versions, one after the other under load, leave goroutines, instances and memory as they were.
func TestSwapsLeaveNothing(t *testing.T) {
	const room = 12 << 20 // bytes that may be in use or not
	warm, all := 100, 500
	if testing.Short() {
		warm, all = 20, 50
	}
	s := newSwapped(t)
	s.swap(t, 0)
	s.swaps(t, 1, warm)
	eventually(t, "only the last version is there", func() bool { return s.stats.Live.Load() <= 2 })
	before := s.usage(t)
	s.swaps(t, warm, all)
	var after usage
	eventually(t, "it is at rest", func() bool {
		after = s.usage(t)
		return after.live <= 2 && after.goroutines <= before.goroutines+2 && after.rss <= before.rss+room
	})
	t.Logf("%d calls; after %d swaps %+v, after %d %+v", s.served.Load(), warm, before, all, after)
	if n := s.lost.Load(); n > 0 {
		t.Errorf("%d of %d calls went wrong", n, s.served.Load())
	}
}
