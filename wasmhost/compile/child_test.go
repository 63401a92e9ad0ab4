//go:build unix

package compile

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestChildrenThatFail(t *testing.T) {
	for mode, want := range map[string]string{
		"__garbage": "gave an answer of 10 bytes that cannot be used: it does not begin as it should",
		"__silent":  "gave an answer of 0 bytes that cannot be used",
		"__endless": "answered with more than the module can become",
		"__crash":   "failed (exit status 2): panic: runtime error: index out of range",
		"__killed":  "was killed, as the kernel does when the machine or the container has no memory left; compile.memory.bytes",
		"__status":  "failed (exit status 7): environment []",
	} {
		c := open(t, Options{Dir: t.TempDir(), Command: children(t, mode)})
		_, err := c.Compile(t.Context(), tiny(1))
		if _, ok := errors.AsType[*ChildError](err); !ok {
			t.Errorf("%s: error %v, want a *ChildError", mode, err)
			continue
		}
		contains(t, err.Error(), want)
	}
}

func TestNoSuchCommand(t *testing.T) {
	c := open(t, Options{Dir: t.TempDir(), Command: []string{"/nonexistent/sluice"}})
	_, err := c.Compile(t.Context(), tiny(1))
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error %v, want one that says that it does not exist", err)
	}
	contains(t, err.Error(), "cannot start the compile child")
}

func TestLimits(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is limited on Linux only")
	}
	for name, tt := range map[string]struct {
		o    Options
		want LimitError
	}{
		"processor":       {Options{Command: children(t, "__spin"), CPU: time.Second}, LimitError{settingCPU, 1000}},
		"processor, deaf": {Options{Command: children(t, "__deaf"), CPU: time.Second}, LimitError{settingCPU, 1000}},
		"memory, greed":   {Options{Command: children(t, "__eat"), Memory: 128 << 20}, LimitError{settingMemory, 128 << 20}},
		"memory, real":    {Options{Command: children(t, "__compile"), Memory: 4096}, LimitError{settingMemory, 4096}},
		"time, real":      {Options{Command: children(t, "__compile"), Wall: time.Millisecond}, LimitError{settingWall, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if raceDetector && name == "memory, greed" {
				t.Skip("Go's heap ends in another way under the race detector")
			}
			tt.o.Dir = t.TempDir()
			c := open(t, tt.o)
			_, err := c.Compile(t.Context(), tiny(1))
			var limit *LimitError
			if !errors.As(err, &limit) {
				t.Fatalf("error %v, want a *LimitError", err)
			}
			if *limit != tt.want {
				t.Errorf("error %+v, want %+v", *limit, tt.want)
			}
			contains(t, err.Error(), "wasm."+tt.want.Setting)
		})
	}
}

// fifo is a named pipe whose reading end tells that somebody has it open (it can be opened) and that nobody has any more
// (it ends).
func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitHanging waits until a hanging child is there, calls end, and waits until that child and its own are gone.
func awaitHanging(t *testing.T, path string, end func()) {
	t.Helper()
	f, err := os.Open(path) // waits for the child to open it
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.ReadFull(f, make([]byte, len("hanging"))); err != nil {
		t.Fatal(err)
	}
	end()
	if err := f.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("%v: somebody is left of the child's process group", err)
	}
}

func TestHangingChildIsKilledWithItsGroup(t *testing.T) {
	path := fifo(t)
	c := open(t, Options{Dir: t.TempDir(), Command: children(t, "__hang", path, "family"), Wall: time.Second})
	failed := make(chan error, 1)
	go func() { _, err := c.Compile(context.Background(), tiny(1)); failed <- err }()
	awaitHanging(t, path, func() {})
	var limit *LimitError
	if err := <-failed; !errors.As(err, &limit) || *limit != (LimitError{settingWall, 1000}) {
		t.Errorf("error %v", err)
	}
}

func TestCallerGivesUp(t *testing.T) {
	path := fifo(t)
	c := open(t, Options{Dir: t.TempDir(), Command: children(t, "__hang", path, "family")})
	first, giveUpFirst := context.WithCancel(t.Context())
	second, giveUpSecond := context.WithCancel(t.Context())
	failed := make(chan error, 2)
	go func() { _, err := c.Compile(first, tiny(1)); failed <- err }()
	awaitHanging(t, path, func() {
		waiting := make(chan struct{})
		go func() {
			close(waiting)
			_, err := c.Compile(second, tiny(1))
			failed <- err
		}()
		<-waiting
		giveUpFirst()
		giveUpSecond()
	})
	for range 2 {
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
	}
}

func TestOthersWaitOn(t *testing.T) {
	c := open(t, Options{})
	started, finish := make(chan struct{}), make(chan struct{})
	work := func(ctx context.Context) (*Result, error) {
		close(started)
		<-finish
		return &Result{}, ctx.Err()
	}
	first, giveUp := context.WithCancel(t.Context())
	gone, got := make(chan error), make(chan error)
	go func() { _, err := c.share(first, "key", work); gone <- err }()
	<-started
	f, err := c.board(t.Context(), "key", work) // the second is aboard
	if err != nil {
		t.Fatal(err)
	}
	giveUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: error %v", err)
	}
	go func() { <-f.done; got <- f.err }()
	close(finish)
	if err := <-got; err != nil {
		t.Errorf("the second: error %v, the work was cancelled", err)
	}
}

func TestCloseEndsTheChild(t *testing.T) {
	path := fifo(t)
	c := open(t, Options{Dir: t.TempDir(), Command: children(t, "__hang", path, "family")})
	failed := make(chan error, 1)
	go func() { _, err := c.Compile(context.Background(), tiny(1)); failed <- err }()
	awaitHanging(t, path, func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want %v", err, ErrClosed)
	}
}

func TestChildDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux kills a child with its parent")
	}
	path := fifo(t)
	argv := children(t, "__parent", t.TempDir(), path)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the parent ended by itself")
	}
	if err := f.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(f); err != nil {
		t.Errorf("after %q: %v", said, err)
	}
}

func TestInheritedFilesAreClosed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	argv := children(t, "__files")
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.ExtraFiles = []*os.File{w}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := r.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) { // while it waits for the end of its stdin
		t.Errorf("%v: the child has the file open", err)
	}
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestBinaryWasReplaced(t *testing.T) {
	engine, err := probe(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, req := range map[string]request{
		"rewriter": {Version: "0", Engine: engine},
		"wazero":   {Version: Version, Engine: "wazero-v1.0.0-amd64-linux/00"},
	} {
		req.Work = t.TempDir()
		if why := unusable(t.Context(), req); !strings.Contains(why, "restart the process") {
			t.Errorf("other %s: %q", name, why)
		}
	}
	if why := unusable(t.Context(), request{Version: Version, Engine: engine, Work: t.TempDir()}); why != "" {
		t.Errorf("the same: %q", why)
	}
}

func TestPanicOfTheCompiler(t *testing.T) {
	boom := func(context.Context, []byte) error { return os.ErrNotExist.(interface{ BUG() error }).BUG() }
	_, err := build(t.Context(), tiny(1), mustLimits(), boom)
	if _, ok := errors.AsType[*panicError](err); !ok {
		t.Fatalf("error %v, want a *panicError", err)
	}
	contains(t, err.Error(), "missing method BUG")
}
