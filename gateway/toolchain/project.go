package toolchain

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// Kind is what a new module is to be. Any module may be both; the templates are one thing each.
type Kind string

// The kinds that have a template.
const (
	Partitioner Kind = "partitioner"
	Interceptor Kind = "interceptor"
)

// Project is a module to begin with.
type Project struct {
	Name     string
	Language Language
	Kind     Kind
	SDK      fs.FS // guest-sdk
}

// templates are by language and kind; what is in common has no kind's folder around it. They compile where they are, as far
// as the language lets them. MODULE_NAME in them is replaced, and in Go the import path of the SDK.
//
//go:embed templates
var templates embed.FS

// New writes a project into dir, which is made when needed, and returns the names of its files. It builds without a network.
// Nothing that exists is overwritten: the error names it, and nothing is written.
func New(dir string, p Project) ([]string, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	files, err := p.files()
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is a file, and must be a folder or not there yet: nothing was written", dir)
	}
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("%s exists already: nothing was written", filepath.Join(dir, name))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	for i, name := range names {
		if err := create(filepath.Join(dir, name), files[name]); err != nil {
			for _, written := range names[:i] {
				_ = os.Remove(filepath.Join(dir, written)) // half a project is of no use; err is what went wrong
			}
			return nil, err
		}
	}
	return names, nil
}

// create writes a file that does not exist.
func create(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// nameRule is the registry's for a module.
var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Check tells what is wrong with what the user chose.
func (p Project) Check() error {
	if !nameRule.MatchString(p.Name) {
		return fmt.Errorf("name %q: a module's name is 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit", p.Name)
	}
	if _, err := ParseLanguage(string(p.Language)); err != nil {
		return err
	}
	if p.Kind != Partitioner && p.Kind != Interceptor {
		return fmt.Errorf("kind %q is not known; there are %s, %s", p.Kind, Partitioner, Interceptor)
	}
	return nil
}

// files are all files of the project by their name, as they are to be written.
func (p Project) files() (map[string][]byte, error) {
	files := map[string][]byte{}
	language := path.Join("templates", string(p.Language))
	for _, t := range []struct {
		files  fs.FS
		from   string
		to     string
		accept func(name string) bool
	}{
		{templates, path.Join(language, string(p.Kind)), "", all},
		{templates, path.Join(language, "project"), "", all},
		{templates, path.Join("templates", "records", string(p.Kind)), "", all},
	} {
		if err := p.add(files, t.files, t.from, t.to, t.accept); err != nil {
			return nil, err
		}
	}
	for _, part := range sdkParts[p.Language] {
		if err := p.add(files, p.SDK, part.from, part.to, needed); err != nil {
			return nil, fmt.Errorf("the SDK: %w", err)
		}
	}
	if p.Language == Go {
		files["go.mod"] = fmt.Appendf(nil, "module %s\n\ngo 1.24\n", goModule(p.Name))
	}
	readme, err := p.readme()
	files["README.md"] = readme
	return files, err
}

// sdkParts are the files or folders of guest-sdk that a project gets, and what they are called there.
var sdkParts = map[Language][]struct{ from, to string }{ //nolint:gochecknoglobals // a table that is only read
	Go:             {{"go", "sluice"}, {"abi", "sluice/abi"}},
	C:              {{"c/sluice.h", "sluice.h"}},
	Rust:           {{"rust/sluice.rs", "src/sluice.rs"}},
	AssemblyScript: {{"assemblyscript/sluice.ts", "assembly/sluice.ts"}},
}

func all(string) bool { return true }

// needed tells what of an SDK is needed to use it.
func needed(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first != "example" && first != "conformance" && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "testdata/")
}

// add adds a file, or all of a folder.
func (p Project) add(files map[string][]byte, from fs.FS, root, to string, accept func(string) bool) error {
	return fs.WalkDir(from, root, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == root && path.Base(root) == "project" {
			return nil // this language has none
		}
		if err != nil || e.IsDir() {
			return err
		}
		inside := strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
		if inside != "" && !accept(inside) {
			return nil
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		target := path.Join(to, inside)
		if path.Base(target) == "gitignore" {
			target = path.Join(path.Dir(target), ".gitignore") // as .gitignore it would be one of Sluice's own
		}
		files[filepath.FromSlash(target)], err = p.fill(target, text)
		return err
	})
}

// suppression is a word to Sluice's own linter.
var suppression = regexp.MustCompile(`(?m)[ \t]*//nolint:.*$`)

// fill puts the name in, and in Go the import path of the SDK's copy.
func (p Project) fill(name string, text []byte) ([]byte, error) {
	module := p.Name
	if path.Base(name) == "Cargo.toml" {
		module = crateName(p.Name)
	}
	text = bytes.ReplaceAll(text, []byte("MODULE_NAME"), []byte(module))
	if path.Ext(name) != ".go" {
		return text, nil
	}
	text = suppression.ReplaceAll(text, nil)
	sdk := goModule(p.Name) + "/sluice"
	text = bytes.ReplaceAll(text, []byte(`"sluice/guest-sdk/go`), []byte(`"`+sdk))
	text = bytes.ReplaceAll(text, []byte(`"sluice/guest-sdk/abi`), []byte(`"`+sdk+"/abi"))
	return format.Source(text) // the order of imports is another one
}

// readme is the same in all languages but for a few words.
func (p Project) readme() ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/README.md")
	if err != nil {
		return nil, err
	}
	w := languageWords[p.Language]
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"Name": p.Name, "Kind": string(p.Kind), "Language": w.name, "Source": w.source, "SDK": w.sdk, "Needs": w.needs,
		"Partitioner": p.Kind == Partitioner,
	})
	return out.Bytes(), err
}

var languageWords = map[Language]struct{ name, source, sdk, needs string }{ //nolint:gochecknoglobals // a table that is only read
	Go:             {"Go", "main.go", "sluice/", "Go 1.24 or later"},
	C:              {"C", "main.c", "sluice.h", "clang and lld: " + installClang},
	Rust:           {"Rust", "src/lib.rs", "src/sluice.rs", "rustc with the target " + rustTarget + ": " + installRust},
	AssemblyScript: {"AssemblyScript", "assembly/index.ts", "assembly/sluice.ts", "Node.js, and once: npm install"},
}
