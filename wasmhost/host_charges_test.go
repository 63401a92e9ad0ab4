package wasmhost

import (
	"strings"
	"testing"
	"time"
)

// TestHostWorkIsPaidFor: a guest that does little but have the host work for it ends by fuel, not only by time, and the same
// work has the same price each time. The time is so long that a guest without a price would keep the test for hours.
func TestHostWorkIsPaidFor(t *testing.T) {
	limits := DefaultLimits()
	limits.AcquireTimeout, limits.CallTimeout, limits.FuelMax = time.Minute, time.Hour, 20_000_000
	h, err := New(Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, flood := range endless() {
		if !strings.Contains(flood.name, "flood") && flood.name != "sleeping" {
			continue
		}
		n++
		t.Run(flood.name, func(t *testing.T) {
			flood.causes = []Cause{OutOfFuel}
			flood.check(t, h)
		})
	}
	if n < 8 {
		t.Errorf("%d floods", n)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// TestHostWorkHasAPrice: n bytes more of work for the host cost so many units more.
func TestHostWorkHasAPrice(t *testing.T) {
	h, err := New(Options{Limits: DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close() //nolint:errcheck // the test of pools looks at it
	const write = "(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const %d)) (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (i32.const 0)"
	for name, c := range map[string]struct {
		call      string // with the number of bytes as %d
		few, many string
		units     int64 // that many cost more than few
	}{
		"random_get":   {"(drop (call $random_get (i32.const 80000) (i32.const %d))) (i32.const 0)", "10000", "40000", 30000 / perRandom},
		"log":          {"(call $log (i32.const 2) (i32.const 64) (i32.const %d)) (i32.const 0)", "300", "1000", 700 / perText},
		"a long log":   {"(call $log (i32.const 2) (i32.const 64) (i32.const %d)) (i32.const 0)", "1024", "60000", 0}, // it is cut
		"record_error": {"(call $record_error (i32.const 7) (i32.const 64) (i32.const %d)) (i32.const 0)", "100", "500", 400 * unitsChar},
		"fd_write":     {write, "1000", "3000", 2000 / perText},
	} {
		t.Run(name, func(t *testing.T) {
			used := func(bytes string) int64 {
				bad := hostile{wat: strings.Replace(c.call, "%d", bytes, 1)}
				m, err := h.Compile(t.Context(), bad.wasm(t))
				if err != nil {
					t.Fatal(err)
				}
				defer m.Release()
				g, err := m.Configure(Settings{Topic: "orders", Name: "priced", Version: m.ID, Log: NewLog(10), Instances: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer g.Close()
				var spent []int64
				for range 2 {
					before := g.Stats.Hooks[OnSend].Fuel.Sum.Load()
					b := oneRecord()
					g.OnSend(b)
					if r := &b.Records[0]; r.Verdict != Passed {
						t.Fatalf("%v: %s", r.Cause, r.Reason)
					}
					spent = append(spent, g.Stats.Hooks[OnSend].Fuel.Sum.Load()-before)
				}
				if spent[0] != spent[1] {
					t.Errorf("the same call cost %d and then %d units", spent[0], spent[1])
				}
				return spent[0]
			}
			if more := used(c.many) - used(c.few); more != c.units {
				t.Errorf("%s bytes cost %d units more than %s, want %d", c.many, more, c.few, c.units)
			}
		})
	}
}
