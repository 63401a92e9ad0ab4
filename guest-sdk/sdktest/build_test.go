package sdktest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// language is an SDK that is not written in Go. Its README holds the command that builds example/router; the tests run
// the same for other sources.
type language struct {
	dir, ext string
	command  string                 // first word of the command's line
	compiler func() (string, error) // what to run in its place
}

var languages = []*language{
	{"c", ".c", "clang", clang},
	{"rust", ".rs", "rustc", rustc},
	{"assemblyscript", ".ts", "npx", asc},
}

func clang() (string, error) {
	path, err := exec.LookPath("clang")
	if err == nil {
		_, err = exec.LookPath("wasm-ld")
	}
	return path, err
}

// rustc finds one that has a library and a linker for wasm: rustup's in front of Debian's often has no library.
func rustc() (string, error) {
	for _, path := range []string{"rustc", "/usr/bin/rustc"} {
		out, err := exec.Command(path, "--print", "target-libdir", "--target", "wasm32-unknown-unknown").Output()
		if err != nil {
			continue
		}
		library := strings.TrimSpace(string(out)) // .../rustlib/wasm32-unknown-unknown/lib
		if _, err := os.Stat(library); err != nil {
			continue
		}
		own, _ := filepath.Glob(filepath.Join(library, "../../*/bin/rust-lld"))
		if _, err := exec.LookPath("rust-lld"); err == nil || len(own) > 0 {
			return path, nil
		}
	}
	return "", errors.New("no rustc with rust-lld and the target wasm32-unknown-unknown")
}

func asc() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", err
	}
	path, err := filepath.Abs("../assemblyscript/node_modules/.bin/asc")
	if err == nil {
		_, err = os.Stat(path)
	}
	return path, err
}

// scratchVariable tells the workers of a fuzzer where what the first process built is.
const scratchVariable = "SLUICE_SDKTEST_SCRATCH"

var (
	built   sync.Map // source -> func() ([]byte, error)
	scratch = os.Getenv(scratchVariable)
	worker  = scratch != ""
)

func TestMain(m *testing.M) {
	if worker {
		os.Exit(m.Run())
	}
	var err error
	if scratch, err = os.MkdirTemp("", "sdktest"); err == nil {
		err = os.Setenv(scratchVariable, scratch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// watch opens what the compilers read, because go test's cache knows only of files that this process opens.
func (l *language) watch(tb testing.TB) {
	tb.Helper()
	visit := func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			_, err = os.ReadFile(path)
		}
		return err
	}
	for _, dir := range []string{filepath.Join("..", l.dir), "testdata"} {
		if err := filepath.WalkDir(dir, visit); err != nil {
			tb.Fatal(err)
		}
	}
}

// build compiles source, without its extension and relative to the SDK's directory, once, and returns the module.
func build(tb testing.TB, l *language, source string) []byte {
	tb.Helper()
	compiler, err := l.compiler()
	if err != nil {
		missing(tb, "%s: %v", l.dir, err)
	}
	l.watch(tb)
	once := sync.OnceValues(func() ([]byte, error) {
		if wasm, err := os.ReadFile(l.output(source)); worker && err == nil {
			return wasm, nil
		}
		return l.run(compiler, l.readme(tb), source, l.output(source))
	})
	run, _ := built.LoadOrStore(l.dir+"/"+source, once)
	wasm, err := run.(func() ([]byte, error))()
	if err != nil {
		tb.Fatal(err)
	}
	return wasm
}

func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// readme is the words of the command in the SDK's README that builds example/router.
func (l *language) readme(tb testing.TB) []string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("..", l.dir, "README.md"))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) > 3 && words[0] == l.command && strings.Contains(line, "example/router"+l.ext) {
			return words
		}
	}
	tb.Fatalf("%s/README.md has no line that builds example/router%s with %s", l.dir, l.ext, l.command)
	return nil
}

// output is where the module of a source goes.
func (l *language) output(source string) string {
	return filepath.Join(scratch, l.dir+"-"+filepath.Base(source)+".wasm")
}

// run runs the command that words are, for another source and with its output at out.
func (l *language) run(compiler string, words []string, source, out string) ([]byte, error) {
	args := make([]string, 0, len(words))
	for _, w := range words[1:] {
		switch w {
		case "asc": // npx asc
			continue
		case "router.wasm":
			w = out
		case "example/router" + l.ext:
			w = source + l.ext
		}
		args = append(args, w)
	}
	cmd := exec.Command(compiler, args...)
	cmd.Dir = filepath.Join("..", l.dir)
	if text, err := cmd.CombinedOutput(); err != nil || len(text) > 0 {
		return nil, errors.Join(errors.New(cmd.String()+":\n"+string(text)), err) // no warnings either
	}
	return os.ReadFile(out)
}

func TestCDialects(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the guests three times more")
	}
	compiler, err := clang()
	if err != nil {
		missing(t, "c: %v", err)
	}
	words := languages[0].readme(t)
	strict := []string{"-Wall", "-Wextra", "-Werror"}
	for name, flags := range map[string][]string{
		"c99":   {"-std=c99", "-pedantic"},
		"c++11": {"-x", "c++", "-std=c++11"},
		"c++20": {"-x", "c++", "-std=c++20"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, source := range []string{"example/stamp", "conformance/conformance"} {
				command := append(append(words[:1:1], append(strict, flags...)...), words[1:]...)
				if _, err := languages[0].run(compiler, command, source, filepath.Join(scratch, "dialect.wasm")); err != nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
}
