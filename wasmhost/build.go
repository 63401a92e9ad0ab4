package wasmhost

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sluice/wasmhost/meter"
)

// build makes an instance: instantiate, _initialize, configure.
func (g *Guest) build() (*instance, *failure) {
	start := time.Now()
	lent := &loan{host: g.host}
	if !lent.take(int64(g.Module.Info.MemoryMinPages) * wasmPage) {
		return nil, failf(OutOfMemory, -1, "all instances together would have more than %d bytes of memory (wasm.memory.total.bytes)", g.host.limits.MemoryTotal)
	}
	in, f := g.instantiate(lent)
	if f != nil {
		lent.Free()
		return nil, f
	}
	g.host.watchdog.add(in)
	if f := in.initialize(); f != nil {
		in.close(false)
		return nil, f
	}
	in.base = in.memory()
	g.track(in)
	g.Stats.Live.Add(1)
	in.born = time.Now()
	in.ctx.since = in.born
	g.paid(in.born.Sub(start))
	return in, nil
}

const wasmPage = 64 << 10

func (g *Guest) instantiate(lent *loan) (*instance, *failure) {
	now, limit := time.Now(), g.host.limits.InitTimeout
	c := &callContext{Context: context.Background(), guest: g, now: now.UnixMilli(), rand: rand.NewChaCha8(seed()), until: now.Add(limit), lent: lent}
	in := &instance{guest: g, ctx: c, lent: lent}
	c.in = in
	mod, err := g.host.runtime.InstantiateModule(c, g.Module.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	switch text := fmt.Sprint(err); {
	case err == nil:
	case strings.Contains(text, errUnwound.Error()):
		return nil, failf(OutOfTime, -1, "its start function took longer than %v (wasm.init.timeout.ms)", limit)
	case strings.Contains(text, "unreachable"):
		return nil, failf(Trap, -1, "its start function failed or used up its fuel (wasm.init.fuel): %v", err)
	default:
		return nil, failf(Trap, -1, "it cannot be instantiated: %v", err)
	}
	c.until = time.Time{}
	in.mod, in.mem = mod, mod.Memory()
	var ok, ok2 bool
	in.fuel, ok = mod.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	in.budget, ok2 = mod.ExportedGlobal(meter.BudgetExport).(api.MutableGlobal)
	if !ok || !ok2 {
		_ = mod.Close(c)
		return nil, failf(Trap, -1, "it is not metered")
	}
	in.alloc = mod.ExportedFunction("sluice_alloc")
	for h := range NumHooks {
		in.hooks[h] = mod.ExportedFunction(h.String())
	}
	return in, nil
}

func seed() (s [32]byte) {
	_, _ = crand.Read(s[:]) // never fails
	return s
}

// initialize runs what the guest runs once.
func (in *instance) initialize() *failure {
	if in.guest.Module.Kinds.Transform {
		return in.start()
	}
	l := &in.guest.host.limits
	if f := in.mod.ExportedFunction("_initialize"); f != nil {
		if _, _, fail := in.call(f, 0, 0, 0, l.Module.InitFuel, l.InitTimeout); fail != nil {
			return in.initFailed("_initialize", fail)
		}
	}
	configure := in.mod.ExportedFunction("configure")
	if configure == nil {
		return nil
	}
	view, f := in.input(len(in.guest.message))
	if f != nil {
		return in.initFailed("configure", f)
	}
	copy(view, in.guest.message)
	in.ctx.refusal = ""
	rc, _, f := in.call(configure, 2, in.arena, uint32(len(view)), l.Module.InitFuel, l.InitTimeout)
	switch {
	case f != nil:
		return in.initFailed("configure", f)
	case rc < 0 && in.ctx.refusal != "":
		return failf(ReturnCode, -1, "it refuses its configuration: %s", in.ctx.refusal)
	case rc < 0:
		return failf(ReturnCode, -1, "it refuses its configuration: configure returned %d and logged no reason", rc)
	}
	return nil
}

// initFailed says which limits count when an instance is made.
func (in *instance) initFailed(what string, f *failure) *failure {
	l := &in.guest.host.limits
	switch f.cause {
	case OutOfFuel:
		f.text = "it used up its fuel (wasm.init.fuel)"
	case OutOfTime:
		f.text = "it took longer than " + l.InitTimeout.String() + " (wasm.init.timeout.ms)"
	default:
	}
	f.text = what + ": " + f.text
	return f
}

// AsFailure says why a call or a build failed, if err is of this package.
func AsFailure(err error) (Cause, bool) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return NoCause, false
	}
	return f.cause, true
}
