package compile

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"

	"sluice/wasmhost/meter"
)

const entryKind = "sluice metered module 1\n"

// entry is the head of a file in metered/; its body is the rewritten module.
type entry struct {
	Info    *meter.Info
	Machine machine
}

// machine is the file of a module's machine code.
type machine struct {
	Name   string // below wazero/, with slashes
	Size   int64
	SHA256 string
}

func readEntry(path string) (entry, []byte, error) {
	var e entry
	b, err := os.ReadFile(path)
	if err != nil {
		return e, nil, err
	}
	metered, err := parseFrame(entryKind, b, &e)
	if err == nil && e.Info == nil {
		err = errNoInfo
	}
	return e, metered, err
}

// writeEntry writes to temp and moves that to path, so that a reader finds all or nothing of it, after a power cut too.
func writeEntry(path, temp string, e entry, metered []byte) error {
	b, err := frame(entryKind, e, metered)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return moveDurably(temp, path)
}

// moveDurably renames a file that has been synced, and syncs the directory it comes to.
func moveDurably(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

func fileSum(path string) (sum []byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return h.Sum(nil), size, err
}
