package registry

import (
	"fmt"
	"maps"
	"slices"
)

// state is everything that is known of a store's content at one revision. It is never changed once it is published: a
// change works on a clone, whose values are shared.
type state struct {
	revision uint64
	modules  map[string]*Module
	topics   map[string]*Bindings
	broken   map[Key]error    // documents that cannot be read
	damaged  map[string]error // versions whose bytes are known to be damaged, by id
	sizes    map[string]int64 // of all versions, by id
}

func newState() *state {
	return &state{
		modules: map[string]*Module{}, topics: map[string]*Bindings{},
		broken: map[Key]error{}, damaged: map[string]error{}, sizes: map[string]int64{},
	}
}

func (s *state) clone() *state {
	return &state{s.revision, maps.Clone(s.modules), maps.Clone(s.topics), maps.Clone(s.broken), maps.Clone(s.damaged), s.sizes}
}

// load reads the document at k, or keeps why it cannot be read. Blobs are for inspect.
func (s *state) load(store Store, k Key) {
	if k.Kind == Blobs {
		return
	}
	data, where, err := store.Read(k)
	if err == nil {
		err = s.adopt(k, data)
	}
	// The revision is only a counter, which every other document continues.
	if err != nil && k.Kind != Meta {
		s.broken[k] = errorf(ErrDamaged, "%s cannot be used: %w", where, err)
	}
}

// adopt takes a document into the state; nil removes it.
func (s *state) adopt(k Key, data []byte) error {
	var err error
	rev := revision{s.revision}
	switch {
	case k.Kind == Meta && data != nil:
		err = decode(data, &rev)
	case k.Kind == Modules && data == nil:
		delete(s.modules, k.Name)
	case k.Kind == Modules:
		var m *Module
		if m, err = decodeModule(data, k.Name); err == nil {
			s.modules[k.Name], rev.Revision = m, m.Revision
		}
	case k.Kind == Topics && data == nil:
		delete(s.topics, k.Name)
	case k.Kind == Topics:
		var b *Bindings
		if b, err = decodeBindings(data, k.Name); err == nil {
			s.topics[k.Name], rev.Revision = b, b.Revision
		}
	}
	if err != nil {
		return err
	}
	delete(s.broken, k)
	s.revision = max(s.revision, rev.Revision)
	return nil
}

// count makes sizes anew, and forgets the damage of versions that are gone.
func (s *state) count() {
	s.sizes = make(map[string]int64, len(s.sizes)+1)
	for _, m := range s.modules {
		for i := range m.Versions {
			s.sizes[m.Versions[i].ID] = m.Versions[i].Size
		}
	}
	maps.DeleteFunc(s.damaged, func(id string, _ error) bool { _, ok := s.sizes[id]; return !ok })
}

// inspect finds versions whose bytes are damaged. It reads those that are to run; of the others it looks at the size only,
// so that a start does not take the longer the more versions are kept. Their bytes are verified when they are asked for.
func (s *state) inspect(store Store, entries []Entry) {
	s.count()
	found := make(map[string]int64, len(entries))
	for _, e := range entries {
		if e.Kind == Blobs {
			found[e.Name] = e.Size
		}
	}
	for _, m := range s.modules {
		for i := range m.Versions {
			v := &m.Versions[i]
			if size, ok := found[v.ID]; ok && size == v.Size && m.use(v.ID) == "" {
				continue
			}
			if _, err := readBlob(store, v.ID, v.Size); err != nil {
				s.damaged[v.ID] = err
			}
		}
	}
}

// names lists what there is of a kind, sorted, what is broken too.
func (s *state) names(kind Kind) []string {
	var names []string
	if kind == Modules {
		names = slices.Collect(maps.Keys(s.modules))
	} else {
		names = slices.Collect(maps.Keys(s.topics))
	}
	for k := range s.broken {
		if k.Kind == kind {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *state) module(name string) (*Module, error) {
	if m, ok := s.modules[name]; ok {
		return m, nil
	}
	if err := s.broken[Key{Modules, name}]; err != nil {
		return nil, errorf(ErrDamaged, "module %s: %w", name, err)
	}
	return nil, errorf(ErrNotFound, "module %q: there is none with this name", shown(name))
}

// bindings returns empty ones for a topic that has none.
func (s *state) bindings(topic string) (*Bindings, error) {
	if b, ok := s.topics[topic]; ok {
		return b, nil
	}
	if err := s.broken[Key{Topics, topic}]; err != nil {
		return nil, errorf(ErrDamaged, "bindings of topic %s: %w", topic, err)
	}
	return &Bindings{Topic: topic}, nil
}

// view is a module as callers get it.
func (s *state) view(m *Module) Module {
	c := m.clone()
	for i := range c.Versions {
		if err := s.damaged[c.Versions[i].ID]; err != nil {
			c.Versions[i].Damaged = err.Error()
		}
	}
	return *c
}

// users lists the topics in which a module is bound. It fails if that cannot be known.
func (s *state) users(module string) ([]string, error) {
	var out []string
	for _, topic := range s.names(Topics) {
		b, err := s.bindings(topic)
		if err != nil {
			return nil, fmt.Errorf("whether module %s is bound cannot be known: %w", module, err)
		}
		out = append(out, b.users(module)...)
	}
	return out, nil
}
