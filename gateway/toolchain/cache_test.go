package toolchain

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// key makes a key out of one character.
func key(c string) string { return strings.Repeat(c, 64) }

func TestCacheRefusesATornFile(t *testing.T) {
	c := cache(t.TempDir())
	wasm := []byte("a module, for the cache it is bytes")
	if err := c.put(key("a"), wasm); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.get(key("a")); !ok || !bytes.Equal(got, wasm) {
		t.Fatalf("got %q, %v", got, ok)
	}
	if got, ok := c.get(key("b")); ok {
		t.Fatalf("another key gives %q", got)
	}
	path := filepath.Join(string(c), entryName(key("a"), wasm))
	for _, torn := range [][]byte{{}, wasm[:10], append([]byte("A"), wasm[1:]...)} {
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := c.get(key("a")); ok {
			t.Errorf("a torn file gives %q", got)
		}
	}
	if err := c.put(key("a"), wasm); err != nil {
		t.Fatal(err)
	}
	if got, ok := c.get(key("a")); !ok || !bytes.Equal(got, wasm) {
		t.Errorf("after it was put again: %q, %v", got, ok)
	}
}

func TestCacheKeepsWhatWasUsedLast(t *testing.T) {
	c := cache(t.TempDir())
	old := time.Now().Add(-48 * time.Hour)
	for i := range cacheEntries {
		wasm := fmt.Appendf(nil, "module %d", i)
		k := fmt.Sprintf("%064d", i)
		if err := c.put(k, wasm); err != nil {
			t.Fatal(err)
		}
		used := old.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(filepath.Join(string(c), entryName(k, wasm)), used, used); err != nil {
			t.Fatal(err)
		}
	}
	save(t, filepath.Join(string(c), ".new-1"), "left by a killed process")
	save(t, filepath.Join(string(c), ".new-2"), "being written")
	if err := os.Chtimes(filepath.Join(string(c), ".new-1"), old, old); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.get(fmt.Sprintf("%064d", 0)); !ok {
		t.Fatal("the first is not there")
	}
	if err := c.put(key("f"), []byte("one more")); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, ok := c.get(fmt.Sprintf("%064d", i)); ok == (i == 1) {
			t.Errorf("entry %d is there: %v; want that 1 went, the one used longest ago", i, ok)
		}
	}
	left, err := os.ReadDir(string(c))
	if err != nil || len(left) != cacheEntries+1 || left[0].Name() != ".new-2" {
		t.Errorf("%d files, %v; want %d and .new-2", len(left), err, cacheEntries)
	}
}

func TestCacheInUseByMany(t *testing.T) {
	c := cache(t.TempDir())
	wasm := bytes.Repeat([]byte("x"), 1<<20)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if err := c.put(key("a"), wasm); err != nil {
					t.Error(err)
				}
				if got, ok := c.get(key("a")); !ok || !bytes.Equal(got, wasm) {
					t.Errorf("%d bytes, %v", len(got), ok)
				}
			}
		})
	}
	wg.Wait()
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	save(t, file, "")
	if err := cache(filepath.Join(file, "cache")).put(key("a"), nil); err == nil {
		t.Error("no error")
	}
	if err := cache("").put(key("a"), nil); err != nil {
		t.Error(err)
	}
}
