package localkafka

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// awaitStop waits until all threads of a process that was sent SIGSTOP stand still: on a busy machine it works on for a while. The
// process stays as it is for others who wait for it (WNOWAIT).
func (p *Process) awaitStop() error {
	for {
		err := unix.Waitid(unix.P_PID, p.cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("the process did not stop: %w", err)
		}
	}
}

// LimitFiles lets every write of the process behind this many bytes of a file fail (EFBIG), as on a disk that is full; negative is no limit.
func (p *Process) LimitFiles(bytes int64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return fmt.Errorf("limit of files: %w", err)
	}
	if limit.Cur = limit.Max; bytes >= 0 {
		limit.Cur = uint64(bytes)
	}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		return fmt.Errorf("limit of files: %w", err)
	}
	return nil
}
