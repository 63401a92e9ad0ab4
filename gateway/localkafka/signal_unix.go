//go:build unix

package localkafka

import "syscall"

// Pause stops the process where it stands (SIGSTOP): its connections stay open and nothing answers.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

func (p *Process) terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
