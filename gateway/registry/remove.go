package registry

import (
	"slices"
	"strings"
)

// DeleteVersion removes a version and its bytes. ErrInUse if it is active or the candidate, or Options.InUse names who
// needs it.
func (r *Registry) DeleteVersion(name, id string) error {
	return r.changeModule(name, func(m *Module) (bool, error) {
		i := m.find(id)
		if i < 0 {
			return false, errorf(ErrNotFound, "it has no version %q", Short(id))
		}
		if use := m.use(id); use != "" {
			return false, errorf(ErrInUse, "version %s is %s: activate another one first", Short(id), use)
		}
		if who := r.opts.InUse(name, id); len(who) > 0 {
			return false, errorf(ErrInUse, "version %s is in use by %s", Short(id), strings.Join(who, ", "))
		}
		m.drop(i)
		return true, nil
	})
}

// DeleteModule removes a module with all its versions, also one whose document is damaged. ErrInUse names the topics that
// it is bound to and who else needs it.
func (r *Registry) DeleteModule(name string) error {
	err := r.lock()
	defer r.mu.Unlock()
	if err != nil {
		return err
	}
	s := r.state.Load()
	if !slices.Contains(s.names(Modules), name) {
		_, err := s.module(name)
		return err
	}
	users, err := s.users(name)
	if err != nil {
		return err
	}
	users = append(users, r.opts.InUse(name, "")...)
	slices.Sort(users)
	if users = slices.Compact(users); len(users) > 0 { // what the API bound both know of
		return errorf(ErrInUse, "module %s is in use by %s", name, strings.Join(users, ", "))
	}
	if err := r.remove(Key{Modules, name}); err != nil {
		return err
	}
	r.sweepNow()
	return nil
}
