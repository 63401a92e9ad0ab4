package registry_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/registry"
)

func TestWatch(t *testing.T) {
	r := open(t, "", registry.Options{})
	idle := r.Watch()
	put(t, r, "m", 0, 1)
	put(t, r, "n", 0)
	ok(t, r.SetPartitioner("t", &registry.Binding{Module: "m"}))
	w := r.Watch()
	steps := []struct {
		do   func() error
		want registry.Changes
	}{
		{func() error { return nil }, registry.Changes{Modules: []string{"m", "n"}, Topics: []string{"t"}}}, // what there is
		{func() error { return r.Activate("m", id(1), "") }, registry.Changes{Modules: []string{"m"}}},
		{func() error { return second(r.Rollback("m", "")) }, registry.Changes{Modules: []string{"m"}}},
		{func() error { return second(r.Put("m", wasm(2), nil, upload)) }, registry.Changes{Modules: []string{"m"}}},
		{func() error { return r.DeleteModule("n") }, registry.Changes{Modules: []string{"n"}}},
		{func() error { return r.DeleteBindings("t") }, registry.Changes{Topics: []string{"t"}}},
	}
	for i, s := range steps {
		ok(t, s.do())
		<-w.Ready()
		if diff := cmp.Diff(s.want, w.Take()); diff != "" {
			t.Error(i, diff)
		}
	}
	ok(t, r.Activate("m", id(0), "")) // it is active already
	ok(t, r.DeleteBindings("t"))
	ok(t, second(r.Put("m", wasm(0), nil, upload)))
	if err := r.Activate("m", id(9), ""); err == nil {
		t.Error("no error")
	}
	select {
	case <-w.Ready():
		t.Error("told of nothing:", w.Take())
	default:
	}
	<-idle.Ready()
	if diff := cmp.Diff(registry.Changes{Modules: []string{"m", "n"}, Topics: []string{"t"}}, idle.Take()); diff != "" {
		t.Error("changes that nobody took were not collected:", diff)
	}
	w.Close()
	put(t, r, "m", 3)
	if c := w.Take(); len(c.Modules) > 0 {
		t.Error("a closed watch goes on:", c)
	}
}

// Who was told of a change finds it when he looks, however soon he does.
func TestWatchTellsOfWhatIsThere(t *testing.T) {
	r := open(t, "", registry.Options{})
	put(t, r, "m", 0, 1)
	w := r.Watch()
	for range 500 {
		defer r.Watch().Close() // telling takes longer, so that w's reader may look in the middle of it
	}
	ask, answer := make(chan struct{}), make(chan uint64)
	go func() {
		seen := uint64(0)
		look := func() bool {
			select {
			case <-w.Ready():
				w.Take()
				seen = r.Revision()
				return true
			default:
				return false
			}
		}
		for {
			select {
			case _, more := <-ask:
				if !more {
					return
				}
				look()
				answer <- seen
			default:
				if !look() {
					runtime.Gosched()
				}
			}
		}
	}()
	defer close(ask)
	for i := range 500 {
		ok(t, r.Activate("m", id((i+1)%2), ""))
		ask <- struct{}{}
		if seen := <-answer; seen != r.Revision() {
			t.Fatalf("it was told of revision %d and found %d", r.Revision(), seen)
		}
	}
}

// Everybody changes everything at once. Whoever follows the watch alone ends up with the registry's last state, and no reader
// ever sees a module whose active version it has not, or bytes that are not those of the id.
func TestHammer(t *testing.T) {
	for place, folder := range places(t) {
		t.Run(place, func(t *testing.T) {
			r, again := restartable(t, folder, registry.Options{MaxVersions: 4})
			w := r.Watch()
			defer w.Close()
			stop := make(chan struct{})
			seen := map[string]registry.Module{}
			var writers, readers sync.WaitGroup
			follow := func() {
				for _, name := range w.Take().Modules {
					m, err := r.Module(name)
					if delete(seen, name); err == nil {
						seen[name] = m
					} else if !errors.Is(err, registry.ErrNotFound) {
						t.Error(err)
					}
				}
			}
			readers.Go(func() {
				for {
					select {
					case <-w.Ready():
						follow()
					case <-stop:
						follow()
						return
					}
				}
			})
			readers.Go(func() {
				for last := uint64(0); ; {
					select {
					case <-stop:
						return
					default:
						last = look(t, r, last)
					}
				}
			})
			for g := range 4 {
				writers.Go(func() { write(t, r, uint64(g)) })
			}
			writers.Wait()
			close(stop)
			readers.Wait()
			now := map[string]registry.Module{}
			for _, m := range r.Modules() {
				now[m.Name] = m
			}
			if diff := cmp.Diff(now, seen); diff != "" {
				t.Error("the watch missed something:", diff)
			}
			before := snapshot(t, r)
			if diff := cmp.Diff(before, snapshot(t, again())); diff != "" {
				t.Error("a restart changed it:", diff)
			}
		})
	}
}

// write does random operations, none of which may fail but by a rule.
func write(t *testing.T, r *registry.Registry, g uint64) {
	t.Helper()
	p := rand.New(rand.NewPCG(g, 1))
	for range 60 {
		name, version := fmt.Sprint("m", p.IntN(2)), p.IntN(6)
		var err error
		switch p.IntN(8) {
		case 0, 1, 2:
			_, err = r.Put(name, wasm(version), nil, upload)
		case 3:
			err = r.Activate(name, id(version), "")
		case 4:
			err = r.Canary(name, id(version), 50, "")
		case 5:
			_, err = r.Rollback(name, "")
		case 6:
			err = r.DeleteVersion(name, id(version))
		case 7:
			err = r.DeleteModule(name)
		}
		rule := false
		for _, k := range []error{registry.ErrNotFound, registry.ErrConflict, registry.ErrInUse} {
			rule = rule || errors.Is(err, k)
		}
		if err != nil && !rule {
			t.Error(err)
		}
	}
}

// look reads everything and returns the revision, which must not be below last.
func look(t *testing.T, r *registry.Registry, last uint64) uint64 {
	t.Helper()
	revision := r.Revision()
	if revision < last {
		t.Errorf("revision %d after %d", revision, last)
	}
	for _, m := range r.Modules() {
		v, has := m.Version(m.Rollout.Active)
		if !has || v.Damaged != "" || m.Rollout.Since.After(time.Now()) {
			t.Errorf("module %s: %+v", m.Name, m)
		}
		b, err := r.Bytes(v.ID)
		if err == nil && registry.ID(b) != v.ID || err != nil && !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("version %s: %v", v.ID, err)
		}
	}
	if d := r.Damage(); slices.ContainsFunc(d, func(err error) bool { return err != nil }) {
		t.Error(d)
	}
	return revision
}
