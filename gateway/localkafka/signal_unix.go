//go:build unix

package localkafka

import "syscall"

// Pause stops the process where it stands (SIGSTOP): its connections stay open and nothing answers.
// It returns when nothing of it moves any more.
func (p *Process) Pause() error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return p.awaitStop()
}

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

func (p *Process) terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
