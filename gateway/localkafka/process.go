package localkafka

import (
	"fmt"
	"os/exec"
	"runtime"
	"time"
)

// Process is a child that does not outlive this process.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; valid once done is closed
}

// StartProcess starts cmd.
func StartProcess(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = dieWithParent()
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The system kills the child when the thread that started it ends, so that thread has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Alive says whether the process has not ended. It is false for nil.
func (p *Process) Alive() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the process and says how it ended, as exec.Cmd does.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Kill ends the process at once, also a paused one, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// Term asks the process to end (SIGTERM), wakes it if it is paused, and waits until it is gone.
func (p *Process) Term(within time.Duration) error {
	if err := p.Resume(); err != nil {
		return err
	}
	if err := p.terminate(); err != nil {
		return err
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.done:
		return nil
	case <-late.C:
		return fmt.Errorf("it did not stop within %v", within)
	}
}
