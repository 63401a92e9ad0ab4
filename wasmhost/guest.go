package wasmhost

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"sluice/guest-sdk/abi"
)

// Settings is what a guest is made for.
type Settings struct {
	Topic     string          // configure is told
	Name      string          // of the module
	Version   string          // of the module
	Config    json.RawMessage // configure is told; empty is {}
	Instances int             // 0 = the host's default
	Log       *Log            // takes what it logs; must not be nil
	Stats     *Stats          // counts what it does, maybe with other guests; nil is its own

	// RouteAllowed says whether on_send may route a record there; nil allows nothing.
	RouteAllowed func(topic []byte) bool
	// Routes is what a Redpanda transform is told of as its further output topics.
	Routes []string
	// Failed, if not nil, is told of every failed call and every instance that could not be made.
	Failed func(hook string, cause Cause, text, stack string)
}

// Guest is a module with a configuration: what a topic is bound to.
type Guest struct {
	Stats       *Stats
	Module      *Module
	host        *Host
	settings    Settings
	message     []byte   // what configure gets
	environment []string // what a transform gets
	send        pool     // for partition and on_send
	ack         pool     // for on_ack
	breaker     breaker
	lines       allowance
	maxAge      time.Duration
	cost        atomic.Int64  // nanoseconds that making an instance takes
	refs        atomic.Int64  // users, and the owner until Close
	closed      atomic.Bool   // Close was called
	gone        chan struct{} // closed when the last user is done, after Close
}

// Configure makes a guest of m, with its first instance. The caller owns it and gives it up with Close. An error says why
// the module refused its configuration, or why no instance could be made.
func (m *Module) Configure(s Settings) (*Guest, error) {
	h := m.host
	config := any(s.Config)
	if len(s.Config) == 0 {
		config = struct{}{}
	}
	if len(s.Config) > h.limits.Config {
		return nil, fmt.Errorf("its config is %d bytes, but wasm.config.max.bytes is %d", len(s.Config), h.limits.Config)
	}
	message, err := json.Marshal(abi.Configuration{Topic: s.Topic, Module: s.Name, Version: s.Version, Host: h.name, Config: config})
	if err != nil {
		return nil, fmt.Errorf("its config is not JSON: %w", err)
	}
	g := &Guest{
		Module: m, host: h, settings: s, message: message, maxAge: h.limits.InstanceMaxAge, gone: make(chan struct{}),
		breaker: breaker{limits: &h.limits, since: time.Now()},
		lines:   allowance{n: h.limits.LogLinesPerSec},
		Stats:   s.Stats,
	}
	if g.Stats == nil {
		g.Stats = h.NewStats()
	}
	if m.Kinds.Transform {
		if g.environment, err = transformEnvironment(&s); err != nil {
			return nil, err
		}
	}
	g.refs.Store(1)
	g.send = pool{guest: g, max: h.limits.instances(s.Instances), build: g.build}
	g.ack = pool{guest: g, max: 1, build: g.build}
	in, f := g.build()
	if f != nil {
		return nil, f
	}
	m.Hold()
	first := &g.send
	if k := m.Kinds; !k.Partition && !k.OnSend && !k.Transform {
		first = &g.ack
	}
	first.live, first.want = 1, 1
	first.mu.Lock()
	first.hand(in)
	first.mu.Unlock()
	return g, nil
}

// Use makes sure that the guest is there until Done. It is false if the guest was given up, also while others still use it.
func (g *Guest) Use() bool {
	for {
		n := g.refs.Load()
		if n == 0 || g.closed.Load() {
			return false
		}
		if g.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Hold is one more use, which ends with Done, for who uses the guest already: it may be called after Close.
func (g *Guest) Hold() { g.refs.Add(1) }

// Done ends what Use or Hold began. The last one closes the instances, if Close was called.
func (g *Guest) Done() {
	if g.refs.Add(-1) != 0 {
		return
	}
	close(g.gone)
	g.host.background.Go(func() {
		g.send.close()
		g.ack.close()
		g.Module.Release()
	})
}

// Close gives the guest up; it ends when nobody uses it any more. A second Close does nothing.
func (g *Guest) Close() {
	if !g.closed.Swap(true) {
		g.Done()
	}
}

// Breaker is the state of its circuit breaker, and for how long an open one stays so.
func (g *Guest) Breaker() (BreakerState, time.Duration) { return g.breaker.now() }

// paid notes what making an instance took. The least counts: more is what others took of the CPU meanwhile.
func (g *Guest) paid(d time.Duration) {
	for {
		old := g.cost.Load()
		if old != 0 && old <= int64(d) || g.cost.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

func (g *Guest) buildTime() time.Duration { return time.Duration(g.cost.Load()) }

// track counts what an instance's memory has grown by.
func (g *Guest) track(in *instance) {
	if now := in.memory(); now != in.counted {
		g.Stats.Memory.Add(now - in.counted)
		in.counted = now
	}
}

// discard throws an instance away that failed.
func (g *Guest) discard(p *pool, in *instance) {
	g.Stats.Discarded.Add(1)
	g.drop(in, false)
	p.lost(in)
}

// retire gives an instance up in good order, away from the goroutine of a request.
func (g *Guest) retire(in *instance) {
	g.host.background.Go(func() { g.drop(in, true) })
}

func (g *Guest) drop(in *instance, goodOrder bool) {
	in.close(goodOrder)
	g.Stats.Live.Add(-1)
	g.Stats.Memory.Add(-in.counted)
}

func (g *Guest) buildFailed(f *failure) {
	if f.cause == Closed {
		return
	}
	g.Stats.BuildFailed.Add(1)
	g.tell("configure", f)
}

func (g *Guest) tell(hook string, f *failure) {
	if g.settings.Failed != nil {
		g.settings.Failed(hook, f.cause, f.text, f.stack)
	}
}
