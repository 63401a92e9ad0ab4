package wasmhost

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what a guest did, or all guests of a version.
type Stats struct {
	Hooks        [NumHooks]HookStats
	Live         atomic.Int64 // instances
	Idle         atomic.Int64
	Discarded    atomic.Int64 // instances that failed
	Recycled     atomic.Int64 // instances that were old or had grown
	BuildFailed  atomic.Int64 // instances that could not be made
	Memory       atomic.Int64 // linear memory, bytes
	Waits        Histogram    // for an instance, nanoseconds, of those that had to wait
	LinesDropped atomic.Int64
	counters     counters
}

// NewStats returns statistics that guests may share.
func (h *Host) NewStats() *Stats {
	return &Stats{counters: counters{max: h.limits.Counters, values: make(map[string]*atomic.Int64)}}
}

// Counters is the metrics that guests made themselves, by name.
func (s *Stats) Counters() map[string]int64 { return s.counters.snapshot() }

// CountersRefused is how often a guest named a metric that is not allowed (counters.max, [a-z0-9_]{1,48}).
func (s *Stats) CountersRefused() int64 { return s.counters.missed.Load() }

// HookStats counts what a guest did in one hook.
type HookStats struct {
	Calls, Records           atomic.Int64
	Changed, Dropped, Routed atomic.Int64
	Errors                   [NumCauses]atomic.Int64 // records, by cause
	Latency                  Histogram               // of calls, nanoseconds
	Fuel                     Histogram               // of calls
}

// HistogramBuckets is how many buckets a Histogram has; bucket i counts values below 2^i.
const HistogramBuckets = 40

// Histogram counts values by their power of two.
type Histogram struct {
	Buckets [HistogramBuckets]atomic.Int64
	Sum     atomic.Int64
}

// Add counts v.
func (h *Histogram) Add(v int64) {
	h.Buckets[min(bits.Len64(uint64(max(v, 0))), HistogramBuckets-1)].Add(1)
	h.Sum.Add(v)
}

// counters are the metrics that a guest makes itself.
type counters struct {
	mu     sync.Mutex
	max    int
	values map[string]*atomic.Int64
	missed atomic.Int64 // names that are not allowed, or too many
}

// maxCounterName is the longest name of a guest's metric, in bytes.
const maxCounterName = 48

// add finds its counter without allocating, once there is one.
func (c *counters) add(name []byte, delta int64) {
	if len(name) > maxCounterName { // looking it up would go over all of it
		c.missed.Add(1)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.values[string(name)]
	if v == nil {
		if !validCounter(name) || len(c.values) >= c.max {
			c.missed.Add(1)
			return
		}
		v = new(atomic.Int64)
		c.values[string(name)] = v
	}
	v.Add(delta)
}

func validCounter(name []byte) bool {
	for _, b := range name {
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '_' {
			return false
		}
	}
	return len(name) > 0
}

func (c *counters) snapshot() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]int64, len(c.values))
	for name, v := range c.values {
		all[name] = v.Load()
	}
	return all
}

// allowance lets n things happen a second.
type allowance struct {
	mu    sync.Mutex
	n     int
	left  int
	since time.Time
}

func (a *allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.since) >= time.Second {
		a.since, a.left = now, a.n
	}
	if a.left == 0 {
		return false
	}
	a.left--
	return true
}
