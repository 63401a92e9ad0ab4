package json_test

import (
	stdjson "encoding/json"
	"testing"

	"sluice/guest-sdk/go/json"
)

func TestEdits(t *testing.T) {
	const doc = ` {"a": {"b":1, "c":[2,3]}, "d":"x" } `
	for _, c := range []struct {
		name     string
		pointers []string
		want     string
	}{
		{"none", nil, doc},
		{"in order", []string{"/a/b", "/d"}, ` {"a": {"b":***, "c":[2,3]}, "d":*** } `},
		{"not in order", []string{"/d", "/a/c/1", "/a/b", "/a/c/0"}, ` {"a": {"b":***, "c":[***,***]}, "d":*** } `},
		{"twice", []string{"/d", "/d"}, ` {"a": {"b":1, "c":[2,3]}, "d":*** } `},
		{"around others", []string{"/a/b", "/d", "/a/c/1", "/a"}, ` {"a": ***, "d":*** } `},
		{"within another", []string{"/a", "/a/c/0", "/a/c"}, ` {"a": ***, "d":"x" } `},
		{"all", []string{"/a/b", ""}, ` *** `},
	} {
		v := parse(t, doc)
		var e json.Edits
		for _, p := range c.pointers {
			e.Replace(v.Lookup(p), []byte("***"))
		}
		got := string(e.Append([]byte("kept:"), []byte(doc)))
		if got != "kept:"+c.want || e.Size([]byte(doc)) != len(c.want) || e.Empty() != (c.pointers == nil) {
			t.Errorf("%s: got %q (size %d), want %q", c.name, got, e.Size([]byte(doc)), c.want)
		}
	}
}

// FuzzEdits replaces some strings by other texts: the result is JSON, and as long as Size says.
func FuzzEdits(f *testing.F) {
	for _, s := range texts() {
		f.Add([]byte(s), uint32(5))
	}
	f.Fuzz(func(t *testing.T, doc []byte, which uint32) {
		v, err := json.Parse(doc)
		if err != nil || deepest(doc) > 100 {
			return
		}
		var e json.Edits
		replace(v, &which, &e)
		got := e.Append(nil, doc)
		if !stdjson.Valid(got) || len(got) != e.Size(doc) || (e.Empty() && string(got) != string(doc)) {
			t.Fatalf("%q became %q, size %d", doc, got, e.Size(doc))
		}
	})
}

// replace replaces the values that the bits of which name, children before their parents.
func replace(v json.Value, which *uint32, e *json.Edits) {
	v.Members(func(_, value json.Value) bool { replace(value, which, e); return true })
	v.Elements(func(_ int, value json.Value) bool { replace(value, which, e); return true })
	if *which&1 == 1 {
		e.Replace(v, []byte(`["replaced"]`))
	}
	*which = *which>>1 | *which<<31
}
