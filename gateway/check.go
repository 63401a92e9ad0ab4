package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/registry"
	"sluice/gateway/toolchain"
	guestsdk "sluice/guest-sdk"
	"sluice/modules"
	"sluice/wasmhost"
)

// Checked is what CheckModules found.
type Checked struct {
	Errors config.Errors // what would keep a start, or the topics of a glob, from working
	Notes  []string      // what a start would tell, or could not be looked at
}

// NewHostFunc starts a host for modules that are only looked at.
type NewHostFunc = func(config.Wasm) (*wasmhost.Host, error)

// CheckModules looks at the modules that a configuration and its registry bind, as a start would: they are there, they can be
// run, and take their configurations. It changes nothing, and a gateway may be running. What has to be built from source is
// built only if that is wanted; else it is looked at if it was built before. newHost is called if there is a module to look at.
// The error says why nothing could be checked.
func CheckModules(ctx context.Context, cfg *config.Config, newHost NewHostFunc, build bool) (Checked, error) {
	var c Checked
	w := cfg.Wasm
	reg, err := registry.Look(w.RegistryDir, registry.Options{
		MaxModules: w.ModulesMax, MaxVersions: w.RegistryVersionsMax, MaxConfigBytes: w.ConfigMaxBytes,
	})
	if err != nil {
		return c, fmt.Errorf("wasm.registry.dir = %q: %w", w.RegistryDir, err)
	}
	defer reg.Close() //nolint:errcheck // nothing was written
	for _, damage := range reg.Damage() {
		c.Notes = append(c.Notes, damage.Error())
	}
	every := everyUse(cfg, reg)
	if len(every) == 0 {
		return c, nil
	}
	host, err := newHost(w)
	if err != nil {
		return c, err
	}
	defer host.Close() //nolint:errcheck // nothing runs in it any more
	log := slog.New(slog.DiscardHandler)
	all := guest.New(guest.Options{Host: host, Registry: reg, Build: looker{builder{w, log}, build}, Wasm: w, Log: log})
	defer all.Close()
	for _, u := range every {
		if err := all.Check(ctx, u); err != nil {
			c.add(u, err)
		}
	}
	return c, ctx.Err()
}

func (c *Checked) add(u guest.Use, err error) {
	e, notBuilt := errors.AsType[*notBuiltError](err)
	candidate, tried := errors.AsType[*guest.CandidateError](err)
	switch {
	case tried:
		c.Notes = append(c.Notes, fmt.Sprintf("version %s of module %q, which is tried beside the active one, does not start for topic %q; a start would end it: %v",
			registry.Short(candidate.Version), candidate.Module, u.Topic, candidate.Err))
	case notBuilt && u.Binding.File != "":
		c.Notes = append(c.Notes, fmt.Sprintf("%s:%d: %s: %v", u.Binding.File, u.Binding.Line, u.Binding.Key, e))
	case u.Binding.File != "":
		c.Errors = append(c.Errors, &bindingError(u, err).at)
	default:
		c.Notes = append(c.Notes, fmt.Sprintf("records of topic %q will be refused: the API bound module %q as its %s, but: %v",
			u.Topic, u.Binding.Module, u.Kind, err))
	}
}

// everyUse is all that cfg binds, and what the API bound to topics of it.
func everyUse(cfg *config.Config, reg *registry.Registry) []guest.Use {
	var all []guest.Use
	for _, table := range cfg.Tables() {
		if t, ok := cfg.Topic(table); ok {
			all = append(all, uses(t)...)
		}
	}
	s := Topics{cfg: cfg, registry: reg, log: slog.New(slog.DiscardHandler)}
	for _, b := range reg.AllBindings() {
		t, ok := s.settings(b.Topic)
		for _, u := range uses(t) {
			if ok && u.Binding.File == "" {
				all = append(all, u)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b guest.Use) int { return cmp.Compare(a.Binding.Line, b.Binding.Line) })
	return all
}

// looker is a builder that builds nothing unless it is told to.
type looker struct {
	builder

	build bool
}

// notBuiltError says that a module could not be looked at.
type notBuiltError struct{ what string }

func (e *notBuiltError) Error() string {
	return e.what + " is not built yet, or was changed since, so its configuration was not tried; --build builds it"
}

// Folder implements [guest.Builder].
func (l looker) Folder(ctx context.Context, path string) ([]byte, error) {
	if l.build || strings.HasSuffix(path, ".wasm") {
		return l.builder.Folder(ctx, path)
	}
	if _, err := toolchain.Detect(path); err != nil {
		return nil, err
	}
	wasm, _, ok := toolchain.Cached(path, l.options())
	if !ok {
		return nil, &notBuiltError{path}
	}
	return wasm, nil
}

// ReadyMade implements [guest.Builder].
func (l looker) ReadyMade(ctx context.Context, name string) ([]byte, bool, error) {
	if l.build {
		return l.builder.ReadyMade(ctx, name)
	}
	files, err := modules.Source(name)
	if err != nil {
		return nil, false, nil //nolint:nilerr // there is none of that name
	}
	wasm, _, ok := toolchain.CachedFS(toolchain.Embedded{Name: name, Files: files, SDK: guestsdk.Files}, l.options())
	if !ok {
		return nil, true, &notBuiltError{"module " + name + ", which comes with Sluice as source,"}
	}
	return wasm, true, nil
}

// Watch implements [guest.Builder].
func (looker) Watch(ctx context.Context, _ string, _ func(), _ func(error)) { <-ctx.Done() }
