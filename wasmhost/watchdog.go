package wasmhost

import (
	"sync"
	"sync/atomic"
	"time"
)

// tick is how often the watchdog looks. Calls are timed in ticks and not by the clock: a process that gets no CPU does
// not get ticks either, and must not take that for a fault of its guests.
const tick = 5 * time.Millisecond

// restAfter is how many ticks without any call send the watchdog to sleep.
const restAfter = 200

// watchdog ends calls that take too long.
type watchdog struct {
	mu     sync.Mutex
	seen   map[*instance]*sighting
	asleep atomic.Bool
	wake   chan struct{}
	stop   chan struct{}
	done   chan struct{}
}

// sighting is the call in which an instance was seen, and for how many ticks.
type sighting struct {
	serial uint64
	ticks  int32
}

func newWatchdog() *watchdog {
	w := &watchdog{
		seen: make(map[*instance]*sighting), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w
}

// ticks wakes the watchdog, and says how many ticks d is.
func (w *watchdog) ticks(d time.Duration) int32 {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return int32(min(d/tick, 1<<30)) + 1
}

func (w *watchdog) add(in *instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[in] = &sighting{}
}

func (w *watchdog) remove(in *instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.seen, in)
}

func (w *watchdog) close() {
	close(w.stop)
	<-w.done
}

func (w *watchdog) run() {
	defer close(w.done)
	t := time.NewTicker(tick)
	defer t.Stop()
	for quiet := 0; ; {
		select {
		case <-w.stop:
			return
		case <-t.C:
		}
		if w.look() {
			quiet = 0
		} else {
			quiet++
		}
		if quiet < restAfter {
			continue
		}
		w.asleep.Store(true)
		if w.look() { // a call that began before it could see that we sleep
			w.asleep.Store(false)
			quiet = 0
			continue
		}
		t.Stop()
		select {
		case <-w.stop:
			return
		case <-w.wake:
		}
		quiet = 0
		t.Reset(tick)
	}
}

// look goes over all instances, kills those whose time is up, and says whether any was called since.
func (w *watchdog) look() (busy bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for in, s := range w.seen {
		serial := in.serial.Load()
		if serial != s.serial {
			s.serial, s.ticks, busy = serial, 0, true
			continue
		}
		if in.state.Load() == idle {
			continue
		}
		busy = true
		if s.ticks++; s.ticks > in.ticks.Load() {
			in.kill(serial)
		}
	}
	return busy
}
