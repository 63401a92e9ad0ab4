package conformance_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/wasmhost/conformance"
)

// sdks are the SDKs, each with what builds its conformance guest. It runs in the SDK's folder.
func sdks() map[string]func(t *testing.T, out string) (*exec.Cmd, error) {
	return map[string]func(t *testing.T, out string) (*exec.Cmd, error){
		"c": func(t *testing.T, out string) (*exec.Cmd, error) {
			t.Helper()
			_, err := exec.LookPath("clang")
			if err == nil {
				_, err = exec.LookPath("wasm-ld")
			}
			return exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, "conformance/conformance.c"), err
		},
		"go": func(t *testing.T, out string) (*exec.Cmd, error) {
			t.Helper()
			c := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "./conformance")
			c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
			return c, nil
		},
		"rust": func(t *testing.T, out string) (*exec.Cmd, error) {
			t.Helper()
			path, err := rustc(t)
			return exec.CommandContext(t.Context(), path, "--edition", "2021", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown", "-C", "opt-level=3",
				"-C", "panic=abort", "-C", "lto=fat", "-C", "codegen-units=1", "-C", "strip=debuginfo", "-o", out, "conformance/conformance.rs"), err
		},
		"assemblyscript": func(t *testing.T, out string) (*exec.Cmd, error) {
			t.Helper()
			_, err := exec.LookPath("node")
			if err == nil {
				_, err = os.Stat("../../guest-sdk/assemblyscript/node_modules/assemblyscript/bin/asc.js")
			}
			return exec.CommandContext(t.Context(), "node", "node_modules/assemblyscript/bin/asc.js", "conformance/conformance.ts", "-o", out, "-O3", "--runtime", "minimal", "--exportStart", "_initialize"), err
		},
	}
}

// rustc finds one that has a library for wasm: rustup's in front of Debian's often has none.
func rustc(t *testing.T) (string, error) {
	t.Helper()
	for _, path := range []string{"rustc", "/usr/bin/rustc"} {
		dir, err := exec.CommandContext(t.Context(), path, "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
		if err != nil {
			continue
		}
		if _, err := os.Stat(strings.TrimSpace(string(dir))); err == nil {
			return path, nil
		}
	}
	return "rustc", errors.New("no rustc has the target wasm32-unknown-unknown")
}

// TestSDKs has the conformance guests of all SDKs do the same.
func TestSDKs(t *testing.T) {
	for name, command := range sdks() {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "conformance.wasm")
			cmd, err := command(t, out)
			if err != nil && os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
				t.Fatalf("SLUICE_REQUIRE_ALL=1, but the guest in %s cannot be built: %v", name, err)
			}
			if err != nil {
				t.Skipf("the guest in %s cannot be built: %v", name, err)
			}
			dir := filepath.Join("../../guest-sdk", name)
			watch(t, dir)
			cmd.Dir = dir
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v:\n%s", err, text)
			}
			wasm, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			conformance.Run(t, wasm)
		})
	}
}

// watch opens the sources, because go test's cache knows only of files that this process opens.
func watch(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return filepath.SkipDir
		case !d.IsDir():
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
