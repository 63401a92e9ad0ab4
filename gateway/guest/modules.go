package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"
	"sync"
	"sync/atomic"

	"sluice/gateway/config"
	"sluice/gateway/record"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// Builder makes .wasm out of source.
type Builder interface {
	// Folder builds the source in a folder, or reads a .wasm file.
	Folder(ctx context.Context, path string) ([]byte, error)
	// ReadyMade builds a module that comes with Sluice; false if there is none of that name.
	ReadyMade(ctx context.Context, name string) ([]byte, bool, error)
	// Watch calls changed whenever a source was saved, and gone when it is no longer there, until ctx ends.
	Watch(ctx context.Context, path string, changed func(), gone func(error))
}

// Options says what Modules works with.
type Options struct {
	Host     *wasmhost.Host
	Registry *registry.Registry
	Build    Builder
	Wasm     config.Wasm
	Log      *slog.Logger
}

// Modules keeps what topics are bound to in step with the registry.
type Modules struct {
	Options

	CandidatesEnded atomic.Int64 // for they failed too often, or did not start

	changing sync.Mutex // one rollout changes at a time
	mu       sync.Mutex
	bounds   map[*Bound]struct{}
	logs     map[string]*wasmhost.Log
	faults   map[string]*faults
	stats    map[Ref]*wasmhost.Stats
	loaded   map[string]*wasmhost.Module // by version, as long as a bound uses it
	paths    map[string]*source

	background sync.WaitGroup
	ctx        context.Context //nolint:containedctx // ends with Close, for what runs in the background
	cancel     context.CancelFunc
}

// Ref names a version of a module.
type Ref struct{ Module, Version string }

// source is a module that the configuration names by its path.
type source struct {
	wasm  []byte
	users int
	stop  context.CancelFunc
}

// New returns Modules that follow the registry until Close.
func New(o Options) *Modules {
	ctx, cancel := context.WithCancel(context.Background())
	m := &Modules{
		Options: o, ctx: ctx, cancel: cancel, bounds: make(map[*Bound]struct{}), logs: make(map[string]*wasmhost.Log),
		faults: make(map[string]*faults), stats: make(map[Ref]*wasmhost.Stats),
		loaded: make(map[string]*wasmhost.Module), paths: make(map[string]*source),
	}
	m.background.Go(m.follow)
	return m
}

// Close ends what runs in the background. Every Bound must have been closed.
func (m *Modules) Close() {
	m.cancel()
	m.background.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, module := range m.loaded {
		module.Release()
		delete(m.loaded, id)
	}
}

// follow applies what changes in the registry, whoever changed it.
func (m *Modules) follow() {
	w := m.Registry.Watch()
	defer w.Close()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-w.Ready():
			for _, name := range w.Take().Modules {
				m.apply(name)
			}
		}
	}
}

// Bind makes a Bound. A module that the registry does not have and that comes with Sluice is put there.
func (m *Modules) Bind(ctx context.Context, u Use) (*Bound, error) {
	b := &Bound{Use: u, modules: m, dropped: droppedBy(u)}
	if err := m.provide(ctx, u.Binding); err != nil {
		return nil, err
	}
	m.changing.Lock()
	defer m.changing.Unlock()
	r, err := m.rollout(ctx, b, nil)
	if err != nil {
		m.unprovide(u.Binding)
		m.unload()
		return nil, err
	}
	b.current.Store(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bounds[b] = struct{}{}
	return b, nil
}

// Refusing keeps the place of a binding that cannot serve: it is shown, and serves as soon as a change of its module lets it.
// Until then whoever uses it has to refuse the records.
func (m *Modules) Refusing(u Use, err error) *Bound {
	b := &Bound{Use: u, modules: m, dropped: droppedBy(u)}
	b.breaks(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bounds[b] = struct{}{}
	return b
}

// breaks says why the binding cannot serve.
func (m *Bound) breaks(err error) {
	e := record.Errorf(record.NotAvailable, "module %q, which the API bound to topic %q as its %s, cannot serve; bind another one, or unbind it",
		m.Binding.Module, m.Topic, m.Kind)
	e.Err = err // may name files, which are none of a sender's business: for the log and the admin plane
	m.broken.Store(e)
}

func droppedBy(u Use) *record.Error {
	return record.Errorf(record.Dropped, "interceptor %q dropped the record", u.Name())
}

// suits says whether the module can be bound as this.
func (m *Bound) suits(k wasmhost.Kinds) error {
	switch {
	case m.Kind == Partitioner && !k.Partition:
		return fmt.Errorf("module %q is no partitioner: it exports no partition", m.Binding.Module)
	case m.Kind == Interceptor && !k.Interceptor():
		return fmt.Errorf("module %q is no interceptor: it exports neither on_send nor on_ack", m.Binding.Module)
	}
	return nil
}

// Close gives the binding up. No batch may be under way.
func (m *Bound) Close() {
	all := m.modules
	all.changing.Lock()
	defer all.changing.Unlock()
	all.mu.Lock()
	delete(all.bounds, m)
	all.mu.Unlock()
	if r := m.current.Swap(nil); r != nil {
		r.close(nil)
	}
	all.unprovide(m.Binding)
	all.unload()
}

// provide sees to it that the module of b is there.
func (m *Modules) provide(ctx context.Context, b config.Binding) error {
	if b.Path {
		return m.providePath(ctx, b.Module)
	}
	_, err := m.Registry.Module(b.Module)
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	wasm, ok, err := m.Build.ReadyMade(ctx, b.Module)
	if err != nil {
		return fmt.Errorf("module %q comes with Sluice as source, and could not be built: %w", b.Module, err)
	}
	if !ok {
		return &MissingError{Module: b.Module}
	}
	_, err = m.Upload(ctx, b.Module, wasm, registry.Origin{Kind: registry.ReadyMade})
	return err
}

// MissingError says that there is no module of that name.
type MissingError struct{ Module string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("there is no module %q: upload it with `sluice module push %s FILE`, or give the path of a .wasm file or of a folder of source",
		e.Module, e.Module)
}

func (m *Modules) providePath(ctx context.Context, p string) error {
	m.mu.Lock()
	s := m.paths[p]
	if s != nil {
		s.users++
	}
	m.mu.Unlock()
	if s != nil {
		return nil
	}
	wasm, err := m.Build.Folder(ctx, p)
	if err != nil {
		return fmt.Errorf("module %q: %w", p, err)
	}
	watching, stop := context.WithCancel(m.ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.paths[p]; s != nil { // somebody was faster
		stop()
		s.users++
		return nil
	}
	m.paths[p] = &source{wasm: wasm, users: 1, stop: stop}
	m.background.Go(func() {
		m.Build.Watch(watching, p, func() { m.rebuild(watching, p) }, func(err error) { m.Log.Warn(goneMessage, "module", p, "error", err) })
	})
	return nil
}

const goneMessage = "the source of a module is gone; what was built of it stays in use until the next start"

func (m *Modules) unprovide(b config.Binding) {
	if !b.Path {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.paths[b.Module]; s != nil {
		if s.users--; s.users == 0 {
			s.stop()
			delete(m.paths, b.Module)
		}
	}
}

// apply brings every Bound of a module in step.
func (m *Modules) apply(module string) {
	m.changing.Lock()
	defer m.changing.Unlock()
	for _, b := range m.boundTo(module) {
		old := b.current.Load()
		next, err := m.rollout(m.ctx, b, old)
		switch {
		case err != nil && old == nil:
			b.breaks(err)
			m.Log.Error("a module still cannot serve", "module", module, "topic", b.Topic, "error", err)
		case err != nil:
			m.Log.Error("a module's new version cannot be used; the one before stays in use", "module", module, "topic", b.Topic, "error", err)
		case old == nil:
			b.current.Store(next)
			b.broken.Store(nil)
			m.Log.Info("a module can serve now; records of the topic are no longer refused for it", "module", module, "topic", b.Topic)
		default:
			b.current.Store(next)
			old.close(next)
		}
	}
	m.unload()
}

func (m *Modules) boundTo(module string) []*Bound {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Bound
	for b := range m.bounds {
		if b.Binding.Module == module {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(x, y *Bound) int { return compareUse(x.Use, y.Use) })
	return all
}

// Bounds returns everything that is bound, by topic.
func (m *Modules) Bounds() []*Bound {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*Bound, 0, len(m.bounds))
	for b := range m.bounds {
		all = append(all, b)
	}
	slices.SortFunc(all, func(x, y *Bound) int { return compareUse(x.Use, y.Use) })
	return all
}

// Users names the bindings that a module serves now, or if version is not "" that version of it, for who wants to delete it.
func (m *Modules) Users(module, version string) []string {
	users := make([]string, 0, 1)
	for _, b := range m.boundTo(module) {
		if version != "" && !b.has(version) {
			continue
		}
		user := fmt.Sprintf("%s of topic %q", b.Kind, b.Topic)
		if b.Binding.File != "" {
			user += fmt.Sprintf(" (%s:%d)", path.Base(b.Binding.File), b.Binding.Line)
		}
		users = append(users, user)
	}
	return users
}

// LogOf is the log of a module's guests.
func (m *Modules) LogOf(module string) *wasmhost.Log {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.logs[module]
	if l == nil {
		l = wasmhost.NewLog(m.Wasm.LogLines)
		m.logs[module] = l
	}
	return l
}

func (m *Modules) faultsOf(module string) *faults {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.faults[module]
	if f == nil {
		f = &faults{}
		m.faults[module] = f
	}
	return f
}

// Faults is how guests of a module failed, the newest first.
func (m *Modules) Faults(module string) []Fault { return m.faultsOf(module).snapshot() }

// statsOf is the statistics of all guests of a version, kept for as long as the process runs: counters do not go back.
func (m *Modules) statsOf(r Ref) *wasmhost.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats[r]
	if s == nil {
		s = m.Host.NewStats()
		m.stats[r] = s
	}
	return s
}

// EachStats calls f with the statistics of every version that was in use.
func (m *Modules) EachStats(f func(Ref, *wasmhost.Stats)) {
	m.mu.Lock()
	all := maps.Clone(m.stats)
	m.mu.Unlock()
	for r, s := range all {
		f(r, s)
	}
}
