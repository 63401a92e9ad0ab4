//go:build unix

package dirlock

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens and locks path. With errLocked it also returns the file, to read who holds it.
func lockFile(path string, perm os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, perm)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return f, errLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// probeFile is errLocked, and the file to read who holds it, if path is locked.
func probeFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return f, errLocked
	}
	return nil, errors.Join(err, unlockFile(f))
}

// unlockFile gives the lock up and closes the file. Closing alone would leave the lock to a process that was forked in that
// moment and has not begun its program yet.
func unlockFile(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
