package registry_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/registry"
)

// spoils are ways in which a file can be other than it was written.
var spoils = map[string]func(t *testing.T, path string){
	"missing": func(t *testing.T, path string) {
		t.Helper()
		ok(t, os.Remove(path))
	},
	"empty": func(t *testing.T, path string) {
		t.Helper()
		ok(t, os.Truncate(path, 0))
	},
	"truncated": func(t *testing.T, path string) {
		t.Helper()
		ok(t, os.Truncate(path, 70))
	},
	"longer": func(t *testing.T, path string) {
		t.Helper()
		b, err := os.ReadFile(path)
		ok(t, err)
		ok(t, os.WriteFile(path, append(b, 'x'), 0o600))
	},
	"flipped": func(t *testing.T, path string) {
		t.Helper()
		b, err := os.ReadFile(path)
		ok(t, err)
		b[len(b)-2] ^= 4
		ok(t, os.WriteFile(path, b, 0o600))
	},
	"zeroes": func(t *testing.T, path string) { // what some file systems leave after a power cut
		t.Helper()
		b, err := os.ReadFile(path)
		ok(t, err)
		ok(t, os.WriteFile(path, make([]byte, len(b)), 0o600))
	},
	"huge": func(t *testing.T, path string) {
		t.Helper()
		ok(t, os.Truncate(path, 1<<40)) // without taking room on the disk
	},
	"a folder": func(t *testing.T, path string) {
		t.Helper()
		ok(t, os.Remove(path))
		ok(t, os.Mkdir(path, 0o700))
	},
}

// filled is a folder with modules m (0 active, 1 canary, 2 idle) and n (3), both bound to topic Orders, and n to clicks.
func filled(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	r := open(t, folder, registry.Options{})
	put(t, r, "m", 0, 1, 2)
	put(t, r, "n", 3)
	ok(t, r.Canary("m", id(1), 5, ""))
	ok(t, r.SetPartitioner("Orders", &registry.Binding{Module: "m"}))
	ok(t, r.SetInterceptors("Orders", []registry.Binding{{Module: "n"}}))
	ok(t, r.SetPartitioner("clicks", &registry.Binding{Module: "n"}))
	shut(t, r)
	return folder
}

func TestDamagedVersionIsReportedAndRepaired(t *testing.T) {
	for name, spoil := range spoils {
		for n, role := range []string{"active", "candidate", "idle"} {
			t.Run(name+" "+role, func(t *testing.T) {
				folder := filled(t)
				path := filepath.Join(folder, "blobs", id(n))
				spoil(t, path)
				r := open(t, folder, registry.Options{})
				w := r.Watch()
				w.Take()
				// Of a version that does not run only the size is looked at.
				unseen := role == "idle" && (name == "flipped" || name == "zeroes")
				if found := len(r.Damage()) > 0; found == unseen {
					t.Errorf("found at the start: %v", found)
				}
				_, err := r.Bytes(id(n))
				refused(t, err, registry.ErrDamaged, path)
				m := module(t, r, "m")
				for i, v := range m.Versions {
					if (v.Damaged != "") != (i == n) || i == n && !strings.Contains(v.Damaged, path) {
						t.Errorf("version %d is damaged: %q", i, v.Damaged)
					}
				}
				if d := r.Damage(); len(d) != 1 || !strings.Contains(d[0].Error(), path) {
					t.Errorf("damage %v", d)
				}
				refused(t, r.Activate("m", id(n), "go"), registry.ErrDamaged, path, "module m")
				if _, err := r.Bytes(id(3)); err != nil {
					t.Error("another module suffers:", err)
				}

				if name == "a folder" {
					ok(t, os.Remove(path)) // it is not for us to remove it
				}
				up, err := r.Put("m", wasm(n), nil, upload)
				if ok(t, err); !up.Known {
					t.Error("it was not known")
				}
				if c := w.Take(); cmp.Diff(registry.Changes{Modules: []string{"m"}}, c) != "" {
					t.Errorf("changes %+v", c)
				}
				if b, err := r.Bytes(id(n)); err != nil || !bytes.Equal(b, wasm(n)) || len(r.Damage()) != 0 {
					t.Error("it was not repaired:", err, r.Damage())
				}
				ok(t, r.Activate("m", id(n), "go"))
			})
		}
	}
}

// A version that is fine at the start may be damaged later, and be put back by the administrator.
func TestDamageIsFoundAndForgottenWhileRunning(t *testing.T) {
	folder := filled(t)
	r := open(t, folder, registry.Options{})
	w := r.Watch()
	w.Take()
	path := filepath.Join(folder, "blobs", id(0))
	spoils["flipped"](t, path)
	for range 2 {
		_, err := r.Bytes(id(0))
		refused(t, err, registry.ErrDamaged, path)
	}
	<-w.Ready()
	if c := w.Take(); len(c.Modules) != 1 || module(t, r, "m").Versions[0].Damaged == "" {
		t.Errorf("changes %+v", c)
	}
	spoils["flipped"](t, path)
	if _, err := r.Bytes(id(0)); err != nil || module(t, r, "m").Versions[0].Damaged != "" {
		t.Error("it is still damaged", err)
	}
	<-w.Ready()
}

func TestDamagedModule(t *testing.T) {
	for name, spoil := range spoils {
		if name == "missing" {
			continue // there is no such module then
		}
		t.Run(name, func(t *testing.T) {
			folder := filled(t)
			path := filepath.Join(folder, "modules", "m.json")
			spoil(t, path)
			r := open(t, folder, registry.Options{})
			_, err := r.Module("m")
			refused(t, err, registry.ErrDamaged, path, "module m")
			if all := r.Modules(); len(all) != 2 || !strings.Contains(all[0].Damaged, path) || all[1].Damaged != "" {
				t.Errorf("%+v", all)
			}
			_, err = r.Put("m", wasm(5), nil, upload)
			refused(t, err, registry.ErrDamaged, path)
			refused(t, r.Activate("m", id(0), ""), registry.ErrDamaged, path)
			refused(t, r.SetPartitioner("t", &registry.Binding{Module: "m"}), registry.ErrDamaged, path)
			put(t, r, "n", 6)
			ok(t, r.DeleteVersion("n", id(6)))
			if b := blobs(t, folder); !b[id(0)] || !b[id(1)] || !b[id(2)] {
				t.Error("bytes that the damaged module may need were removed:", b)
			}
			refused(t, r.DeleteModule("m"), registry.ErrInUse, "Orders")
			ok(t, r.DeleteBindings("Orders"))
			ok(t, r.DeleteModule("m"))
			if b := blobs(t, folder); len(b) != 1 || !b[id(3)] {
				t.Error("bytes that nobody has are left:", b)
			}
			put(t, r, "m", 0)
			if len(r.Damage()) != 0 {
				t.Error(r.Damage())
			}
		})
	}
}

func TestDamagedBindings(t *testing.T) {
	folder := filled(t)
	path := filepath.Join(folder, "topics", "+orders.json")
	spoils["truncated"](t, path)
	r := open(t, folder, registry.Options{})
	_, err := r.Bindings("Orders")
	refused(t, err, registry.ErrDamaged, path, "topic Orders")
	refused(t, r.SetPartitioner("Orders", &registry.Binding{Module: "m"}), registry.ErrDamaged, path) // the others would be lost without a word
	refused(t, r.DeleteModule("m"), registry.ErrDamaged, path, "module m is bound")
	if all := r.AllBindings(); len(all) != 2 || all[0].Topic != "Orders" || all[0].Damaged == "" || all[1].Partitioner == nil {
		t.Errorf("%+v", all)
	}
	if len(r.Damage()) != 1 {
		t.Error(r.Damage())
	}
	ok(t, r.SetInterceptors("Orders", nil))
	ok(t, r.DeleteModule("m"))
	if len(r.Damage()) != 0 {
		t.Error(r.Damage())
	}
}

// The revision's document is only a counter.
func TestDamagedRevision(t *testing.T) {
	folder := filled(t)
	r := open(t, folder, registry.Options{})
	ok(t, r.DeleteBindings("clicks"))
	before, revision := snapshot(t, r), r.Revision()
	shut(t, r)
	spoils["flipped"](t, filepath.Join(folder, "meta", "revision.json"))
	r = open(t, folder, registry.Options{})
	if snapshot(t, r) != before || r.Revision() >= revision {
		t.Errorf("revision %d, was %d", r.Revision(), revision)
	}
	ok(t, r.DeleteBindings("Orders")) // writes it again
	revision = r.Revision()
	shut(t, r)
	if r = open(t, folder, registry.Options{}); r.Revision() != revision {
		t.Errorf("revision %d, was %d", r.Revision(), revision)
	}
}

func TestDocumentsThatAreNotOurs(t *testing.T) {
	const version = `{"id":"ID","size":1,"uploaded":"2026-01-01T00:00:00Z","origin":{"kind":"upload"}}`
	const rollout = `"rollout":{"active":"ID","since":"2026-01-01T00:00:00Z"}`
	good := `{"name":"m","revision":1,"versions":[` + version + `],` + rollout + `}`
	sealed := func(body string) []byte { return registry.Seal([]byte(strings.ReplaceAll(body, "ID", id(0)))) }
	for name, c := range map[string]struct {
		data []byte
		want string // "" is fine
	}{
		"good":           {sealed(good), ""},
		"altered":        {bytes.Replace(sealed(good), []byte(`"size":1`), []byte(`"size":2`), 1), "checksum"},
		"format 2":       {bytes.Replace(sealed(good), []byte("registry 1"), []byte("registry 2"), 1), "this version of Sluice"},
		"plain JSON":     {[]byte(good), "this version of Sluice"},
		"other name":     {sealed(strings.Replace(good, `"m"`, `"n"`, 1)), `module "n"`},
		"unknown field":  {sealed(strings.Replace(good, `"revision"`, `"vision"`, 1)), "vision"},
		"two documents":  {sealed(good + good), "follows"},
		"no versions":    {sealed(`{"name":"m","versions":[],` + rollout + `}`), "at least one"},
		"version twice":  {sealed(`{"name":"m","versions":[` + version + `,` + version + `],` + rollout + `}`), "twice"},
		"active unknown": {sealed(strings.Replace(good, `"active":"ID"`, `"active":"x"`, 1)), "rollout.active"},
		"previous unknown": {
			sealed(strings.Replace(good, `"active"`, `"previous":["x"],"active"`, 1)), "rollout.previous[0]",
		},
		"candidate is active": {
			sealed(strings.Replace(good, `"active"`, `"candidate":{"version":"ID","mode":"shadow"},"active"`, 1)), "rollout.candidate",
		},
		"path as id":    {sealed(strings.Replace(good, `"id":"ID"`, `"id":"../../etc/passwd"`, 1)), "64"},
		"size":          {sealed(strings.Replace(good, `"size":1`, `"size":-1`, 1)), "size -1"},
		"unknown place": {sealed(strings.Replace(good, `"upload"`, `"stolen"`, 1)), `origin "stolen"`},
		"wrong type":    {sealed(strings.Replace(good, `"size":1`, `"size":"1"`, 1)), "size"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			ok(t, os.Mkdir(filepath.Join(folder, "modules"), 0o700))
			path := filepath.Join(folder, "modules", "m.json")
			ok(t, os.WriteFile(path, c.data, 0o600))
			r := open(t, folder, registry.Options{})
			_, err := r.Module("m")
			if c.want == "" {
				ok(t, err)
				return
			}
			refused(t, err, registry.ErrDamaged, path, c.want)
		})
	}
}

func TestLeftoversAreRemovedAndStrangersLeftAlone(t *testing.T) {
	folder := filled(t)
	gone := []string{"blobs/123.tmp", "modules/4.tmp", "topics/x.tmp", "meta/.tmp", "blobs/" + id(7)}
	stay := []string{"blobs/README", "modules/m.json~", "modules/.json", "modules/M.json", "topics/+.json", "notes", "blobs/" + id(3)}
	for _, f := range append(gone, stay[:len(stay)-1]...) {
		ok(t, os.WriteFile(filepath.Join(folder, f), wasm(7), 0o600))
	}
	r := open(t, folder, registry.Options{})
	for _, f := range gone {
		if _, err := os.Stat(filepath.Join(folder, f)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", f, err)
		}
	}
	for _, f := range stay {
		if _, err := os.Stat(filepath.Join(folder, f)); err != nil {
			t.Errorf("%s is gone: %v", f, err)
		}
	}
	if len(r.Modules()) != 2 || len(r.AllBindings()) != 2 || len(r.Damage()) != 0 {
		t.Errorf("%v %v %v", r.Modules(), r.AllBindings(), r.Damage())
	}
}
