package registry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Module is what is known of a module. A value that was returned is the caller's own.
type Module struct {
	Name     string    `json:"name"`
	Revision uint64    `json:"revision"` // of the registry when the module changed last
	Versions []Version `json:"versions"` // in the order of their upload; at least one
	Rollout  Rollout   `json:"rollout"`

	// Damaged says why the module cannot be read; then only Name is set, and only DeleteModule can help.
	Damaged string `json:"-"`
}

// Version is an uploaded version of a module.
type Version struct {
	ID       string          `json:"id"`   // SHA-256 of the bytes, in hex
	Size     int64           `json:"size"` // bytes
	Uploaded time.Time       `json:"uploaded"`
	Origin   Origin          `json:"origin"`
	Report   json.RawMessage `json:"report,omitempty"` // what the upload found out; not interpreted here

	// Damaged says what is wrong with the stored bytes, "" if nothing that is known. Putting the same bytes again repairs it.
	Damaged string `json:"-"`
}

// Origin says where a version came from.
type Origin struct {
	Kind OriginKind `json:"kind"`
	Path string     `json:"path,omitempty"` // the file or folder of source it was built from; required for Built
}

// OriginKind is the way in which a version came into the registry.
type OriginKind string

// The origins.
const (
	Uploaded  OriginKind = "upload"
	Built     OriginKind = "built"      // from the source in Path
	ReadyMade OriginKind = "ready-made" // one of the modules that come with Sluice
)

// Rollout says which versions of a module run.
type Rollout struct {
	Active    string     `json:"active"`             // id
	Previous  []string   `json:"previous,omitempty"` // ids that were active before, oldest first; Rollback takes the last
	Candidate *Candidate `json:"candidate,omitempty"`
	Since     time.Time  `json:"since"`          // when the rollout changed last
	Note      string     `json:"note,omitempty"` // why it changed last
}

// Candidate is the version that is tried beside the active one.
type Candidate struct {
	Version string    `json:"version"` // id
	Mode    Mode      `json:"mode"`
	Percent float64   `json:"percent,omitempty"` // of the record keys, over 0 up to 100; 0 for a shadow
	Since   time.Time `json:"since"`             // when it became the candidate with this mode and percentage
}

// Mode is how a candidate is tried.
type Mode string

// The modes.
const (
	Canary Mode = "canary" // it serves a part of the records, chosen by key hash
	Shadow Mode = "shadow" // it runs, its output is compared and counted, but not used
)

// Version returns the version with this id.
func (m *Module) Version(id string) (Version, bool) {
	i := m.find(id)
	if i < 0 {
		return Version{}, false
	}
	return m.Versions[i], true
}

func (m *Module) find(id string) int {
	return slices.IndexFunc(m.Versions, func(v Version) bool { return v.ID == id })
}

// use says what the rollout needs a version for; "" if it can go.
func (m *Module) use(id string) string {
	switch c := m.Rollout.Candidate; {
	case id == m.Rollout.Active:
		return "the active version"
	case c != nil && id == c.Version:
		return "the candidate (" + string(c.Mode) + ")"
	default:
		return ""
	}
}

func (m *Module) clone() *Module {
	c := *m
	c.Versions = slices.Clone(m.Versions)
	for i := range c.Versions {
		c.Versions[i].Report = bytes.Clone(c.Versions[i].Report)
	}
	c.Rollout.Previous = slices.Clone(m.Rollout.Previous)
	if m.Rollout.Candidate != nil {
		candidate := *m.Rollout.Candidate
		c.Rollout.Candidate = &candidate
	}
	return &c
}

// check says what is wrong with a module as it was read or is about to be written.
func (m *Module) check() error {
	if err := checkName(m.Name); err != nil {
		return err
	}
	if len(m.Versions) == 0 {
		return errorf(ErrInvalid, "versions: a module has at least one")
	}
	seen := make(map[string]bool, len(m.Versions))
	for i := range m.Versions {
		if err := m.Versions[i].check(); err != nil {
			return errorf(ErrInvalid, "versions[%d]: %w", i, err)
		}
		if seen[m.Versions[i].ID] {
			return errorf(ErrInvalid, "versions[%d]: %s is there twice", i, m.Versions[i].ID)
		}
		seen[m.Versions[i].ID] = true
	}
	return m.Rollout.check(seen)
}

func (v *Version) check() error {
	if err := checkID(v.ID); err != nil {
		return err
	}
	if v.Size <= 0 {
		return errorf(ErrInvalid, "size %d: must be over 0", v.Size)
	}
	if err := v.Origin.check(); err != nil {
		return err
	}
	return checkReport(v.Report)
}

const (
	maxPath   = 4096
	maxReport = 256 << 10 // bytes; a module's document holds the reports of all its versions
	maxNote   = 1000      // bytes
)

func (o Origin) check() error {
	switch {
	case o.Kind != Uploaded && o.Kind != Built && o.Kind != ReadyMade:
		return errorf(ErrInvalid, "origin %q: must be %s, %s or %s", shown(string(o.Kind)), Uploaded, Built, ReadyMade)
	case o.Kind == Built && o.Path == "":
		return errorf(ErrInvalid, "origin %s: the path that it was built from is missing", o.Kind)
	case len(o.Path) > maxPath:
		return errorf(ErrInvalid, "origin path: has %d bytes, at most %d are kept", len(o.Path), maxPath)
	}
	return nil
}

func checkReport(report json.RawMessage) error {
	switch {
	case len(report) > maxReport:
		return errorf(ErrInvalid, "report: has %d bytes, at most %d are kept", len(report), maxReport)
	case len(report) > 0 && !json.Valid(report):
		return errorf(ErrInvalid, "report: is not JSON")
	}
	return nil
}

func (r *Rollout) check(versions map[string]bool) error {
	if !versions[r.Active] {
		return errorf(ErrInvalid, "rollout.active %q: no such version", shown(r.Active))
	}
	for i, id := range r.Previous {
		if !versions[id] {
			return errorf(ErrInvalid, "rollout.previous[%d] %q: no such version", i, shown(id))
		}
	}
	if c := r.Candidate; c != nil {
		if !versions[c.Version] || c.Version == r.Active {
			return errorf(ErrInvalid, "rollout.candidate %q: must be a version that is not active", shown(c.Version))
		}
		return c.check()
	}
	return nil
}

func (c *Candidate) check() error {
	switch {
	case c.Mode == Canary && c.Percent > 0 && c.Percent <= 100:
		return nil
	case c.Mode == Canary:
		return errorf(ErrInvalid, "canary percent %s: must be over 0 and at most 100", strconv.FormatFloat(c.Percent, 'g', -1, 64))
	case c.Mode == Shadow && c.Percent == 0:
		return nil
	case c.Mode == Shadow:
		return errorf(ErrInvalid, "shadow: has no percentage")
	default:
		return errorf(ErrInvalid, "candidate mode %q: must be %s or %s", shown(string(c.Mode)), Canary, Shadow)
	}
}
