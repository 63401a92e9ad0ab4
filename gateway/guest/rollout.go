package guest

import (
	"sync/atomic"
	"time"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
	"sluice/wasmhost"
)

// version is one of the guests of a rollout.
type version struct {
	guest     *wasmhost.Guest
	candidate bool
}

// rollout is the guests that serve a binding at one time. It is never changed, only replaced.
type rollout struct {
	active    *wasmhost.Guest
	candidate *wasmhost.Guest // nil if there is none
	canary    uint32          // how many of 10,000 keys the candidate sees
	shadow    bool            // the candidate sees copies
	trial     *trial          // of the candidate
}

func (r *rollout) use() bool {
	if !r.active.Use() {
		return false
	}
	if r.candidate != nil && !r.candidate.Use() {
		r.active.Done()
		return false
	}
	return true
}

func (r *rollout) done() {
	r.active.Done()
	if r.candidate != nil {
		r.candidate.Done()
	}
}

// close gives the guests up, except those that the rollout after it goes on with.
func (r *rollout) close(next *rollout) {
	for _, g := range []*wasmhost.Guest{r.active, r.candidate} {
		if g != nil && (next == nil || g != next.active && g != next.candidate) {
			g.Close()
		}
	}
}

const allKeys = 10_000

// picks says whether the canary sees r: by the hash of its key, so that all records of a key go through the same version;
// by that of the value if it has none. It is not the hash that chooses partitions: a canary of 10 % must not be all keys
// of a tenth of the partitions.
func (r *rollout) picks(rec *record.Record) bool {
	by := rec.Key
	if by == nil {
		by = rec.Value
	}
	const mix = 0x9e3779b1 // the golden ratio, spreads what murmur2 gives anew
	return (partitioner.Hash(by)*mix)>>8%allKeys < r.canary
}

// judge counts how the candidate fared.
func (r *rollout) judge(records []wasmhost.Record) {
	if r.trial == nil {
		return
	}
	failed := int64(0)
	for i := range records {
		if records[i].Verdict != wasmhost.Passed {
			failed++
		}
	}
	r.trial.add(int64(len(records)), failed)
}

// trial watches a candidate, and ends it when it fails too often.
type trial struct {
	module      string
	maxRate     float64 // of records, 0 to 1
	min         int64   // records before it is judged
	window      time.Duration
	end         func(records, failed int64) // called once, from the goroutine of a request: must not block
	since       atomic.Int64                // Unix nanoseconds
	seen, wrong atomic.Int64
	ended       atomic.Bool
}

func (t *trial) add(n, failed int64) {
	seen, wrong := t.seen.Add(n), t.wrong.Add(failed)
	if failed > 0 && seen >= t.min && float64(wrong) > t.maxRate*float64(seen) {
		if t.ended.CompareAndSwap(false, true) {
			t.end(seen, wrong)
		}
		return
	}
	if seen < t.min {
		return
	}
	now, since := time.Now().UnixNano(), t.since.Load()
	if now-since > int64(t.window) && t.since.CompareAndSwap(since, now) {
		t.seen.Store(0)
		t.wrong.Store(0)
	}
}
