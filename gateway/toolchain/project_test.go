package toolchain

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	guestsdk "sluice/guest-sdk"
)

// TestNewProjectBuilds does what a user does: new, then build, in every language and kind.
func TestNewProjectBuilds(t *testing.T) {
	for _, l := range Languages() {
		for kind, hook := range map[Kind]string{Partitioner: "partition", Interceptor: "on_send"} {
			t.Run(string(l)+"/"+string(kind), func(t *testing.T) {
				need(t, l)
				dir := filepath.Join(t.TempDir(), "new", "my-module")
				names, err := New(dir, Project{Name: "my-module", Language: l, Kind: kind, SDK: guestsdk.Files})
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range []string{"README.md", ".gitignore", "records.jsonl", "config.json"} {
					if !slices.Contains(names, want) {
						t.Errorf("no %s in %v", want, names)
					}
				}
				noPlaceholders(t, dir, names)
				if l == AssemblyScript {
					if err := os.Symlink(nodeModules(t), filepath.Join(dir, "node_modules")); err != nil {
						t.Fatal(err)
					}
				}
				wasm, info := built(t, dir, Options{})
				got := exports(t, wasm)
				for _, want := range []string{hook, "sluice_abi_v1", "sluice_alloc", "configure"} {
					if !slices.Contains(got, want) {
						t.Errorf("%s: no %s among the exports %v", info.Language, want, got)
					}
				}
				if slices.Contains(got, "partition") && slices.Contains(got, "on_send") {
					t.Errorf("exports both hooks: %v", got)
				}
				behaves(t, kind, wasm, dir)
			})
		}
	}
}

// noPlaceholders looks for what should have been replaced.
func noPlaceholders(t *testing.T, dir string, names []string) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"MODULE_NAME", `"sluice/guest-sdk`, "nolint", "<no value>", "{{."} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s has %q in it", name, bad)
			}
		}
	}
}

// TestNewProjectInGoTestsItself runs what an author in Go runs first, without a network.
func TestNewProjectInGoTestsItself(t *testing.T) {
	need(t, Go)
	for _, kind := range []Kind{Partitioner, Interceptor} {
		dir := t.TempDir()
		if _, err := New(dir, Project{Name: "fmt", Language: Go, Kind: kind, SDK: guestsdk.Files}); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"vet", "./..."}, {"test", "."}} {
			cmd := exec.CommandContext(t.Context(), "go", args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOFLAGS=-mod=readonly")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: go %v: %v\n%s", kind, args, err, out)
			}
		}
		cmd := exec.CommandContext(t.Context(), "gofmt", "-l", ".")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("not formatted: %s, %v", out, err)
		}
	}
}

func TestNewNeverOverwrites(t *testing.T) {
	dir := folder(t, map[string]string{"main.c": "mine", "other.txt": "mine"})
	p := Project{Name: "m", Language: C, Kind: Partitioner, SDK: guestsdk.Files}
	_, err := New(dir, p)
	if err == nil {
		t.Fatal("main.c was overwritten")
	}
	contains(t, "the error", err.Error(), filepath.Join(dir, "main.c"), "exists")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("in the folder: %v, %v; want what was there before", left, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "main.c")); err != nil || string(text) != "mine" {
		t.Errorf("main.c is %q, %v", text, err)
	}
	if err := os.Remove(filepath.Join(dir, "main.c")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(dir, p); err != nil {
		t.Errorf("beside a file of another name: %v", err)
	}
}

func TestNewLeavesNothingOfWhatFailed(t *testing.T) {
	dir := folder(t, map[string]string{"src": "a file where the project has a folder"})
	if _, err := New(dir, Project{Name: "m", Language: Rust, Kind: Partitioner, SDK: guestsdk.Files}); err == nil {
		t.Fatal("no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("in the folder: %v, %v", left, err)
	}
}

func TestProjectCheck(t *testing.T) {
	good := Project{Name: "a", Language: Go, Kind: Partitioner}
	for _, name := range []string{"a", "0", "a.b_c-d", strings.Repeat("a", 64)} {
		p := good
		p.Name = name
		if err := p.Check(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "A", "-a", ".a", "_a", "a/b", "../a", "a b", "ä", "a\n", strings.Repeat("a", 65)} {
		p := good
		p.Name = name
		if _, err := New(t.TempDir(), p); err == nil || !strings.Contains(err.Error(), "name") {
			t.Errorf("%q: error %v", name, err)
		}
	}
	for _, p := range []Project{{"a", "cobol", Partitioner, nil}, {"a", Go, "serializer", nil}, {"a", "", Partitioner, nil}} {
		if _, err := New(t.TempDir(), p); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}

// TestGoTakesEveryName builds under names that Go has its own ideas about.
func TestGoTakesEveryName(t *testing.T) {
	need(t, Go)
	for _, name := range []string{"fmt", "con", "con.x", "std", "x.", "1", "a.b", "internal", "sluice", "main", "test"} {
		dir := t.TempDir()
		if _, err := New(dir, Project{Name: name, Language: Go, Kind: Interceptor, SDK: guestsdk.Files}); err != nil {
			t.Fatal(err)
		}
		c, err := findGo(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		files, err := c.sources(t.Context())
		if err != nil || len(files) < 10 {
			t.Errorf("%s: %d sources, %v", name, len(files), err)
		}
	}
}

// TestTakenHasAllOfTheStandardLibrary fails when a new Go has a package whose name a module could have.
func TestTakenHasAllOfTheStandardLibrary(t *testing.T) {
	need(t, Go)
	out, err := exec.CommandContext(t.Context(), "go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	for p := range strings.Lines(string(out)) {
		first, _, _ := strings.Cut(strings.TrimSpace(p), "/")
		if !slices.Contains(strings.Fields(taken), first) {
			t.Errorf("%s is not in the table", first)
		}
	}
}

func TestCrateName(t *testing.T) {
	for name, want := range map[string]string{"a": "a", "a-b.c_d": "a_b_c_d", "1a": "module_1a"} {
		if got := crateName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestCompilerThatIsNotThereDoesNotHinderNew: an author may install it later.
func TestCompilerThatIsNotThereDoesNotHinderNew(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	if _, err := New(dir, Project{Name: "m", Language: Go, Kind: Partitioner, SDK: guestsdk.Files}); err != nil {
		t.Fatal(err)
	}
	_, _, err := Build(t.Context(), dir, Options{})
	if _, ok := errors.AsType[*MissingError](err); !ok {
		t.Errorf("error %v, want a MissingError", err)
	}
}
