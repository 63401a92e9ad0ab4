//go:build linux

package realtest_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// child is `sluice serve` as a process of its own.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	addr   string     // of the data plane
	stdout *logBuffer // the greeting
	stderr *logBuffer // the log
	done   chan struct{}
	err    error // how it ended; read after done
}

// greeting is where the program says that it listens.
var greeting = regexp.MustCompile(`records +http://([^/]+)/`)

func startChild(t *testing.T, text string) *child {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &child{t: t, stdout: newLogBuffer(), stderr: newLogBuffer(), done: make(chan struct{})}
	p.cmd = exec.Command(sluice(t), "serve", "--config", file)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.Dir = filepath.Dir(file) // for the registry of modules
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, as a rule
		<-p.done
		if t.Failed() {
			t.Logf("the log of the gateway:\n%s", p.stderr)
		}
	})
	where := p.stdout.await(greeting.FindStringSubmatch)
	if where == nil {
		t.Fatalf("the gateway does not say where it listens: %s", p.stdout)
	}
	p.addr = where[1]
	p.logged("records are accepted")
	return p
}

// run starts the process and waits for its end, on one thread: the system kills the child when that thread ends.
func (p *child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
		close(p.done)
	}
}

// kill ends the process as a machine does that loses its power.
func (p *child) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
}

func (p *child) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end of the process and returns its exit status.
func (p *child) exit(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("the gateway is still there after %v", within)
	}
	var failed *exec.ExitError
	switch {
	case p.err == nil:
		return 0
	case errors.As(p.err, &failed):
		return failed.ExitCode()
	default:
		p.t.Fatal(p.err)
		return -1
	}
}

// logged waits for a line of the log and returns the sub-matches of the expression.
func (p *child) logged(expr string) []string {
	p.t.Helper()
	found := p.stderr.await(regexp.MustCompile(expr).FindStringSubmatch)
	if found == nil {
		p.t.Fatalf("the log has no %s", expr)
	}
	return found
}

// memory is the resident memory of the process and the most it ever was, in bytes.
func (p *child) memory() (now, peak int64) {
	p.t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		p.t.Fatal(err)
	}
	return field(p.t, status, "VmRSS:"), field(p.t, status, "VmHWM:")
}

func field(t testing.TB, status []byte, name string) int64 {
	t.Helper()
	for line := range bytes.Lines(status) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == name {
			n, err := strconv.ParseInt(string(f[1]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no %s in /proc", name)
	return 0
}

const mib = 1 << 20

func mibs(n int64) float64 { return float64(n) / mib }
