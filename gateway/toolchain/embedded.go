package toolchain

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// Embedded is the source of a module in Go that is part of the binary.
type Embedded struct {
	Name  string // for messages, and the folder's name
	Files fs.FS  // its folder: a package main
	SDK   fs.FS  // guest-sdk: its folders go and abi are used
}

// embeddedModule makes "sluice/guest-sdk/go" resolve in the folder that an Embedded is written to.
const embeddedModule = "module sluice\n\ngo 1.26\n"

// tree is a file system and where it goes.
type tree struct {
	prefix string
	files  fs.FS
}

// BuildFS builds a module whose source is in file systems, as Build does. When the cache has it, nothing is written but Go is
// still asked for its version.
func BuildFS(ctx context.Context, e Embedded, o Options) ([]byte, Info, error) {
	start := time.Now()
	timed, cancel := o.deadline(ctx, e.Name)
	defer cancel()
	wasm, info, err := o.buildFS(timed, e)
	if last, was, ok := o.orLast(ctx, e.Name, err, func() ([]byte, Info, bool) { return CachedFS(e, o) }); ok {
		wasm, info, err = last, was, nil
	}
	info.Took = time.Since(start)
	if err != nil {
		return nil, info, fmt.Errorf("build %s: %w", e.Name, err)
	}
	return wasm, info, nil
}

func (o Options) buildFS(ctx context.Context, e Embedded) ([]byte, Info, error) {
	info := Info{Language: Go}
	trees, err := e.trees()
	if err != nil {
		return nil, info, err
	}
	root, remove, err := tempFolder()
	if err != nil {
		return nil, info, err
	}
	defer remove()
	c, err := findGo(ctx, root)
	if err != nil {
		return nil, info, err
	}
	info.Compiler = c.version()
	if info.Key, err = hashFS(append(identity(c), embeddedModule), trees); err != nil {
		return nil, info, err
	}
	wasm, ok := cache(o.Cache).get(info.Key)
	if ok {
		info.Cached = true
		o.rememberFS(e, info)
		return wasm, info, nil
	}
	if err := write(root, trees); err != nil {
		return nil, info, err
	}
	c.dir = filepath.Join(root, filepath.FromSlash(trees[len(trees)-1].prefix))
	if wasm, err = o.compile(ctx, c, e.Name); err != nil {
		return nil, info, err
	}
	err = cache(o.Cache).put(info.Key, wasm)
	o.rememberFS(e, info)
	return wasm, info, err
}

func (o Options) rememberFS(e Embedded, info Info) {
	if hash, err := e.print(); err == nil {
		cache(o.Cache).remember(e.id(), last{Print: hash, Key: info.Key, Language: info.Language, Compiler: info.Compiler})
	}
}

// trees are the SDK and, last, the module, where the binary's own repository has them.
func (e Embedded) trees() ([]tree, error) {
	if !fs.ValidPath(e.Name) || path.Base(e.Name) != e.Name || e.Name == "." {
		return nil, fmt.Errorf("name %q is not that of a folder", e.Name)
	}
	var trees []tree
	for _, part := range []string{"abi", "go"} {
		files, err := fs.Sub(e.SDK, part)
		if err != nil {
			return nil, err
		}
		trees = append(trees, tree{"guest-sdk/" + part, files})
	}
	return append(trees, tree{"modules/" + e.Name, e.Files}), nil
}

func write(root string, trees []tree) error {
	for _, t := range trees {
		if err := os.CopyFS(filepath.Join(root, filepath.FromSlash(t.prefix)), t.files); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(root, "go.mod"), []byte(embeddedModule), 0o600)
}
