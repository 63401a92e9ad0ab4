package toolchain

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// crate is one with a dependency, which is a folder in it: that needs cargo and no network.
func crate() map[string]string {
	return map[string]string{
		"Cargo.toml":     "[package]\nname = \"needy\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[dependencies]\ndep = { path = \"dep\" }\n",
		"Cargo.lock":     "version = 3\n\n[[package]]\nname = \"dep\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"needy\"\nversion = \"0.1.0\"\ndependencies = [\n \"dep\",\n]\n",
		"src/lib.rs":     "#[no_mangle]\npub extern \"C\" fn answer() -> i32 { dep::N }\n",
		"dep/Cargo.toml": "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
		"dep/src/lib.rs": "pub const N: i32 = 41;\n",
	}
}

func TestBuildWithCargo(t *testing.T) {
	need(t, Rust)
	dir := folder(t, crate())
	_, _, err := Build(t.Context(), dir, Options{})
	if compile, ok := errors.AsType[*CompileError](err); ok && compile.Hint == otherRelease {
		missing(t, errors.New(otherRelease))
	}
	before := listing(t, dir)
	o := Options{Cache: t.TempDir()}
	first, info := built(t, dir, o)
	if got := exports(t, first); !slices.Contains(got, "answer") || info.Cached || !strings.Contains(info.Compiler, "cargo") {
		t.Errorf("exports %v, %+v", got, info)
	}
	if second, info := built(t, dir, o); !info.Cached || !bytes.Equal(first, second) {
		t.Errorf("the second build: %+v", info)
	}
	if after := listing(t, dir); !maps.Equal(before, after) {
		t.Errorf("the folder was changed: %v, then %v", before, after)
	}
	save(t, filepath.Join(dir, "dep", "src", "lib.rs"), "pub const N: i32 = 42;\n")
	if third, info := built(t, dir, o); info.Cached || bytes.Equal(first, third) {
		t.Errorf("after a change of the dependency: %+v", info)
	}
	save(t, filepath.Join(dir, "dep", "src", "lib.rs"), "pub const N: i32 = x;\n")
	_, _, err = Build(t.Context(), dir, o)
	if compile, ok := errors.AsType[*CompileError](err); !ok || !strings.HasPrefix(compile.Output, "dep/src/lib.rs:1:20") {
		t.Errorf("error %v", err)
	}
	files := crate()
	delete(files, "Cargo.lock")
	_, _, err = Build(t.Context(), folder(t, files), o)
	if err == nil {
		t.Fatal("built without Cargo.lock")
	}
	contains(t, "the error", err.Error(), "cargo generate-lockfile")
}
