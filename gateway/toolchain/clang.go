package toolchain

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// clangCompiler builds freestanding modules: the one header of the SDK, no libc, no imports but the host's.
type clangCompiler struct {
	program

	dir, release string
	files        []string
}

var clangFlags = []string{ //nolint:gochecknoglobals // a table that is only read
	"--target=wasm32", "-std=c11", "-O2", "-Wall", "-nostdlib", "-ffreestanding",
	"-mbulk-memory", // memcpy and memset become instructions; there is no library to have them
	"-Wl,--no-entry", "-Wl,--strip-debug",
	"-Wl,--stack-first", "-Wl,-z,stack-size=65536", // a stack that overflows traps, and does not grow into the data
}

// quietFlags make one line of each error.
var quietFlags = []string{"-fno-caret-diagnostics", "-fno-color-diagnostics", "-fno-diagnostics-show-option"} //nolint:gochecknoglobals // a table that is only read

const installClang = "apt-get install clang lld (macOS: brew install llvm lld)"

var clangHints = []hint{ //nolint:gochecknoglobals // a table that is only read
	{"undefined symbol", "there is no C library in a module: what is called must be in its *.c files or in sluice.h"},
	{"'stdio.h' file not found", "there is no C library in a module: sluice.h has what it needs"},
	{"'stdlib.h' file not found", "there is no C library in a module: sluice.h has what it needs"},
	{"'string.h' file not found", "there is no C library in a module: sluice.h has what it needs"},
}

// oldestClang is the first that has all of clangFlags; newestClang is the newest name that is looked for.
const (
	oldestClang = 14
	newestClang = 25
)

// clangs are the names to try: as the user calls it, Debian's and Homebrew's.
func clangs() []string {
	names := []string{"clang"}
	for v := newestClang; v >= oldestClang; v-- {
		names = append(names, "clang-"+strconv.Itoa(v))
	}
	return append(names, "/opt/homebrew/opt/llvm/bin/clang", "/usr/local/opt/llvm/bin/clang")
}

// findClang finds a clang that can compile to wasm32, which Apple's cannot, and has a linker for it.
func findClang(ctx context.Context, dir string, names []string) (*clangCompiler, error) {
	missing := &MissingError{Language: C, Program: "clang", Install: installClang}
	for _, name := range names {
		path, ok := lookPath(name)
		if !ok {
			continue
		}
		p := program{path: path}
		if targets, err := p.run(ctx, dir, "--print-targets"); ctx.Err() != nil {
			return nil, context.Cause(ctx)
		} else if err != nil || !strings.Contains(string(targets), "wasm32") {
			missing.Program = "a clang that knows wasm32"
			continue
		}
		linker, err := p.line(ctx, dir, "--target=wasm32", "-print-prog-name=wasm-ld")
		if err != nil {
			return nil, err
		}
		if linker, ok = lookPath(linker); !ok {
			missing.Program = "wasm-ld, the linker of " + path + ","
			continue
		}
		return newClang(ctx, p, linker, dir)
	}
	return nil, missing
}

func newClang(ctx context.Context, p program, linker, dir string) (*clangCompiler, error) {
	compiler, err := p.line(ctx, dir, "--version")
	if err != nil {
		return nil, err
	}
	linked, err := program{path: linker}.line(ctx, dir, "--version")
	if err != nil {
		return nil, err
	}
	sources, err := list(dir, "*.c")
	sources = slices.DeleteFunc(sources, func(name string) bool { return strings.HasSuffix(name, "_test.c") })
	return &clangCompiler{program: p, dir: dir, release: compiler + ", " + linked, files: sources}, err
}

func (c *clangCompiler) language() Language { return C }
func (c *clangCompiler) version() string    { return c.release }
func (c *clangCompiler) flags() []string    { return clangFlags }

// sources asks clang for the headers.
func (c *clangCompiler) sources(ctx context.Context) ([]string, error) {
	out, err := c.run(ctx, c.dir, slices.Concat(c.compileFlags(), quietFlags, []string{"-MM"}, c.files)...)
	if err != nil {
		return nil, compileError(err, C, c.dir, clangHints)
	}
	return prerequisites(string(out)), nil
}

// compileFlags are those that are not for the linker.
func (c *clangCompiler) compileFlags() []string {
	return slices.DeleteFunc(slices.Clone(clangFlags), func(f string) bool {
		return f == "-nostdlib" || strings.HasPrefix(f, "-Wl,")
	})
}

func (c *clangCompiler) compile(ctx context.Context, out string) error {
	_, err := c.run(ctx, c.dir, slices.Concat(clangFlags, quietFlags, c.files, []string{"-o", out})...)
	return compileError(err, C, c.dir, clangHints)
}

// prerequisites are the files behind the colons of make's rules, in which clang and rustc tell what a file is made from.
// Blanks in names are behind a backslash.
func prerequisites(rules string) []string {
	var files []string
	rules = strings.ReplaceAll(rules, "\\\r\n", " ")
	for rule := range strings.Lines(strings.ReplaceAll(rules, "\\\n", " ")) {
		_, behind, ok := strings.Cut(strings.TrimSpace(rule), ": ")
		if !ok || strings.HasPrefix(rule, "#") {
			continue
		}
		var name strings.Builder
		for i := 0; i <= len(behind); i++ {
			switch {
			case i == len(behind) || behind[i] == ' ':
				if name.Len() > 0 {
					files = append(files, filepath.FromSlash(name.String()))
				}
				name.Reset()
			case behind[i] == '\\' && i+1 < len(behind) && (behind[i+1] == ' ' || behind[i+1] == '#'):
				i++
				name.WriteByte(behind[i])
			case behind[i] == '$' && i+1 < len(behind) && behind[i+1] == '$':
				i++
				name.WriteByte('$')
			default:
				name.WriteByte(behind[i])
			}
		}
	}
	return files
}
