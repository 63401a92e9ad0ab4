package registry_test

import (
	"os"
	"path/filepath"
	"testing"

	"sluice/gateway/registry"
)

// TestLookChangesNothing: what somebody who looks does, beside a gateway that has the folder open, stays in his memory.
func TestLookChangesNothing(t *testing.T) {
	folder := t.TempDir()
	r := open(t, folder, registry.Options{})
	put(t, r, "m", 0, 1)
	put(t, r, "n", 2)
	ok(t, r.SetPartitioner("orders", &registry.Binding{Module: "m"}))
	ok(t, os.WriteFile(filepath.Join(folder, "blobs", id(7)), wasm(7), 0o600)) // an upload that is not done yet
	before := snapshot(t, r)

	l, err := registry.Look(folder, registry.Options{})
	ok(t, err)
	if got := snapshot(t, l); got != before {
		t.Errorf("it sees\n%s\nwant\n%s", got, before)
	}
	if b, err := l.Bytes(id(1)); err != nil || string(b) != string(wasm(1)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	put(t, l, "m", 3)
	put(t, l, "o", 4)
	ok(t, l.Activate("m", id(3), ""))
	ok(t, l.DeleteModule("n"))
	ok(t, l.DeleteBindings("orders"))
	if _, err := l.Bytes(id(2)); err == nil {
		t.Error("what was deleted is there")
	}
	if b, err := l.Bytes(id(3)); err != nil || string(b) != string(wasm(3)) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	shut(t, l)

	if got := snapshot(t, r); got != before {
		t.Errorf("the registry became\n%s", got)
	}
	if all := blobs(t, folder); len(all) != 4 || !all[id(7)] {
		t.Errorf("blobs %v", all)
	}
	shut(t, r)
	if got := snapshot(t, open(t, folder, registry.Options{})); got != before {
		t.Errorf("after a restart\n%s", got)
	}
}

func TestLookWhereThereIsNothing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none")
	for _, f := range []string{folder, ""} {
		l, err := registry.Look(f, registry.Options{})
		ok(t, err)
		put(t, l, "m", 0)
		shut(t, l)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("it made the folder")
	}
	ok(t, os.Mkdir(folder, 0o700))
	l, err := registry.Look(folder, registry.Options{})
	ok(t, err)
	put(t, l, "m", 0)
	ok(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
	if _, err := registry.Look(filepath.Join(folder, "file"), registry.Options{}); err == nil {
		t.Error("a file is taken for a registry")
	}
}
