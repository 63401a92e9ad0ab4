package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"sluice/gateway/guest"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// ModuleSummary is a module in the list of all.
type ModuleSummary struct {
	Name      string              `json:"name"`
	Path      bool                `json:"path,omitempty"` // the name is a file or folder that the configuration names; it is not in the registry
	Active    string              `json:"active,omitempty"`
	Candidate *registry.Candidate `json:"candidate,omitempty"`
	Kinds     []string            `json:"kinds,omitempty"` // of the active version: partitioner, interceptor
	Versions  int                 `json:"versions"`
	Bindings  []Binding           `json:"bindings"`
	Since     *time.Time          `json:"since,omitempty"` // when it changed last which versions run
	Damaged   string              `json:"damaged,omitempty"`
}

// ModuleState is all that is known of a module.
type ModuleState struct {
	ModuleSummary
	Note     string         `json:"note,omitempty"` // why it changed last which versions run
	Versions []VersionState `json:"versions"`       // newest first
	Faults   []guest.Fault  `json:"faults"`         // newest first
}

// VersionState is a version of a module.
type VersionState struct {
	ID       string           `json:"id"`
	State    string           `json:"state"` // active, candidate, previous (what rollback returns to) or stored
	Mode     string           `json:"mode,omitempty"`
	Percent  float64          `json:"canary_percent,omitempty"`
	Size     int64            `json:"size,omitempty"`
	Uploaded *time.Time       `json:"uploaded,omitempty"`
	Origin   *registry.Origin `json:"origin,omitempty"`
	Damaged  string           `json:"damaged,omitempty"`
	Report   json.RawMessage  `json:"report,omitempty"` // what the upload found out, a guest.Report
	Stats    *Stats           `json:"stats,omitempty"`  // since the gateway started, if it was in use
}

func (s *Server) listModules(w http.ResponseWriter, _ *http.Request) error {
	modules, paths := s.modules.Registry.Modules(), s.paths()
	list := make([]ModuleSummary, 0, len(modules)+len(paths)) // not nil: no modules are [], not null
	for _, m := range modules {
		list = append(list, s.summary(m))
	}
	for _, name := range s.lost(modules) {
		list = append(list, ModuleSummary{Name: name, Bindings: s.bindingsOf(name), Damaged: "the registry does not have it any more: upload it again, or unbind it"})
	}
	for _, path := range paths {
		list = append(list, s.pathState(path).ModuleSummary)
	}
	answer(w, map[string][]ModuleSummary{"modules": list})
	return nil
}

func (s *Server) summary(m registry.Module) ModuleSummary {
	sum := ModuleSummary{Name: m.Name, Versions: len(m.Versions), Bindings: s.bindingsOf(m.Name), Damaged: m.Damaged}
	if m.Damaged != "" {
		return sum
	}
	sum.Active, sum.Candidate, sum.Since = m.Rollout.Active, m.Rollout.Candidate, &m.Rollout.Since
	if v, ok := m.Version(m.Rollout.Active); ok {
		var report guest.Report
		if json.Unmarshal(v.Report, &report) == nil {
			sum.Kinds = report.Kinds
		}
	}
	return sum
}

// lost are modules that are bound and not in the registry.
func (s *Server) lost(there []registry.Module) []string {
	var names []string
	for _, b := range s.modules.Bounds() {
		name := b.Binding.Module
		is := func(m registry.Module) bool { return m.Name == name }
		if b.Broken() != nil && !slices.ContainsFunc(there, is) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// paths are the modules in use that the configuration names by path.
func (s *Server) paths() []string {
	var all []string
	for _, b := range s.modules.Bounds() {
		if b.Binding.Path && !slices.Contains(all, b.Binding.Module) {
			all = append(all, b.Binding.Module)
		}
	}
	slices.Sort(all)
	return all
}

// pathState is a module that is not in the registry.
func (s *Server) pathState(path string) ModuleState {
	m := ModuleState{ModuleSummary: ModuleSummary{Name: path, Path: true, Bindings: s.bindingsOf(path)}, Faults: s.modules.Faults(path)}
	for _, b := range m.Bindings {
		for _, v := range b.Serving {
			m.Active = v.Version
		}
	}
	for id, st := range s.statsOf(path) {
		v := VersionState{ID: id, State: "stored", Stats: st}
		if id == m.Active {
			v.State = "active"
		}
		m.Versions = append(m.Versions, v)
	}
	m.ModuleSummary.Versions = len(m.Versions)
	return m
}

func (s *Server) module(w http.ResponseWriter, r *http.Request) error {
	m, err := s.moduleState(r.PathValue("name"))
	if err != nil {
		return err
	}
	answer(w, m)
	return nil
}

func (s *Server) moduleState(name string) (ModuleState, error) {
	if slices.Contains(s.paths(), name) {
		return s.pathState(name), nil
	}
	m, err := s.modules.Registry.Module(name)
	if err != nil {
		return ModuleState{}, err
	}
	state := ModuleState{ModuleSummary: s.summary(m), Note: m.Rollout.Note, Versions: []VersionState{}, Faults: s.modules.Faults(name)}
	stats := s.statsOf(name)
	for _, v := range slices.Backward(m.Versions) {
		state.Versions = append(state.Versions, versionState(&m, v, stats[v.ID]))
	}
	return state, nil
}

func versionState(m *registry.Module, v registry.Version, stats *Stats) VersionState {
	state := VersionState{
		ID: v.ID, State: "stored", Size: v.Size, Uploaded: &v.Uploaded, Origin: &v.Origin, Damaged: v.Damaged, Report: v.Report, Stats: stats,
	}
	o := m.Rollout
	switch n := len(o.Previous); {
	case v.ID == o.Active:
		state.State = "active"
	case o.Candidate != nil && v.ID == o.Candidate.Version:
		state.State, state.Mode, state.Percent = "candidate", string(o.Candidate.Mode), o.Candidate.Percent
	case n > 0 && v.ID == o.Previous[n-1]:
		state.State = "previous"
	}
	return state
}

func (s *Server) version(w http.ResponseWriter, r *http.Request) error {
	m, v, err := s.find(r)
	if err != nil {
		return err
	}
	answer(w, versionState(&m, v, s.statsOf(m.Name)[v.ID]))
	return nil
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) error {
	m, v, err := s.find(r)
	if err != nil {
		return err
	}
	wasm, err := s.modules.Registry.Bytes(v.ID)
	if err != nil {
		return err
	}
	// A connection that refuses a deadline is broken, and writing says so.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTimeout))
	h := w.Header()
	h.Set("Content-Type", "application/wasm")
	h.Set("Content-Disposition", `attachment; filename="`+m.Name+"-"+registry.Short(v.ID)+`.wasm"`)
	h.Set("Content-Length", strconv.Itoa(len(wasm)))
	h.Set("ETag", `"`+v.ID+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(wasm) // the client is gone
	return nil
}

func (s *Server) removeModule(w http.ResponseWriter, r *http.Request) error {
	if err := s.modules.Registry.DeleteModule(r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) removeVersion(w http.ResponseWriter, r *http.Request) error {
	m, v, err := s.find(r)
	if err != nil {
		return err
	}
	if err := s.modules.Registry.DeleteVersion(m.Name, v.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// find finds the version that the path of a request names.
func (s *Server) find(r *http.Request) (registry.Module, registry.Version, error) {
	m, err := s.modules.Registry.Module(r.PathValue("name"))
	if err != nil {
		return m, registry.Version{}, err
	}
	v, err := resolve(&m, r.PathValue("id"))
	return m, v, err
}

// minAbbreviation is how many digits of a version's id are needed at least.
const minAbbreviation = 6

// resolve finds a version by its id, by as much of that as no other version of m begins with, or as "active".
func resolve(m *registry.Module, id string) (registry.Version, error) {
	if id == "active" {
		id = m.Rollout.Active
	}
	if v, ok := m.Version(id); ok {
		return v, nil
	}
	if len(id) < minAbbreviation {
		return registry.Version{}, failf(http.StatusUnprocessableEntity, codeInvalidValue,
			"version %q: it must be the id of a version, at least its first %d digits, or active", id, minAbbreviation)
	}
	var found []registry.Version
	for _, v := range m.Versions {
		if len(id) < len(v.ID) && v.ID[:len(id)] == id {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 0:
		return registry.Version{}, failf(http.StatusNotFound, codeNoModule, "module %q has no version %q", m.Name, id)
	case 1:
		return found[0], nil
	default:
		return registry.Version{}, failf(http.StatusConflict, codeAmbiguous, "version %q: %d versions of module %q begin with that, %s and %s among them",
			id, len(found), m.Name, found[0].ID, found[1].ID)
	}
}

// statsOf is what versions of a module did, by id.
func (s *Server) statsOf(module string) map[string]*Stats {
	all := make(map[string]*Stats)
	s.modules.EachStats(func(r guest.Ref, st *wasmhost.Stats) {
		if r.Module == module {
			all[r.Version] = statsOf(st)
		}
	})
	return all
}
