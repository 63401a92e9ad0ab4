package toolchain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Language is what a module is written in.
type Language string

// The languages that have an SDK.
const (
	Go             Language = "go"
	C              Language = "c"
	Rust           Language = "rust"
	AssemblyScript Language = "assemblyscript"
)

// Languages are all of them, in the order they are offered.
func Languages() []Language { return []Language{Go, C, Rust, AssemblyScript} }

// ParseLanguage finds a language by its name.
func ParseLanguage(name string) (Language, error) {
	if l := Language(name); slices.Contains(Languages(), l) {
		return l, nil
	}
	return "", fmt.Errorf("language %q is not known; there are %s", name, strings.Join(words(Languages()), ", "))
}

func words[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// signs tell a language by the files of a folder, the surest ones first: a project file beats a source file.
var signs = []struct { //nolint:gochecknoglobals // a table that is only read
	pattern  string
	language Language
}{
	{"go.mod", Go},
	{"Cargo.toml", Rust},
	{"asconfig.json", AssemblyScript},
	{"*.go", Go},
	{"*.rs", Rust},
	{"*.c", C},
	{"src/*.rs", Rust},
	{"package.json", AssemblyScript},
	{"*.ts", AssemblyScript},
	{"assembly/*.ts", AssemblyScript},
}

// Detect tells the language of a folder of source by the names of its files.
func Detect(dir string) (Language, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder of source", dir)
	}
	for _, s := range signs {
		if found, err := list(dir, s.pattern); err != nil {
			return "", err
		} else if len(found) > 0 {
			return s.language, nil
		}
	}
	return "", fmt.Errorf("%s: %w", dir, errNoSource)
}

var errNoSource = errors.New("no source of a module in it: there must be *.go with a go.mod (Go), *.c (C), " +
	"*.rs or Cargo.toml (Rust), or asconfig.json, package.json or *.ts (AssemblyScript)")

// list is the files of dir that match pattern, in order; unlike filepath.Glob it takes dir as it is.
func list(dir, pattern string) ([]string, error) {
	folder, pattern := filepath.Split(filepath.FromSlash(pattern))
	entries, err := os.ReadDir(filepath.Join(dir, folder))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if ok, _ := filepath.Match(pattern, e.Name()); ok && !e.IsDir() {
			found = append(found, filepath.Join(folder, e.Name()))
		}
	}
	return found, nil
}
