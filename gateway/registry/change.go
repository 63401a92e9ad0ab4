package registry

import "fmt"

// lock begins a change; the caller unlocks mu also when it fails.
func (r *Registry) lock() error {
	r.mu.Lock()
	if r.closed {
		return errorf(ErrConflict, "the registry is closed")
	}
	return nil
}

// changeModule lets edit change a copy of a module and stores it. If edit returns false nothing is to be stored.
func (r *Registry) changeModule(name string, edit func(*Module) (bool, error)) error {
	err := r.lock()
	defer r.mu.Unlock()
	if err != nil {
		return err
	}
	m, err := r.state.Load().module(name)
	if err != nil {
		return err
	}
	c := m.clone()
	changed, err := edit(c)
	if err != nil {
		return fmt.Errorf("module %s: %w", name, err)
	}
	if !changed {
		return nil
	}
	if err := r.saveModule(c); err != nil {
		return err
	}
	if len(c.Versions) < len(m.Versions) {
		r.sweepNow()
	}
	return nil
}

func (r *Registry) saveModule(m *Module) error {
	m.Revision = r.Revision() + 1
	return r.save(Key{Modules, m.Name}, m)
}

// save stores a document and publishes what a restart would read, so that memory cannot differ from the store: the document
// is checked and loses what is not kept on the way.
func (r *Registry) save(k Key, doc any) error {
	data, err := encode(doc)
	if err != nil {
		return err
	}
	next := r.state.Load().clone()
	if err := next.adopt(k, data); err != nil {
		return err
	}
	if err := r.store.Write(k, data); err != nil {
		return err
	}
	r.publish(k, next)
	return nil
}

// remove removes a document. The revision goes first: if the process is killed in between, the old document is still there.
func (r *Registry) remove(k Key) error {
	next := r.state.Load().clone()
	data, err := encode(revision{next.revision + 1})
	if err != nil {
		return err
	}
	if err := r.store.Write(Key{Meta, "revision"}, data); err != nil {
		return err
	}
	if err := r.store.Write(k, nil); err != nil {
		return err
	}
	next.revision++
	if err := next.adopt(k, nil); err != nil {
		return err
	}
	r.publish(k, next)
	return nil
}

func (r *Registry) publish(k Key, next *state) {
	next.count()
	r.state.Store(next)
	r.tell(k)
}

// sweep removes blobs that no module has: of versions that were removed, or uploaded by a process that was killed before it
// could write the module. While a document is damaged nobody knows which blobs it needs, so all stay.
func (r *Registry) sweep(entries []Entry) {
	s := r.state.Load()
	for k := range s.broken {
		if k.Kind == Modules {
			return
		}
	}
	for _, e := range entries {
		if _, used := s.sizes[e.Name]; e.Kind == Blobs && !used {
			_ = r.store.Write(e.Key, nil) // what cannot be removed now is found by the next sweep
		}
	}
}

// sweepNow is sweep after a change that has succeeded, so a list that cannot be had is no error: the next sweep is as good.
func (r *Registry) sweepNow() {
	if entries, err := r.store.List(); err == nil {
		r.sweep(entries)
	}
}
