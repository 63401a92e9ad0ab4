package registry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/registry"
)

var upload = registry.Origin{Kind: registry.Uploaded}

// wasm is the n-th of the uploads that the tests use; they differ in their bytes and size.
func wasm(n int) []byte { return []byte(strings.Repeat(fmt.Sprintf("version %d.", n), 100*(n+1))) }

func id(n int) string { return registry.ID(wasm(n)) }

func open(t testing.TB, folder string, o registry.Options) *registry.Registry {
	t.Helper()
	r, err := registry.Open(folder, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, r) })
	return r
}

func shut(t testing.TB, r *registry.Registry) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// places are where a registry can be: in memory, and in a new folder.
func places(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"memory": "", "folder": t.TempDir()}
}

// restartable opens a registry. again closes it and returns it as a restart finds it; in memory it stays the same.
func restartable(t *testing.T, folder string, o registry.Options) (r *registry.Registry, again func() *registry.Registry) {
	t.Helper()
	r = open(t, folder, o)
	return r, func() *registry.Registry {
		if folder != "" {
			shut(t, r)
			r = open(t, folder, o)
		}
		return r
	}
}

func put(t testing.TB, r *registry.Registry, name string, n ...int) {
	t.Helper()
	for _, n := range n {
		if _, err := r.Put(name, wasm(n), nil, upload); err != nil {
			t.Fatalf("put %s %d: %v", name, n, err)
		}
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants an error of this kind whose message has all of the words.
func refused(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", kind)
	}
	for _, k := range []error{registry.ErrInvalid, registry.ErrNotFound, registry.ErrInUse, registry.ErrConflict, registry.ErrDamaged} {
		if is := errors.Is(err, k); is != errors.Is(k, kind) {
			t.Errorf("%q: is %v = %v", err, k, is)
		}
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func module(t testing.TB, r *registry.Registry, name string) registry.Module {
	t.Helper()
	m, err := r.Module(name)
	ok(t, err)
	return m
}

// snapshot is everything that a registry tells, without times, and with what is wrong with the bytes. Revisions are left out:
// an operation that was cut off may have taken one.
func snapshot(t testing.TB, r *registry.Registry) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	for _, m := range r.Modules() {
		m.Revision, m.Rollout.Since = 0, time.Time{}
		if m.Rollout.Candidate != nil {
			m.Rollout.Candidate.Since = time.Time{}
		}
		for i := range m.Versions {
			m.Versions[i].Uploaded = time.Time{}
			if _, err := r.Bytes(m.Versions[i].ID); err != nil {
				fmt.Fprintln(&b, "bytes:", err)
			}
		}
		ok(t, e.Encode(m))
		fmt.Fprint(&b, m.Damaged)
	}
	for _, bound := range r.AllBindings() {
		bound.Revision = 0
		ok(t, e.Encode(bound))
		fmt.Fprint(&b, bound.Damaged)
	}
	return b.String()
}

// blobs lists the names in the folder of blobs.
func blobs(t testing.TB, folder string) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(folder, "blobs"))
	ok(t, err)
	names := map[string]bool{}
	for _, f := range files {
		names[f.Name()] = true
	}
	return names
}
