package wasmhost

import (
	"sync"
	"sync/atomic"
	"time"
)

// BreakerState is whether a guest is called at all.
type BreakerState int32

// The states of a breaker.
const (
	BreakerClosed BreakerState = iota // calls go through
	BreakerIsOpen                     // none does
	BreakerHalf                       // one does, to see
)

func (s BreakerState) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// breaker stops calling a guest that does little but fail. It opens when there were more than BreakerFailures failed calls
// within BreakerWindow and at least half of the records given in that time failed with them: a few records on which a
// guest fails must not take it away from all others.
type breaker struct {
	shut    atomic.Bool  // calls do not go through without asking
	records atomic.Int64 // given within the window

	mu       sync.Mutex
	state    BreakerState
	limits   *Limits
	since    time.Time // of the window
	failures int       // calls
	failed   int64     // records
	until    time.Time // when the next probe may be, whatever became of the last
	backoff  time.Duration
	probing  bool
}

// allow says whether a batch may be tried now, and whether it is a probe: in half-open state only one may be, until it is
// known what came of it. Whoever was allowed to has to call note or quiet; a probe that never does is forgotten in time.
func (b *breaker) allow() (ok, probe bool) {
	if !b.shut.Load() {
		return true, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch {
	case b.state == BreakerClosed:
		return true, false
	case b.state == BreakerHalf && !b.probing, now.After(b.until):
		b.state, b.probing, b.until = BreakerHalf, true, now.Add(b.limits.BreakerBackoffMx)
		return true, true
	}
	return false, false
}

// note counts a batch of n records, of which failed did with failures failed calls.
func (b *breaker) note(probe bool, n, failed, failures int) {
	b.records.Add(int64(n))
	if failures == 0 && !probe {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch {
	case probe:
		b.probed(now, failures > 0 && 2*failed >= n)
		return
	case b.state != BreakerClosed: // it was allowed before
		return
	}
	if elapsed := now.Sub(b.since); elapsed > b.limits.BreakerWindow {
		// What went well before counts as what a window of that time had: or else records that fail at the same moment, after
		// hours without a failure, would be all that is known.
		share := float64(b.limits.BreakerWindow) / float64(elapsed)
		seen := max(int64(n), int64(share*float64(b.records.Load())))
		b.restart(now)
		b.records.Store(seen)
	}
	b.failed += int64(failed)
	b.failures += failures
	if b.failures > b.limits.BreakerFailures && 2*b.failed >= b.records.Load() {
		b.open(now)
	}
}

func (b *breaker) probed(now time.Time, failed bool) {
	b.probing = false
	if failed {
		b.open(now)
		return
	}
	b.state, b.backoff = BreakerClosed, 0
	b.restart(now)
	b.shut.Store(false)
}

func (b *breaker) restart(now time.Time) {
	b.since, b.failures, b.failed = now, 0, 0
	b.records.Store(0)
}

func (b *breaker) open(now time.Time) {
	b.backoff = min(max(2*b.backoff, b.limits.BreakerBackoff), b.limits.BreakerBackoffMx)
	b.state, b.until = BreakerIsOpen, now.Add(b.backoff)
	b.shut.Store(true)
}

// quiet says that what was allowed was not tried.
func (b *breaker) quiet(probe bool) {
	if !probe {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// now is the state, and how long an open breaker stays open.
func (b *breaker) now() (BreakerState, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state != BreakerIsOpen {
		return b.state, 0
	}
	return b.state, max(0, time.Until(b.until))
}
