//go:build unix && !linux

package compile

import (
	"os/exec"
	"syscall"
)

// isolate gives the child a process group of its own, which is killed as one. A child whose parent was killed ends when
// its processor time is used up, or when it writes its answer.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
}
