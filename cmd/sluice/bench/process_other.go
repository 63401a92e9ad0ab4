//go:build !linux

package bench

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// process is the account of a process by its id; only Linux lets us read another process's CPU clock without privileges.
type process int

func (p process) source() string { return fmt.Sprintf("process %d", int(p)) }

func (p process) usage() (usage, error) {
	return usage{}, fmt.Errorf("process %d: CPU and memory are read from Linux's /proc: %w", int(p), errors.ErrUnsupported)
}

func ownCPU() time.Duration { return 0 }

func ownPeak() int64 { return 0 }

func tied() *syscall.SysProcAttr { return nil }
