package compile

import (
	"os/exec"
	"syscall"
)

// isolate gives the child a process group of its own, which is killed as one, and has the kernel kill the child when this
// process ends, however it ends.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
}
