package registry

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDocument reads any bytes as a document, with their own checksum and with a right one. What is accepted holds every
// rule and is the same after it was written and read again.
func FuzzDocument(f *testing.F) {
	a, b := ID([]byte("a")), ID([]byte("b"))
	m := &Module{Name: "m", Revision: 7, Versions: []Version{
		{ID: a, Size: 1, Uploaded: now(), Origin: Origin{Kind: Uploaded}, Report: []byte(`{"x":[1,"<"]}`)},
		{ID: b, Size: 2, Uploaded: now(), Origin: Origin{Built, "src"}},
	}, Rollout: Rollout{Active: a, Previous: []string{b, a}, Candidate: &Candidate{b, Canary, 0.5, now()}, Since: now(), Note: "n"}}
	t := &Bindings{Topic: "t", Revision: 8, Partitioner: &Binding{Module: "m", OnError: Continue}, Interceptors: []Binding{
		{Module: "m", Config: []byte(`{"a":{"b":null}}`), OnError: Strict, Routes: []string{"u"}},
	}}
	for _, doc := range []any{m, t, revision{9}} {
		data, err := encode(doc)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[len(magic)+65:])
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte{})
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, seal(data)} {
			if m, err := decodeModule(data, "m"); err == nil {
				stable(t, m, func(data []byte) (*Module, error) { return decodeModule(data, "m") })
				if _, ok := m.Version(m.Rollout.Active); !ok {
					t.Error("the active version is none")
				}
			}
			if b, err := decodeBindings(data, "t"); err == nil {
				stable(t, b, func(data []byte) (*Bindings, error) { return decodeBindings(data, "t") })
			}
		}
	})
}

// stable wants a document to be the same after it was written and read.
func stable[T any](t *testing.T, doc *T, read func([]byte) (*T, error)) {
	t.Helper()
	data, err := encode(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, err := read(data)
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	data2, err := encode(again)
	if err != nil || string(data) != string(data2) {
		t.Fatal(cmp.Diff(string(data), string(data2)), err)
	}
}

// FuzzFileName: every legal name has a file of its own, and no other file is taken for it, whatever a file system thinks of
// capital letters.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{"orders", "Orders", "+orders", "A", "a.json", ".", "x.tmp", "+.json", "++a.json", ID(nil)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []Kind{Blobs, Modules, Topics, Meta} {
			if name, ok := valueName(kind, s); ok && fileName(Key{kind, name}) != s {
				t.Errorf("file %q of %s is taken for %q", s, kind, name)
			}
		}
		if checkTopic("topic", s) == nil {
			file := fileName(Key{Topics, s})
			if name, ok := valueName(Topics, file); !ok || name != s {
				t.Errorf("topic %q, file %q is taken for %q", s, file, name)
			}
			for i := range len(file) {
				if file[i] >= 'A' && file[i] <= 'Z' {
					t.Errorf("file %q has a capital letter", file)
				}
			}
		}
	})
}
