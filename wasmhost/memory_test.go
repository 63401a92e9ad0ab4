package wasmhost

import (
	"strings"
	"testing"
)

// TestMemoryIsCharged: what instances have is charged to the host and to their version as it grows, and given back however
// an instance ends.
func TestMemoryIsCharged(t *testing.T) {
	const small, grown = 2 * wasmPage, 98 * wasmPage
	r := newRig(t, nil)
	m := r.module(t, deeds(false), "")
	stats := r.host.NewStats()
	g := r.configure(t, m, func(s *Settings) { s.Stats = stats })
	sums := func(want int64) {
		t.Helper()
		eventually(t, "what ended gives its memory back", func() bool { return r.host.Memory() == want && stats.Memory.Load() == want })
	}
	sums(small)
	other := r.configure(t, m, func(s *Settings) { s.Stats = stats })
	sums(2 * small)
	other.Close()
	sums(small)
	b := batchOf(keyGrow)
	g.OnSend(b)
	passed(t, b)
	sums(grown)
	g.OnSend(batchOf(keyTrap)) // and another instance fails on it
	sums(0)
	b = batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	sums(small)
	g.Close()
	sums(0)
}

// TestMemoryOfAllIsBounded: no instance is made, and none grows, beyond what all may have together.
func TestMemoryOfAllIsBounded(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.MemoryTotal = 105 * wasmPage })
	m := r.module(t, "(i32.store8 (i32.const 0) (i32.eq (memory.grow (i32.const 96)) (i32.const -1))) "+patch(2, 8, 0, 12, 1), "")
	fails := func(g *Guest) bool {
		b := batchOf("")
		g.OnSend(b)
		passed(t, b)
		return b.Records[0].Value[0] == 1
	}
	a, b := r.configure(t, m, nil), r.configure(t, m, nil)
	if fails(a) {
		t.Error("the first cannot grow")
	}
	if !fails(b) {
		t.Error("the second grows although there is no room")
	}
	for range 3 { // 2 pages each, and 5 are left
		c, err := m.Configure(Settings{Name: "late", Log: NewLog(1)})
		if err == nil {
			defer c.Close()
			continue
		}
		if cause, ok := AsFailure(err); !ok || cause != OutOfMemory || !strings.Contains(err.Error(), "wasm.memory.total.bytes") {
			t.Errorf("%v", err)
		}
		a.Close()
		eventually(t, "there is room again", func() bool { return r.host.Memory() < 20*wasmPage })
		if fails(b) {
			t.Error("the second cannot grow although there is room again")
		}
		return
	}
	t.Errorf("instances were made with %d bytes of %d", r.host.Memory(), r.host.Limits().MemoryTotal)
}
