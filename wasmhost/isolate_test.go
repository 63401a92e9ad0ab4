package wasmhost

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// with returns n keys that pass, and others at some places.
func with(n int, key string, at ...int) []string {
	keys := times(n, keyPass)
	for _, i := range at {
		keys[i] = key
	}
	return keys
}

// verdicts counts records by their verdict.
func verdicts(b *Batch) (n [3]int) {
	for i := range b.Records {
		n[b.Records[i].Verdict]++
	}
	return n
}

// TestIsolationFindsThePoison: only the records fail on which the guest fails, and the others go through it.
func TestIsolationFindsThePoison(t *testing.T) {
	r := newRig(t, nil)
	for _, c := range []struct {
		name  string
		hint  bool
		key   string
		cause Cause
		at    []int
		calls int64 // at most
	}{
		{"a trap, with a hint", true, keyTrap, Trap, []int{41}, 4},
		{"a trap", false, keyTrap, Trap, []int{41}, 1 + 2*7},
		{"the first and the last, with a hint", true, keyTrap, Trap, []int{0, 99}, 6},
		{"three traps", false, keyTrap, Trap, []int{3, 50, 51}, 1 + 3*2*7},
		{"a loop, with a hint", true, keyLoop, OutOfFuel, []int{41}, 4},
		{"a loop", false, keyLoop, OutOfFuel, []int{41}, 1 + 2*7},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := r.guest(t, deeds(c.hint), "")
			b := batchOf(with(100, c.key, c.at...)...)
			g.OnSend(b)
			for i := range b.Records {
				rec, bad := &b.Records[i], slices.Contains(c.at, i)
				if bad && (rec.Verdict != Failed || rec.Cause != c.cause || rec.Reason == "") || !bad && rec.Verdict != Passed {
					t.Errorf("record %d: verdict %d, %v: %s", i, rec.Verdict, rec.Cause, rec.Reason)
				}
			}
			if calls := g.Stats.Hooks[OnSend].Calls.Load(); calls > c.calls {
				t.Errorf("%d calls, want %d at most", calls, c.calls)
			}
		})
	}
}

// TestIsolationOfWhatAlwaysLoops: it ends soon, and what was not tried says why.
func TestIsolationOfWhatAlwaysLoops(t *testing.T) {
	const most = 40
	r := newRig(t, nil)
	for name, hint := range map[string]bool{"with a hint": true, "without": false} {
		for _, n := range []int{100, 1000} {
			g := r.guest(t, deeds(hint), "")
			b := batchOf(times(n, keyLoop)...)
			g.OnSend(b)
			s := &g.Stats.Hooks[OnSend]
			if calls, fuel := s.Calls.Load(), s.Fuel.Sum.Load(); calls > most || fuel > (maxLongRuns+1)*r.host.limits.FuelMax {
				t.Errorf("%s, %d records: %d calls with %d units", name, n, calls, fuel)
			}
			got := verdicts(b)
			if got[Passed] > 0 || got[Failed] == 0 && hint || got[Failed]+got[Bypassed] != n {
				t.Errorf("%s, %d records: %v", name, n, got)
			}
			last := &b.Records[n-1]
			for _, part := range []string{"it was not tried", `module "rigged" failed in `, "calls with this batch", "wasm.call.fuel.max = 100000000"} {
				if last.Cause != NoInstance || !strings.Contains(last.Reason, part) {
					t.Errorf("%s: %v: %s", name, last.Cause, last.Reason)
				}
			}
		}
	}
}

// TestIsolationEnds: each of its bounds ends it, with the setting in the reason.
func TestIsolationEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit func(*Limits)
		key   string
		calls int64 // at most
		want  string
	}{
		{"calls", func(*Limits) {}, keyTrap, 1 + maxRetries, "no more than 256 calls are made again"},
		{"ended calls", func(l *Limits) { l.CallTimeout, l.FuelBase, l.FuelMax = 5*time.Millisecond, 1<<54, 1<<54 }, keyLoop, 1 + maxLongRuns, "wasm.call."},
		{"time", func(l *Limits) { l.CallTimeout, l.AcquireTimeout = 1, 1 }, keyTrap, 1, "no more time goes into one than 8 times wasm.call.timeout.ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, c.limit).guest(t, deeds(false), "")
			b := batchOf(times(500, c.key)...)
			g.OnSend(b)
			last := &b.Records[499]
			if last.Verdict != Bypassed || !strings.Contains(last.Reason, c.want) {
				t.Errorf("verdict %d, %v: %s", last.Verdict, last.Cause, last.Reason)
			}
			if calls := g.Stats.Hooks[OnSend].Calls.Load(); calls > c.calls {
				t.Errorf("%d calls, want %d at most", calls, c.calls)
			}
		})
	}
}

// TestIsolationCountsWhatWentWell: calls that end well use up its fuel too.
func TestIsolationCountsWhatWentWell(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	s := isolation{guest: g, until: time.Now().Add(time.Hour)}
	for range maxLongRuns - 1 {
		s.note(nil, g.host.limits.FuelMax)
	}
	in := s.take()
	if in == nil {
		t.Fatal(s.over)
	}
	g.send.put(in)
	if s.note(nil, g.host.limits.FuelMax); s.take() != nil {
		t.Error("there is an instance for one more call")
	}
	if !strings.Contains(s.over, "failed in 0 of 8 calls") {
		t.Error(s.over)
	}
}

// TestIsolationEndsInTime: once its time is over no call begins, although an instance is idle.
func TestIsolationEndsInTime(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	s := isolation{guest: g, calls: 3, failures: 2, until: time.Now().Add(-1)}
	if s.take() != nil {
		t.Error("there is an instance for one more call")
	}
	if want := "failed in 2 of 3 calls with this batch, and no more time goes into one than 8 times wasm.call.timeout.ms and wasm.acquire.timeout.ms, 2m0s"; !strings.Contains(s.over, want) {
		t.Error(s.over)
	}
}

// TestIsolationOfOneRecord: a record that fails on an instance that others have used is tried on a new one, and is not to
// blame if that goes well.
func TestIsolationOfOneRecord(t *testing.T) {
	g := newRig(t, nil).guest(t, "(if (global.get $used) (then (unreachable))) (global.set $used (i32.const 1)) (i32.const 0)", "(global $used (mut i32) (i32.const 0))")
	for i := range 4 {
		b := batchOf(keyPass)
		g.OnSend(b)
		if passed(t, b); g.Stats.Discarded.Load() != int64(i) {
			t.Errorf("after %d calls %d instances failed", i+1, g.Stats.Discarded.Load())
		}
	}
}

// TestIsolationKeepsWhatWasSaid: an instance that traps has told of a record before, which is forgotten, and the record is
// changed by the call that goes well.
func TestIsolationKeepsWhatWasSaid(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(true), "")
	b := batchOf(keyChange, keyTrap, keyChange)
	g.OnSend(b)
	for i, want := range []string{"\x00\x00\x00\x00", "v", "\x00\x00\x00\x00"} {
		if got := string(b.Records[i].Value); got != want || (b.Records[i].Changed != 0) != (i != 1) {
			t.Errorf("record %d: value %q, want %q, changed %d", i, got, want, b.Records[i].Changed)
		}
	}
}
