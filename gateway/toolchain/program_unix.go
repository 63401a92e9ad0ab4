//go:build unix

package toolchain

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the end of cmd's context the end of everything that cmd started: "go build" runs compilers of its own.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
