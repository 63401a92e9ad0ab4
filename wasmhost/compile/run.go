package compile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"sluice/wasmhost/meter"
)

const (
	stderrMax = 4 << 10         // bytes of the child's stderr that are kept; Go says first why it ends
	afterExit = 2 * time.Second // how long pipes that somebody else holds open are waited for
	// A metered module may be this many times its original, which is more than the rewriter adds to the smallest loop. Info
	// lists names, which JSON may write six times as long.
	replyPerByte = 48
	replyBase    = 1 << 20
)

var errWall = errors.New("the time is up")

// inChild has the module compiled into work by a child process.
func (c *Compiler) inChild(ctx context.Context, wasm []byte, work string) (*product, []string, error) {
	cpuSeconds := int64(math.Ceil(c.opts.CPU.Seconds()))
	in, err := frame(requestKind, request{
		Version: Version, Engine: c.engine, Work: work,
		Limits: c.opts.Limits, CPU: cpuSeconds, Memory: c.opts.Memory,
	}, wasm)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Wall, errWall)
	defer cancel()
	out, err := c.runChild(ctx, in, replyBase+replyPerByte*len(wasm))
	if err != nil {
		return nil, nil, err
	}
	return c.understand(out)
}

// runChild starts the child, feeds it and returns all that it wrote, which is at most outMax bytes.
func (c *Compiler) runChild(ctx context.Context, in []byte, outMax int) ([]byte, error) {
	// Linux kills the child when the thread that started it ends; only threads that goroutines are locked to end early.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, c.opts.Command[0], c.opts.Command[1:]...)
	out, stderr := &limitedBuffer{max: outMax}, &limitedBuffer{max: stderrMax, drop: true}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), out, stderr
	cmd.Env = []string{} // not nil, which would be this process' own
	cmd.WaitDelay = afterExit
	isolate(cmd)
	err := cmd.Run()
	switch {
	case errors.Is(context.Cause(ctx), errWall) && err != nil:
		return nil, wallError(c.opts.Wall)
	case ctx.Err() != nil && err != nil:
		return nil, context.Cause(ctx)
	case err == nil:
		return out.buf.Bytes(), nil
	case cmd.ProcessState == nil:
		return nil, fmt.Errorf("cannot start the compile child: %w", err)
	case out.over:
		return nil, &ChildError{Reason: "answered with more than the module can become", Stderr: stderr.line()}
	}
	return nil, c.causeOfDeath(cmd.ProcessState, stderr, err)
}

// causeOfDeath explains a child that ended by itself, or by the system's hand.
func (c *Compiler) causeOfDeath(state *os.ProcessState, stderr *limitedBuffer, err error) error {
	said := stderr.buf.String()
	used := state.UserTime() + state.SystemTime()
	switch {
	case state.ExitCode() == statusCPU, killed(state) && used >= c.opts.CPU:
		return cpuError(c.opts.CPU)
	case saysNoMemory(said):
		return c.memoryError()
	case killed(state):
		return &ChildError{
			Reason: "was killed, as the kernel does when the machine or the container has no memory left; " +
				settingMemory + " may be more than there is",
			Stderr: stderr.line(),
		}
	}
	return &ChildError{Reason: "failed (" + err.Error() + ")", Stderr: stderr.line()}
}

// saysNoMemory knows how Go's runtime says that the system gave it no more memory, for its heap or for a thread's stack.
func saysNoMemory(stderr string) bool {
	for _, sign := range []string{"out of memory", "cannot allocate memory", "pthread_create failed", "failed to create new OS thread"} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return false
}

func (c *Compiler) memoryError() error {
	return &LimitError{Setting: settingMemory, Limit: c.opts.Memory}
}

// understand makes a product or an error of what the child wrote.
func (c *Compiler) understand(out []byte) (*product, []string, error) {
	var r reply
	metered, err := parseFrame(replyKind, out, &r)
	switch {
	case err != nil:
		return nil, nil, &ChildError{Reason: fmt.Sprintf("gave an answer of %d bytes that cannot be used: %v", len(out), err)}
	case r.NoMemory:
		return nil, nil, c.memoryError()
	case r.Error != "":
		return nil, nil, &ChildError{Reason: "failed", Stderr: r.Error}
	case len(r.Problems) > 0:
		return nil, nil, &meter.Refused{Problems: r.Problems}
	case r.Info == nil:
		return nil, nil, &ChildError{Reason: "gave an answer that cannot be used: " + errNoInfo.Error()}
	}
	return &product{metered: metered, info: r.Info}, r.Warnings, nil
}

// limitedBuffer takes up to max bytes. What is more is dropped, or ends the copying, and with that the child's pipe.
type limitedBuffer struct {
	buf  bytes.Buffer
	max  int
	drop bool
	over bool
}

var errOver = errors.New("more than is allowed")

func (b *limitedBuffer) Write(p []byte) (int, error) {
	room := b.max - b.buf.Len()
	if len(p) <= room {
		return b.buf.Write(p)
	}
	b.over = true
	b.buf.Write(p[:room])
	if b.drop {
		return len(p), nil
	}
	return room, errOver
}

// line is the first line that is not empty.
func (b *limitedBuffer) line() string {
	line, _, _ := strings.Cut(strings.TrimSpace(b.buf.String()), "\n")
	return line
}
