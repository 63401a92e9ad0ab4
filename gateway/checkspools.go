package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/gateway/config"
	"sluice/gateway/dirlock"
)

// spoolDir is what a configuration puts into one spool.dir.
type spoolDir struct {
	path   string
	tables []string
	bytes  int64 // spool.max.bytes of its tables; one with a glob counts once
	used   int64
}

// checkSpools looks at the folders of spools as a start would find them. It makes none; the lock of one is held for a moment only if nobody
// else has it.
func (c *Checked) checkSpools(cfg *config.Config) {
	for _, d := range spoolDirs(cfg) {
		if rule := d.fault(); rule != "" {
			for _, table := range d.tables {
				c.Errors = append(c.Errors, cfg.SpoolError(table, rule))
			}
			continue
		}
		for _, note := range d.notes(cfg) {
			c.Notes = append(c.Notes, fmt.Sprintf("spool.dir = %q: %s", d.path, note))
		}
	}
}

// spoolDirs is every folder that a table names, in the order of the tables.
func spoolDirs(cfg *config.Config) []*spoolDir {
	var all []*spoolDir
	byPath := make(map[string]*spoolDir)
	for _, table := range cfg.Tables() {
		t, ok := cfg.Topic(table)
		if !ok || t.Spool.Dir == "" {
			continue
		}
		path := filepath.Clean(t.Spool.Dir)
		d := byPath[path]
		if d == nil {
			d = &spoolDir{path: path, used: bytesIn(path)}
			byPath[path] = d
			all = append(all, d)
		}
		d.tables = append(d.tables, table)
		d.bytes += t.Spool.MaxBytes
	}
	return all
}

// bytesIn is the size of the segments in a folder of spools.
func bytesIn(dir string) (n int64) {
	for _, path := range spoolSegments(dir) {
		if info, err := os.Stat(path); err == nil {
			n += info.Size()
		}
	}
	return n
}

// fault is why a start could not use the folder; "" if it could.
func (d *spoolDir) fault() string {
	info, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.missing()
	case err != nil:
		return plainPathError(err)
	case !info.IsDir():
		return "it is not a folder"
	case !writable(d.path):
		return "it is not writable for this user"
	}
	folders, err := filepath.Glob(filepath.Join(escapeGlob(d.path), "*"+spoolSuffix))
	if err != nil {
		return err.Error()
	}
	for _, path := range folders {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path + ", which would be the folder of a topic, is not a folder"
		}
		if !writable(path) {
			return path + " is not writable for this user"
		}
	}
	return ""
}

// missing is why a start could not make the folder; "" if it could.
func (d *spoolDir) missing() string {
	above := d.existing()
	if info, err := os.Stat(above); err != nil || !info.IsDir() {
		return "it cannot be made: " + above + " is not a folder"
	}
	if !writable(above) {
		return "it cannot be made: " + above + " is not writable for this user"
	}
	return ""
}

// existing is the folder, or the first above it that exists.
func (d *spoolDir) existing() string {
	for path := d.path; ; path = filepath.Dir(path) {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
	}
}

// notes is what is good to know.
func (d *spoolDir) notes(cfg *config.Config) []string {
	var all []string
	if _, err := os.Stat(d.path); err != nil {
		all = append(all, "it is not there yet; a start makes it")
	}
	if held := dirlock.Held(filepath.Join(d.path, spoolLock)); held != nil {
		all = append(all, held.Error()+": a gateway that runs has it; another one would not start")
	}
	if free, ok := freeBytes(d.existing()); ok && free < d.bytes-d.used {
		all = append(all, fmt.Sprintf("the disk has %d bytes free, less than spool.max.bytes of %s, %d together, of which %d are used: "+
			"the disk can be full before a spool is", free, tablesOf(len(d.tables)), d.bytes, d.used))
	}
	for _, name := range spoolTopics(d.path) {
		if own, ok := cfg.Topic(name); !ok || filepath.Clean(own.Spool.Dir) != d.path {
			all = append(all, fmt.Sprintf("it may have records of topic %q that nobody sends, as that has no spool.dir, or another", name))
		}
	}
	return all
}

func tablesOf(n int) string {
	if n == 1 {
		return "its table"
	}
	return fmt.Sprintf("its %d tables", n)
}

// plainPathError is an error of a path that was named before.
func plainPathError(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
