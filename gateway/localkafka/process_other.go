//go:build !linux

package localkafka

import (
	"errors"
	"syscall"
)

func dieWithParent() *syscall.SysProcAttr { return nil }

// awaitStop is for Linux only: elsewhere a process that was sent SIGSTOP may work on for a moment.
func (*Process) awaitStop() error { return nil }

// LimitFiles is for Linux only.
func (*Process) LimitFiles(int64) error {
	return errors.New("limit of files: only Linux can change that of another process")
}
