package admin

import (
	"net/http"

	"sluice/gateway/registry"
)

// Activation says which version is to run, and how. Without percentage and shadow it is the only one that runs.
type Activation struct {
	Version string   `json:"version"`
	Percent *float64 `json:"canary_percent,omitempty"` // of the record keys, beside the active version
	Shadow  bool     `json:"shadow,omitempty"`         // beside the active version, on copies
	Note    string   `json:"note,omitempty"`           // why
}

// Change is a change that needs no more than a reason.
type Change struct {
	Version string `json:"version,omitempty"` // of promote: the candidate that is meant; the one there is if empty
	Note    string `json:"note,omitempty"`    // why
}

func (s *Server) activate(w http.ResponseWriter, r *http.Request) error {
	var a Activation
	if err := s.readJSON(w, r, &a, false); err != nil {
		return err
	}
	if a.Version == "" {
		return invalid(`version: it is missing; the body must be {"version": "…"}, with "canary_percent": n or "shadow": true if it is to be tried only`)
	}
	if a.Shadow && a.Percent != nil {
		return failf(http.StatusUnprocessableEntity, codeInvalidValue, "canary_percent %v: a shadow sees copies of all records; give one of canary_percent and shadow", *a.Percent)
	}
	m, err := s.modules.Registry.Module(r.PathValue("name"))
	if err != nil {
		return err
	}
	v, err := resolve(&m, a.Version)
	if err != nil {
		return err
	}
	note := noteOr(a.Note)
	switch {
	case a.Percent != nil:
		err = s.modules.Canary(r.Context(), m.Name, v.ID, *a.Percent, note)
	case a.Shadow:
		err = s.modules.Shadow(r.Context(), m.Name, v.ID, note)
	default:
		err = s.modules.Activate(r.Context(), m.Name, v.ID, note)
	}
	return s.changed(w, m.Name, err)
}

func (s *Server) rollback(w http.ResponseWriter, r *http.Request) error {
	var c Change
	if err := s.readJSON(w, r, &c, true); err != nil {
		return err
	}
	name := r.PathValue("name")
	_, err := s.modules.Rollback(name, noteOr(c.Note))
	return s.changed(w, name, err)
}

func (s *Server) promote(w http.ResponseWriter, r *http.Request) error {
	var c Change
	if err := s.readJSON(w, r, &c, true); err != nil {
		return err
	}
	m, id, err := s.candidate(r.PathValue("name"), c.Version)
	if err == nil {
		err = s.modules.Promote(r.Context(), m.Name, id, noteOr(c.Note))
	}
	return s.changed(w, m.Name, err)
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) error {
	m, id, err := s.candidate(r.PathValue("name"), "")
	if err == nil {
		err = s.modules.Cancel(m.Name, id, noteAPI)
	}
	return s.changed(w, m.Name, err)
}

// candidate is the candidate of a module, or the version that is meant to be it.
func (s *Server) candidate(name, version string) (registry.Module, string, error) {
	m, err := s.modules.Registry.Module(name)
	if err != nil {
		return m, "", err
	}
	if version != "" {
		v, err := resolve(&m, version)
		return m, v.ID, err
	}
	if m.Rollout.Candidate == nil {
		return m, "", failf(http.StatusConflict, codeConflict, "module %q has no candidate", name)
	}
	return m, m.Rollout.Candidate.Version, nil
}

// changed answers with the module as it is after a change.
func (s *Server) changed(w http.ResponseWriter, name string, err error) error {
	if err != nil {
		return err
	}
	m, err := s.moduleState(name)
	if err != nil {
		return err
	}
	answer(w, m)
	return nil
}

func noteOr(note string) string {
	if note == "" {
		return noteAPI
	}
	return note
}
