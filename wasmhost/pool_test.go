package wasmhost

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPoolIsBounded: there are never more instances than allowed, whoever has to wait gets one, and none is lost.
func TestPoolIsBounded(t *testing.T) {
	const most, calls = 3, 8
	r := newRig(t, func(l *Limits) { l.Instances = most })
	g := r.guest(t, deeds(false), "")
	var all []*held
	entered := make(chan *held, calls)
	for range calls {
		h, in := newHeld()
		all = append(all, h)
		go h.run(g)
		go func() {
			<-in
			entered <- h
		}()
	}
	for range most {
		<-entered
	}
	eventually(t, "the others wait", func() bool { return look(&g.send, func() int { return len(g.send.waiters) }) == calls-most })
	if live := g.Stats.Live.Load(); live != most || len(entered) > 0 {
		t.Errorf("%d instances for %d, and %d calls too many", live, most, len(entered))
	}
	for _, h := range all {
		close(h.going)
	}
	for _, h := range all {
		<-h.ended
		passed(t, h.batch)
	}
	if live, idle := g.Stats.Live.Load(), g.Stats.Idle.Load(); live != most || idle != most {
		t.Errorf("%d instances, %d of them idle, want %d", live, idle, most)
	}
}

// TestPoolTakesTheLastUsed: calls one after the other stay with one instance, so that the others grow old.
func TestPoolTakesTheLastUsed(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.Instances = 2 })
	g := r.guest(t, deeds(false), "")
	a, b := hold(t, g), hold(t, g)
	a.letGo(t)
	b.letGo(t)
	idle := look(&g.send, func() []*instance { return slices.Clone(g.send.idle) })
	for range 5 {
		batch := batchOf(keyPass)
		g.OnSend(batch)
		passed(t, batch)
	}
	if len(idle) != 2 || idle[1].calls != 6 || idle[0].calls != 1 {
		t.Errorf("%d idle; the last used has %d calls, the other %d; want 6 and 1", len(idle), idle[1].calls, idle[0].calls)
	}
}

// TestPoolGivesUpWaiting: who waits too long goes on without, is told why, and is forgotten.
func TestPoolGivesUpWaiting(t *testing.T) {
	r := newRig(t, func(l *Limits) { l.AcquireTimeout = time.Millisecond })
	g := r.guest(t, deeds(false), "")
	h := hold(t, g)
	b := batchOf(keyPass, keyPass)
	g.OnSend(b)
	for i := range b.Records {
		if rec := &b.Records[i]; rec.Verdict != Bypassed || rec.Cause != NoInstance || !strings.Contains(rec.Reason, "wasm.acquire.timeout.ms") {
			t.Errorf("verdict %d, %v: %s", rec.Verdict, rec.Cause, rec.Reason)
		}
	}
	if n := look(&g.send, func() int { return len(g.send.waiters) }); n != 0 {
		t.Errorf("%d still wait", n)
	}
	if n := g.Stats.Hooks[OnSend].Errors[NoInstance].Load(); n != 2 || g.Stats.Waits.Sum.Load() < int64(time.Millisecond) {
		t.Errorf("%d records counted, %d ns of waiting", n, g.Stats.Waits.Sum.Load())
	}
	h.letGo(t)
	b = batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
}

// TestPoolServesWhoWaitsLongest: waiters get what comes back in the order in which they came.
func TestPoolServesWhoWaitsLongest(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	p := &g.send
	in := p.take(time.Minute)
	got := make(chan int, 3)
	for i := range 3 {
		go func() {
			in := p.take(time.Minute)
			got <- i
			p.put(in)
		}()
		eventually(t, "it waits", func() bool { return look(p, func() int { return len(p.waiters) }) == i+1 })
	}
	p.put(in)
	for i := range 3 {
		if who := <-got; who != i {
			t.Errorf("waiter %d came as number %d", who, i)
		}
	}
}

// TestFailedInstanceIsGone: no other call sees an instance that failed, and making another is paced.
func TestFailedInstanceIsGone(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	p := &g.send
	first := look(p, func() *instance { return p.idle[0] })
	b := batchOf(keyTrap)
	g.OnSend(b)
	if rec := &b.Records[0]; rec.Verdict != Failed || rec.Cause != Trap {
		t.Errorf("verdict %d, %v: %s", rec.Verdict, rec.Cause, rec.Reason)
	}
	b = batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	second := look(p, func() *instance { return p.idle[0] })
	if first == second || g.Stats.Discarded.Load() != 1 || g.Stats.Live.Load() != 1 || g.Stats.Idle.Load() != 1 {
		t.Errorf("the same instance: %v; %d discarded, %d live, %d idle", first == second, g.Stats.Discarded.Load(), g.Stats.Live.Load(), g.Stats.Idle.Load())
	}
}

// TestReplacingIsPaced: after an instance failed, the next is made only when making one takes a fifth of a core at most.
func TestReplacingIsPaced(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	p := &g.send
	g.cost.Store(int64(time.Hour))
	in := p.take(0)
	p.due = time.Now()
	g.discard(p, in)
	if rest := time.Until(look(p, func() time.Time { return p.due })); rest < (restTimes-1)*time.Hour {
		t.Errorf("the next comes in %v, although making the last took an hour", rest)
	}
	if in := p.take(time.Minute); in != nil {
		t.Error("there is an instance before that")
	}
}
