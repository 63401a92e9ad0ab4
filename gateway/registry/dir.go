package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"sluice/gateway/dirlock"
)

const (
	jsonExt = ".json" // documents
	tempExt = ".tmp"  // files that are being written; never the end of a value's name

	maxFile = 256 << 20 // bytes; what is larger was not written by us, and is not read into memory
)

// dir is a Store in a local folder: one file per value, blobs/<id>, modules/<name>.json, topics/<topic>.json. A file is
// written beside its place, synced, renamed into place, and the folder synced, so that a crash leaves the old or the new file.
type dir struct {
	root string
	lock *dirlock.Lock // held until Close

	// fault is nil but in tests, which let a step fail or the process end before it.
	fault func(step, path string) error
}

// openDir locks the folder root, makes what is missing, and removes files that a crash left half written.
func openDir(root string) (*dir, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockDir(root)
	if err != nil {
		return nil, err
	}
	d := &dir{root: root, lock: lock}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *dir) prepare() error {
	for _, kind := range []Kind{Blobs, Modules, Topics, Meta} {
		folder := filepath.Join(d.root, string(kind))
		if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := removeTemps(folder); err != nil {
			return err
		}
	}
	if err := syncFolder(d.root); err != nil {
		return err
	}
	_ = syncFolder(filepath.Dir(d.root)) // it may be one that we must not read
	return nil
}

func removeTemps(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), tempExt) {
			if err := os.Remove(filepath.Join(folder, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// List implements Store. Files that are none of ours are left alone.
func (d *dir) List() ([]Entry, error) {
	var entries []Entry
	for _, kind := range []Kind{Blobs, Modules, Topics, Meta} {
		of, err := d.list(kind)
		if err != nil {
			return nil, err
		}
		entries = append(entries, of...)
	}
	return entries, nil
}

func (d *dir) list(kind Kind) ([]Entry, error) {
	files, err := os.ReadDir(filepath.Join(d.root, string(kind)))
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, f := range files {
		name, ok := valueName(kind, f.Name())
		if !ok {
			continue
		}
		e := Entry{Key: Key{kind, name}}
		if info, err := f.Info(); err == nil { // else it is found to be missing when it is read
			e.Size = info.Size()
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Read implements Store.
func (d *dir) Read(k Key) ([]byte, string, error) {
	path := d.path(k)
	f, err := os.Open(path)
	if err != nil {
		return nil, path, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, path, err
	}
	if info.Size() > maxFile {
		return nil, path, fmt.Errorf("%s: has %d bytes, the registry keeps at most %d in a file", path, info.Size(), maxFile)
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, path, fmt.Errorf("%s: %w", path, err)
	}
	return b, path, nil
}

// Write implements Store.
func (d *dir) Write(k Key, value []byte) error {
	path := d.path(k)
	if len(value) > maxFile {
		return fmt.Errorf("%s: would have %d bytes, the registry keeps at most %d in a file", path, len(value), maxFile)
	}
	old, _, err := d.Read(k)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing && value == nil {
		return nil
	}
	known := missing || err == nil // else there is nothing that could be put back
	if value == nil {
		err = d.step("remove", path, func() error { return os.Remove(path) })
	} else {
		err = d.replace(path, value)
	}
	if err != nil {
		return err
	}
	err = d.step("sync folder", path, func() error { return syncFolder(filepath.Dir(path)) })
	if err != nil && known {
		return d.undo(path, old, missing, err)
	}
	return err
}

// replace puts a file with these bytes, which are on the disk by then, into the place of path.
func (d *dir) replace(path string, value []byte) error {
	temp, err := d.writeTemp(path, value)
	if err == nil {
		err = d.step("rename", path, func() error { return os.Rename(temp, path) })
	}
	if err != nil && temp != "" {
		_ = os.Remove(temp) // else the next openDir does it
	}
	return err
}

// writeTemp returns the name of the file also when it could not be written.
func (d *dir) writeTemp(path string, value []byte) (string, error) {
	var f *os.File
	err := d.step("create", path, func() (err error) {
		f, err = os.CreateTemp(filepath.Dir(path), "*"+tempExt) // its mode is 0600
		return err
	})
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := d.step("write", path, func() error { _, err := f.Write(value); return err }); err != nil {
		return f.Name(), err
	}
	if err := d.step("sync", path, f.Sync); err != nil {
		return f.Name(), err
	}
	return f.Name(), d.step("close", path, f.Close)
}

// undo puts the old file back after a change that was made but may not be durable, so that a restart finds what the caller
// was told: that nothing has changed.
func (d *dir) undo(path string, old []byte, missing bool, cause error) error {
	put := func() error { return d.replace(path, old) }
	if missing {
		put = func() error { return d.step("remove", path, func() error { return os.Remove(path) }) }
	}
	if err := put(); err != nil {
		return fmt.Errorf("%w; the change could not be taken back and may show after a restart: %w", cause, err)
	}
	return cause
}

// Close implements Store; it releases the lock.
func (d *dir) Close() error { return d.lock.Release() }

// step is one of the steps after each of which the process may be killed, and each of which may fail. Its error names path.
func (d *dir) step(name, path string, do func() error) error {
	if d.fault != nil {
		if err := d.fault(name, path); err != nil {
			return &fs.PathError{Op: name, Path: path, Err: err}
		}
	}
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (d *dir) path(k Key) string {
	return filepath.Join(d.root, string(k.Kind), fileName(k))
}

// fileName writes a capital letter as '+' and the small one, because there are file systems that take Orders for orders.
func fileName(k Key) string {
	if k.Kind == Blobs {
		return k.Name
	}
	var b strings.Builder
	for _, c := range []byte(k.Name) {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('+')
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String() + jsonExt
}

// valueName is the inverse of fileName; it is false for a file that is none of ours.
func valueName(kind Kind, file string) (string, bool) {
	if kind == Blobs {
		return file, checkID(file) == nil
	}
	name, ok := strings.CutSuffix(file, jsonExt)
	for i := strings.IndexByte(name, '+'); i >= 0 && i+1 < len(name); i = strings.IndexByte(name, '+') {
		name = name[:i] + strings.ToUpper(name[i+1:i+2]) + name[i+2:]
	}
	legal := true
	if kind == Modules {
		legal = checkName(name) == nil
	} else if kind == Topics {
		legal = checkTopic("topic", name) == nil
	}
	return name, ok && legal && fileName(Key{kind, name}) == file
}

// syncFolder makes renames and removals in a folder durable. Windows has no such call and needs none.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
