package guest

import (
	"context"
	"fmt"

	"sluice/gateway/registry"
)

// Activate makes a version of a module the one that serves, after it was shown that it starts for everything that the
// module is bound to. It returns when it does serve.
func (m *Modules) Activate(ctx context.Context, name, id, note string) error {
	return m.change(ctx, name, id, func() error { return m.Registry.Activate(name, id, note) })
}

// Canary gives a version a part of the keys, in percent.
func (m *Modules) Canary(ctx context.Context, name, id string, percent float64, note string) error {
	return m.change(ctx, name, id, func() error { return m.Registry.Canary(name, id, percent, note) })
}

// Shadow has a version see copies of all records.
func (m *Modules) Shadow(ctx context.Context, name, id, note string) error {
	return m.change(ctx, name, id, func() error { return m.Registry.Shadow(name, id, note) })
}

// Promote makes the candidate the version that serves.
func (m *Modules) Promote(ctx context.Context, name, id, note string) error {
	return m.change(ctx, name, id, func() error { return m.Registry.Promote(name, id, note) })
}

// Cancel ends the trial of a candidate.
func (m *Modules) Cancel(name, id, note string) error {
	if err := m.Registry.Cancel(name, id, note); err != nil {
		return err
	}
	m.apply(name)
	return nil
}

// Rollback makes the version before the one that serves, and returns it.
func (m *Modules) Rollback(name, note string) (string, error) {
	id, err := m.Registry.Rollback(name, note)
	if err != nil {
		return "", err
	}
	m.apply(name)
	return id, nil
}

// change changes a rollout so that version id has work to do, if it can do it.
func (m *Modules) change(ctx context.Context, name, id string, change func() error) error {
	if err := m.fits(ctx, name, id); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	m.apply(name)
	return nil
}

// fits says whether version id starts with the configuration of everything that the module is bound to.
func (m *Modules) fits(ctx context.Context, name, id string) error {
	module, err := m.Registry.Module(name)
	if err != nil {
		return err
	}
	if _, ok := module.Version(id); !ok {
		return fmt.Errorf("module %q has no version %s: %w", name, registry.Short(id), registry.ErrNotFound)
	}
	m.changing.Lock()
	defer m.changing.Unlock()
	return m.starts(ctx, name, id)
}

// starts says whether version id starts for everything that the module is bound to. m.changing is held.
func (m *Modules) starts(ctx context.Context, name, id string) error {
	defer m.unload()
	for _, b := range m.boundTo(name) {
		if b.Broken() != nil {
			continue // no version can make that worse
		}
		g, err := m.guest(ctx, b, id, b.current.Load())
		if err == nil && !b.has(g.Module.ID) {
			defer g.Close()
		}
		if err != nil {
			return &NotFitError{Topic: b.Topic, Err: err}
		}
	}
	return nil
}

// has says whether a version serves b now.
func (m *Bound) has(id string) bool {
	r := m.current.Load()
	return r != nil && (r.active.Module.ID == id || r.candidate != nil && r.candidate.Module.ID == id)
}

// NotFitError says that a version does not start for a topic that its module is bound to.
type NotFitError struct {
	Topic string
	Err   error
}

func (e *NotFitError) Error() string {
	return fmt.Sprintf("it cannot serve topic %q: %v", e.Topic, e.Err)
}

func (e *NotFitError) Unwrap() error { return e.Err }
