package wasmhost

import (
	"sync"
	"sync/atomic"
	"testing"
)

// closes is deeds with a close that counts how often it is called.
func closes(t testing.TB, r *rig) *Guest {
	t.Helper()
	return r.guest(t, deeds(false), `(data (i32.const 512) "closed")
 (func (export "close") (result i32) (call $counter_add (i32.const 512) (i32.const 6) (i64.const 1)) (i32.const 0))`)
}

// gone waits for the end of a guest and checks what it leaves, and how many instances were closed in good order; -1 = any.
func gone(t testing.TB, g *Guest, closed int64) {
	t.Helper()
	eventually(t, "its instances are closed", func() bool { return g.Stats.Memory.Load() == 0 && g.Stats.Live.Load() == 0 })
	if n := g.Stats.Counters()["closed"]; n != closed && closed >= 0 || g.Stats.Idle.Load() != 0 {
		t.Errorf("close was called %d times, want %d; %d idle", n, closed, g.Stats.Idle.Load())
	}
}

// TestCloseWhileInACall: the call goes on to its end, nobody else gets in, and then the instance goes in good order.
func TestCloseWhileInACall(t *testing.T) {
	g := closes(t, newRig(t, nil))
	if !g.Use() {
		t.Fatal("it cannot be used")
	}
	h := hold(t, g)
	g.Close()
	if g.Use() {
		t.Error("it can be used after Close, while somebody else uses it")
	}
	if live := g.Stats.Live.Load(); live != 1 {
		t.Fatalf("%d instances while one is in a call", live)
	}
	h.letGo(t)
	b := batchOf(keyPass)
	g.OnSend(b) // who uses it may go on doing so
	passed(t, b)
	g.Done()
	gone(t, g, 1)
	if g.Use() {
		t.Error("it can be used after its end")
	}
}

// TestCloseTwice: the second does nothing, with and without others who use it.
func TestCloseTwice(t *testing.T) {
	r := newRig(t, nil)
	g := closes(t, r)
	if !g.Use() {
		t.Fatal("it cannot be used")
	}
	g.Close()
	g.Close()
	if n := g.refs.Load(); n != 1 {
		t.Errorf("%d users are left, want the one that there is", n)
	}
	b := batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	g.Done()
	gone(t, g, 1)
	g.Close()

	g = closes(t, r)
	g.Close()
	g.Close()
	if n := g.refs.Load(); n != 0 {
		t.Errorf("%d users are left of none", n)
	}
	gone(t, g, 1)
}

// TestHoldAfterClose: who uses it may pass it on.
func TestHoldAfterClose(t *testing.T) {
	g := closes(t, newRig(t, nil))
	if !g.Use() {
		t.Fatal("it cannot be used")
	}
	g.Close()
	g.Hold()
	g.Done()
	b := batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	g.Done()
	gone(t, g, 1)
}

// TestCloseWhileBuilding: an instance that comes after the guest has gone is closed too.
func TestCloseWhileBuilding(t *testing.T) {
	g := closes(t, newRig(t, func(l *Limits) { l.Instances = 2 }))
	p := &g.send
	began, gate := make(chan struct{}), make(chan struct{})
	p.build = func() (*instance, *failure) {
		close(began)
		<-gate
		return g.build()
	}
	p.mu.Lock()
	p.ask()
	p.mu.Unlock()
	<-began
	g.Close()
	eventually(t, "the pool is closed", func() bool { return look(p, func() bool { return p.closed }) })
	close(gate)
	eventually(t, "it was built", func() bool { return look(p, func() bool { return !p.building }) })
	gone(t, g, 2)
}

// TestModuleOutlivesItsOwner: the machine code stays while a guest needs it.
func TestModuleOutlivesItsOwner(t *testing.T) {
	r := newRig(t, nil)
	h := hostile{wat: deeds(false)}
	m, err := r.host.Compile(t.Context(), h.wasm(t))
	if err != nil {
		t.Fatal(err)
	}
	g := r.configure(t, m, nil)
	m.Release()
	for _, key := range []string{keyPass, keyTrap} { // which makes another instance
		g.OnSend(batchOf(key))
	}
	b := batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	g.Close()
	eventually(t, "the module is given up", func() bool { return m.refs.Load() == 0 })
}

// TestCloseUnderLoad: whoever got in before Close is served, and nobody gets in after it.
func TestCloseUnderLoad(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.Instances = 2 })
	for range 10 {
		g := closes(t, r)
		var users sync.WaitGroup
		var served, lost atomic.Int64
		closed := make(chan struct{})
		for range 4 {
			users.Go(func() {
				for g.Use() {
					b := batchOf(keyPass)
					g.OnSend(b)
					if b.Records[0].Verdict != Passed {
						lost.Add(1)
					}
					if served.Add(1) == 100 {
						g.Close()
						close(closed)
					}
					g.Done()
				}
			})
		}
		<-closed
		users.Wait()
		if lost.Load() > 0 {
			t.Errorf("%d of %d calls found no instance", lost.Load(), served.Load())
		}
		gone(t, g, -1)
	}
}
