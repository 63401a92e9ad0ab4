//go:build unix

package registry_test

import (
	"os/signal"
	"syscall"
)

// limitFileSize lets every write behind this many bytes of a file of this process fail.
func limitFileSize(n uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n})
}
