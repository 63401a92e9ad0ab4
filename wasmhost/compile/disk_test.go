//go:build unix

package compile

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestDamagedFilesAreMadeAgain(t *testing.T) {
	edit := func(change func([]byte) []byte) func(string) error {
		return func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, change(b), 0o600)
		}
	}
	flip := func(at int) func(string) error {
		return edit(func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b })
	}
	for name, damage := range map[string]func(string) error{
		"removed":       os.Remove,
		"empty":         edit(func(b []byte) []byte { return b[:0] }),
		"torn":          edit(func(b []byte) []byte { return b[:len(b)/2] }),
		"one byte less": edit(func(b []byte) []byte { return b[:len(b)-1] }),
		"one byte more": edit(func(b []byte) []byte { return append(b, 0) }),
		"first byte":    flip(0),
		"last byte":     flip(-1),
		"a byte within": flip(60), // in machine code an offset, of which wazero has no checksum
	} {
		for _, sub := range []string{meteredDir, machineDir} {
			t.Run(sub+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				c := open(t, Options{Dir: dir})
				mustCompile(t, c, tiny(3))
				for path := range list(t, filepath.Join(dir, sub)) {
					if err := damage(path); err != nil {
						t.Fatal(err)
					}
				}
				c = open(t, Options{Dir: dir})
				again := mustCompile(t, c, tiny(3))
				if again.Cached {
					t.Error("the damage was not noticed")
				}
				if err := runs(c, again.Metered, 3); err != nil {
					t.Error(err)
				}
				if !mustCompile(t, open(t, Options{Dir: dir}), tiny(3)).Cached {
					t.Error("the damage was not repaired")
				}
			})
		}
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	c := open(t, Options{Dir: dir, Command: children(t, "__compile")})
	mustCompile(t, c, tiny(3))
	if _, err := c.Compile(t.Context(), illTyped()); err == nil {
		t.Fatal("no error")
	}
	if left, err := os.ReadDir(filepath.Join(dir, workRoot)); err != nil || len(left) != 0 {
		t.Errorf("left in %s: %v %v", workRoot, left, err)
	}
	if files := list(t, dir); len(files) != 2 {
		t.Errorf("%d files, want an entry and its machine code: %v", len(files), files)
	}
}

func TestDirectoriesOfOthers(t *testing.T) {
	for _, sub := range []string{"", meteredDir, machineDir, workRoot} {
		for mode, ok := range map[os.FileMode]bool{0o700: true, 0o755: true, 0o770: false, 0o707: false, 0o702: false, 0o777: false} {
			dir := filepath.Join(t.TempDir(), "cache")
			path := filepath.Join(dir, sub)
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil { // umask does not touch this
				t.Fatal(err)
			}
			c, err := New(Options{Dir: dir})
			if (err == nil) != ok {
				t.Errorf("%q of mode %04o: error %v, want it taken: %v", sub, mode, err, ok)
			}
			if err == nil {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			} else {
				contains(t, err.Error(), path)
			}
		}
	}
}

func TestDirectoryOfAnotherUser(t *testing.T) {
	dir := "/" // of root, and this test runs as somebody else, or
	if os.Geteuid() == 0 {
		dir = t.TempDir()
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	_, err := New(Options{Dir: dir})
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "another user")
}

func TestNewDirectoriesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	mustCompile(t, open(t, Options{Dir: dir, Command: children(t, "__compile")}), tiny(1))
	err := filepath.WalkDir(filepath.Dir(dir), func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", path, st.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: file}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	dir := t.TempDir()
	c := open(t, Options{Dir: dir})
	for i := range 4 {
		mustCompile(t, c, tiny(i))
	}
	// Ages by hand, in the order 0 (oldest) to 3; then 0 is used.
	for i := range 4 {
		key, err := c.key(tiny(i))
		if err != nil {
			t.Fatal(err)
		}
		entryFile := c.disk.path(meteredDir + "/" + key)
		e, _, err := readEntry(entryFile)
		if err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(time.Duration(i-10) * time.Hour)
		for _, path := range []string{entryFile, c.disk.path(machineDir + "/" + e.Machine.Name)} {
			if err := os.Chtimes(path, used, used); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !mustCompile(t, c, tiny(0)).Cached {
		t.Fatal("not cached")
	}
	var total int64
	for path := range list(t, dir) {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		total += st.Size()
	}
	// Room for three and a half: the new one, 0 and 3.
	c = open(t, Options{Dir: dir, CacheBytes: total / 8 * 7})
	if mustCompile(t, c, tiny(4)).Cached {
		t.Fatal("cached")
	}
	for i, want := range []bool{0: true, 1: false, 2: false, 3: true, 4: true} {
		key, err := c.key(tiny(i))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.disk.get(key) != nil; got != want {
			t.Errorf("module %d is there: %v, want %v", i, got, want)
		}
	}
	small := open(t, Options{Dir: dir, CacheBytes: 1})
	if n := len(list(t, dir)); n != 0 {
		t.Errorf("%d files after a start with a cache of one byte", n)
	}
	mustCompile(t, small, tiny(5))
	if !mustCompile(t, small, tiny(5)).Cached {
		t.Error("what was made last did not stay")
	}
}

func TestWorkOfACrashIsRemoved(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	for name, age := range map[string]time.Duration{"old": workMaxAge + time.Hour, "young": time.Minute} {
		path := filepath.Join(dir, workRoot, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	open(t, Options{Dir: dir})
	left, err := os.ReadDir(filepath.Join(dir, workRoot))
	if err != nil || len(left) != 1 || left[0].Name() != "young" {
		t.Errorf("left: %v %v, want what another process may be at", left, err)
	}
}

// Four processes use one cache that is too small for what they do, so that they write, read and remove the same files.
func TestProcessesShareTheDirectory(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes, which have a race detector each")
	}
	dir := t.TempDir()
	argv := children(t, "__worker", dir)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput()
			if err != nil || strings.Contains(string(out), "level=WARN") {
				t.Errorf("%v, output: %s", err, out)
			}
		})
	}
	wg.Wait()
	if left, err := os.ReadDir(filepath.Join(dir, workRoot)); err != nil || len(left) != 0 {
		t.Errorf("left in %s: %v %v", workRoot, left, err)
	}
}
