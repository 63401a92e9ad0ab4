package guest

import (
	"context"
	"errors"

	"sluice/wasmhost"
)

// Serving is a version as it serves a binding now.
type Serving struct {
	Version string  `json:"version"`
	Role    string  `json:"role"`                     // active, canary or shadow
	Percent float64 `json:"canary_percent,omitempty"` // of the keys, of a canary
	Breaker string  `json:"breaker"`                  // closed, open or half-open
	OpenMs  int64   `json:"breaker_open_ms,omitempty"`
}

// Serving is the versions that serve the binding, the active one first; none after Close.
func (m *Bound) Serving() []Serving {
	r := m.current.Load()
	if r == nil {
		return nil
	}
	active := servingOf(r.active, "active")
	if r.candidate == nil {
		return []Serving{active}
	}
	c := servingOf(r.candidate, "canary")
	c.Percent = float64(r.canary) * 100 / allKeys
	if r.shadow {
		c.Role, c.Percent = "shadow", 0
	}
	return []Serving{active, c}
}

func servingOf(g *wasmhost.Guest, role string) Serving {
	state, left := g.Breaker()
	return Serving{Version: g.Module.ID, Role: role, Breaker: state.String(), OpenMs: left.Milliseconds()}
}

// InUse says whether anything is bound to a module.
func (m *Modules) InUse(module string) bool { return len(m.boundTo(module)) > 0 }

// Check says whether u could be bound: the module is there, it can be bound as that, and it starts with its configuration. If
// it cannot the error is a *MissingError or a *NotFitError.
func (m *Modules) Check(ctx context.Context, u Use) error {
	b, err := m.Bind(ctx, u)
	if err == nil {
		b.Close()
		return nil
	}
	if _, ok := errors.AsType[*MissingError](err); ok {
		return err
	}
	return &NotFitError{Topic: u.Topic, Err: err}
}
