// Package dirlock keeps a second process out of a folder, by a file in it that is locked.
package dirlock

import (
	"errors"
	"io"
	"os"
	"strconv"
)

// errLocked is what lockFile returns when another process holds the lock.
var errLocked = errors.New("locked by another process")

// Lock is held until it is released. The system releases it when the process ends, however it ends.
type Lock struct{ f *os.File }

// HeldError says that another process holds the lock.
type HeldError struct {
	By string // " (process 17)", or "" if that cannot be read
}

func (e *HeldError) Error() string { return errLocked.Error() + e.By }

// Take makes the file at path if it is missing, and locks it. The error is a HeldError if another process has locked it.
func Take(path string, perm os.FileMode) (*Lock, error) {
	f, err := lockFile(path, perm)
	if errors.Is(err, errLocked) {
		return nil, &HeldError{By: holder(f)}
	}
	if err != nil {
		return nil, err
	}
	return &Lock{f}, nil
}

// Held says who holds the lock at path; nil if nobody does, or that cannot be known. It makes no file. If nobody holds the lock, who takes it in
// the same moment may be refused.
func Held(path string) *HeldError {
	f, err := probeFile(path)
	if errors.Is(err, errLocked) {
		return &HeldError{By: holder(f)}
	}
	return nil
}

// Path is that of the file.
func (l *Lock) Path() string { return l.f.Name() }

// Stat describes the file that is locked, wherever it is now.
func (l *Lock) Stat() (os.FileInfo, error) { return l.f.Stat() }

// Sign writes who holds the lock, for the HeldError that the next one gets.
func (l *Lock) Sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return err
}

// Release gives the lock up. A nil Lock has nothing to give up.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	return unlockFile(l.f)
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
