package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// errLocked is what lockFile returns when another process holds the lock.
var errLocked = errors.New("locked by another process")

// dirLock keeps a second broker out of a data folder. The system releases it when the process ends, however it ends.
type dirLock struct{ f *os.File }

// lockDataDir creates dir if it is missing and locks it. It returns nil for "", which keeps nothing on disk.
func lockDataDir(dir string) (*dirLock, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("embedded.data.dir: %w", err)
	}
	f, err := lockFile(filepath.Join(dir, "lock"))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("embedded.data.dir: %s is in use by another broker%s: stop it, or set embedded.data.dir to another folder",
			dir, holder(f))
	}
	if err != nil {
		return nil, fmt.Errorf("embedded.data.dir: cannot lock %s: %w", dir, err)
	}
	l := &dirLock{f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded.data.dir: cannot write to %s: %w", dir, err), l.release())
	}
	return l, nil
}

// sign writes who holds the lock, for the message that the next one gets.
func (l *dirLock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return err
}

// holder reads who holds the lock, if that can be read, and closes f.
func holder(f *os.File) string {
	if f == nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil || len(b) == 0 {
		return ""
	}
	return " (process " + string(b) + ")"
}

func (l *dirLock) release() error {
	if l == nil {
		return nil
	}
	return unlockFile(l.f)
}
