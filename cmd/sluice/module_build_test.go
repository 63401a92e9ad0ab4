package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/toolchain"
)

// sluice runs a command in this process and returns what it wrote and its exit status.
func sluice(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errOut bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&errOut)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		return out.String(), err.Error(), exitStatus(err)
	}
	return out.String(), errOut.String(), 0
}

// TestModuleNewAndBuildAsAUserWould does what module new suggests, with the language that every machine with tests has.
func TestModuleNewAndBuildAsAUserWould(t *testing.T) {
	t.Chdir(t.TempDir())
	cache := filepath.Join(t.TempDir(), "cache")
	out, stderr, status := sluice(t, "module", "new", "--lang", "go", "my-partitioner")
	if status != 0 || !strings.Contains(out, "cd my-partitioner") || !strings.Contains(out, "  main.go\n") {
		t.Fatalf("exit status %d: %s\n%s", status, out, stderr)
	}
	t.Chdir("my-partitioner")
	for round, cached := range []bool{false, true} {
		out, stderr, status = sluice(t, "module", "build", "--json", "--cache", cache)
		var m builtModule
		if err := json.Unmarshal([]byte(out), &m); err != nil || status != 0 {
			t.Fatalf("round %d, exit status %d: %v\n%s%s", round, status, err, out, stderr)
		}
		wasm, err := os.ReadFile("my-partitioner.wasm")
		if err != nil || len(wasm) != m.Bytes || !bytes.HasPrefix(wasm, []byte("\x00asm")) {
			t.Fatalf("round %d: %d bytes, %v", round, len(wasm), err)
		}
		if m.Cached != cached || m.File != "my-partitioner.wasm" || m.Language != "go" || len(m.SHA256) != 64 || m.Compiler == "" {
			t.Errorf("round %d: %+v", round, m)
		}
		if stderr != "" {
			t.Errorf("stderr is no terminal, yet it says %q", stderr)
		}
	}
	if out, _, _ := sluice(t, "module", "build", "--cache", cache); !strings.Contains(out, "my-partitioner.wasm: ") || !strings.Contains(out, "cache") {
		t.Errorf("as text: %q", out)
	}
	want := filepath.Join(t.TempDir(), "out.wasm")
	if _, stderr, status := sluice(t, "module", "build", ".", "-o", want, "--cache", cache); status != 0 {
		t.Fatal(stderr)
	}
	if _, err := os.Stat(want); err != nil {
		t.Error(err)
	}
}

func TestModuleBuildFails(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() { x() }\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "m.wasm")
	_, stderr, status := sluice(t, "module", "build", dir, "-o", out, "--cache", "")
	if status != exitFailed || !strings.Contains(stderr, "main.go:3:15: undefined: x") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("there is a module nevertheless")
	}
	_, stderr, status = sluice(t, "module", "build", dir, "-o", out, "--cache", "", "--timeout", "1ms")
	if status != exitFailed || !strings.Contains(stderr, "1ms") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

func TestModuleUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("README.md", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"module", 0, "Available Commands"},
		{"module nonsense", exitUsage, `unknown command "nonsense"`},
		{"module new --lang go", exitUsage, "arguments: it is sluice module "},
		{"module new name", exitUsage, "--lang is missing: one of go, c, rust, assemblyscript"},
		{"module new --lang cobol name", exitUsage, `"cobol"`},
		{"module new --lang go --kind both name", exitUsage, `"both"`},
		{"module new --lang go ../name", exitUsage, `"../name"`},
		{"module new --lang go a b c", exitUsage, "arguments: it is sluice module "},
		{"module new --lang c name .", exitFailed, "README.md exists"},
		{"module new --lang c name README.md", exitFailed, "README.md is a file, and must be a folder"},
		{"module build a b", exitUsage, "arguments: it is sluice module "},
		{"module build --timeout 0s", exitUsage, "--timeout"},
		{"module build nowhere", exitFailed, "nowhere"},
		{"module build .", exitFailed, "no source of a module"},
	} {
		out, stderr, status := sluice(t, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(out+stderr, c.want) {
			t.Errorf("%s: exit status %d, want %d with %q in:\n%s%s", c.args, status, c.status, c.want, out, stderr)
		}
	}
}

func TestModuleNewJSON(t *testing.T) {
	for _, l := range toolchain.Languages() {
		dir := filepath.Join(t.TempDir(), "there")
		out, stderr, status := sluice(t, "module", "new", "--json", "--lang", string(l), "--kind", "interceptor", "name", dir)
		var p newProject
		if err := json.Unmarshal([]byte(out), &p); err != nil || status != 0 {
			t.Fatalf("%s: exit status %d, %v: %s", l, status, err, stderr)
		}
		if p.Name != "name" || p.Language != string(l) || p.Kind != "interceptor" || p.Dir != dir || len(p.Files) < 6 {
			t.Errorf("%+v", p)
		}
		for _, f := range p.Files {
			if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestModuleBuildStopsAtASignal sends what Ctrl-C sends; the compiler and its temporary folder must not be left behind.
func TestModuleBuildStopsAtASignal(t *testing.T) {
	program := binary(t)
	dir, temp := t.TempDir(), t.TempDir()
	// A clang that says what it is for, then compiles for ever.
	script := "#!/bin/sh\ncase \"$*\" in\n*print-targets) echo wasm32;;\n*print-prog-name*) echo $0;;\n*--version) echo 1;;\n" +
		"*) echo started >> " + dir + "/started; sleep 1000;;\nesac\n"
	bin := t.TempDir()
	for path, text := range map[string]string{filepath.Join(dir, "main.c"): "", filepath.Join(bin, "clang"): script} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "module", "build", dir, "--cache", "")
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "TMPDIR="+temp)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { _, err := os.Stat(filepath.Join(dir, "started")); return err == nil })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	exit, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok || exit.ExitCode() != exitFailed {
		t.Errorf("ended with %v: %s", exit, stderr.String())
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// until waits for a process outside of this one.
func until(t *testing.T, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); !ready(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not within 30 s")
		}
	}
}
