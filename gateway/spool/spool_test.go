package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func options() Options { return Options{MaxBytes: 1 << 20, SegmentBytes: 4 << 10} }

// mustOpen opens a spool that forces nothing to the disk: that costs time, and shows nothing unless the machine stops.
func mustOpen(t testing.TB, dir string, o Options) (*Spool, Found) {
	t.Helper()
	s, found, err := open(dir, o, (&faults{}).system())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, found
}

// entries is some entries with the given texts.
func entries(texts ...string) *Entries {
	e := &Entries{}
	for _, text := range texts {
		e.End(append(e.Begin(), text...))
	}
	return e
}

func mustAppend(t testing.TB, s *Spool, texts ...string) uint64 {
	t.Helper()
	first, err := s.Append(entries(texts...))
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// rest reads what there is from seq on, and checks the numbers.
func rest(t testing.TB, s *Spool, from uint64) []string {
	t.Helper()
	r := s.Reader(from)
	defer r.Close()
	var all []string
	for {
		seq, p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if seq != from {
			t.Fatalf("entry %d follows %d", seq, from-1)
		}
		from++
		all = append(all, string(p))
	}
}

func numbered(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("entry %d", i)
	}
	return all
}

func wantEntries(t testing.TB, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("entry %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEntriesAreThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	all := numbered(2000)
	for i := 0; i < len(all); i += 500 {
		s, found := mustOpen(t, dir, options())
		if found.Next != uint64(i) || found.Torn != 0 {
			t.Fatalf("found %+v after %d entries", found, i)
		}
		for k := i; k < i+500; k += 10 {
			mustAppend(t, s, all[k:k+10]...)
		}
		wantEntries(t, rest(t, s, 0), all[:i+500])
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(files(t, dir, "*.seg")); n < 5 {
		t.Errorf("%d segments", n)
	}
}

func TestDoneSegmentsAreDeleted(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, options())
	all := numbered(2000)
	for i := 0; i < len(all); i += 10 {
		mustAppend(t, s, all[i:i+10]...)
	}
	before, _ := s.Used()
	if err := s.Commit(Position{Next: 1234, Ahead: []Range{{1300, 1302}, {1500, 1600}}}); err != nil {
		t.Fatal(err)
	}
	if after, _ := s.Used(); after > before/2 {
		t.Errorf("%d bytes of %d are still used", after, before)
	}
	wantEntries(t, rest(t, s, 1234), all[1234:])
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, found := mustOpen(t, dir, options())
	if p := found.Position; p.Next != 1234 || len(p.Ahead) != 2 || p.Ahead[1] != (Range{1500, 1600}) {
		t.Fatalf("found %+v", found)
	}
	wantEntries(t, rest(t, s, 1234), all[1234:])
	if err := s.Commit(Position{Next: 2000}); err != nil {
		t.Fatal(err)
	}
	if n := len(files(t, dir, "*.seg")); n != 1 {
		t.Errorf("%d segments are left", n)
	}
}

func TestFullSpoolTakesEntriesAgainWhenDrained(t *testing.T) {
	o := Options{MaxBytes: 16 << 10, SegmentBytes: 4 << 10}
	s, _ := mustOpen(t, t.TempDir(), o)
	text := string(make([]byte, 1000))
	for range 3 {
		n := 0
		var full *FullError
		for ; ; n++ {
			_, err := s.Append(entries(text))
			if errors.As(err, &full) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if segments := s.segments; full.Wait != int64(segments[0].end-s.done.Next) {
			t.Fatalf("there is room when %d entries are done, it says %d", segments[0].end-s.done.Next, full.Wait)
		}
		if used, _ := s.Used(); n < 11 || used > o.MaxBytes || full.Max != o.MaxBytes || full.Used+full.Need <= o.MaxBytes || full.Err != nil {
			t.Fatalf("full after %d entries with %d bytes: %+v", n, used, full)
		}
		_, next := s.Used()
		if err := s.Commit(Position{Next: next}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, options())
	if _, _, err := Open(dir, options()); err == nil {
		t.Error("a spool was opened twice")
	}
}

func TestAppendsOfManyGoroutines(t *testing.T) {
	for _, interval := range []time.Duration{0, time.Millisecond} {
		o := options()
		o.Interval = interval
		dir := t.TempDir()
		s, _ := mustOpen(t, dir, o)
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				e := &Entries{}
				for i := range 50 {
					e.Reset()
					for k := range 3 {
						e.End(fmt.Appendf(e.Begin(), "%d %d", g, 3*i+k))
					}
					if _, err := s.Append(e); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, _ = mustOpen(t, dir, o)
		next := make([]int, 16)
		for _, text := range rest(t, s, 0) {
			var g, i int
			if _, err := fmt.Sscan(text, &g, &i); err != nil || next[g] != i {
				t.Fatalf("%q comes after %d of its goroutine", text, next[g])
			}
			next[g]++
		}
		for g, n := range next {
			if n != 150 {
				t.Errorf("%d entries of goroutine %d", n, g)
			}
		}
	}
}

func TestClosedSpoolRefuses(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), options())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(entries("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if err := s.Commit(Position{Next: 1}); !errors.Is(err, ErrClosed) {
		t.Errorf("Commit after Close: %v", err)
	}
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}
