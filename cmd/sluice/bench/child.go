package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long a child may take to stop before it is killed.
const grace = 5 * time.Second

// child is a process started here: this same binary with other arguments. It ends when stop is called, when the context
// it was started with ends, and on Linux also when this process dies.
type child struct {
	name   string
	cmd    *exec.Cmd
	stop   func() // ends the process and waits for it; may be called more than once
	stdout *bufio.Reader
	stderr *tail
	done   chan struct{} // closed when the process has ended
	err    error         // how it ended; read after done
}

// startChild starts `sluice <args>`. name is what messages call it.
func startChild(ctx context.Context, name string, args ...string) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the binary to start %s: %w", name, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &child{name: name, stderr: &tail{}, done: make(chan struct{})}
	c.cmd = exec.CommandContext(ctx, exe, args...)
	c.cmd.SysProcAttr = tied()
	c.cmd.Stderr = c.stderr
	c.cmd.WaitDelay = grace
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	out, in, err := os.Pipe() // not StdoutPipe: Wait would close it before everything is read
	if err != nil {
		cancel()
		return nil, err
	}
	c.cmd.Stdout, c.stdout = in, bufio.NewReader(out)
	err = c.cmd.Start()
	_ = in.Close() // the child has its own
	if err != nil {
		cancel()
		_ = out.Close()
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	go func() { c.err = c.cmd.Wait(); close(c.done) }()
	c.stop = sync.OnceFunc(func() { cancel(); <-c.done; _ = out.Close() })
	return c, nil
}

func (c *child) account() process { return process(c.cmd.Process.Pid) }

// firstLine is what the child says when it is ready: the address it listens on.
func (c *child) firstLine(timeout time.Duration) (string, error) {
	late := time.AfterFunc(timeout, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		<-c.done
		return "", c.failure()
	}
	return strings.TrimSpace(line), nil
}

// rest is everything else the child says until it ends by itself.
func (c *child) rest() ([]byte, error) {
	out, err := io.ReadAll(c.stdout)
	<-c.done
	if c.err != nil {
		return nil, c.failure()
	}
	return out, err
}

// alive is nil while the child runs, and says why it does not otherwise.
func (c *child) alive() error {
	select {
	case <-c.done:
		return c.failure()
	default:
		return nil
	}
}

// failure says how the child ended, with its last words. To be called after done.
func (c *child) failure() error {
	err := c.err
	if err == nil {
		err = errors.New("it ended by itself")
	}
	if said := c.stderr.String(); said != "" {
		return fmt.Errorf("%s: %w; its last words:\n%s", c.name, err, said)
	}
	return fmt.Errorf("%s: %w", c.name, err)
}

// tail keeps the last few kilobytes written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const keep = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - keep; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
