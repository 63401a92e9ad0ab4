package toolchain

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sample is a small module of each language, in two files so that one can change without the other.
type sample struct {
	language Language
	files    map[string]string
	edit     string // the file to change; every 41 in it
	broken   string // its text when it does not compile
	place    string // where the compiler sees the error
}

func samples() []sample {
	return []sample{
		{Go, map[string]string{
			"go.mod":     "module example\n\ngo 1.24\n",
			"main.go":    "package main\n\nimport \"example/in\"\n\n//go:wasmexport answer\nfunc answer() int32 { return in.N }\n\nfunc main() {}\n",
			"in/in.go":   "package in\n\nconst N = 41\n",
			"in/doc.txt": "not source",
		}, "in/in.go", "package in\n\nconst N = x\n", "in/in.go:3:11"},
		{C, map[string]string{
			"main.c":       "#include \"with blank.h\"\n__attribute__((export_name(\"answer\"))) int answer(void) { return N; }\n",
			"with blank.h": "#define N 41\n",
			"main_test.c":  "int main(void) { return 0; } this does not compile",
		}, "with blank.h", "#define N x\n", "main.c:2"},
		{Rust, map[string]string{
			"src/lib.rs":    "mod number;\n#[no_mangle]\npub extern \"C\" fn answer() -> i32 { number::N }\n",
			"src/number.rs": "pub const N: i32 = 41;\n",
		}, "src/number.rs", "pub const N: i32 = x;\n", "src/number.rs:1:20"},
		{AssemblyScript, map[string]string{
			"assembly/index.ts":  "import { N } from \"./number\";\nexport function answer(): i32 { return N; }\n",
			"assembly/number.ts": "export const N: i32 = 41;\n",
			"package.json":       "{}",
		}, "assembly/number.ts", "export const N: i32 = x;\n", "assembly/number.ts:1:23"},
	}
}

// folder is a new one with the sample, or the end of the test if its compiler is missing.
func (s sample) folder(t *testing.T) string {
	t.Helper()
	need(t, s.language)
	dir := folder(t, s.files)
	if s.language == AssemblyScript {
		if err := os.Symlink(nodeModules(t), filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBuildOnceByContent(t *testing.T) {
	othersFlags(t)
	for _, s := range samples() {
		t.Run(string(s.language), func(t *testing.T) {
			dir := s.folder(t)
			before := listing(t, dir)
			o := Options{Cache: filepath.Join(t.TempDir(), "new", "cache")}
			first, info := built(t, dir, o)
			if info.Cached || info.Language != s.language || info.Compiler == "" || info.Took <= 0 || len(info.Key) != 64 {
				t.Errorf("info of the first build: %+v", info)
			}
			if names := exports(t, first); !slices.Contains(names, "answer") {
				t.Errorf("exports %v have no answer", names)
			}
			second, again := built(t, dir, o)
			if !again.Cached || again.Key != info.Key || !bytes.Equal(first, second) {
				t.Errorf("the second build: %+v", again)
			}
			if after := listing(t, dir); !maps.Equal(before, after) {
				t.Errorf("the folder was changed: %v, then %v", before, after)
			}

			edited := strings.ReplaceAll(s.files[s.edit], "41", "42")
			save(t, filepath.Join(dir, s.edit), edited)
			third, changed := built(t, dir, o)
			if changed.Cached || changed.Key == info.Key || bytes.Equal(first, third) {
				t.Errorf("after a change of %s: %+v", s.edit, changed)
			}
			save(t, filepath.Join(dir, s.edit), s.files[s.edit])
			if back, info := built(t, dir, o); !info.Cached || !bytes.Equal(first, back) {
				t.Errorf("after the change was taken back: %+v", info)
			}

			moved := filepath.Join(t.TempDir(), "moved here")
			if err := os.Rename(dir, moved); err != nil {
				t.Fatal(err)
			}
			if elsewhere, there := built(t, moved, Options{}); there.Key != info.Key || !bytes.Equal(first, elsewhere) {
				t.Errorf("in another folder: %+v, modules equal: %v", there, bytes.Equal(first, elsewhere))
			}
		})
	}
}

// listing is the names, sizes and times of a folder.
func listing(t *testing.T, dir string) map[string]state {
	t.Helper()
	found := map[string]state{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		found[path] = state{info.Size(), info.ModTime()}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestBuildSaysWhereTheErrorIs(t *testing.T) {
	for _, s := range samples() {
		t.Run(string(s.language), func(t *testing.T) {
			dir := s.folder(t)
			save(t, filepath.Join(dir, s.edit), s.broken)
			o := Options{Cache: t.TempDir()}
			_, _, err := Build(t.Context(), dir, o)
			compile, ok := errors.AsType[*CompileError](err)
			if !ok {
				t.Fatalf("error %v, want a CompileError", err)
			}
			if compile.Language != s.language {
				t.Errorf("language %s", compile.Language)
			}
			first, rest, _ := strings.Cut(compile.Output, "\n")
			if !strings.HasPrefix(first, s.place) || !strings.Contains(first, "x") {
				t.Errorf("the first line is %q, want %s in front", first, s.place)
			}
			if strings.Count(rest, "\n") > 5 {
				t.Errorf("that is long:\n%s", compile.Output)
			}
			if entries, err := list(o.Cache, "*.wasm"); err != nil || len(entries) > 0 {
				t.Errorf("in the cache: %v, %v", entries, err)
			}
		})
	}
}

func TestBuildKnowsWhatIsOutsideTheFolder(t *testing.T) {
	outside := map[Language]map[string]string{
		Go: {
			"go.mod":        "module example\n\ngo 1.24\n",
			"in/main.go":    "package main\n\nimport \"example/sdk\"\n\n//go:wasmexport answer\nfunc answer() int32 { return sdk.N }\n\nfunc main() {}\n",
			"sdk/number.go": "package sdk\n\nconst N = 41\n",
		},
		C: {
			"in/main.c":    "#include \"../sdk/number.h\"\n__attribute__((export_name(\"answer\"))) int answer(void) { return N; }\n",
			"sdk/number.h": "#define N 41\n",
		},
		Rust: {
			"in/main.rs":    "#[path = \"../sdk/number.rs\"]\nmod number;\n#[no_mangle]\npub extern \"C\" fn answer() -> i32 { number::N }\n",
			"sdk/number.rs": "pub const N: i32 = 41;\n",
		},
		AssemblyScript: {
			"in/main.ts":    "import { N } from \"../sdk/number\";\nexport function answer(): i32 { return N; }\n",
			"sdk/number.ts": "export const N: i32 = 41;\n",
		},
	}
	for l, files := range outside {
		t.Run(string(l), func(t *testing.T) {
			need(t, l)
			root := folder(t, files)
			if l == AssemblyScript {
				if err := os.Symlink(nodeModules(t), filepath.Join(root, "node_modules")); err != nil {
					t.Fatal(err)
				}
			}
			o := Options{Cache: t.TempDir()}
			first, _ := built(t, filepath.Join(root, "in"), o)
			for name, text := range files {
				if strings.HasPrefix(name, "sdk") {
					save(t, filepath.Join(root, name), strings.ReplaceAll(text, "41", "42"))
				}
			}
			second, info := built(t, filepath.Join(root, "in"), o)
			if info.Cached || bytes.Equal(first, second) {
				t.Errorf("a change outside of the folder was not seen: %+v", info)
			}
		})
	}
}

func TestCompilersGetASmallEnvironment(t *testing.T) {
	othersFlags(t)
	for _, v := range environment() {
		if strings.Contains(v, "nonsense") {
			t.Errorf("compilers get %s", v)
		}
	}
}

// othersFlags sets what a user may have for other builds; with any of it a compiler fails.
func othersFlags(t *testing.T) {
	t.Helper()
	for _, name := range []string{"GOFLAGS", "GOOS", "RUSTFLAGS", "CPATH", "CFLAGS", "NODE_OPTIONS", "SECRET"} {
		t.Setenv(name, "--nonsense")
	}
}

func TestBuildEndsInTime(t *testing.T) {
	for _, s := range samples() {
		t.Run(string(s.language), func(t *testing.T) {
			dir := s.folder(t)
			_, _, err := Build(t.Context(), dir, Options{Timeout: time.Millisecond})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v", err)
			}
			contains(t, "the error", err.Error(), "build.timeout.ms", "1ms")
		})
	}
}

func TestBuildIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the gateway stops")
	cancel(why)
	if _, _, err := Build(ctx, folder(t, samples()[0].files), Options{}); !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
}

func TestBuildLooksAgainAtWhatChangedMeanwhile(t *testing.T) {
	dir := folder(t, map[string]string{"a.src": "1"})
	c := &saving{dir: dir, saves: 2}
	o := Options{Cache: t.TempDir()}
	var info Info
	wasm, err := o.build(t.Context(), c, dir, &info)
	if err != nil || string(wasm) != "111" || info.Cached {
		t.Fatalf("module %q, %v, %+v; want what is there at last", wasm, err, info)
	}
	if key, _, err := keyOf(t.Context(), c, dir); err != nil || key != info.Key {
		t.Errorf("key %s, %v; want that of what is there at last, %s", info.Key, err, key)
	}
	if built, err := filepath.Glob(filepath.Join(o.Cache, "*.wasm")); err != nil || len(built) != 1 {
		t.Errorf("in the cache: %v, %v; want the last one only", built, err)
	}
	o.Cache, c.saves = "", 1000
	if _, err := o.build(t.Context(), c, dir, &info); err == nil {
		t.Error("no error, though the source never stays as it is")
	}
}

// saving is a compiler that copies its source, during which a user saves it, longer by one.
type saving struct {
	dir   string
	saves int
}

func (s *saving) language() Language                        { return C }
func (s *saving) version() string                           { return "1" }
func (s *saving) flags() []string                           { return nil }
func (s *saving) sources(context.Context) ([]string, error) { return []string{"a.src"}, nil }

func (s *saving) compile(_ context.Context, out string) error {
	text, err := os.ReadFile(filepath.Join(s.dir, "a.src"))
	if err != nil {
		return err
	}
	if s.saves > 0 {
		s.saves--
		if err := os.WriteFile(filepath.Join(s.dir, "a.src"), append(text, '1'), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(out, text, 0o600)
}
