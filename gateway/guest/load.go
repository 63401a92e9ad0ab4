package guest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path"
	"slices"
	"time"

	"sluice/gateway/registry"
	"sluice/wasmhost"
)

func compareUse(a, b Use) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Place, b.Place))
}

// rollout makes the guests that b should have now, taking over those of old that stay. m.changing is held.
func (m *Modules) rollout(ctx context.Context, b *Bound, old *rollout) (*rollout, error) {
	plan, err := m.plan(b)
	if err != nil {
		return nil, err
	}
	r := &rollout{}
	if r.active, err = m.guest(ctx, b, plan.Active, old); err != nil {
		return nil, err
	}
	c := plan.Candidate
	if c == nil {
		return r, nil
	}
	if r.candidate, err = m.guest(ctx, b, c.Version, old); err != nil {
		if old == nil || r.active != old.active && r.active != old.candidate {
			r.active.Close()
		}
		return nil, &CandidateError{Module: b.Binding.Module, Version: c.Version, Err: err}
	}
	r.shadow = c.Mode == registry.Shadow
	if !r.shadow {
		r.canary = max(1, uint32(math.Round(c.Percent*allKeys/100)))
	}
	if old != nil && old.candidate == r.candidate && old.trial != nil {
		r.trial = old.trial // it goes on being watched
		return r, nil
	}
	r.trial = m.newTrial(b.Binding.Module, c.Version)
	return r, nil
}

// CandidateError says that the version that was tried beside the active one cannot serve a binding, which the active one could.
type CandidateError struct {
	Module, Version string
	Err             error
}

func (e *CandidateError) Error() string { return "the candidate: " + e.Err.Error() }

func (e *CandidateError) Unwrap() error { return e.Err }

// EndCandidate ends a candidate that does not start, so that the active version serves alone.
func (m *Modules) EndCandidate(e *CandidateError) {
	m.endCandidate(e.Module, e.Version, "it did not start: "+e.Err.Error())
}

// plan says which versions b should have.
func (m *Modules) plan(b *Bound) (registry.Rollout, error) {
	if b.Binding.Path {
		m.mu.Lock()
		defer m.mu.Unlock()
		return registry.Rollout{Active: wasmhost.ID(m.paths[b.Binding.Module].wasm)}, nil
	}
	module, err := m.Registry.Module(b.Binding.Module)
	return module.Rollout, err
}

func (m *Modules) newTrial(module, id string) *trial {
	t := &trial{
		module: module, maxRate: float64(m.Wasm.CanaryMaxErrorRate) / 100, min: int64(m.Wasm.CanaryMinRecords), window: m.Wasm.CanaryWindow,
	}
	t.since.Store(time.Now().UnixNano())
	t.end = func(records, failed int64) {
		m.background.Go(func() { m.rollBack(module, id, records, failed) })
	}
	return t
}

// rollBack ends a candidate that fails too often.
func (m *Modules) rollBack(module, id string, records, failed int64) {
	why := fmt.Sprintf("it failed on %d of %d records, more than wasm.canary.max.error.rate = %d %%", failed, records, m.Wasm.CanaryMaxErrorRate)
	m.endCandidate(module, id, why)
}

func (m *Modules) endCandidate(module, id, why string) {
	if err := m.Registry.Cancel(module, id, why); err != nil {
		m.Log.Error("a candidate could not be ended", "reason", why, "module", module, "version", registry.Short(id), "error", err)
		return
	}
	m.CandidatesEnded.Add(1)
	m.Log.Warn("a candidate was ended", "module", module, "version", registry.Short(id), "reason", why)
}

// guest returns the guest of old with that version, or makes a new one.
func (m *Modules) guest(ctx context.Context, b *Bound, id string, old *rollout) (*wasmhost.Guest, error) {
	if old != nil {
		for _, g := range []*wasmhost.Guest{old.active, old.candidate} {
			if g != nil && g.Module.ID == id {
				return g, nil
			}
		}
	}
	module, err := m.module(ctx, b, id)
	if err == nil {
		err = b.suits(module.Kinds)
	}
	if err != nil {
		return nil, err
	}
	g, err := module.Configure(m.settings(b, id))
	if err != nil {
		return nil, fmt.Errorf("module %q, version %s: %w", b.Binding.Module, registry.Short(id), err)
	}
	return g, nil
}

func (m *Modules) settings(b *Bound, id string) wasmhost.Settings {
	name := b.Binding.Module
	return wasmhost.Settings{
		Topic: b.Topic, Name: name, Version: id, Config: b.Binding.Config, Instances: b.Binding.Instances, Log: m.LogOf(name),
		Stats:        m.statsOf(Ref{name, id}),
		RouteAllowed: func(topic []byte) bool { return allowed(b.Binding.Routes, string(topic)) },
		Routes:       b.Binding.Routes,
		Failed: func(hook string, cause wasmhost.Cause, text, stack string) {
			m.faultsOf(name).add(m.Log, b, Fault{Hook: hook, Cause: cause.String(), Text: text, Stack: stack, Topic: b.Topic, Version: id})
		},
	}
}

// allowed says whether routes, which are topics and globs, let a record go to topic.
func allowed(routes []string, topic string) bool {
	return slices.ContainsFunc(routes, func(r string) bool {
		ok, err := path.Match(r, topic)
		return err == nil && ok
	})
}

// module returns a compiled version. It belongs to m.
func (m *Modules) module(ctx context.Context, b *Bound, id string) (*wasmhost.Module, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if module := m.loaded[id]; module != nil {
		return module, nil
	}
	var wasm []byte
	if s := m.paths[b.Binding.Module]; b.Binding.Path && s != nil {
		wasm = s.wasm
	}
	m.mu.Unlock()
	module, err := m.compile(ctx, b.Binding.Module, id, wasm)
	m.mu.Lock()
	if err != nil {
		return nil, err
	}
	m.loaded[id] = module
	return module, nil
}

func (m *Modules) compile(ctx context.Context, name, id string, wasm []byte) (*wasmhost.Module, error) {
	if wasm == nil {
		var err error
		if wasm, err = m.Registry.Bytes(id); err != nil {
			return nil, err
		}
	}
	module, err := m.Host.Compile(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", name, err)
	}
	return module, nil
}

// unload gives up the versions that no Bound uses. m.changing is held.
func (m *Modules) unload() {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := make(map[string]bool)
	for b := range m.bounds {
		if r := b.current.Load(); r != nil {
			used[r.active.Module.ID] = true
			if r.candidate != nil {
				used[r.candidate.Module.ID] = true
			}
		}
	}
	for id, module := range m.loaded {
		if !used[id] {
			module.Release()
			delete(m.loaded, id)
		}
	}
}
