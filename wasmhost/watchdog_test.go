package wasmhost

import (
	"strings"
	"testing"
	"time"

	"sluice/wasmhost/meter"
)

// TestWatchdogEndsACall: a call that has fuel for months is ended by time, and counted with the fuel that it used.
func TestWatchdogEndsACall(t *testing.T) {
	const months = 1 << 54
	r := newRig(t, func(l *Limits) { l.CallTimeout, l.FuelBase, l.FuelMax = 20*time.Millisecond, months, months })
	g := r.guest(t, deeds(true), "")
	b := batchOf(keyPass, keyLoop, keyPass)
	g.OnSend(b)
	for i, want := range []Cause{NoCause, OutOfTime, NoCause} {
		if rec := &b.Records[i]; rec.Cause != want || want != NoCause && !strings.Contains(rec.Reason, "wasm.call.timeout.ms") {
			t.Errorf("record %d: verdict %d, %v: %s", i, rec.Verdict, rec.Cause, rec.Reason)
		}
	}
	s := &g.Stats.Hooks[OnSend]
	if used := s.Fuel.Sum.Load(); used < meter.Slice || used > months/1000 {
		t.Errorf("%d units are counted for %d calls, two of which were ended after 20 ms", used, s.Calls.Load())
	}
}

// TestKill: what is left of the fuel is known after a kill, however it meets with what the guest does at the same time.
func TestKill(t *testing.T) {
	const slices = 10
	g := newRig(t, nil).guest(t, deeds(false), "")
	in := g.send.take(0)
	defer g.send.put(in)
	for _, c := range []struct {
		name   string
		during func(serial uint64)
		left   int64
		killed bool
	}{
		{"no kill", func(uint64) {}, slices * meter.Slice, false},
		{"another call", func(serial uint64) { in.kill(serial - 1) }, slices * meter.Slice, false},
		{"killed", in.kill, slices * meter.Slice, true},
		{"killed again", func(serial uint64) { in.kill(serial); in.kill(serial) }, slices * meter.Slice, true},
		{"killed at the end of a slice", func(serial uint64) {
			in.kill(serial)
			in.budget.Set(3 * meter.Slice) // as if the guest had read it before, and writes what is left now
		}, 4 * meter.Slice, true},
		{"killed again after that", func(serial uint64) {
			in.kill(serial)
			in.budget.Set(3 * meter.Slice)
			in.kill(serial)
		}, 4 * meter.Slice, true},
		{"killed when it had run out", func(serial uint64) {
			in.fuel.Set(0)
			in.budget.Set(1<<64 - 7)
			in.kill(serial)
		}, -7, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := in.begin(slices*meter.Slice, time.Minute)
			c.during(in.serial.Load())
			if left := in.end(); given != slices*meter.Slice || left != c.left || in.killed.Load() != c.killed {
				t.Errorf("%d units given, %d left, want %d; killed %v", given, left, c.left, in.killed.Load())
			}
			in.kill(in.serial.Load())
			if in.killed.Load() != c.killed {
				t.Error("it is killed after its call")
			}
		})
	}
}

// TestWatchdogCountsTicks: a call is killed once it was seen for more ticks than it may take, and the next begins anew.
func TestWatchdogCountsTicks(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	in := g.send.take(0)
	defer g.send.put(in)
	w := &watchdog{seen: map[*instance]*sighting{}}
	w.add(in)
	if w.look(); w.look() {
		t.Error("it is busy although nothing is called")
	}
	for range 2 {
		in.begin(meter.Slice, 3*tick)
		for range 1 + 4 { // the first only finds it
			if !w.look() || in.killed.Load() {
				t.Fatalf("busy and not yet killed is what it should be; killed: %v", in.killed.Load())
			}
		}
		if w.look(); !in.killed.Load() {
			t.Error("it lives on beyond its ticks")
		}
		in.end()
	}
	w.remove(in)
	if w.look() || len(w.seen) != 0 {
		t.Error("it is still watched")
	}
}

// TestWatchdogWakesUp: a watchdog that went to sleep for lack of calls still ends one.
func TestWatchdogWakesUp(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.CallTimeout, l.FuelBase, l.FuelMax = 20*time.Millisecond, 1<<54, 1<<54 })
	g := r.guest(t, deeds(true), "")
	eventually(t, "it sleeps", r.host.watchdog.asleep.Load)
	b := batchOf(keyLoop)
	g.OnSend(b)
	if rec := &b.Records[0]; rec.Cause != OutOfTime {
		t.Errorf("verdict %d, %v: %s", rec.Verdict, rec.Cause, rec.Reason)
	}
}
