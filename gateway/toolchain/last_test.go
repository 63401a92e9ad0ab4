package toolchain

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLastBuildStandsInForACompiler: without its compiler, what was built last of exactly the same source is used, if that is
// wanted, and one line says so.
func TestLastBuildStandsInForACompiler(t *testing.T) {
	var log bytes.Buffer
	cached := Options{Cache: t.TempDir()}
	wanted := cached
	wanted.Last, wanted.Log = true, slog.New(slog.NewTextHandler(&log, nil))
	dir := samples()[1].folder(t)
	need(t, Go)
	want, _ := built(t, dir, cached)
	fromFS, _, err := BuildFS(t.Context(), embedded("1"), cached)
	if err != nil {
		t.Fatal(err)
	}

	t.Setenv("PATH", t.TempDir())
	got, info, err := Build(t.Context(), dir, wanted)
	if err != nil || !bytes.Equal(got, want) || !info.Cached || info.Language != C || !strings.Contains(info.Compiler, "clang") || info.Took <= 0 {
		t.Errorf("%d bytes, want %d: %+v, %v", len(got), len(want), info, err)
	}
	contains(t, "the log", log.String(), "what was built last", dir, "is missing")
	if got, info, err = BuildFS(t.Context(), embedded("1"), wanted); err != nil || !bytes.Equal(got, fromFS) || !info.Cached {
		t.Errorf("embedded: %+v, %v", info, err)
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines for two modules", n)
	}
	if got, _, ok := Cached(dir, cached); !ok || !bytes.Equal(got, want) {
		t.Error("Cached does not find it")
	}
	if got, _, ok := CachedFS(embedded("1"), cached); !ok || !bytes.Equal(got, fromFS) {
		t.Error("CachedFS does not find it")
	}

	missing := func(what string, err error) {
		t.Helper()
		if _, ok := errors.AsType[*MissingError](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err = Build(t.Context(), dir, cached)
	missing("nobody wants it", err)
	_, _, err = BuildFS(t.Context(), embedded("2"), wanted)
	missing("embedded, other source", err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Build(ended, dir, wanted); err == nil {
		t.Error("it was built though nobody waits")
	}
	save(t, filepath.Join(dir, "main.wasm"), "written by module build")
	if _, _, err = Build(t.Context(), dir, wanted); err != nil {
		t.Errorf("beside what module build wrote: %v", err)
	}
	save(t, filepath.Join(dir, "new.c"), "int more;\n")
	_, _, err = Build(t.Context(), dir, wanted)
	missing("with a new file", err)
	if err := os.Remove(filepath.Join(dir, "new.c")); err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(dir, "with blank.h"), "#define N 42\n")
	_, _, err = Build(t.Context(), dir, wanted)
	missing("after a change", err)
}
