package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/registry"
)

func TestOnlyTheFirstVersionActivatesItself(t *testing.T) {
	for place, folder := range places(t) {
		t.Run(place, func(t *testing.T) {
			r, again := restartable(t, folder, registry.Options{})
			for i, want := range []registry.Upload{
				{ID: id(0), Active: true}, {ID: id(1)}, {ID: id(0), Known: true, Active: true}, {ID: id(1), Known: true},
			} {
				up, err := r.Put("redact", wasm(i%2), json.RawMessage(`{"fuel": 7, "html": "<&>"}`), upload)
				ok(t, err)
				if diff := cmp.Diff(want, up); diff != "" {
					t.Error(i, diff)
				}
			}
			before := snapshot(t, r)
			r = again()
			if diff := cmp.Diff(before, snapshot(t, r)); diff != "" {
				t.Error("a restart changed it:", diff)
			}
			m := module(t, r, "redact")
			if m.Rollout.Active != id(0) || len(m.Versions) != 2 || m.Versions[1].Size != int64(len(wasm(1))) {
				t.Errorf("%+v", m)
			}
			if got := string(m.Versions[0].Report); got != `{"fuel":7,"html":"<&>"}` {
				t.Errorf("report %s", got)
			}
			b, err := r.Bytes(id(1))
			if ok(t, err); string(b) != string(wasm(1)) {
				t.Error("other bytes")
			}
		})
	}
}

func TestRollout(t *testing.T) {
	for place, folder := range places(t) {
		t.Run(place, func(t *testing.T) {
			r, again := restartable(t, folder, registry.Options{})
			put(t, r, "m", 0, 1, 2)
			steps := []struct {
				do        string
				err       error
				active    int
				previous  []int
				candidate string
			}{
				{do: "activate 1", active: 1, previous: []int{0}},
				{do: "activate 1", active: 1, previous: []int{0}},
				{do: "canary 2 12.5", active: 1, previous: []int{0}, candidate: "canary 2 12.5"},
				{do: "canary 2 50", active: 1, previous: []int{0}, candidate: "canary 2 50"},
				{do: "canary 1 50", err: registry.ErrConflict, active: 1, previous: []int{0}, candidate: "canary 2 50"},
				{do: "shadow 1 0", err: registry.ErrConflict, active: 1, previous: []int{0}, candidate: "canary 2 50"},
				{do: "cancel 0", err: registry.ErrConflict, active: 1, previous: []int{0}, candidate: "canary 2 50"},
				{do: "promote 0", err: registry.ErrConflict, active: 1, previous: []int{0}, candidate: "canary 2 50"},
				{do: "cancel 2", active: 1, previous: []int{0}},
				{do: "cancel 2", err: registry.ErrConflict, active: 1, previous: []int{0}},
				{do: "shadow 2 0", active: 1, previous: []int{0}, candidate: "shadow 2 0"},
				{do: "promote 2", active: 2, previous: []int{0, 1}},
				{do: "canary 0 1", active: 2, previous: []int{0, 1}, candidate: "canary 0 1"},
				{do: "activate 2", active: 2, previous: []int{0, 1}}, // only this one: the candidate is gone
				{do: "shadow 0 0", active: 2, previous: []int{0, 1}, candidate: "shadow 0 0"},
				{do: "rollback", active: 1, previous: []int{0}},
				{do: "rollback", active: 0},
				{do: "rollback", err: registry.ErrConflict, active: 0},
				{do: "activate 9", err: registry.ErrNotFound, active: 0},
				{do: "canary 9 5", err: registry.ErrNotFound, active: 0},
			}
			for i, s := range steps {
				err := do(r, s.do)
				if s.err != nil {
					refused(t, err, s.err, "module m")
				} else if err != nil {
					t.Fatalf("%d %s: %v", i, s.do, err)
				}
				r = again()
				o := module(t, r, "m").Rollout
				var previous []string
				for _, n := range s.previous {
					previous = append(previous, id(n))
				}
				candidate := ""
				if c := o.Candidate; c != nil {
					n := slices.IndexFunc([]int{0, 1, 2}, func(n int) bool { return id(n) == c.Version })
					candidate = fmt.Sprintf("%s %d %v", c.Mode, n, c.Percent)
					if c.Since.IsZero() {
						t.Error(i, "candidate since never")
					}
				}
				if o.Active != id(s.active) || candidate != s.candidate || !slices.Equal(o.Previous, previous) {
					t.Errorf("%d %s: active %s, previous %v, candidate %q", i, s.do, o.Active[:8], o.Previous, candidate)
				}
				if s.err == nil && o.Since.IsZero() {
					t.Error(i, "since never")
				}
			}
		})
	}
}

// do is an operation on module m as words: what, version, percent. The note says the words.
func do(r *registry.Registry, words string) error {
	var what string
	var n int
	var percent float64
	_, _ = fmt.Sscan(words, &what, &n, &percent) // what is not there stays zero
	switch what {
	case "activate":
		return r.Activate("m", id(n), words)
	case "canary":
		return r.Canary("m", id(n), percent, words)
	case "shadow":
		return r.Shadow("m", id(n), words)
	case "promote":
		return r.Promote("m", id(n), words)
	case "cancel":
		return r.Cancel("m", id(n), words)
	case "rollback":
		back, err := r.Rollback("m", words)
		if m, merr := r.Module("m"); err == nil && (merr != nil || m.Rollout.Active != back) {
			return fmt.Errorf("returned %s: %w", back, merr)
		}
		return err
	}
	return fmt.Errorf("what is %q?", words)
}

func TestNotesSayWhy(t *testing.T) {
	r := open(t, "", registry.Options{})
	put(t, r, "m", 0, 1)
	for _, words := range []string{"canary 1 5", "cancel 1", "shadow 1", "promote 1", "rollback", "activate 1"} {
		ok(t, do(r, words))
		if got := module(t, r, "m").Rollout.Note; got != words {
			t.Errorf("note %q, want %q", got, words)
		}
	}
	ok(t, r.Activate("m", id(0), strings.Repeat("ü", 2000)+"\xff"))
	if got := module(t, r, "m").Rollout.Note; got != strings.Repeat("ü", 500) {
		t.Errorf("note of %d bytes", len(got))
	}
}

func TestHistoryIsBounded(t *testing.T) {
	r := open(t, "", registry.Options{})
	put(t, r, "m", 0, 1)
	for i := range 301 {
		ok(t, r.Activate("m", id((i+1)%2), ""))
	}
	if o := module(t, r, "m").Rollout; len(o.Previous) != 100 || o.Previous[99] != id(0) || o.Active != id(1) {
		t.Errorf("%d previous, last %s", len(o.Previous), o.Previous[len(o.Previous)-1])
	}
}

func TestDelete(t *testing.T) {
	inUse := map[string][]string{}
	o := registry.Options{InUse: func(module, version string) []string { return inUse[module+"/"+version] }}
	for place, folder := range places(t) {
		t.Run(place, func(t *testing.T) {
			r, again := restartable(t, folder, o)
			clear(inUse)
			put(t, r, "m", 0, 1, 2, 3)
			put(t, r, "other", 1)
			ok(t, r.Activate("m", id(1), ""))
			ok(t, r.Shadow("m", id(2), ""))
			ok(t, r.SetInterceptors("orders", []registry.Binding{{Module: "other"}, {Module: "m"}}))
			ok(t, r.SetPartitioner("clicks", &registry.Binding{Module: "m"}))
			inUse["m/"], inUse["m/"+id(3)] = []string{"config.toml:7"}, []string{"instances that still run"}

			refused(t, r.DeleteVersion("m", id(1)), registry.ErrInUse, "active", registry.Short(id(1)))
			refused(t, r.DeleteVersion("m", id(2)), registry.ErrInUse, "candidate (shadow)")
			refused(t, r.DeleteVersion("m", id(3)), registry.ErrInUse, "instances that still run")
			refused(t, r.DeleteVersion("m", id(9)), registry.ErrNotFound, "module m", registry.Short(id(9)))
			refused(t, r.DeleteVersion("n", id(0)), registry.ErrNotFound, `"n"`)
			refused(t, r.DeleteModule("n"), registry.ErrNotFound, `"n"`)
			refused(t, r.DeleteModule("m"), registry.ErrInUse,
				`interceptor of topic "orders"`, `partitioner of topic "clicks"`, "config.toml:7")

			ok(t, r.DeleteVersion("m", id(0)))
			r = again()
			if m := module(t, r, "m"); len(m.Versions) != 3 || len(m.Rollout.Previous) != 0 {
				t.Errorf("version 0 is still there: %+v", m)
			}
			_, err := r.Bytes(id(0))
			refused(t, err, registry.ErrNotFound, registry.Short(id(0)))

			ok(t, r.DeleteBindings("orders"))
			ok(t, r.SetPartitioner("clicks", nil))
			refused(t, r.DeleteModule("m"), registry.ErrInUse, "config.toml:7")
			clear(inUse)
			revision := r.Revision()
			ok(t, r.DeleteModule("m"))
			r = again()
			if r.Revision() <= revision {
				t.Errorf("revision %d after %d: it went back", r.Revision(), revision)
			}
			_, err = r.Module("m")
			refused(t, err, registry.ErrNotFound, `"m"`)
			_, err = r.Bytes(id(2))
			refused(t, err, registry.ErrNotFound)
			if _, err := r.Bytes(id(1)); err != nil {
				t.Error("bytes that another module has are gone:", err)
			}
		})
	}
}

func TestBindings(t *testing.T) {
	for place, folder := range places(t) {
		t.Run(place, func(t *testing.T) {
			r, again := restartable(t, folder, registry.Options{})
			put(t, r, "region", 0)
			put(t, r, "redact", 1)
			ok(t, r.SetPartitioner("Orders", &registry.Binding{Module: "region", Config: json.RawMessage(`{"eu": 1}`)}))
			ok(t, r.SetInterceptors("Orders", []registry.Binding{
				{Module: "redact", OnError: registry.Strict, Config: json.RawMessage(" null "), Routes: []string{"orders.*", "*", "x"}}, {Module: "redact", OnError: registry.DeadLetter},
			}))
			ok(t, r.SetPartitioner("orders", &registry.Binding{Module: "region"}))
			r = again()
			want := registry.Bindings{
				Topic: "Orders", Revision: 4,
				Partitioner:  &registry.Binding{Module: "region", Config: json.RawMessage(`{"eu":1}`), OnError: registry.Continue},
				Interceptors: []registry.Binding{{Module: "redact", OnError: registry.Strict, Routes: []string{"orders.*", "*", "x"}}, {Module: "redact", OnError: registry.DeadLetter}},
			}
			got, err := r.Bindings("Orders")
			if ok(t, err); cmp.Diff(want, got) != "" {
				t.Error(cmp.Diff(want, got))
			}
			if all := r.AllBindings(); len(all) != 2 || all[0].Topic != "Orders" || all[1].Topic != "orders" {
				t.Errorf("%+v", all)
			}
			ok(t, r.SetPartitioner("Orders", nil))
			ok(t, r.SetInterceptors("Orders", nil))
			r = again()
			if got, err := r.Bindings("Orders"); err != nil || cmp.Diff(registry.Bindings{Topic: "Orders"}, got) != "" {
				t.Error("it is still bound", got, err)
			}
			if r.Revision() != 7 {
				t.Errorf("revision %d after 7 changes", r.Revision())
			}
		})
	}
}

func TestRules(t *testing.T) {
	r := open(t, "", registry.Options{MaxConfigBytes: 20})
	put(t, r, "m", 0, 1)
	bind := func(b registry.Binding) error { return r.SetInterceptors("t", []registry.Binding{b}) }
	_, badReport := r.Put("m", wasm(2), json.RawMessage("{"), upload)
	_, longReport := r.Put("m", wasm(2), json.RawMessage(`"`+strings.Repeat("x", 300_000)+`"`), upload)
	_, noBytes := r.Put("m", nil, nil, upload)
	_, noOrigin := r.Put("m", wasm(2), nil, registry.Origin{})
	_, noPath := r.Put("m", wasm(2), nil, registry.Origin{Kind: registry.Built})
	before := snapshot(t, r)
	for _, c := range []struct {
		err   error
		kind  error
		words []string
	}{
		{badReport, registry.ErrInvalid, []string{"report", "JSON"}},
		{longReport, registry.ErrInvalid, []string{"report", "262144"}},
		{noBytes, registry.ErrInvalid, []string{"no bytes"}},
		{noOrigin, registry.ErrInvalid, []string{"origin", "ready-made"}},
		{noPath, registry.ErrInvalid, []string{"origin built", "path"}},
		{r.Activate("m", "abc", ""), registry.ErrInvalid, []string{`"abc"`, "64"}},
		{r.Activate("none", id(0), ""), registry.ErrNotFound, []string{`"none"`}},
		{r.Canary("m", id(1), 0, ""), registry.ErrInvalid, []string{"percent 0"}},
		{r.Canary("m", id(1), 100.5, ""), registry.ErrInvalid, []string{"percent 100.5"}},
		{r.Canary("m", id(1), nan(), ""), registry.ErrInvalid, []string{"NaN"}},
		{bind(registry.Binding{Module: "none"}), registry.ErrNotFound, []string{`"none"`}},
		{bind(registry.Binding{Module: ""}), registry.ErrInvalid, []string{"interceptors[0]", "name"}},
		{bind(registry.Binding{Module: "m", OnError: "ignore"}), registry.ErrInvalid, []string{"on_error", `"ignore"`, "continue"}},
		{bind(registry.Binding{Module: "m", Config: json.RawMessage("[1]")}), registry.ErrInvalid, []string{"config", "object"}},
		{bind(registry.Binding{Module: "m", Config: json.RawMessage("  ")}), registry.ErrInvalid, []string{"config"}},
		{bind(registry.Binding{Module: "m", Config: json.RawMessage(`{"a":"` + strings.Repeat("x", 20) + `"}`)}), registry.ErrInvalid, []string{"wasm.config.max.bytes = 20"}},
		{bind(registry.Binding{Module: "m", Routes: []string{"a b"}}), registry.ErrInvalid, []string{"routes", `"a b"`}},
		{bind(registry.Binding{Module: "m", Routes: make([]string, 1001)}), registry.ErrInvalid, []string{"routes", "1000"}},
		{r.SetPartitioner("t", &registry.Binding{Module: "m", OnError: registry.DeadLetter}), registry.ErrInvalid, []string{"partitioner", `on_error "dlq"`}},
		{r.SetPartitioner("t", &registry.Binding{Module: "m", Routes: []string{"u"}}), registry.ErrInvalid, []string{"partitioner", "routes"}},
		{r.SetInterceptors("t", make([]registry.Binding, 65)), registry.ErrInvalid, []string{"65", "64"}},
		{r.SetPartitioner("", nil), registry.ErrInvalid, []string{"topic"}},
		{r.SetPartitioner("..", nil), registry.ErrInvalid, []string{"topic"}},
		{r.SetPartitioner("a/b", nil), registry.ErrInvalid, []string{"topic", `"a/b"`}},
		{r.SetPartitioner(strings.Repeat("t", 250), nil), registry.ErrInvalid, []string{"249"}},
	} {
		refused(t, c.err, c.kind, c.words...)
	}
	for _, name := range []string{"", "A", "-a", "../x", "a b", "ä", strings.Repeat("a", 65)} {
		_, err := r.Put(name, wasm(3), nil, upload)
		refused(t, err, registry.ErrInvalid, "module name")
	}
	if diff := cmp.Diff(before, snapshot(t, r)); diff != "" {
		t.Error("something changed:", diff)
	}
	for _, name := range []string{"0", "a", "a..", "lock", "x.tmp", strings.Repeat("a", 64)} {
		put(t, r, name, 3)
	}
}

func TestLimits(t *testing.T) {
	busy := ""
	o := registry.Options{MaxModules: 2, MaxVersions: 3, InUse: func(_, version string) []string {
		if version == busy {
			return []string{"somebody"}
		}
		return nil
	}}
	for place, folder := range places(t) {
		t.Run(place, func(t *testing.T) {
			r, again := restartable(t, folder, o)
			busy = "nobody"
			put(t, r, "m", 0, 1, 2)
			put(t, r, "n", 0)
			_, err := r.Put("o", wasm(0), nil, upload)
			refused(t, err, registry.ErrConflict, "wasm.modules.max = 2", "module o")
			ok(t, r.Activate("m", id(1), "")) // 0 is what Rollback returns to
			up, err := r.Put("m", wasm(3), nil, upload)
			if ok(t, err); !slices.Equal(up.Pruned, []string{id(2)}) {
				t.Errorf("pruned %v, want version 2", up.Pruned)
			}
			if r = again(); !errors.Is(second(r.Bytes(id(2))), registry.ErrNotFound) {
				t.Error("the bytes of version 2 are still there")
			}
			before := snapshot(t, r)
			busy = id(3)
			_, err = r.Put("m", wasm(4), nil, upload)
			refused(t, err, registry.ErrConflict, "wasm.registry.versions.max = 3", "module m")
			if diff := cmp.Diff(before, snapshot(t, r)); diff != "" {
				t.Error("something changed:", diff)
			}
			ok(t, r.Activate("m", id(3), "")) // now 0 can be spared, and leaves the history
			up, err = r.Put("m", wasm(4), nil, upload)
			ok(t, err)
			if o := module(t, r, "m").Rollout; !slices.Equal(up.Pruned, []string{id(0)}) || !slices.Equal(o.Previous, []string{id(1)}) {
				t.Errorf("pruned %v, previous %v", up.Pruned, o.Previous)
			}
			if _, err := r.Bytes(id(0)); err != nil {
				t.Error("bytes that module n has are gone:", err)
			}
		})
	}
}

// A caller may change what it was given or has given.
func TestValuesAreTheCallersOwn(t *testing.T) {
	r := open(t, "", registry.Options{})
	report, b := json.RawMessage(`{"a":1}`), wasm(0)
	_, err := r.Put("m", b, report, upload)
	ok(t, err)
	put(t, r, "m", 1)
	ok(t, r.Canary("m", id(1), 5, ""))
	list := []registry.Binding{{Module: "m", Config: json.RawMessage(`{"a":1}`), Routes: []string{"x"}}}
	ok(t, r.SetInterceptors("t", list))
	before := snapshot(t, r)
	spoil := func(m registry.Module, bound registry.Bindings) {
		m.Versions[0].Report[0], m.Versions[0].ID, m.Rollout.Candidate.Percent = 'x', "", 99
		bound.Interceptors[0].Config[0], bound.Interceptors[0].Routes[0] = 'x', ""
		bound.Interceptors[0].Module = ""
	}
	b[0], report[0], list[0].Routes[0], list[0].Config[0] = 'x', 'x', "y", 'x'
	bound, err := r.Bindings("t")
	ok(t, err)
	spoil(module(t, r, "m"), bound)
	spoil(r.Modules()[0], r.AllBindings()[0])
	if diff := cmp.Diff(before, snapshot(t, r)); diff != "" {
		t.Error(diff)
	}
}

func TestModesAndLock(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	r := open(t, folder, registry.Options{})
	put(t, r, "m", 0)
	ok(t, r.SetPartitioner("t", &registry.Binding{Module: "m"}))
	ok(t, filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		ok(t, err)
		info, err := d.Info()
		ok(t, err)
		want := os.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		return nil
	}))
	_, err := registry.Open(folder, registry.Options{})
	refused(t, err, registry.ErrInUse, folder, fmt.Sprint("process ", os.Getpid()), "take another folder")
	shut(t, r)
	shut(t, r) // again does nothing
	_, err = r.Put("m", wasm(1), nil, upload)
	refused(t, err, registry.ErrConflict, "closed")
	open(t, folder, registry.Options{})
}

func TestFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	for _, folder := range []string{file, filepath.Join(file, "sub"), "a\x00b"} {
		if _, err := registry.Open(folder, registry.Options{}); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(folder, "/sub")) {
			t.Errorf("%q: %v", folder, err)
		}
	}
	folder := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(folder, "modules"), nil, 0o600))
	if _, err := registry.Open(folder, registry.Options{}); err == nil || !strings.Contains(err.Error(), filepath.Join(folder, "modules")) {
		t.Errorf("%v", err)
	}
	ok(t, os.Remove(filepath.Join(folder, "modules")))
	open(t, folder, registry.Options{}) // and the lock was released
}

func nan() float64 { var zero float64; return zero / zero }

func second[T any](_ T, err error) error { return err }
