package wasmhost

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// pool is the instances of a guest that are not in a call, the one used last on top, so that caches stay warm and idle
// ones grow old together.
type pool struct {
	guest *Guest
	max   int
	build func() (*instance, *failure)

	mu       sync.Mutex
	idle     []*instance
	live     int // instances, with the one being built
	want     int // how many of them were asked for; one more is the successor of a stale one
	building bool
	closed   bool
	due      time.Time // when the last build began, or will
	notYet   time.Time // when the next may begin
	leaving  *instance // was found stale, and goes when its successor is there
	failed   *failure  // why the last build failed
	waiters  []chan *instance
}

// take returns an instance, or nil if there is none within wait.
func (p *pool) take(wait time.Duration) *instance {
	p.mu.Lock()
	if in := p.pop(); in != nil {
		p.mu.Unlock()
		return in
	}
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.ask()
	if p.live == 1 && p.building && time.Until(p.due) > wait { // none can come in time
		p.mu.Unlock()
		return nil
	}
	mine := make(chan *instance, 1)
	p.waiters = append(p.waiters, mine)
	p.mu.Unlock()

	start := time.Now()
	t := time.NewTimer(wait)
	defer t.Stop()
	var in *instance
	select {
	case in = <-mine:
	case <-t.C:
		in = p.giveUp(mine)
	}
	p.guest.Stats.Waits.Add(int64(time.Since(start)))
	return in
}

// giveUp ends waiting; an instance that came at the last moment is still taken.
func (p *pool) giveUp(mine chan *instance) *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.waiters {
		if w == mine {
			p.waiters = append(p.waiters[:i], p.waiters[i+1:]...)
			return nil
		}
	}
	return <-mine
}

func (p *pool) pop() *instance {
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	in := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	p.guest.Stats.Idle.Add(-1)
	return in
}

// put gives an instance back after a call that went well.
func (p *pool) put(in *instance) {
	p.guest.track(in)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving == nil && in.stale(in.ctx.since) {
		p.leaving = in
	}
	switch {
	case p.closed:
		p.live--
		p.guest.retire(in)
	case in == p.leaving && p.succeeded():
		p.recycle()
	default:
		if in == p.leaving {
			p.grow(p.want + 1) // its successor comes first
		}
		p.hand(in)
	}
}

// succeeded says that the successor of the one that leaves is there. p.mu is held.
func (p *pool) succeeded() bool { return p.live > p.want && !p.building }

// recycle gives up the one that leaves. p.mu is held.
func (p *pool) recycle() {
	p.live--
	p.guest.Stats.Recycled.Add(1)
	p.guest.retire(p.leaving)
	p.leaving = nil
	if len(p.waiters) > 0 {
		p.ask()
	}
}

// succeed recycles the one that leaves if its successor has come and it lies idle: below it, nobody might use it for long.
// p.mu is held.
func (p *pool) succeed() {
	if i := slices.Index(p.idle, p.leaving); i >= 0 && p.succeeded() {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.guest.Stats.Idle.Add(-1)
		p.recycle()
	}
}

// hand gives in to who waits longest, or lays it on top. p.mu is held.
func (p *pool) hand(in *instance) {
	if len(p.waiters) > 0 {
		w := p.waiters[0]
		p.waiters = append(p.waiters[:0], p.waiters[1:]...)
		w <- in
		return
	}
	p.idle = append(p.idle, in)
	p.guest.Stats.Idle.Add(1)
}

// lost says that in failed and is gone. Building another is paced by what building costs, so that a guest that fails all
// the time does not take the CPU with it; the first after a while without builds comes at once.
func (p *pool) lost(in *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leaving == in {
		p.leaving = nil
	}
	p.live--
	p.want = min(p.want, p.live)
	if next := p.due.Add((1 + restTimes) * p.guest.buildTime()); next.After(p.notYet) {
		p.notYet = next
	}
	if len(p.waiters) > 0 || p.live == 0 {
		p.ask()
	}
}

// shortage says why take returned nothing.
func (p *pool) shortage() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.guest
	text := fmt.Sprintf("no instance of module %q was free within %v (wasm.acquire.timeout.ms, wasm.instances)", g.settings.Name, g.host.limits.AcquireTimeout)
	if p.failed != nil {
		text += "; the last could not be made: " + p.failed.text
	}
	return text
}

// restTimes is how many times longer than building an instance took is waited before the next is built for one that
// failed: a fifth of a core at most goes into replacing.
const restTimes = 4

// ask has one more instance built for who needs one. p.mu is held.
func (p *pool) ask() {
	if p.grow(p.max) {
		p.want++ // and not p.live, with which the one that leaves would stay
	}
}

// grow has one more instance built, unless there are n or one is being built. p.mu is held.
func (p *pool) grow(n int) bool {
	if p.building || p.closed || p.live >= n {
		return false
	}
	p.building = true
	p.live++
	p.due = time.Now()
	wait := p.notYet.Sub(p.due)
	if wait > 0 {
		p.due = p.notYet
	}
	m := p.guest.Module
	m.Hold() // the guest may be given up meanwhile
	p.guest.host.background.Go(func() {
		defer m.Release()
		p.built(p.buildAfter(wait))
	})
	return true
}

func (p *pool) buildAfter(wait time.Duration) (*instance, *failure) {
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-p.guest.gone:
			return nil, failf(Closed, -1, "the guest was given up")
		}
	}
	return p.build()
}

// built takes over what was built, or lets it be tried again when somebody asks.
func (p *pool) built(in *instance, f *failure) {
	p.mu.Lock()
	p.building = false
	p.failed = f
	if f != nil {
		p.live--
		p.want = min(p.want, p.live)
		p.notYet = time.Now().Add(max(restTimes*p.guest.buildTime(), p.guest.host.limits.BreakerBackoff))
		p.mu.Unlock()
		p.guest.buildFailed(f)
		return
	}
	if p.closed {
		p.live--
		p.mu.Unlock()
		p.guest.retire(in)
		return
	}
	p.hand(in)
	p.succeed()
	if len(p.waiters) > 0 {
		p.ask()
	}
	p.mu.Unlock()
}

// close retires the idle instances. Nobody may be in a call.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	all := p.idle
	p.idle = nil
	p.live -= len(all)
	p.mu.Unlock()
	p.guest.Stats.Idle.Add(-int64(len(all)))
	for _, in := range all {
		p.guest.retire(in)
	}
}
