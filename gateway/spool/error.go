package spool

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrClosed is the error of Append after Seal or Close.
var ErrClosed = errors.New("the spool is closed")

// FullError says that there is no room for entries.
type FullError struct {
	Need int64 // bytes
	Used int64 // on disk now
	Max  int64
	Wait int64 // how many entries have to be done before there is room
	Err  error // of the disk, if that is what is full; else the limit is
}

func (e *FullError) Error() string {
	if e.Err != nil {
		return "no room on the disk: " + e.Err.Error()
	}
	return fmt.Sprintf("%d bytes are needed, %d of %d are used", e.Need, e.Used, e.Max)
}

func (e *FullError) Unwrap() error { return e.Err }

// DamagedError says that entries cannot be read back: those from From up to, not including, To. They are lost; the segment
// that held them is set aside when the others in it are done.
type DamagedError struct {
	Path     string
	From, To uint64
	Gone     bool // there is no such file any more
}

func (e *DamagedError) Error() string {
	if e.Gone {
		return fmt.Sprintf("%s was removed: entries %d to %d are gone", e.Path, e.From, e.To-1)
	}
	return fmt.Sprintf("%s is damaged: entries %d to %d cannot be read", e.Path, e.From, e.To-1)
}

// noRoom says whether err is that of a disk, a quota or a file that may not get larger.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
