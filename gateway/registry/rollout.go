package registry

import (
	"slices"
	"strings"
)

// maxHistory bounds Rollout.Previous: two versions that alternate would make it grow for ever.
const maxHistory = 100

// Every change of a rollout below takes a note that says why; it is kept in Rollout.Note, cut to 1000 bytes. A version
// becomes active or candidate only if its bytes are sound; else the error is ErrDamaged and nothing changes.

// Activate makes a version the only one that runs: there is no candidate any more. The version that was active is what
// Rollback returns to.
func (r *Registry) Activate(name, id, note string) error {
	return r.roll(name, id, note, func(m *Module) (bool, error) {
		if id == m.Rollout.Active && m.Rollout.Candidate == nil {
			return false, nil
		}
		m.activate(id)
		return true, nil
	})
}

// Canary lets a version serve a percentage of the records, over 0 up to 100, beside the active one. It replaces the
// candidate there is; the same version with another percentage goes on with that. ErrConflict if it is the active one.
func (r *Registry) Canary(name, id string, percent float64, note string) error {
	return r.try(name, Candidate{Version: id, Mode: Canary, Percent: percent}, note)
}

// Shadow lets a version run beside the active one without using its output. It replaces the candidate there is.
// ErrConflict if it is the active one.
func (r *Registry) Shadow(name, id, note string) error {
	return r.try(name, Candidate{Version: id, Mode: Shadow}, note)
}

// Promote makes the candidate the active version; ErrConflict if id is not the candidate (any more).
func (r *Registry) Promote(name, id, note string) error {
	return r.roll(name, id, note, func(m *Module) (bool, error) {
		if err := m.wantCandidate(id); err != nil {
			return false, err
		}
		m.activate(id)
		return true, nil
	})
}

// Cancel ends the trial of a candidate; ErrConflict if id is not the candidate (any more), so that whoever judged one
// candidate cannot end the trial of the next.
func (r *Registry) Cancel(name, id, why string) error {
	return r.changeModule(name, func(m *Module) (bool, error) {
		if err := m.wantCandidate(id); err != nil {
			return false, err
		}
		m.Rollout.Candidate = nil
		m.changed(why)
		return true, nil
	})
}

// Rollback makes the version active that was so before, and returns its id; a candidate is dropped with the version it was
// compared to. Again, it goes back further. ErrConflict if there is nothing to return to.
func (r *Registry) Rollback(name, why string) (id string, err error) {
	err = r.changeModule(name, func(m *Module) (bool, error) {
		last := len(m.Rollout.Previous) - 1
		if last < 0 {
			return false, errorf(ErrConflict, "there is no version before %s to return to", m.Rollout.Active)
		}
		id = m.Rollout.Previous[last]
		if err := r.sound(m, id); err != nil {
			return false, err
		}
		m.Rollout.Active, m.Rollout.Previous, m.Rollout.Candidate = id, m.Rollout.Previous[:last], nil
		m.changed(why)
		return true, nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

func (r *Registry) try(name string, c Candidate, note string) error {
	if err := c.check(); err != nil {
		return err
	}
	return r.roll(name, c.Version, note, func(m *Module) (bool, error) {
		if c.Version == m.Rollout.Active {
			return false, errorf(ErrConflict, "version %s is active and cannot be the %s beside itself", Short(c.Version), c.Mode)
		}
		c.Since = now()
		m.Rollout.Candidate = &c
		return true, nil
	})
}

// roll is changeModule for a change that lets a version run.
func (r *Registry) roll(name, id, note string, edit func(*Module) (bool, error)) error {
	if err := checkID(id); err != nil {
		return err
	}
	return r.changeModule(name, func(m *Module) (bool, error) {
		if err := r.sound(m, id); err != nil {
			return false, err
		}
		changed, err := edit(m)
		m.changed(note)
		return changed, err
	})
}

// sound verifies a version of m. The caller holds mu.
func (r *Registry) sound(m *Module, id string) error {
	v, ok := m.Version(id)
	if !ok {
		return errorf(ErrNotFound, "it has no version %s", Short(id))
	}
	_, err := readBlob(r.store, id, v.Size)
	r.note(id, err)
	return err
}

func (m *Module) activate(id string) {
	o := &m.Rollout
	o.Candidate = nil
	if id == o.Active {
		return
	}
	o.Previous = append(o.Previous, o.Active)
	o.Previous = slices.Delete(o.Previous, 0, max(0, len(o.Previous)-maxHistory))
	o.Active = id
}

func (m *Module) wantCandidate(id string) error {
	switch c := m.Rollout.Candidate; {
	case c == nil:
		return errorf(ErrConflict, "version %s is not the candidate: there is none", Short(id))
	case c.Version != id:
		return errorf(ErrConflict, "version %s is not the candidate: %s is", Short(id), Short(c.Version))
	}
	return nil
}

// changed notes when and why the rollout changed. A note that is too long is cut: it must not keep a bad version running.
func (m *Module) changed(note string) {
	note = strings.ToValidUTF8(note, "�")
	if len(note) > maxNote {
		note = strings.ToValidUTF8(note[:maxNote], "")
	}
	m.Rollout.Since, m.Rollout.Note = now(), note
}
