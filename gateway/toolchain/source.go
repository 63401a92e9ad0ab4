package toolchain

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFiles bounds a folder of source: one with more is a mistake, a home folder maybe.
const maxFiles = 20_000

// ignored tells files and folders that are not source, although they are among it.
func ignored(name string) bool {
	return name == "node_modules" || name == "target" || strings.HasPrefix(name, ".")
}

// walk calls visit for each file in dir and its folders that is not ignored, with its path relative to dir.
func walk(dir string, visit func(path string, e fs.DirEntry) error) error {
	files := 0
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == dir:
			return nil
		case ignored(e.Name()):
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case e.IsDir():
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("%s has more than %d files, which is too much for the source of a module", dir, maxFiles)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(rel, e)
	})
}

// hashFiles is the hex SHA-256 of identity and of the names and contents of files, which are relative to dir or absolute.
// Where dir is makes no difference.
func hashFiles(identity []string, dir string, files []string) (string, error) {
	names := make([]string, 0, len(files))
	for _, f := range files {
		if filepath.IsAbs(f) {
			rel, err := filepath.Rel(dir, f)
			if err != nil {
				rel = f // on another Windows volume
			}
			f = rel
		}
		names = append(names, filepath.ToSlash(f))
	}
	slices.Sort(names)
	h := sha256.New()
	writeIdentity(h, identity)
	for _, name := range slices.Compact(names) {
		path := filepath.FromSlash(name)
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if err := hashFile(h, name, func() (fs.File, error) { return os.Open(path) }); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashFS is hashFiles for all files of file systems, each under its prefix.
func hashFS(identity []string, trees []tree) (string, error) {
	h := sha256.New()
	writeIdentity(h, identity)
	for _, t := range trees {
		err := fs.WalkDir(t.files, ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			return hashFile(h, t.prefix+"/"+path, func() (fs.File, error) { return t.files.Open(path) })
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// writeIdentity and hashFile put a length before everything, so that no two lists look the same.
func writeIdentity(h hash.Hash, identity []string) {
	writeLength(h, int64(len(identity)))
	for _, s := range identity {
		writeText(h, s)
	}
}

func hashFile(h hash.Hash, name string, open func() (fs.File, error)) error {
	f, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	content := sha256.New()
	if _, err := io.Copy(content, f); err != nil {
		return err
	}
	writeText(h, name)
	h.Write(content.Sum(nil))
	return nil
}

func writeText(h hash.Hash, s string) {
	writeLength(h, int64(len(s)))
	_, _ = io.WriteString(h, s) // a hash never fails
}

func writeLength(h hash.Hash, n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
