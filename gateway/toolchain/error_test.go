package toolchain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMissingCompiler(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	none := []string{"no-such-compiler"}
	for l, c := range map[Language]struct {
		find func(context.Context, string) error
		want string
	}{
		Go:             {func(ctx context.Context, dir string) error { _, err := findGo(ctx, dir); return err }, "go.dev/dl"},
		C:              {func(ctx context.Context, dir string) error { _, err := findClang(ctx, dir, none); return err }, "apt-get install clang lld"},
		Rust:           {func(ctx context.Context, dir string) error { _, err := findRust(ctx, dir, none); return err }, "rustup target add wasm32-unknown-unknown"},
		AssemblyScript: {func(ctx context.Context, dir string) error { _, err := findASC(ctx, dir); return err }, "apt-get install nodejs npm"},
	} {
		err := c.find(t.Context(), t.TempDir())
		missing, ok := errors.AsType[*MissingError](err)
		if !ok || missing.Language != l {
			t.Errorf("%s: error %v, want a MissingError", l, err)
			continue
		}
		contains(t, "the error", err.Error(), c.want, "is missing")
	}
}

// TestCompilerOfNoUse has compilers that are there but cannot build a module.
func TestCompilerOfNoUse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "compiler")
	save(t, path, "#!/bin/sh\necho x86_64\n")
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	_, clang := findClang(t.Context(), dir, []string{"no-such-compiler", path})
	_, rust := findRust(t.Context(), dir, []string{path})
	for want, err := range map[string]error{"a clang that knows wasm32": clang, "the target wasm32-unknown-unknown of rustc": rust} {
		if missing, ok := errors.AsType[*MissingError](err); !ok || missing.Program != want {
			t.Errorf("error %v, want that %s is missing", err, want)
		}
	}
}

func TestMissingASC(t *testing.T) {
	need(t, AssemblyScript) // node, at least
	node, ok := lookPath("node")
	if !ok {
		t.Fatal("no node, though it was found before")
	}
	t.Setenv("PATH", t.TempDir())
	if err := os.Symlink(node, filepath.Join(os.Getenv("PATH"), "node")); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, map[string]string{"index.ts": ""})
	_, _, err := Build(t.Context(), dir, Options{})
	if missing, ok := errors.AsType[*MissingError](err); !ok || missing.Program != "asc" {
		t.Fatalf("error %v, want that asc is missing", err)
	}
	contains(t, "the error", err.Error(), "npm install", dir)
}

func TestHints(t *testing.T) {
	for _, c := range []struct {
		language Language
		files    map[string]string
		want     string
	}{
		{Go, map[string]string{"main.go": "package main\n\nfunc main() {}\n"}, "sluice module new --lang go"},
		{Go, map[string]string{"go.mod": "module m\n\ngo 1.24\n", "a.go": "package a\n"}, "package main"},
		{Go, map[string]string{"go.mod": "module m\n\ngo 1.24\n", "a.go": "package main\n"}, "add an empty func main"},
		{C, map[string]string{"a.c": "#include <string.h>\n"}, "no C library"},
		{C, map[string]string{"a.c": "int puts(const char *);\n__attribute__((export_name(\"f\"))) int f(void) { return puts(\"\"); }\n"}, "no C library"},
		{Rust, map[string]string{"a.rs": "", "b.rs": ""}, "src/lib.rs, lib.rs or the only *.rs"},
		{Rust, map[string]string{"Cargo.toml": "[package]\nedition = \"1999\"\n"}, `"1999"`},
	} {
		t.Run(string(c.language), func(t *testing.T) {
			need(t, c.language)
			_, _, err := Build(t.Context(), folder(t, c.files), Options{})
			if err == nil {
				t.Fatalf("%v: no error", c.files)
			}
			contains(t, "the error", err.Error(), c.want)
		})
	}
}

func TestShorten(t *testing.T) {
	dir := t.TempDir()
	for in, want := range map[string]string{
		"":                                       "",
		"# example\n./a.go:1:2: x\n":             "a.go:1:2: x",
		"\x1b[1m\x1b[31merror\x1b[0m: x\r\n\n":   "error: x",
		dir + "/a.c:1: x, see " + dir + "/b.h:2": "a.c:1: x, see b.h:2",
		strings.Repeat("a\n", 23):                strings.Repeat("a\n", 20) + "... and 3 more lines",
		strings.Repeat("ä", 200):                 strings.Repeat("ä", 150) + "...",
		"a" + strings.Repeat("ä", 200):           "a" + strings.Repeat("ä", 149) + "...",
	} {
		if got := shorten(in, dir); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestOneLineEach(t *testing.T) {
	drawing := "ERROR TS2304: Cannot find name 'y'.\n   :\n 2 │ f(y)\n   │   ~\n   └─ in assembly/index.ts(2,51)\n\n" +
		"WARNING AS1: odd.\n   :\n   └─ in a b.ts(1,2)\nERROR: Import file './c' not found.\n"
	want := "assembly/index.ts:2:51: error: TS2304: Cannot find name 'y'.\na b.ts:1:2: warning: AS1: odd."
	if got := oneLineEach(drawing); !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q in front", got, want)
	}
	for _, other := range []string{"", "SyntaxError: Unexpected token\n at x\n", "ERROR no place\nERROR nowhere\n"} {
		got := oneLineEach(other)
		if strings.Contains(other, "ERROR") {
			other = "error: no place\nerror: nowhere"
		}
		if got != other {
			t.Errorf("got %q, want %q", got, other)
		}
	}
}

func FuzzOneLineEach(f *testing.F) {
	f.Add("ERROR TS2304: Cannot find name 'y'.\n   └─ in assembly/index.ts(2,51)\n")
	f.Fuzz(func(t *testing.T, output string) {
		got := oneLineEach(shorten(output, "/d"))
		if strings.Count(got, "\n") > maxLines+1 {
			t.Errorf("%d lines", strings.Count(got, "\n"))
		}
	})
}
