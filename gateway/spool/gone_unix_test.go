//go:build unix

package spool

import (
	"errors"
	"os"
	"testing"
	"time"
)

// openReal is mustOpen with the system's own files.
func openReal(t *testing.T, dir string, interval time.Duration) *Spool {
	t.Helper()
	o := options()
	o.Interval = interval
	s, _, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func wantGone(t *testing.T, s *Spool) {
	t.Helper()
	if _, err := s.Append(entries("nowhere")); !errors.As(err, new(*GoneError)) {
		t.Fatalf("append to a file that is gone: %v", err)
	}
}

// TestRemovedSegment: what is written to a file without a name is refused, and the next goes into another one.
func TestRemovedSegment(t *testing.T) {
	for _, interval := range []time.Duration{0, time.Hour} {
		dir := t.TempDir()
		s := openReal(t, dir, interval)
		mustAppend(t, s, "a", "b")
		r := s.Reader(0)
		for _, path := range files(t, dir, "*.seg") {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		wantGone(t, s)
		mustAppend(t, s, "c")
		var damage *DamagedError
		if _, _, err := r.Next(); !errors.As(err, &damage) || !damage.Gone || damage.From != 0 || damage.To != 2 || s.Stats.Lost.Load() != 2 {
			t.Fatalf("what was in the file: %v", err)
		}
		if seq, p, err := r.Next(); err != nil || seq != 2 || string(p) != "c" {
			t.Fatalf("entry %d %q: %v", seq, p, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openReal(t, dir, interval)
		wantEntries(t, rest(t, s, 2), []string{"c"})
	}
}

// TestRemovedFolder: nothing is taken any more, also if somebody makes the folder again, which nobody has locked; and nothing is given up
// when it is only away.
func TestRemovedFolder(t *testing.T) {
	dir := t.TempDir() + "/spool"
	s := openReal(t, dir, 0)
	mustAppend(t, s, "a")
	if err := s.There(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	wantGone(t, s)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	wantGone(t, s)
	if err := s.There(); !errors.As(err, new(*GoneError)) {
		t.Errorf("the folder is another one: %v", err)
	}
	if _, _, err := s.Reader(0).Next(); err == nil || errors.As(err, new(*DamagedError)) {
		t.Errorf("read from a folder that is away: %v", err)
	}
	if all := files(t, dir, "*"); len(all) > 0 {
		t.Errorf("%v were made in a folder that nobody has locked", all)
	}
}

// TestMovedFolder: it is noticed when a segment begins, at the latest, and it goes on when the folder is back.
func TestMovedFolder(t *testing.T) {
	dir := t.TempDir() + "/spool"
	s := openReal(t, dir, 0)
	mustAppend(t, s, "a")
	s.looked = time.Time{} // as if that was a while ago
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	wantGone(t, s)
	wantGone(t, s)
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, "b")
	wantEntries(t, rest(t, s, 0), []string{"a", "b"})
}
