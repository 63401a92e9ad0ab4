package spool

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written makes a spool with some entries and returns its folder and the last segment's path and bytes.
func written(t testing.TB, texts []string) (dir, last string, bytes []byte) {
	t.Helper()
	dir = t.TempDir()
	s, _ := mustOpen(t, dir, options())
	for len(texts) > 0 {
		n := min(len(texts), 20)
		mustAppend(t, s, texts[:n]...)
		texts = texts[n:]
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	segments := files(t, dir, "*.seg")
	last = segments[len(segments)-1]
	bytes, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	return dir, last, bytes
}

// TestTornTailAtEveryByte: whatever is missing at the end, all whole entries are there and new ones follow them.
func TestTornTailAtEveryByte(t *testing.T) {
	all := numbered(4)
	dir, last, whole := written(t, all)
	for cut := range len(whole) {
		tails := []string{"", strings.Repeat("\x00", 40), "garbage garbage garbage"}
		if cut%5 > 0 {
			tails = tails[:1]
		}
		for _, tail := range tails {
			torn := copyDir(t, dir)
			path := filepath.Join(torn, filepath.Base(last))
			if err := os.WriteFile(path, append(append([]byte{}, whole[:cut]...), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, found := mustOpen(t, torn, options())
			left := int(found.Next)
			if left > len(all) || left < len(all) && found.Torn == 0 && cut > 0 && !endsAtFrame(whole[:cut]) {
				t.Fatalf("cut at %d: found %+v", cut, found)
			}
			wantEntries(t, rest(t, s, 0), all[:left])
			if first := mustAppend(t, s, "after"); first != found.Next {
				t.Fatalf("cut at %d: the next entry is %d after %d", cut, first, found.Next)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s, found = mustOpen(t, torn, options())
			if found.Torn != 0 {
				t.Fatalf("cut at %d: %d bytes were torn again", cut, found.Torn)
			}
			wantEntries(t, rest(t, s, 0), append(append([]string{}, all[:left]...), "after"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func endsAtFrame(p []byte) bool {
	if len(p) < segmentHeader {
		return false
	}
	for p = p[segmentHeader:]; len(p) > 0; {
		frame, _, ok := frameAt(p)
		if !ok {
			return false
		}
		p = p[len(frame):]
	}
	return true
}

// TestEveryDamagedByteIsFound: a byte that changed costs the entry that it is of, which is told, and no other.
func TestEveryDamagedByteIsFound(t *testing.T) {
	all := numbered(4)
	dir, last, whole := written(t, all)
	for at := range whole {
		damaged := copyDir(t, dir)
		changed := append([]byte{}, whole...)
		changed[at] ^= 0x20
		path := filepath.Join(damaged, filepath.Base(last))
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		s, found := mustOpen(t, damaged, options())
		mustAppend(t, s, "after")
		lost, got := drain(t, s)
		if found.Torn > 0 { // the last entry: it looks as if it had not been written whole
			lost++
		}
		header := at < segmentHeader
		if header && (lost != 0 || len(got) != 5) || !header && (lost != 1 || len(got) != 4) {
			t.Fatalf("byte %d: %d lost, %d entries: %v", at, lost, len(got), got)
		}
		for i, text := range got {
			if text != "after" && text != all[i] && text != all[i+1] {
				t.Fatalf("byte %d: entry %d is %q", at, i, text)
			}
		}
		if err := s.Commit(Position{Next: found.Next + 1}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if aside := files(t, damaged, "*.damaged"); len(aside) == 0 && found.Torn == 0 {
			t.Fatalf("byte %d: the damaged segment is not set aside", at)
		}
		if left := files(t, damaged, "*.seg"); len(left) > 0 {
			t.Fatalf("byte %d: %v are left", at, left)
		}
	}
}

// drain reads all entries, and counts those that are lost.
func drain(t testing.TB, s *Spool) (lost uint64, got []string) {
	t.Helper()
	r := s.Reader(0)
	defer r.Close()
	for {
		_, p, err := r.Next()
		if damage, ok := errors.AsType[*DamagedError](err); ok {
			lost += damage.To - damage.From
			continue
		}
		if errors.Is(err, io.EOF) {
			return lost, got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(p))
	}
}

func TestDamageInTheMiddle(t *testing.T) {
	all := numbered(1000)
	dir, last, _ := written(t, all)
	segments := files(t, dir, "*.seg")
	second := segments[1]
	p, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	clear(p[1000:1100])
	if err := os.WriteFile(second, p, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(segments[2]); err != nil {
		t.Fatal(err)
	}
	s, _ := mustOpen(t, dir, options())
	r := s.Reader(0)
	defer r.Close()
	var lost, read uint64
	for next := uint64(0); ; {
		seq, text, err := r.Next()
		if damage, ok := errors.AsType[*DamagedError](err); ok {
			if damage.From != next || damage.To <= damage.From {
				t.Fatalf("damage %+v where entry %d should be", damage, next)
			}
			lost += damage.To - damage.From
			next = damage.To
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || seq != next || string(text) != all[seq] {
			t.Fatalf("entry %d %q: %v", seq, text, err)
		}
		next++
		read++
	}
	if lost+read != 1000 || lost == 0 || uint64(s.Stats.Lost.Load()) != lost {
		t.Errorf("%d read, %d lost, %d counted", read, lost, s.Stats.Lost.Load())
	}
	r.Seek(0)
	for range read { // a second look counts nothing again
		if _, _, err := r.Next(); err != nil && !errors.As(err, new(*DamagedError)) {
			break
		}
	}
	if uint64(s.Stats.Lost.Load()) != lost {
		t.Errorf("%d are counted as lost after reading again", s.Stats.Lost.Load())
	}
	if err := s.Commit(Position{Next: 1000}); err != nil {
		t.Fatal(err)
	}
	if aside := files(t, dir, "*.damaged"); len(aside) != 1 || aside[0] != second+damagedSuffix {
		t.Errorf("set aside: %v, want %s", aside, second)
	}
	if _, err := os.Stat(last); err != nil {
		t.Error(err)
	}
}

// TestTornPosition: whatever becomes of one of the two files of the position, no entry counts as done that is not.
func TestTornPosition(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, options())
	mustAppend(t, s, numbered(50)...)
	for i := range uint64(7) {
		if err := s.Commit(Position{Next: i, Ahead: []Range{{i + 2, i + 4}, {20, 30 + i}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"position.a", "position.b"} {
		whole, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for cut := range 80 {
			for _, p := range [][]byte{whole[:cut], append(append([]byte{}, whole[:cut]...), make([]byte, 100)...)} {
				if err := os.WriteFile(filepath.Join(dir, name), p, 0o600); err != nil {
					t.Fatal(err)
				}
				ps, p, ok, err := openPositions(dir)
				if err != nil || !ok || p.Next != 5 && p.Next != 6 {
					t.Fatalf("%s cut at %d: %+v %v %v", name, cut, p, ok, err)
				}
				ps.close()
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLostPositionIsTold(t *testing.T) {
	dir, _, _ := written(t, numbered(5))
	s, found := mustOpen(t, dir, options())
	if found.NotDone {
		t.Error("a spool of which nothing was done lost its position")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range files(t, dir, "position.*") {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	s, found = mustOpen(t, dir, options())
	if !found.NotDone || found.Next != 5 {
		t.Errorf("found %+v", found)
	}
	wantEntries(t, rest(t, s, 0), numbered(5))
}

func TestPositionBehindTheEnd(t *testing.T) {
	dir, last, _ := written(t, numbered(20))
	s, _ := mustOpen(t, dir, options())
	if err := s.Commit(Position{Next: 15}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(last, int64(segmentHeader)); err != nil { // the machine lost what was stored elsewhere since
		t.Fatal(err)
	}
	s, found := mustOpen(t, dir, options())
	if found.Next != 15 {
		t.Fatalf("found %+v", found)
	}
	if first := mustAppend(t, s, "next"); first != 15 {
		t.Errorf("the next entry is %d", first)
	}
	wantEntries(t, rest(t, s, 15), []string{"next"})
}
