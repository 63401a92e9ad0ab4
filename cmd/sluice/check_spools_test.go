package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sluice/gateway/dirlock"
)

// TestCheckLooksAtSpools: what would keep a start from using a folder is an error with its line; the rest is told; nothing is made.
func TestCheckLooksAtSpools(t *testing.T) {
	dir := t.TempDir()
	file, used, away := filepath.Join(dir, "file"), filepath.Join(dir, "used"), filepath.Join(dir, "not", "there")
	for _, path := range []string{file, filepath.Join(used, "gone.spool", "00000000000000000000.seg"), filepath.Join(used, "c.spool", "00000000000000000000.seg"), filepath.Join(used, "bad.spool")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, stderr, status := checkIn(t, dir, fmt.Sprintf("[topics.a]\nspool.dir = %q\n[topics.\"b*\"]\nspool.dir = %q\n[topics.c]\nspool.dir = %q\n",
		file, filepath.Join(file, "below"), used))
	if status != exitFailed {
		t.Errorf("exit status %d", status)
	}
	for _, want := range []string{
		fmt.Sprintf("config.toml:7: topics.a.spool.dir = %q: it is not a folder", file),
		fmt.Sprintf(`config.toml:9: topics."b*".spool.dir = %q: `, filepath.Join(file, "below")),
		fmt.Sprintf("config.toml:11: topics.c.spool.dir = %q: %s, which would be the folder of a topic, is not a folder", used, filepath.Join(used, "bad.spool")),
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %s in\n%s", want, stderr)
		}
	}

	if err := os.Remove(filepath.Join(used, "bad.spool")); err != nil {
		t.Fatal(err)
	}
	lock, err := dirlock.Take(filepath.Join(used, "lock"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Sign(); err != nil {
		t.Fatal(err)
	}
	tables := fmt.Sprintf("[topics.a]\nspool.dir = %q\nspool.max.bytes = 16777216\n[topics.c]\nspool.dir = %q\nspool.max.bytes = %d\nspool.fsync = \"interval\"\n", away, used, int64(1)<<60)
	out, stderr, status := checkIn(t, dir, tables)
	want := []string{
		fmt.Sprintf("note: spool.dir = %q: it is not there yet; a start makes it", away),
		fmt.Sprintf("note: spool.dir = %q: locked by another process (process %d)", used, os.Getpid()),
		fmt.Sprintf("note: spool.dir = %q: it may have records of topic \"gone\" that nobody sends", used),
	}
	if strings.Contains(stderr, `records of topic "c"`) {
		t.Errorf("its spool is its own: %s", stderr)
	}
	if runtime.GOOS == "linux" {
		want = append(want, "bytes free, less than spool.max.bytes of its table, 1152921504606846976 together")
	}
	for _, want := range want {
		if status != 0 || !strings.Contains(stderr, want) {
			t.Errorf("exit status %d, no %s in\n%s", status, want, stderr)
		}
	}
	for _, want := range [][]string{
		{"spool.segment.bytes", "4194304", "derived: a quarter of spool.max.bytes"},
		{"spool.segment.bytes", "67108864", "default"},
		{"spool.fsync", "always", "default"},
		{"spool.interval.ms", "100", "default"},
	} {
		if !hasLine(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Dir(away)); err == nil {
		t.Errorf("check made %s", away)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if _, stderr, _ := checkIn(t, dir, tables); strings.Contains(stderr, "locked") {
		t.Errorf("nobody has it: %s", stderr)
	}
}

// hasLine says whether a line has all the words.
func hasLine(text string, words []string) bool {
	for line := range strings.Lines(text) {
		has := 0
		for _, w := range words {
			if strings.Contains(line, w) {
				has++
			}
		}
		if has == len(words) {
			return true
		}
	}
	return false
}
