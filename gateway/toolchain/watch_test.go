package toolchain

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// watching runs Watch in a bubble, in which ticks lasts no time. It tells how often changed was called, and returns how often
// gone was.
func watching(t *testing.T, path string, test func(ticks func(n int), calls func() int)) int {
	t.Helper()
	var gone atomic.Int32
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int32
		ended := make(chan struct{})
		go func() {
			Watch(ctx, path, func() { calls.Add(1) }, func(error) { gone.Add(1) })
			close(ended)
		}()
		synctest.Wait() // it has seen what there is
		test(func(n int) {
			<-time.After(time.Duration(n) * WatchEvery)
			synctest.Wait()
		}, func() int { return int(calls.Load()) })
		cancel()
		<-ended
	})
	return int(gone.Load())
}

func TestWatchFolder(t *testing.T) {
	dir := folder(t, map[string]string{"main.go": "1", "in/a.go": "1", "node_modules/x.js": "1", "target/x": "1", ".git/index": "1"})
	want := 0
	watching(t, dir, func(ticks func(int), calls func() int) {
		after := func(what string, n int) {
			t.Helper()
			want += n
			ticks(3)
			if calls() != want {
				t.Errorf("after %s: %d calls, want %d", what, calls(), want)
				want = calls()
			}
		}
		after("nothing", 0)
		save(t, filepath.Join(dir, "main.go"), "12")
		after("a change", 1)
		save(t, filepath.Join(dir, "in", "a.go"), "12")
		after("a change in a folder", 1)
		save(t, filepath.Join(dir, "in", "b.go"), "1")
		after("a new file", 1)
		if err := os.Remove(filepath.Join(dir, "in", "b.go")); err != nil {
			t.Fatal(err)
		}
		after("a file went", 1)
		for _, name := range []string{"node_modules/x.js", "target/x", ".git/index", ".main.go.swp"} {
			save(t, filepath.Join(dir, name), "123")
		}
		after("changes that do not count", 0)
		old := time.Unix(1e9, 0)
		if err := os.Chtimes(filepath.Join(dir, "main.go"), old, old); err != nil {
			t.Fatal(err)
		}
		after("another time only", 1)
	})
}

func TestWatchWaitsUntilItSettles(t *testing.T) {
	dir := folder(t, map[string]string{"a": ""})
	watching(t, dir, func(ticks func(int), calls func() int) {
		text := ""
		for range 10 {
			text += "x"
			save(t, filepath.Join(dir, "a"), text)
			ticks(1)
		}
		if calls() != 0 {
			t.Errorf("%d calls while it was being saved", calls())
		}
		ticks(2)
		if calls() != 1 {
			t.Errorf("%d calls once it was saved, want 1", calls())
		}
		save(t, filepath.Join(dir, "b"), "")
		ticks(1)
		if err := os.Remove(filepath.Join(dir, "b")); err != nil {
			t.Fatal(err)
		}
		ticks(3)
		if calls() != 1 {
			t.Errorf("%d calls though all is as it was at the last one", calls())
		}
	})
}

func TestWatchFile(t *testing.T) {
	path := filepath.Join(folder(t, map[string]string{"m.wasm": "1"}), "m.wasm")
	gone := watching(t, path, func(ticks func(int), calls func() int) {
		save(t, filepath.Join(filepath.Dir(path), "other"), "")
		ticks(3)
		if calls() != 0 {
			t.Errorf("%d calls for another file", calls())
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		ticks(10)
		if calls() != 0 {
			t.Errorf("%d calls while it is away", calls())
		}
		save(t, path, "12")
		ticks(3)
		if calls() != 1 {
			t.Errorf("%d calls, want 1", calls())
		}
		if err := os.Remove(path); err != nil { // for a moment
			t.Fatal(err)
		}
		ticks(1)
		save(t, path, "123")
		ticks(3)
	})
	if gone != 1 {
		t.Errorf("it was gone %d times, want 1", gone)
	}
}

func TestWatchWhatIsNotThereYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later")
	watching(t, path, func(ticks func(int), calls func() int) {
		ticks(2)
		save(t, filepath.Join(path, "main.go"), "1")
		ticks(3)
		if calls() != 1 {
			t.Errorf("%d calls, want 1", calls())
		}
	})
}
