//go:build unix

package compile

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// cpuGrace is how many seconds of processor time are left to end by oneself after the limit.
const cpuGrace = 2

// limitProcessor ends this process when it has used that much processor time, with statusCPU, or by the kernel's hand if it
// cannot do so itself. It also keeps it from leaving a core file, which would hold what users upload.
func limitProcessor(seconds int64) error {
	usedUp := make(chan os.Signal, 1)
	signal.Notify(usedUp, syscall.SIGXCPU)
	go func() {
		<-usedUp
		os.Exit(statusCPU)
	}()
	if err := setLimit(syscall.RLIMIT_CPU, seconds, seconds+cpuGrace); err != nil {
		return fmt.Errorf("%s: %w", settingCPU, err)
	}
	if err := setLimit(syscall.RLIMIT_CORE, 0, 0); err != nil {
		return fmt.Errorf("no core files: %w", err)
	}
	return nil
}

// setLimit sets a limit of this process. One that is stricter already stays: it could not be raised.
func setLimit(resource int, soft, hard int64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(resource, &l); err != nil {
		return err
	}
	lower(&l.Cur, soft)
	lower(&l.Max, hard)
	return syscall.Setrlimit(resource, &l)
}

// lower is generic because the fields are signed on some systems and unsigned on others. No limit is the largest number of
// their type, or on some systems of the signed one.
func lower[T int64 | uint64](field *T, value int64) { *field = min(*field, T(value)) }
