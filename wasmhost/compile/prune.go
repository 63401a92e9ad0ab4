package compile

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// cacheFile is a file that prune may remove.
type cacheFile struct {
	path string
	size int64
	used time.Time
}

// prune removes the files that were used least recently until the cache is within its size, and what crashes left. The
// paths in keep stay. An entry and its machine code are marked as used together, and one without the other is no hit.
func (d *disk) prune(keep []string) {
	d.pruneWork()
	files, err := d.files()
	if err != nil {
		d.log.Warn("cannot look through the module cache", "path", d.dir, "error", err)
	}
	var total int64
	for _, f := range files {
		total += f.size
	}
	slices.SortFunc(files, func(a, b cacheFile) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	for _, f := range files {
		if total <= d.max {
			return
		}
		if slices.Contains(keep, f.path) {
			continue
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.log.Warn("cannot remove a file of the module cache", "path", f.path, "error", err)
			continue
		}
		d.log.Debug("module cache pruned", "path", f.path, "bytes", f.size, "setting", settingCache)
		total -= f.size
	}
}

// files lists what is in metered and wazero, those of other versions of wazero too.
func (d *disk) files() ([]cacheFile, error) {
	var files []cacheFile
	var failed error
	for _, sub := range []string{meteredDir, machineDir} {
		err := filepath.WalkDir(d.path(sub), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return ignoreGone(err)
			}
			st, err := e.Info()
			if err != nil {
				return ignoreGone(err)
			}
			files = append(files, cacheFile{path: path, size: st.Size(), used: st.ModTime()})
			return nil
		})
		failed = errors.Join(failed, err)
	}
	return files, failed
}

// pruneWork removes the directories of compilations that cannot be under way any more.
func (d *disk) pruneWork() {
	left, err := os.ReadDir(d.path(workRoot))
	if err != nil {
		d.log.Warn("cannot look through the module cache", "path", d.path(workRoot), "error", err)
	}
	for _, e := range left {
		if st, err := e.Info(); err == nil && time.Since(st.ModTime()) > workMaxAge {
			d.removeWork(filepath.Join(d.path(workRoot), e.Name()))
		}
	}
}

// ignoreGone forgives that another process has removed a file.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
