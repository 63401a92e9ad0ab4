package wasmhost

import (
	"fmt"
	"testing"
	"time"
)

// timeForAll is more than anything takes, on any machine.
const timeForAll = time.Minute

// rig is a host on which tests make guests. At the test's end no memory may be charged to anybody any more.
type rig struct {
	host *Host
}

// newRig starts a host that waits long for what a slow machine makes late.
func newRig(t testing.TB, change func(*Limits)) *rig {
	t.Helper()
	l := DefaultLimits()
	l.Instances, l.BreakerFailures = 1, 1<<30
	l.CallTimeout, l.AcquireTimeout, l.InitTimeout = timeForAll, timeForAll, timeForAll
	if change != nil {
		change(&l)
	}
	h, err := New(Options{Limits: l, Name: "rig"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if n := h.Memory(); n != 0 {
			t.Errorf("%d bytes of memory are still charged", n)
		}
	})
	return &rig{host: h}
}

// module compiles an on_send with that body, or a whole module, and further fields.
func (r *rig) module(t testing.TB, body, more string) *Module {
	t.Helper()
	h := hostile{wat: body, more: more}
	m, err := r.host.Compile(t.Context(), h.wasm(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return m
}

// configure makes a guest of m, which is closed at the test's end if the test did not do so.
func (r *rig) configure(t testing.TB, m *Module, change func(*Settings)) *Guest {
	t.Helper()
	s := Settings{Topic: "orders", Name: "rigged", Version: m.ID, Log: NewLog(100)}
	if change != nil {
		change(&s)
	}
	g, err := m.Configure(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func (r *rig) guest(t testing.TB, body, more string) *Guest {
	t.Helper()
	return r.configure(t, r.module(t, body, more), nil)
}

// The keys that deeds obeys, by their first letter.
const (
	keyPass   = "pass"
	keyLoop   = "loop"
	keyTrap   = "trap"
	keyGrow   = "grow"   // by 6 MiB, which makes nothing stale
	keyChange = "change" // the value, to the first 4 bytes of memory
)

// deeds is an on_send that does what the key of each record says. With hint it tells which record it works on.
func deeds(hint bool) string {
	progress := ""
	if hint {
		progress = "(i32.store offset=28 (local.get $b) (local.get $i))"
	}
	deed := func(key, body string) string {
		return fmt.Sprintf("(if (i32.eq (i32.load8_u (i32.load (local.get $r))) (i32.const %d)) (then %s))\n", key[0], body)
	}
	return each(progress +
		deed(keyLoop, "(loop (br 0))") +
		deed(keyTrap, "(unreachable)") +
		deed(keyGrow, "(drop (memory.grow (i32.const 96)))") +
		deed(keyChange, "(i32.store offset=8 (local.get $r) (i32.const 0)) (i32.store offset=12 (local.get $r) (i32.const 4)) (i32.store offset=40 (local.get $r) (i32.const 2))"))
}

// each does body for every record, which is at $r, and succeeds.
func each(body string) string {
	return `(block $done (loop $l
 (br_if $done (i32.ge_u (local.get $i) (i32.load offset=8 (local.get $b))))
 ` + body + `
 (local.set $r (i32.add (local.get $r) (i32.const 64)))
 (local.set $i (i32.add (local.get $i) (i32.const 1)))
 (br $l)))
(i32.const 0)`
}

// batchOf is a batch of records with these keys.
func batchOf(keys ...string) *Batch { return transformBatch(keyed(keys...)...) }

// times is n times the same key.
func times(n int, key string) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = key
	}
	return keys
}

// held is a call of a guest that stands still in the host, with the instance in its hands, until it is let go.
type held struct {
	batch *Batch
	going chan struct{}
	ended chan struct{}
}

// hold calls g with one record, and returns once the call has an instance. The guest has to be deeds.
func hold(t testing.TB, g *Guest) *held {
	t.Helper()
	h, in := newHeld()
	go h.run(g)
	<-in
	return h
}

func newHeld() (h *held, in chan struct{}) {
	h = &held{batch: batchOf(keyChange), going: make(chan struct{}), ended: make(chan struct{})}
	in = make(chan struct{})
	h.batch.Alloc = func(n int) []byte {
		close(in)
		<-h.going
		return make([]byte, n)
	}
	return h, in
}

func (h *held) run(g *Guest) {
	defer close(h.ended)
	g.OnSend(h.batch)
}

// letGo lets the call end, and checks that it went well.
func (h *held) letGo(t testing.TB) {
	t.Helper()
	close(h.going)
	<-h.ended
	passed(t, h.batch)
}

func passed(t testing.TB, b *Batch) {
	t.Helper()
	for i := range b.Records {
		if r := &b.Records[i]; r.Verdict != Passed {
			t.Fatalf("record %d: verdict %d, %v: %s", i, r.Verdict, r.Cause, r.Reason)
		}
	}
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// look reads a pool's state.
func look[T any](p *pool, read func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return read()
}
