//go:build !linux

package localkafka

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }

// awaitStop is for Linux only: elsewhere a process that was sent SIGSTOP may work on for a moment.
func (*Process) awaitStop() error { return nil }
