package toolchain

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// missing ends a test that needs a program this machine does not have: it skips, or fails with SLUICE_REQUIRE_ALL=1.
func missing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
		t.Fatalf("SLUICE_REQUIRE_ALL=1, but %v", err)
	}
	t.Skip(err)
}

// built is Build for tests that end when the compiler is missing.
func built(t *testing.T, dir string, o Options) ([]byte, Info) {
	t.Helper()
	wasm, info, err := Build(t.Context(), dir, o)
	if _, ok := errors.AsType[*MissingError](err); ok {
		missing(t, err)
	} else if err != nil {
		t.Fatal(err)
	}
	return wasm, info
}

// need ends the test if the compiler of a language is missing, see nodeModules for AssemblyScript, or with -short is not Go's.
func need(t *testing.T, l Language) {
	t.Helper()
	if testing.Short() && l != Go {
		t.Skip("-short builds Go only")
	}
	_, err := find(t.Context(), l, t.TempDir())
	if m, ok := errors.AsType[*MissingError](err); ok && m.Program != "asc" {
		missing(t, err)
	}
}

// nodeModules is the folder with AssemblyScript that guest-sdk/assemblyscript has after npm install, or that
// SLUICE_NODE_MODULES names.
func nodeModules(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, errors.New("no node: apt-get install nodejs npm"))
	}
	for _, dir := range []string{os.Getenv("SLUICE_NODE_MODULES"), "../../guest-sdk/assemblyscript/node_modules"} {
		if _, err := os.Stat(filepath.Join(dir, ".bin", "asc")); dir != "" && err == nil {
			dir, err = filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			return dir
		}
	}
	missing(t, errors.New("no AssemblyScript: npm install in guest-sdk/assemblyscript, or set SLUICE_NODE_MODULES to a folder that has it"))
	return ""
}

// folder writes files, by name, into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		save(t, filepath.Join(dir, name), text)
	}
	return dir
}

func save(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// exports are the names of the functions that a module exports, in order. A module that is not valid fails the test.
func exports(t *testing.T, wasm []byte) []string {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	m, err := r.CompileModule(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range m.ExportedFunctions() {
		names = append(names, name)
	}
	if len(m.ExportedMemories()) != 1 {
		t.Errorf("%d memories are exported, want 1", len(m.ExportedMemories()))
	}
	slices.Sort(names)
	return names
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s has no %q: %q", what, p, text)
		}
	}
}
