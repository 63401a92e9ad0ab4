package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
)

// goCompiler builds reactors: modules that are called, not commands that end.
type goCompiler struct {
	program

	dir, release string
}

// goFlags, and the environment of golang: nothing of it is the user's, so that a module is the same everywhere. Modules that
// are missing may be downloaded, go.mod and go.sum are never changed.
var goFlags = []string{"build", "-trimpath", "-buildmode=c-shared", "-buildvcs=false", "-ldflags=-s -w"} //nolint:gochecknoglobals // a table that is only read

var goEnvironment = []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-buildvcs=false"} //nolint:gochecknoglobals // a table that is only read

var goHints = []hint{ //nolint:gochecknoglobals // a table that is only read
	{"go.mod file not found", `a module in Go needs a go.mod: "sluice module new --lang go" writes one with the SDK beside it`},
	{"buildmode=c-shared not supported", "Go 1.24 or later is needed"},
	{"go: updates to go.mod needed", "run: go mod tidy"},
	{"missing go.sum entry", "run: go mod tidy"},
	{"requires exactly one main package", "the folder must hold a package main with a func main, which may be empty"},
	{"function main is undeclared", "add an empty func main() {}"},
	{"dial tcp", "a dependency is not on this machine: run go mod download where there is a network"},
	{"module lookup disabled by GOPROXY", "a dependency is not on this machine: run go mod download where there is a network"},
}

func findGo(ctx context.Context, dir string) (*goCompiler, error) {
	path, ok := lookPath("go")
	if !ok {
		return nil, &MissingError{Language: Go, Program: "go", Install: "https://go.dev/dl/ (or apt-get install golang-go, where that is Go 1.24 or later)"}
	}
	c := &goCompiler{program: program{path: path, env: goEnvironment}, dir: dir}
	var err error
	c.release, err = c.line(ctx, dir, "version") // in dir, as go.mod may ask for another one
	return c, compileError(err, Go, dir, goHints)
}

func (c *goCompiler) language() Language { return Go }
func (c *goCompiler) version() string    { return c.release }
func (c *goCompiler) flags() []string    { return goFlags }

// goPackage is what "go list" tells of a package.
type goPackage struct {
	Dir                                            string
	Standard                                       bool
	GoFiles, SFiles, HFiles, SysoFiles, EmbedFiles []string
	Module                                         *struct {
		GoMod string
		Main  bool
	}
}

// sources asks Go: the files of the package and of all it needs outside the standard library.
func (c *goCompiler) sources(ctx context.Context) ([]string, error) {
	out, err := c.run(ctx, c.dir, "list", "-deps", "-json=Dir,Standard,GoFiles,SFiles,HFiles,SysoFiles,EmbedFiles,Module", ".")
	if err != nil {
		return nil, compileError(err, Go, c.dir, goHints)
	}
	var files []string
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return files, nil
		} else if err != nil {
			return nil, err
		}
		if p.Standard {
			continue // the version stands for it
		}
		for _, f := range slices.Concat(p.GoFiles, p.SFiles, p.HFiles, p.SysoFiles, p.EmbedFiles) {
			files = append(files, filepath.Join(p.Dir, f))
		}
		if p.Module != nil && p.Module.GoMod != "" {
			files = append(files, p.Module.GoMod) // the version of the language, GODEBUG
		}
	}
}

func (c *goCompiler) compile(ctx context.Context, out string) error {
	_, err := c.run(ctx, c.dir, append(slices.Clone(goFlags), "-o", out, ".")...)
	return compileError(err, Go, c.dir, goHints)
}
