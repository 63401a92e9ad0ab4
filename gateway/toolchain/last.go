package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// last is what is remembered of the last build of something, so that it can be found again without its compiler: that tells
// which files are source, and which release of it made the module.
type last struct {
	Sources  []string `json:"sources,omitempty"` // of a folder, relative to it or absolute
	Print    string   `json:"print"`             // of the sources as they were
	Key      string   `json:"key"`               // of the module in the cache
	Language Language `json:"language"`
	Compiler string   `json:"compiler"`
}

// lastExt ends the names of files that hold one.
const lastExt = ".last.json"

// lastEntries is how many are kept: those that were written last.
const lastEntries = 4 * cacheEntries

// place is the file for what was built from a source with this name.
func (c cache) place(source string) string {
	sum := sha256.Sum256([]byte(source))
	return filepath.Join(string(c), hex.EncodeToString(sum[:])+lastExt)
}

// recall returns what is remembered of a source; false if that is nothing.
func (c cache) recall(source string) (last, bool) {
	var l last
	if c == "" {
		return l, false
	}
	text, err := os.ReadFile(c.place(source))
	return l, err == nil && json.Unmarshal(text, &l) == nil
}

// remember keeps l, unless that is what is remembered already. It is for worse days, so failing is no error.
func (c cache) remember(source string, l last) {
	before, ok := c.recall(source)
	if c == "" || ok && before.Print == l.Print && before.Key == l.Key && slices.Equal(before.Sources, l.Sources) {
		return
	}
	text, err := json.Marshal(l)
	if err == nil {
		_ = WriteFile(c.place(source), text)
	}
}

// rememberFolder remembers how a folder was built, with what its compiler says are its sources.
func (o Options) rememberFolder(c compiler, dir, key string, files []string) {
	if o.Cache == "" {
		return
	}
	if hash, err := printOf(dir, files); err == nil {
		cache(o.Cache).remember(dir, last{Sources: files, Print: hash, Key: key, Language: c.language(), Compiler: c.version()})
	}
}

// printOf is a hash of sources, and of the names of all files in the folder: a new one may be source, too.
func printOf(dir string, sources []string) (string, error) {
	var names []string
	err := walk(dir, func(name string, _ fs.DirEntry) error {
		if !strings.HasSuffix(name, ".wasm") { // where "module build" writes to
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return hashFiles(names, dir, sources)
}

// Cached returns what was built last from the source in a folder, if that is what is in it still. It asks no compiler.
func Cached(dir string, o Options) ([]byte, Info, bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, Info{}, false
	}
	l, ok := cache(o.Cache).recall(dir)
	if !ok {
		return nil, Info{}, false
	}
	hash, err := printOf(dir, l.Sources)
	return o.recalled(l, hash, err)
}

// CachedFS is Cached for source in file systems.
func CachedFS(e Embedded, o Options) ([]byte, Info, bool) {
	hash, err := e.print()
	if err != nil {
		return nil, Info{}, false
	}
	l, ok := cache(o.Cache).recall(e.id())
	if !ok {
		return nil, Info{}, false
	}
	return o.recalled(l, hash, nil)
}

func (o Options) recalled(l last, hash string, err error) ([]byte, Info, bool) {
	if err != nil || hash != l.Print {
		return nil, Info{}, false
	}
	wasm, ok := cache(o.Cache).get(l.Key)
	return wasm, Info{Language: l.Language, Compiler: l.Compiler, Key: l.Key, Cached: true}, ok
}

// id is what an Embedded is remembered by; no folder has such a path.
func (e Embedded) id() string { return "embedded:" + e.Name }

// print is a hash of all source.
func (e Embedded) print() (string, error) {
	trees, err := e.trees()
	if err != nil {
		return "", err
	}
	return hashFS([]string{embeddedModule}, trees)
}

// orLast returns what was built last from the same source, if a build failed with err and that is wanted.
func (o Options) orLast(ctx context.Context, source string, err error, recall func() ([]byte, Info, bool)) ([]byte, Info, bool) {
	if err == nil || !o.Last || ctx.Err() != nil {
		return nil, Info{}, false
	}
	wasm, info, ok := recall()
	if ok {
		o.log().WarnContext(ctx, "a module cannot be built here; what was built last from exactly this source is used", "source", source,
			"built_by", info.Compiler, "error", err)
	}
	return wasm, info, ok
}
