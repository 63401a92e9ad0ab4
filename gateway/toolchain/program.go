package toolchain

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// outputLimit bounds what is kept of a compiler's output, in bytes.
const outputLimit = 1 << 20

// killDelay is how long a compiler that was stopped may take to close its output.
const killDelay = 2 * time.Second

// program is a compiler on this machine.
type program struct {
	path string
	env  []string // beyond environment()
}

// exitError is a program that ended with a status other than 0, and what it wrote.
type exitError struct {
	path   string
	err    error
	output string // standard error, then standard output
}

func (e *exitError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", e.path, e.err, strings.TrimSpace(e.output))
}

func (e *exitError) Unwrap() error { return e.err }

// run runs the program in dir and returns its standard output. What it started is ended with it when ctx ends; the error is
// then ctx's cause.
func (p program) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = dir
	cmd.Env = append(environment(), p.env...)
	var stdout, stderr limited
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = killDelay
	ownGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, &exitError{path: p.path, err: err, output: stderr.String() + stdout.String()}
	}
	if stdout.cut {
		return nil, fmt.Errorf("%s wrote more than %d bytes", p.path, outputLimit)
	}
	return stdout.Bytes(), nil
}

// line is run for programs that answer in one line, which a version is.
func (p program) line(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := p.run(ctx, dir, args...)
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first), err
}

// limited keeps the first outputLimit bytes.
type limited struct {
	bytes.Buffer
	cut bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := outputLimit - l.Len()
	if len(p) <= room {
		return l.Buffer.Write(p)
	}
	l.cut = true
	l.Buffer.Write(p[:room])
	return len(p), nil
}

// passed are the variables that compilers get. Those of other builds are not among them.
var passed = []string{ //nolint:gochecknoglobals // a table that is only read
	"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
	"GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE", "GOENV", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOTOOLCHAIN",
	"RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_HOME", "NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CACHE",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "SDKROOT", "DEVELOPER_DIR",
	// Windows
	"SystemRoot", "USERPROFILE", "LocalAppData", "AppData", "TEMP", "TMP", "PATHEXT", "ComSpec", "ProgramFiles",
}

func environment() []string {
	env := []string{"LC_ALL=C", "NO_COLOR=1"} // messages in English, as those who search for them expect
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// lookPath is the first of names that can be run; a name may be a path.
func lookPath(names ...string) (string, bool) {
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path, true
		}
	}
	return "", false
}
