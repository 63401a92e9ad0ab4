package toolchain

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cacheEntries is how many modules the cache keeps: those used last. A module in Go has 2 MB, and "rebuilt on save" makes many.
const cacheEntries = 64

// cache keeps built modules in a folder, in files called <key>-<SHA-256 of the module>.wasm. "" keeps nothing.
type cache string

// get returns what was put under key. A file that is not what its name says, a torn one, is as good as none.
func (c cache) get(key string) ([]byte, bool) {
	if c == "" {
		return nil, false
	}
	names, err := list(string(c), key+"-*.wasm")
	if err != nil {
		return nil, false
	}
	for _, name := range names {
		path := filepath.Join(string(c), name)
		wasm, err := os.ReadFile(path)
		if err != nil || entryName(key, wasm) != name {
			continue
		}
		now := time.Now()
		_ = os.Chtimes(path, now, now) // only for prune
		return wasm, true
	}
	return nil, false
}

// put keeps wasm under key: whole, or not at all if the machine fails meanwhile.
func (c cache) put(key string, wasm []byte) error {
	if c == "" {
		return nil
	}
	if err := os.MkdirAll(string(c), 0o755); err != nil {
		return err
	}
	if err := WriteFile(filepath.Join(string(c), entryName(key, wasm)), wasm); err != nil {
		return err
	}
	return c.prune()
}

func entryName(key string, wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return key + "-" + hex.EncodeToString(sum[:]) + ".wasm"
}

// WriteFile writes a module to path by way of a temporary file beside it, so that who watches path sees all of it or nothing.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // prune gets it otherwise
	}
	return err
}

// prune removes the entries that were used longest ago, and what a killed process left.
func (c cache) prune() error {
	files, err := os.ReadDir(string(c))
	if err != nil {
		return err
	}
	var entries, lasts []fs.FileInfo
	for _, f := range files {
		info, err := f.Info()
		switch {
		case err != nil: // another process was faster
		case strings.HasPrefix(f.Name(), ".new-") && time.Since(info.ModTime()) > time.Hour:
			_ = os.Remove(filepath.Join(string(c), f.Name()))
		case strings.HasSuffix(f.Name(), ".wasm"):
			entries = append(entries, info)
		case strings.HasSuffix(f.Name(), lastExt):
			lasts = append(lasts, info)
		}
	}
	return errors.Join(c.keep(entries, cacheEntries), c.keep(lasts, lastEntries))
}

// keep removes all entries but the n that are the newest.
func (c cache) keep(entries []fs.FileInfo, n int) error {
	slices.SortFunc(entries, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, e := range entries[min(n, len(entries)):] {
		if err := os.Remove(filepath.Join(string(c), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
