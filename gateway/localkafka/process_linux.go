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
