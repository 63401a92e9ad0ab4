package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// rustCompiler builds with rustc alone, or with cargo when Cargo.toml names dependencies.
type rustCompiler struct {
	program

	dir, release string
	entry        string // the crate's root
	manifest     manifest
	cargo        string // path of cargo; "" without
}

const rustTarget = "wasm32-unknown-unknown"

var rustFlags = []string{ //nolint:gochecknoglobals // a table that is only read
	"--crate-name=module", // and not the folder's name, which may be no identifier, or "core"
	"--crate-type=cdylib", "--target=" + rustTarget, "-Copt-level=3", "-Cpanic=abort", "-Clto=fat", "-Ccodegen-units=1", "-Cstrip=debuginfo",
}

var rustQuiet = []string{"--error-format=short", "--color=never"} //nolint:gochecknoglobals // a table that is only read

const installRust = "rustup target add " + rustTarget + " (or apt-get install rustc libstd-rust-dev-wasm32 lld)"

const otherRelease = "cargo and rustc do not fit together: install the cargo of the same place, with apt-get install cargo for Debian's rustc"

var rustHints = []hint{ //nolint:gochecknoglobals // a table that is only read
	{"linker `rust-lld` not found", "rustc's linker is missing: apt-get install lld"},
	{"to learn about target-specific information", otherRelease},
	{"the lock file", "run cargo generate-lockfile once: a module is built from exactly the versions in Cargo.lock"},
	{"you may need to run `cargo fetch`", "a dependency is not on this machine: run cargo fetch where there is a network"},
}

// rustcs are the compilers to try: the user's, and Debian's, which rustup's may hide.
func rustcs() []string { return []string{"rustc", "/usr/bin/rustc"} }

// findRust finds a rustc that has the standard library of wasm32-unknown-unknown.
func findRust(ctx context.Context, dir string, names []string) (*rustCompiler, error) {
	missing := &MissingError{Language: Rust, Program: "rustc", Install: installRust}
	for _, name := range names {
		path, ok := lookPath(name)
		if !ok {
			continue
		}
		p := program{path: path}
		libs, err := p.line(ctx, dir, "--print=target-libdir", "--target="+rustTarget)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if std, err2 := list(libs, "libstd-*.rlib"); err != nil || err2 != nil || len(std) == 0 {
			missing.Program = "the target " + rustTarget + " of rustc"
			continue
		}
		return newRust(ctx, p, dir)
	}
	return nil, missing
}

func newRust(ctx context.Context, p program, dir string) (*rustCompiler, error) {
	c := &rustCompiler{program: p, dir: dir}
	var err error
	if c.manifest, err = readManifest(filepath.Join(dir, "Cargo.toml")); err != nil {
		return nil, err
	}
	if c.release, err = p.line(ctx, dir, "--version"); err != nil {
		return nil, err
	}
	if c.manifest.dependencies {
		return c, c.findCargo(ctx)
	}
	c.entry, err = c.crateRoot()
	return c, err
}

// findCargo prefers the cargo beside rustc: one of another release may use arguments that rustc does not know.
func (c *rustCompiler) findCargo(ctx context.Context) error {
	var ok bool
	if c.cargo, ok = lookPath(filepath.Join(filepath.Dir(c.path), "cargo"), "cargo"); !ok {
		return &MissingError{Language: Rust, Program: "cargo, for the dependencies in Cargo.toml,", Install: "apt-get install cargo"}
	}
	version, err := program{path: c.cargo}.line(ctx, c.dir, "--version")
	c.release += ", " + version
	return err
}

// crateRoot is where cargo looks for it, and otherwise the only *.rs.
func (c *rustCompiler) crateRoot() (string, error) {
	if c.manifest.root != "" {
		return filepath.FromSlash(c.manifest.root), nil
	}
	for _, name := range []string{filepath.Join("src", "lib.rs"), "lib.rs"} {
		if _, err := os.Stat(filepath.Join(c.dir, name)); err == nil {
			return name, nil
		}
	}
	files, err := list(c.dir, "*.rs")
	if err == nil && len(files) != 1 {
		err = errors.New("a module in Rust is src/lib.rs, lib.rs or the only *.rs of the folder")
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
}

func (c *rustCompiler) language() Language { return Rust }
func (c *rustCompiler) version() string    { return c.release }

func (c *rustCompiler) flags() []string {
	if c.cargo != "" {
		return cargoEnvironment
	}
	return slices.Concat(rustFlags, []string{"--edition=" + c.manifest.edition, c.entry})
}

func (c *rustCompiler) sources(ctx context.Context) ([]string, error) {
	if c.cargo != "" {
		return c.cargoSources(ctx)
	}
	temp, remove, err := tempFolder()
	if err != nil {
		return nil, err
	}
	defer remove()
	rules := filepath.Join(temp, "sources.d")
	_, err = c.run(ctx, c.dir, slices.Concat(c.flags(), rustQuiet, []string{"--emit=dep-info", "-o", rules})...)
	if err != nil {
		return nil, compileError(err, Rust, c.dir, rustHints)
	}
	text, err := os.ReadFile(rules)
	if err != nil {
		return nil, err
	}
	files := prerequisites(string(text))
	if len(files) == 0 {
		return nil, fmt.Errorf("rustc does not tell what %s is made from: %s", c.entry, strings.TrimSpace(string(text)))
	}
	return files, nil
}

func (c *rustCompiler) compile(ctx context.Context, out string) error {
	if c.cargo != "" {
		return c.cargoBuild(ctx, out)
	}
	_, err := c.run(ctx, c.dir, slices.Concat(c.flags(), rustQuiet, []string{"-o", out})...)
	return compileError(err, Rust, c.dir, rustHints)
}
