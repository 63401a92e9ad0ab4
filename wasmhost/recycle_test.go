package wasmhost

import (
	"testing"
	"time"
)

// gated is a guest whose further instances are made when the test says so.
type gated struct {
	*Guest
	gate chan struct{}
}

func newGated(t *testing.T, instances int) *gated {
	t.Helper()
	r := newRig(t, func(l *Limits) { l.Instances = instances })
	g := &gated{r.guest(t, deeds(false), ""), make(chan struct{})}
	g.send.build = func() (*instance, *failure) {
		select {
		case <-g.gate:
		case <-g.gone:
		}
		return g.build()
	}
	return g
}

// pass lets one instance be made.
func (g *gated) pass(t *testing.T) {
	t.Helper()
	select {
	case g.gate <- struct{}{}:
	case <-time.After(10 * time.Second):
		t.Fatal("no instance is being made")
	}
}

// open lets one instance be made, and waits until it is there.
func (g *gated) open(t *testing.T) {
	t.Helper()
	g.pass(t)
	eventually(t, "the instance is made", func() bool { return look(&g.send, func() bool { return !g.send.building }) })
}

// age makes in look as old as an instance may get, and again young.
func (g *gated) age(in *instance, stale bool) {
	in.born = time.Now()
	if stale {
		in.born = in.born.Add(-2 * g.maxAge)
	}
}

// counts checks what a pool has at rest.
func (g *gated) counts(t *testing.T, live, want, idle int, recycled int64) {
	t.Helper()
	p := &g.send
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live != live || p.want != want || len(p.idle) != idle || g.Stats.Recycled.Load() != recycled {
		t.Errorf("%d live, %d wanted, %d idle, %d recycled; want %d, %d, %d, %d",
			p.live, p.want, len(p.idle), g.Stats.Recycled.Load(), live, want, idle, recycled)
	}
}

// TestOldInstanceLeaves: its successor comes first, and then it goes although nothing makes it stale any more, be it in a
// call or idle when the successor comes.
func TestOldInstanceLeaves(t *testing.T) {
	for _, busy := range []bool{true, false} {
		t.Run(map[bool]string{true: "in a call", false: "idle"}[busy], func(t *testing.T) {
			g := newGated(t, 1)
			p := &g.send
			old := p.take(0)
			g.age(old, true)
			p.put(old)
			g.counts(t, 2, 1, 1, 0) // with the one being made
			g.age(old, false)
			if !busy {
				g.open(t)
				g.counts(t, 1, 1, 1, 1)
				return
			}
			if in := p.take(0); in != old {
				t.Fatal("the old one cannot be used while its successor is made")
			}
			g.open(t)
			g.counts(t, 2, 1, 1, 0)
			p.put(old)
			g.counts(t, 1, 1, 1, 1)
			if in := p.take(0); in == old {
				t.Error("the old one is still there")
			} else {
				p.put(in)
			}
		})
	}
}

// TestTheStaleOneLeaves: of two stale ones, that goes for which a successor was made, and then the other.
func TestTheStaleOneLeaves(t *testing.T) {
	g := newGated(t, 2)
	p := &g.send
	first := p.take(0)
	p.mu.Lock()
	p.ask()
	p.mu.Unlock()
	g.open(t)
	second := p.take(0)
	g.age(first, true)
	g.age(second, true)
	p.put(first)
	p.put(second)
	g.counts(t, 3, 2, 2, 0)
	if in := p.take(0); in != second {
		t.Fatal("the last used is not on top")
	}
	if in := p.take(0); in != first {
		t.Fatal("the first is gone")
	}
	g.open(t)
	p.put(second)
	g.counts(t, 3, 2, 2, 0)
	p.put(first)
	g.counts(t, 2, 2, 2, 1)
	if in := p.take(0); in != second {
		t.Fatal("the last used is not on top")
	}
	p.put(second)
	g.open(t)
	g.counts(t, 2, 2, 2, 2)
}

// TestOldInstanceLeavesUnderLoad: those who wait do not keep the old one alive, and get an instance in its place.
func TestOldInstanceLeavesUnderLoad(t *testing.T) {
	g := newGated(t, 2)
	p := &g.send
	old := p.take(0)
	g.age(old, true)
	p.put(old)
	if p.take(0) != old {
		t.Fatal("the old one cannot be used while its successor is made")
	}
	got := make(chan *instance, 2)
	for range cap(got) {
		go func() { got <- p.take(time.Minute) }()
	}
	eventually(t, "they wait", func() bool { return look(p, func() int { return len(p.waiters) }) == cap(got) })
	g.open(t)
	successor := <-got
	g.counts(t, 2, 1, 0, 0) // two are allowed, and both are there
	p.put(old)
	g.counts(t, 2, 2, 0, 1) // another one is made in place of the old
	g.open(t)
	p.put(<-got)
	p.put(successor)
	g.counts(t, 2, 2, 2, 1)
}

// TestOldInstanceLeavesWhileMoreAreMade: that more instances are made than its successor does not count it among them.
func TestOldInstanceLeavesWhileMoreAreMade(t *testing.T) {
	g := newGated(t, 3)
	p := &g.send
	old := p.take(0)
	g.age(old, true)
	p.put(old)
	if p.take(0) != old {
		t.Fatal("the old one cannot be used while its successor is made")
	}
	got := make(chan *instance, 2)
	for range cap(got) {
		go func() { got <- p.take(time.Minute) }()
	}
	eventually(t, "they wait", func() bool { return look(p, func() int { return len(p.waiters) }) == cap(got) })
	g.pass(t)
	successor := <-got // and another one is made for who still waits
	g.counts(t, 3, 2, 0, 0)
	p.put(old)
	if in := <-got; in != old {
		t.Fatal("who waits does not get what comes first")
	}
	g.open(t)
	g.counts(t, 3, 2, 1, 0)
	p.put(old)
	p.put(successor)
	g.counts(t, 2, 2, 2, 1)
}

// TestOldInstanceFails: the successor that is being made takes its place.
func TestOldInstanceFails(t *testing.T) {
	g := newGated(t, 1)
	p := &g.send
	old := p.take(0)
	g.age(old, true)
	p.put(old)
	g.discard(p, p.take(0))
	g.open(t)
	g.counts(t, 1, 1, 1, 0)
	in := p.take(0)
	p.put(in)
	g.counts(t, 1, 1, 1, 0)
	g.age(in, true) // and is replaced as any other
	p.put(p.take(0))
	g.open(t)
	g.counts(t, 1, 1, 1, 1)
}

// TestGrownInstanceLeaves: memory that grew for good has an instance replaced, but not more often than that is worth.
func TestGrownInstanceLeaves(t *testing.T) {
	g := newGated(t, 1)
	grow := func() {
		b := batchOf(keyGrow, keyGrow, keyGrow)
		g.OnSend(b)
		passed(t, b)
	}
	g.cost.Store(int64(time.Hour))
	grow()
	g.counts(t, 1, 1, 1, 0)
	before := g.Stats.Memory.Load()
	g.cost.Store(1)
	b := batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	g.open(t)
	g.counts(t, 1, 1, 1, 1)
	eventually(t, "its memory is given back", func() bool { return g.Stats.Memory.Load() == before-(18<<20) && g.Stats.Live.Load() == 1 })
	b = batchOf(keyPass)
	g.OnSend(b)
	passed(t, b)
	g.counts(t, 1, 1, 1, 1)
}

// TestLargeBatchMakesNothingStale: what the largest batch so far explains is not growth for good.
func TestLargeBatchMakesNothingStale(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	in := g.send.take(0)
	defer g.send.put(in)
	if _, ok := in.mem.Grow(300); !ok {
		t.Fatal("it cannot grow")
	}
	g.cost.Store(1)
	later := in.born.Add(time.Second)
	if !in.stale(later) {
		t.Error("20 MiB more make it stale with a small arena")
	}
	size := in.arenaSize
	if in.arenaSize = 8 << 20; in.stale(later) {
		t.Error("20 MiB more make it stale with an arena of 8 MiB")
	}
	in.arenaSize = size
	if in.stale(in.born) || !in.stale(in.born.Add(2*g.maxAge)) {
		t.Error("it is stale at once, or never for its age")
	}
	in.born = time.Now().Add(time.Hour) // so that put leaves it where it is
}
