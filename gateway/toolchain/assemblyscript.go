package toolchain

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ascCompiler runs asc, the compiler from npm.
type ascCompiler struct {
	program

	dir, release string
	entry        []string // none when asconfig.json names them
}

// ascFlags are for folders without an asconfig.json; with one, the target "release" of it decides.
var ascFlags = []string{"--optimizeLevel=3", "--shrinkLevel=0", "--runtime=incremental", "--exportStart=_initialize"} //nolint:gochecknoglobals // a table that is only read

var ascHints = []hint{ //nolint:gochecknoglobals // a table that is only read
	{"Cannot find module", "run npm install in the folder"},
	{"TS6054", "a file that is imported is not there; packages come with npm install"},
}

// findASC finds the asc of the folder's own node_modules or of a folder above, as node does, then the one in PATH.
func findASC(ctx context.Context, dir string) (*ascCompiler, error) {
	if _, ok := lookPath("node"); !ok {
		return nil, &MissingError{Language: AssemblyScript, Program: "node", Install: "apt-get install nodejs npm (or https://nodejs.org)"}
	}
	c := &ascCompiler{dir: dir}
	if err := c.locate(); err != nil {
		return nil, err
	}
	var err error
	if c.release, err = c.line(ctx, dir, "--version"); err != nil {
		return nil, err
	}
	c.release = "asc " + strings.ToLower(c.release)
	c.entry, err = c.entries()
	return c, err
}

func (c *ascCompiler) locate() error {
	names := []string{}
	for folder := c.dir; ; folder = filepath.Dir(folder) {
		names = append(names, filepath.Join(folder, "node_modules", ".bin", "asc"))
		if folder == filepath.Dir(folder) {
			break
		}
	}
	var ok bool
	if c.path, ok = lookPath(append(names, "asc")...); !ok {
		return &MissingError{Language: AssemblyScript, Program: "asc", Install: "npm install --save-dev assemblyscript (in " + c.dir + ")"}
	}
	return nil
}

// entries are what to compile: nothing to say when asconfig.json does.
func (c *ascCompiler) entries() ([]string, error) {
	var config struct{ Entries []string }
	text, err := os.ReadFile(filepath.Join(c.dir, "asconfig.json"))
	if err == nil {
		if err := json.Unmarshal(text, &config); err != nil {
			return nil, &CompileError{Language: AssemblyScript, Output: "asconfig.json: " + err.Error()}
		}
		if len(config.Entries) > 0 {
			return nil, nil
		}
	}
	for _, name := range []string{filepath.Join("assembly", "index.ts"), filepath.Join("src", "index.ts"), "index.ts"} {
		if _, err := os.Stat(filepath.Join(c.dir, name)); err == nil {
			return []string{name}, nil
		}
	}
	files, err := list(c.dir, "*.ts")
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, ".d.ts") || name == "sluice.ts" })
	if len(files) != 1 {
		return nil, fmt.Errorf("%s: a module in AssemblyScript is what \"entries\" in asconfig.json says, assembly/index.ts, "+
			"src/index.ts, index.ts or the only *.ts beside sluice.ts", c.dir)
	}
	return files, nil
}

func (c *ascCompiler) language() Language { return AssemblyScript }
func (c *ascCompiler) version() string    { return c.release }

func (c *ascCompiler) flags() []string {
	if _, err := os.Stat(filepath.Join(c.dir, "asconfig.json")); err == nil {
		return append([]string{"--target=release"}, c.entry...)
	}
	return slices.Concat(ascFlags, c.entry)
}

// sources are all *.ts and *.json of the folder, since asc does not tell what it reads, and what they import by a relative
// path from outside of it. package-lock.json stands for packages.
func (c *ascCompiler) sources(context.Context) ([]string, error) {
	seen := map[string]bool{}
	err := walk(c.dir, func(path string, _ fs.DirEntry) error {
		switch filepath.Ext(path) {
		case ".ts":
			return c.follow(filepath.Join(c.dir, path), seen)
		case ".json":
			seen[filepath.Join(c.dir, path)] = true
		}
		return nil
	})
	files := make([]string, 0, len(seen))
	for path := range seen {
		files = append(files, path)
	}
	return files, err
}

// imports are the relative ones.
var imports = regexp.MustCompile(`\b(?:from|import)\s*["'](\.\.?/[^"'\n]+)["']`)

// follow adds a file and what it imports. An import that leads nowhere is left to asc to complain about.
func (c *ascCompiler) follow(path string, seen map[string]bool) error {
	if seen[path] {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	seen[path] = true
	for _, m := range imports.FindAllSubmatch(text, -1) {
		name := filepath.Join(filepath.Dir(path), filepath.FromSlash(string(m[1])))
		for _, candidate := range []string{name + ".ts", filepath.Join(name, "index.ts")} {
			if _, err := os.Stat(candidate); err != nil {
				continue
			}
			if err := c.follow(candidate, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// compile sends everything that asconfig.json may want to have written to out's folder.
func (c *ascCompiler) compile(ctx context.Context, out string) error {
	args := append(c.flags(), "--noColors", "--outFile="+out, "--textFile="+out+".wat")
	_, err := c.run(ctx, c.dir, args...)
	if e, ok := compileError(err, AssemblyScript, c.dir, ascHints).(*CompileError); ok { //nolint:errorlint // it is not wrapped
		e.Output = oneLineEach(e.Output)
		return e
	}
	return err
}

// asc tells an error in a drawing of six lines, whose last has the place.
var (
	ascError = regexp.MustCompile(`^(ERROR|WARNING|PEDANTIC|INFO) (.*)$`)
	ascPlace = regexp.MustCompile(`in (\S.*)\((\d+),(\d+)\)$`)
)

// oneLineEach makes "file:line:column: error: message" of each error of asc, as other compilers write it.
func oneLineEach(output string) string {
	var lines []string
	severity, message := "", ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if m := ascError.FindStringSubmatch(line); m != nil {
			if message != "" {
				lines = append(lines, severity+": "+message)
			}
			severity, message = strings.ToLower(m[1]), m[2]
		} else if m := ascPlace.FindStringSubmatch(line); m != nil && message != "" {
			lines = append(lines, fmt.Sprintf("%s:%s:%s: %s: %s", m[1], m[2], m[3], severity, message))
			message = ""
		}
	}
	if message != "" {
		lines = append(lines, severity+": "+message)
	}
	if len(lines) == 0 {
		return output
	}
	return strings.Join(lines, "\n")
}
