package registry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Upload says what Put did.
type Upload struct {
	ID     string   // of the version
	Known  bool     // the module had these bytes already: nothing has changed, but a damaged file was repaired
	Active bool     // this is the active version: the first of its module, or known and active
	Pruned []string // ids of versions that were removed to keep within wasm.registry.versions.max
}

// Put stores a version of a module, which it makes if need be. It does not activate the version, unless it is the first of
// its module; use Activate, Canary or Shadow.
//
// At wasm.registry.versions.max the oldest version that can be spared is removed: not the active one, not the candidate,
// not what Rollback would return to, and none that Options.InUse names. If there is none the upload is an ErrConflict.
func (r *Registry) Put(name string, wasm []byte, report json.RawMessage, origin Origin) (Upload, error) {
	if err := checkName(name); err != nil {
		return Upload{}, err
	}
	if len(wasm) == 0 {
		return Upload{}, errorf(ErrInvalid, "module %s: there are no bytes", name)
	}
	origin.Path = strings.ToValidUTF8(origin.Path, "�")
	v := Version{ID: ID(wasm), Size: int64(len(wasm)), Uploaded: now(), Origin: origin, Report: report}
	if err := v.check(); err != nil {
		return Upload{}, errorf(ErrInvalid, "module %s: %w", name, err)
	}
	err := r.lock()
	defer r.mu.Unlock()
	if err != nil {
		return Upload{}, err
	}
	m, err := r.moduleToPut(name)
	if err != nil {
		return Upload{}, err
	}
	if m.find(v.ID) >= 0 {
		up := Upload{ID: v.ID, Known: true, Active: m.Rollout.Active == v.ID}
		return up, r.storeBlob(v.ID, wasm)
	}
	return r.putVersion(m, v, wasm)
}

// moduleToPut returns a copy of a module, or a new one without versions.
func (r *Registry) moduleToPut(name string) (*Module, error) {
	s := r.state.Load()
	if m, ok := s.modules[name]; ok {
		return m.clone(), nil
	}
	if err := s.broken[Key{Modules, name}]; err != nil {
		return nil, errorf(ErrDamaged, "module %s: %w; delete the module to begin anew", name, err)
	}
	if n := len(s.names(Modules)); n >= r.opts.MaxModules {
		return nil, errorf(ErrConflict, "module %s: there are %d modules, wasm.modules.max = %d: remove one, or raise it",
			name, n, r.opts.MaxModules)
	}
	return &Module{Name: name}, nil
}

// putVersion stores the bytes, then the module that names them: killed in between, it leaves bytes that nobody has.
func (r *Registry) putVersion(m *Module, v Version, wasm []byte) (Upload, error) {
	pruned, err := r.prune(m)
	if err != nil {
		return Upload{}, err
	}
	m.Versions = append(m.Versions, v)
	if len(m.Versions) == 1 {
		m.Rollout = Rollout{Active: v.ID, Since: v.Uploaded, Note: "first version"}
	}
	err = r.storeBlob(v.ID, wasm)
	if err == nil {
		err = r.saveModule(m)
	}
	if err != nil || len(pruned) > 0 {
		r.sweepNow()
	}
	if err != nil {
		return Upload{}, err
	}
	return Upload{ID: v.ID, Active: m.Rollout.Active == v.ID, Pruned: pruned}, nil
}

// storeBlob stores the bytes unless they are there and sound: another module may have them.
func (r *Registry) storeBlob(id string, wasm []byte) error {
	if b, _, err := r.store.Read(Key{Blobs, id}); err != nil || !bytes.Equal(b, wasm) {
		if err := r.store.Write(Key{Blobs, id}, wasm); err != nil {
			return err
		}
	}
	r.note(id, nil)
	return nil
}

// prune makes room for one version and returns the ids that it removed.
func (r *Registry) prune(m *Module) ([]string, error) {
	var pruned []string
	for len(m.Versions) >= r.opts.MaxVersions {
		i := slices.IndexFunc(m.Versions, func(v Version) bool { return r.prunable(m, v.ID) })
		if i < 0 {
			return nil, errorf(ErrConflict, "module %s: it has %d versions, wasm.registry.versions.max = %d, and all are in use: remove one, or raise it",
				m.Name, len(m.Versions), r.opts.MaxVersions)
		}
		pruned = append(pruned, m.Versions[i].ID)
		m.drop(i)
	}
	return pruned, nil
}

func (r *Registry) prunable(m *Module, id string) bool {
	previous := m.Rollout.Previous
	return m.use(id) == "" && (len(previous) == 0 || previous[len(previous)-1] != id) && len(r.opts.InUse(m.Name, id)) == 0
}

// drop removes the version at i, and from the history.
func (m *Module) drop(i int) {
	id := m.Versions[i].ID
	m.Versions = slices.Delete(m.Versions, i, i+1)
	m.Rollout.Previous = slices.DeleteFunc(m.Rollout.Previous, func(p string) bool { return p == id })
}
