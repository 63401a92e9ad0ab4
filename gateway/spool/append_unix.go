//go:build unix

package spool

import (
	"os"
	"syscall"
)

// appendFile is a file whose writes fail once it has no name any more.
type appendFile struct {
	*os.File

	raw  syscall.RawConn
	look func(fd uintptr) // made once, as it would be allocated with every write
	stat syscall.Stat_t
	err  error
}

// openAppend opens a file for appending, making it if it is missing.
func openAppend(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, filePerm)
	if err != nil {
		return nil, err
	}
	a := &appendFile{File: f}
	if a.raw, err = f.SyscallConn(); err != nil {
		f.Close()
		return nil, err
	}
	a.look = func(fd uintptr) { a.err = syscall.Fstat(int(fd), &a.stat) }
	return a, nil
}

// Write writes all of p. The error is a GoneError if the file was removed; p is written then, but nobody can find it.
func (a *appendFile) Write(p []byte) (int, error) {
	n, err := a.File.Write(p)
	if err != nil {
		return n, err
	}
	if err := a.raw.Control(a.look); err != nil {
		return n, err
	}
	if a.err == nil && a.stat.Nlink == 0 {
		return n, &GoneError{a.Name()}
	}
	return n, a.err
}

// isAt says whether a file is still at path.
func isAt(path string, file os.FileInfo) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(now, file)
}
