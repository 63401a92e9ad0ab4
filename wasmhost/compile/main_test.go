//go:build unix

package compile

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes the test binary a compile child, of the real kind and of kinds that go wrong, if it is called as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if mode := modes()[os.Args[1]]; mode != nil {
			os.Exit(mode())
		}
	}
	os.Exit(m.Run())
}

// modes are what the test binary can be called as; arguments follow in os.Args[2:].
func modes() map[string]func() int {
	return map[string]func() int{
		"__compile": child,
		"__counted": counted,
		"__alone":   alone,
		"__garbage": func() int { fmt.Fprintln(os.Stdout, "no answer"); return 0 },
		"__silent":  func() int { return 0 },
		"__endless": func() int { _, err := io.Copy(os.Stdout, zeros{}); return exitOf(err) },
		"__crash":   func() int { _ = os.Args[len(os.Args)]; return 0 },
		"__killed":  func() int { return exitOf(syscall.Kill(os.Getpid(), syscall.SIGKILL)) },
		"__status":  func() int { fmt.Fprintf(os.Stderr, "environment %q\n", os.Environ()); return 7 },
		"__spin":    spin,
		"__deaf":    deaf,
		"__eat":     eat,
		"__hang":    hang,
		"__sleep":   sleep,
		"__parent":  parent,
		"__files":   files,
		"__worker":  worker,
	}
}

func exitOf(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child() int { return Child(os.Stdin, os.Stdout) }

// counted is a child that leaves a file in a directory, so that its starts can be counted.
func counted() int {
	f, err := os.CreateTemp(os.Args[2], "")
	if err != nil {
		return exitOf(err)
	}
	f.Close()
	return child()
}

// alone is a child that fails if another one is running.
func alone() int {
	lock := filepath.Join(os.Args[2], "lock")
	if err := os.Mkdir(lock, 0o700); err != nil {
		return exitOf(err)
	}
	status := child()
	if err := os.Remove(lock); err != nil {
		return exitOf(err)
	}
	return status
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// spin uses all the processor time it gets.
func spin() int {
	if _, err := confine(1, DefaultMemory); err != nil {
		return exitOf(err)
	}
	return burn()
}

// deaf does so too, and does not listen to the signal that comes at the limit.
func deaf() int {
	if err := setLimit(syscall.RLIMIT_CPU, 1, 2); err != nil {
		return exitOf(err)
	}
	return burn()
}

func burn() int {
	for n := 0; ; n++ {
		if n < 0 {
			return 0
		}
	}
}

// eat uses all the memory it gets.
func eat() int {
	if _, err := confine(60, 128<<20); err != nil {
		return exitOf(err)
	}
	var eaten [][]byte
	for range 1 << 20 {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = 1
		}
		eaten = append(eaten, b)
	}
	return len(eaten[0])
}

// hang holds the fifo that it is given open, and has, if it is told so, a child of its own that does so too.
func hang() int {
	f, err := os.OpenFile(os.Args[2], os.O_WRONLY, 0)
	if err != nil {
		return exitOf(err)
	}
	if os.Args[3] == "family" {
		cmd := exec.CommandContext(context.Background(), os.Args[0], "__sleep")
		cmd.ExtraFiles = []*os.File{f}
		if err := cmd.Start(); err != nil {
			return exitOf(err)
		}
	}
	if _, err := f.WriteString("hanging"); err != nil {
		return exitOf(err)
	}
	return sleep()
}

// sleep ends much later than any test waits.
func sleep() int {
	r, w, err := os.Pipe()
	if err != nil {
		return exitOf(err)
	}
	if err := r.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return exitOf(err)
	}
	_, err = r.Read(make([]byte, 1))
	w.Close()
	return exitOf(err)
}

// parent compiles with a child that hangs.
func parent() int {
	c, err := New(Options{Dir: os.Args[2], Command: []string{os.Args[0], "__hang", os.Args[3], "alone"}, Wall: time.Hour})
	if err != nil {
		return exitOf(err)
	}
	_, err = c.Compile(context.Background(), tiny(1))
	return exitOf(err)
}

// files closes what it inherited and waits for the end of its input.
func files() int {
	closeInherited()
	_, err := io.Copy(io.Discard, os.Stdin)
	return exitOf(err)
}

// worker compiles the same few modules over and over in a directory that it shares, with a cache too small for them.
func worker() int {
	c, err := New(Options{
		Dir: os.Args[2], Command: []string{os.Args[0], "__compile"}, CacheBytes: 4000,
		Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
	})
	if err != nil {
		return exitOf(err)
	}
	for round := range 10 {
		for i := range 4 {
			wasm := tiny(i)
			res, err := c.Compile(context.Background(), wasm)
			if err != nil {
				return exitOf(fmt.Errorf("round %d, module %d: %w", round, i, err))
			}
			if err := runs(c, res.Metered, i); err != nil {
				return exitOf(fmt.Errorf("round %d, module %d, cached %v: %w", round, i, res.Cached, err))
			}
		}
	}
	return exitOf(c.Close())
}

// children is the command of a child of that mode.
func children(t testing.TB, mode string, args ...string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{self, mode}, args...)
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q does not contain %q", text, part)
	}
}
