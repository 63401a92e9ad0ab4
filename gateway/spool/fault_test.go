package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// faults has files fail. Without one nothing is forced to the disk, which costs time and shows nothing here.
type faults struct {
	write, sync, truncate error
	short                 int // bytes that a write that fails has written before
}

func (f *faults) system() system {
	return system{f.create, func(*os.File) error { return nil }}
}

type faultyFile struct {
	*os.File
	f *faults
}

func (f *faults) create(path string) (file, error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, filePerm)
	return &faultyFile{out, f}, err
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if f.f.write != nil {
		n, _ := f.File.Write(p[:min(f.f.short, len(p))])
		return n, f.f.write
	}
	return f.File.Write(p)
}

func (f *faultyFile) Sync() error {
	if f.f.sync != nil {
		return f.f.sync
	}
	return nil
}

func (f *faultyFile) Truncate(n int64) error {
	if f.f.truncate != nil {
		return f.f.truncate
	}
	return f.File.Truncate(n)
}

// TestFailedAppendsLeaveNothing: whatever fails, what was answered well is there, what was not is not, and it goes on.
func TestFailedAppendsLeaveNothing(t *testing.T) {
	eio := errors.New("input/output error")
	for name, broken := range map[string]faults{
		"disk full":              {write: syscall.ENOSPC, short: 11},
		"disk full at once":      {write: syscall.ENOSPC},
		"error after all":        {write: eio, short: 1 << 20},
		"sync fails":             {sync: eio},
		"nothing works any more": {write: eio, short: 30, sync: eio, truncate: eio},
	} {
		for _, interval := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint(name, interval), func(t *testing.T) {
				dir := t.TempDir()
				o := options()
				o.Interval = interval
				f := &faults{}
				s, _, err := open(dir, o, f.system())
				if err != nil {
					t.Fatal(err)
				}
				var want []string
				for i := range 30 {
					text := fmt.Sprintf("entry %d", i)
					if *f = (faults{}); i%3 == 1 {
						*f = broken
					}
					_, err := s.Append(entries(text, text+"'"))
					switch {
					case err == nil:
						want = append(want, text, text+"'")
					case i%3 != 1:
						t.Fatalf("entry %d: %v", i, err)
					case errors.Is(broken.write, syscall.ENOSPC) && !errors.As(err, new(*FullError)):
						t.Fatalf("the error of a full disk is %v", err)
					}
				}
				if broken.write != nil && len(want) != 40 {
					t.Errorf("%d entries were accepted", len(want))
				}
				wantEntries(t, rest(t, s, 0), want)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s, _ = mustOpen(t, dir, options())
				wantEntries(t, rest(t, s, 0), want)
			})
		}
	}
}

// TestModel appends, reads, commits and reopens at random, and kills: what was answered stays, in order.
func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		rnd := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // it is to be repeated
		dir := t.TempDir()
		o := Options{MaxBytes: 20 << 10, SegmentBytes: 2 << 10, Interval: time.Hour}
		s, _ := mustOpen(t, dir, o)
		var first uint64 // of what is not done
		var model []string
		for step := range 100 {
			switch rnd.IntN(6) {
			case 0, 1, 2:
				texts := make([]string, 1+rnd.IntN(20))
				for i := range texts {
					texts[i] = fmt.Sprintf("%d %0*d", step, rnd.IntN(300), i)
				}
				_, err := s.Append(entries(texts...))
				if errors.As(err, new(*FullError)) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				model = append(model, texts...)
			case 3:
				n := rnd.IntN(len(model) + 1)
				first += uint64(n)
				model = model[n:]
				if err := s.Commit(Position{Next: first}); err != nil {
					t.Fatal(err)
				}
			case 4:
				wantEntries(t, rest(t, s, first), model)
			case 5: // a kill leaves what was written, and the lock to nobody
				dir = copyDir(t, dir)
				killed := s
				s, _ = mustOpen(t, dir, o)
				if err := killed.Close(); err != nil {
					t.Fatal(err)
				}
				if s.done.Next != first {
					t.Fatalf("seed %d: %d entries are done, want %d", seed, s.done.Next, first)
				}
			}
			if used, next := s.Used(); next != first+uint64(len(model)) || used > o.MaxBytes+int64(segmentHeader) {
				t.Fatalf("seed %d step %d: next %d, want %d; %d bytes", seed, step, next, first+uint64(len(model)), used)
			}
		}
		wantEntries(t, rest(t, s, first), model)
	}
}

// FuzzOpen opens a folder with any segment and position in it: it must not panic, lose whole entries before the first damage, or
// hand out what was not appended.
func FuzzOpen(f *testing.F) {
	_, _, whole := written(f, numbered(5))
	f.Add(whole, Position{Next: 2, Ahead: []Range{{3, 4}}}.appendTo(nil, 7))
	f.Add(whole[:len(whole)-3], []byte{})
	damaged := append([]byte{}, whole...)
	damaged[60] ^= 1
	f.Add(damaged, []byte("position"))
	f.Add([]byte("SLUICESP"), []byte{})
	f.Fuzz(func(t *testing.T, segment, position []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(segmentPath(dir, 0), segment, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "position.a"), position, 0o600); err != nil {
			t.Fatal(err)
		}
		s, found, err := open(dir, Options{MaxBytes: 1 << 30, SegmentBytes: 1 << 20, Interval: time.Hour}, (&faults{}).system())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		if found.Next < 1<<62 { // else there are no numbers left
			if first, err := s.Append(entries("after")); err != nil || first != found.Next {
				t.Fatalf("append: %d %v, found %+v", first, err, found)
			}
		}
		r := s.Reader(found.Position.Next)
		defer r.Close()
		last := ""
		for {
			_, p, err := r.Next()
			if errors.As(err, new(*DamagedError)) {
				continue
			}
			if err != nil {
				break
			}
			last = string(p)
		}
		if found.Next < 1<<62 && last != "after" {
			t.Fatalf("the last entry is %q", last)
		}
	})
}
