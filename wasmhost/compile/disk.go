package compile

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// What is in the cache's directory.
const (
	meteredDir = "metered" // one file per module, named by its key: the rewritten module, and which machine code is its
	machineDir = "wazero"  // machine code, as wazero's cache lays it out
	workRoot   = "work"    // a directory per compilation that is under way
)

// workMaxAge is how old a compilation's directory must be to be what a crash left. Another process may use the cache too.
const workMaxAge = 24 * time.Hour

// disk is the cache's directory. Other processes may use it at the same time: files appear by rename, complete or not at
// all, and may disappear at any time.
type disk struct {
	dir string
	max int64 // cache.max.bytes
	log *slog.Logger
}

func openDisk(dir string, maxBytes int64, log *slog.Logger) (*disk, error) {
	d := &disk{dir: dir, max: maxBytes, log: log}
	for _, sub := range []string{"", meteredDir, machineDir, workRoot} {
		path := d.path(sub)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("cache directory: %w", err)
		}
		if err := private(path); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// path is that of a slash-separated name in the directory.
func (d *disk) path(name string) string {
	return filepath.Join(d.dir, filepath.FromSlash(name))
}

// probe finds out the engine, see probe, and checks the directory that wazero will keep its machine code in.
func (d *disk) probe(ctx context.Context) (string, error) {
	work, err := d.workDir()
	if err != nil {
		return "", err
	}
	defer d.removeWork(work)
	engine, err := probe(ctx, work)
	if err != nil {
		return "", err
	}
	versionDir := filepath.Dir(d.path(machineDir + "/" + engine))
	if err := os.Mkdir(versionDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return engine, private(versionDir)
}

// workDir makes the directories that are missing, too: somebody may delete what is only a cache.
func (d *disk) workDir() (string, error) {
	for _, name := range []string{workRoot, meteredDir, machineDir} {
		if err := os.MkdirAll(d.path(name), 0o700); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(d.path(workRoot), "")
}

func (d *disk) removeWork(work string) {
	if err := os.RemoveAll(work); err != nil {
		d.log.Warn("cannot remove a work directory of the module cache", "path", work, "error", err)
	}
}

// get finds a module, or nil. What is damaged is as good as absent: it is made again, over the old files.
func (d *disk) get(key string) *Result {
	path := d.path(meteredDir + "/" + key)
	e, metered, err := readEntry(path)
	if err == nil {
		err = d.checkMachine(e.Machine)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		d.log.Warn("a file of the module cache is damaged; the module is compiled again", "path", path, "error", err)
		return nil
	}
	d.touch(path, d.path(machineDir+"/"+e.Machine.Name))
	return &Result{Metered: metered, Info: e.Info, Cached: true}
}

// put moves the machine code in work to where wazero looks for it, and then writes the entry that names it, so that an
// entry never promises what is not there.
func (d *disk) put(key string, p *product, work, engine string) error {
	built := filepath.Join(work, machineDir)
	name, err := onlyFile(built)
	if err != nil {
		return err
	}
	if want := filepath.Dir(filepath.FromSlash(engine)); filepath.Dir(name) != want {
		return fmt.Errorf("the machine code is for %s, this process runs %s", filepath.Dir(name), want)
	}
	sum, size, err := fileSum(filepath.Join(built, name))
	if err != nil {
		return err
	}
	m := machine{Name: filepath.ToSlash(name), Size: size, SHA256: hex.EncodeToString(sum)}
	code := d.path(machineDir + "/" + m.Name)
	if err := os.MkdirAll(filepath.Dir(code), 0o700); err != nil { // it may have been deleted since the start
		return err
	}
	if err := moveDurably(filepath.Join(built, name), code); err != nil {
		return err
	}
	entryFile := d.path(meteredDir + "/" + key)
	if err := writeEntry(entryFile, filepath.Join(work, "entry"), entry{Info: p.info, Machine: m}, p.metered); err != nil {
		return err
	}
	d.prune([]string{code, entryFile})
	return nil
}

// checkMachine reads all of a file of machine code: wazero trusts offsets in it that it keeps no checksum of, and refuses
// for ever a module whose file is cut short.
func (d *disk) checkMachine(m machine) error {
	if !filepath.IsLocal(filepath.FromSlash(m.Name)) {
		return fmt.Errorf("machine code in %q", m.Name)
	}
	sum, size, err := fileSum(d.path(machineDir + "/" + m.Name))
	if err != nil {
		return err
	}
	if size != m.Size || hex.EncodeToString(sum) != m.SHA256 {
		return fmt.Errorf("%s is not the machine code that was written", m.Name)
	}
	return nil
}

// touch marks files as used, for prune. Access times would do, where they are kept.
func (d *disk) touch(paths ...string) {
	now := time.Now()
	for _, path := range paths {
		if err := os.Chtimes(path, now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.log.Warn("cannot mark a file of the module cache as used", "path", path, "error", err)
		}
	}
}
