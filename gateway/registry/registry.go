package registry

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the limits of a registry and what it has to ask. A zero limit is the default.
type Options struct {
	MaxModules     int // wasm.modules.max, 1000
	MaxVersions    int // wasm.registry.versions.max, versions of one module, 100
	MaxConfigBytes int // wasm.config.max.bytes, the configuration of one binding, 65536

	// InUse names who needs a module (version "") or one of its versions beside what the registry knows itself, for example
	// `partitioner of topic "orders" (config.toml:12)`. What is needed is not removed. It may read the registry, but must
	// not change it. nil is nobody.
	InUse func(module, version string) []string
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		limit *int
		value int
	}{{&o.MaxModules, 1000}, {&o.MaxVersions, 100}, {&o.MaxConfigBytes, 65536}} {
		if *d.limit == 0 {
			*d.limit = d.value
		}
	}
	if o.InUse == nil {
		o.InUse = func(string, string) []string { return nil }
	}
	return o
}

// Registry is the modules and bindings of a Store.
type Registry struct {
	store Store
	opts  Options
	state atomic.Pointer[state]

	mu      sync.Mutex // of whoever changes something
	watches map[*Watch]struct{}
	closed  bool
}

// Open opens the registry in a folder, which it makes if need be (mode 0700); "" is a registry in memory. Files that are
// damaged do not prevent it: Damage lists them. It fails with ErrInUse if another process has the folder open.
func Open(folder string, o Options) (*Registry, error) {
	if folder == "" {
		return New(NewMemory(), o)
	}
	d, err := openDir(folder)
	if err != nil {
		return nil, err
	}
	r, err := New(d, o)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return r, nil
}

// New returns the registry in a store, which it owns unless there is an error.
func New(store Store, o Options) (*Registry, error) {
	r := &Registry{store: store, opts: o.withDefaults(), watches: map[*Watch]struct{}{}}
	entries, err := store.List()
	if err != nil {
		return nil, err
	}
	s := newState()
	for _, e := range entries {
		s.load(store, e.Key)
	}
	s.inspect(store, entries)
	r.state.Store(s)
	r.sweep(entries)
	return r, nil
}

// Close releases the store. Every change is durable before, so it has nothing to write.
func (r *Registry) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	return r.store.Close()
}

// Revision grows with every change, also over restarts.
func (r *Registry) Revision() uint64 { return r.state.Load().revision }

// Module returns a module; ErrNotFound, or ErrDamaged when its document cannot be read.
func (r *Registry) Module(name string) (Module, error) {
	s := r.state.Load()
	m, err := s.module(name)
	if err != nil {
		return Module{}, err
	}
	return s.view(m), nil
}

// Modules returns all modules, sorted by name, those whose document is damaged too.
func (r *Registry) Modules() []Module {
	s := r.state.Load()
	out := make([]Module, 0, len(s.modules))
	for _, name := range s.names(Modules) {
		if m, ok := s.modules[name]; ok {
			out = append(out, s.view(m))
		} else {
			out = append(out, Module{Name: name, Damaged: s.broken[Key{Modules, name}].Error()})
		}
	}
	return out
}

// Bindings returns what the API bound to a topic, which may be nothing; ErrDamaged when the document cannot be read.
func (r *Registry) Bindings(topic string) (Bindings, error) {
	b, err := r.state.Load().bindings(topic)
	if err != nil {
		return Bindings{Topic: topic}, err
	}
	return *b.clone(), nil
}

// AllBindings returns the bindings of all topics that have any, sorted by topic, those whose document is damaged too.
func (r *Registry) AllBindings() []Bindings {
	s := r.state.Load()
	out := make([]Bindings, 0, len(s.topics))
	for _, topic := range s.names(Topics) {
		if b, ok := s.topics[topic]; ok {
			out = append(out, *b.clone())
		} else {
			out = append(out, Bindings{Topic: topic, Damaged: s.broken[Key{Topics, topic}].Error()})
		}
	}
	return out
}

// Damage returns an ErrDamaged for every document and version that is known to be damaged, sorted by what it is of.
func (r *Registry) Damage() []error {
	s := r.state.Load()
	var out []error
	for _, kind := range []Kind{Modules, Topics} {
		for _, name := range s.names(kind) {
			if err := s.broken[Key{kind, name}]; err != nil {
				out = append(out, err)
			}
		}
	}
	for _, name := range s.names(Modules) {
		if m := s.modules[name]; m != nil {
			for i := range m.Versions {
				if err := s.damaged[m.Versions[i].ID]; err != nil {
					out = append(out, errorf(ErrDamaged, "module %s: %w", name, err))
				}
			}
		}
	}
	return out
}

// Bytes returns the bytes of a version as they were uploaded. It verifies them: ErrDamaged names the file that is missing,
// torn or altered, and the version is reported as damaged from then on. ErrNotFound if no module has such a version.
func (r *Registry) Bytes(id string) ([]byte, error) {
	s := r.state.Load()
	size, ok := s.sizes[id]
	if !ok {
		return nil, errorf(ErrNotFound, "version %q: no module has it", Short(id))
	}
	b, err := readBlob(r.store, id, size)
	if (err == nil) == (s.damaged[id] == nil) {
		return b, err
	}
	return r.bytesAgain(id)
}

// bytesAgain reads a version that turned out to be other than known, and notes that, unless it was removed meanwhile.
func (r *Registry) bytesAgain(id string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state.Load()
	size, ok := s.sizes[id]
	if !ok {
		return nil, errorf(ErrNotFound, "version %s: it was removed", Short(id))
	}
	b, err := readBlob(r.store, id, size)
	r.note(id, err)
	return b, err
}

// note keeps whether a version is damaged, and tells the watches if that is new. The caller holds mu.
func (r *Registry) note(id string, damage error) {
	s := r.state.Load()
	if (damage == nil) == (s.damaged[id] == nil) {
		return
	}
	next := s.clone()
	if damage != nil {
		next.damaged[id] = damage
	} else {
		delete(next.damaged, id)
	}
	r.state.Store(next)
	for name, m := range next.modules {
		if m.find(id) >= 0 {
			r.tell(Key{Modules, name})
		}
	}
}

// readBlob reads and verifies the bytes of a version.
func readBlob(store Store, id string, size int64) ([]byte, error) {
	const hint = "upload the same bytes again, or activate another version"
	b, where, err := store.Read(Key{Blobs, id})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errorf(ErrDamaged, "%s is missing: %s", where, hint)
	case err != nil:
		return nil, errorf(ErrDamaged, "%s cannot be read: %w", where, err)
	case int64(len(b)) != size:
		return nil, errorf(ErrDamaged, "%s has %d bytes instead of %d: %s", where, len(b), size, hint)
	case ID(b) != id:
		return nil, errorf(ErrDamaged, "%s was altered, its SHA-256 is not its name: %s", where, hint)
	}
	return b, nil
}

// now is the time that is kept, in the precision in which it is shown.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
