package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/dirlock"
)

// Options are the limits of a spool.
type Options struct {
	MaxBytes     int64         // of all segments together
	SegmentBytes int64         // where a new segment begins
	Interval     time.Duration // how often is synced what was appended; 0 syncs before Append returns
}

// Spool is an open spool. All methods may be called from any goroutine.
type Spool struct {
	dir    string
	lock   *dirlock.Lock
	locked os.FileInfo // of lock
	system system
	Stats  Stats

	mu        sync.Mutex
	options   Options
	segments  []*segment // the last one is written to if out is open
	used      int64      // bytes of segments
	reserved  int64      // bytes of waiting and of what is being written
	next      uint64     // number of the next entry
	done      Position
	lostTo    uint64 // behind the last entry that Stats.Lost counts
	positions *positions
	waiting   []*Entries
	spare     []*Entries // room for the next waiting
	sealed    bool       // Append refuses
	closed    bool

	out     file      // of the last segment; nil if the next entry begins a new one. It and what follows belong to the writer
	torn    bool      // out has bytes behind the last segment's size
	unsaid  bool      // something was written and not synced
	looked  time.Time // when the folder was last seen where it should be
	scratch []byte

	wake   chan struct{} // for the writer
	ready  chan struct{} // there may be more to read
	freed  chan struct{} // closed by Close
	writer sync.WaitGroup
}

// Stats counts what a spool did since it was opened.
type Stats struct {
	Appended  atomic.Int64 // entries
	Refused   atomic.Int64 // entries that there was no room for, or that could not be written
	Syncs     atomic.Int64
	SyncNanos atomic.Int64
	MaxSync   atomic.Int64 // nanoseconds; take it with Swap(0)
	SyncFails atomic.Int64 // of syncs
	Lost      atomic.Int64 // entries that could not be read back
}

// Found is what Open found.
type Found struct {
	Position Position
	Next     uint64 // number of the next entry
	Torn     int64  // bytes behind the last whole entry, which were cut off
	NotDone  bool   // nothing says what the reader was done with: all entries count as not done
}

// Open opens the spool in a folder, or makes one. A folder that another process uses is an error, a torn tail is not.
func Open(dir string, o Options) (*Spool, Found, error) {
	return open(dir, o, system{openAppend, (*os.File).Sync})
}

func open(dir string, o Options, sys system) (*Spool, Found, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Found{}, err
	}
	lock, err := dirlock.Take(filepath.Join(dir, "lock"), filePerm)
	if err != nil {
		return nil, Found{}, fmt.Errorf("%s: %w", dir, err)
	}
	s := &Spool{
		dir: dir, lock: lock, system: sys, options: o,
		wake: make(chan struct{}, 1), ready: make(chan struct{}, 1), freed: make(chan struct{}),
	}
	var found Found
	if s.locked, err = lock.Stat(); err == nil {
		found, err = s.recover()
	}
	if err != nil {
		if s.positions != nil {
			s.positions.close()
		}
		return nil, Found{}, errors.Join(err, lock.Release())
	}
	_ = lock.Sign() // only for the error that the next one gets
	s.writer.Go(s.run)
	return s, found, nil
}

// recover reads what is there.
func (s *Spool) recover() (Found, error) {
	var found Found
	all, err := segmentFiles(s.dir)
	if err != nil {
		return found, err
	}
	if n := len(all); n > 0 {
		if found.Torn, err = s.openLast(all[n-1]); err != nil {
			return found, err
		}
		s.segments, s.next = all, all[n-1].end
	}
	for _, g := range s.segments {
		s.used += g.size
	}
	var there bool
	if s.positions, s.done, there, err = openPositions(s.dir); err != nil {
		return found, err
	}
	found.NotDone = !there && len(all) > 0
	if len(all) > 0 {
		s.done = s.done.from(all[0].first)
	}
	if !there { // so that one that is missing later was lost
		if err := s.positions.write(s.done); err != nil {
			return found, err
		}
	}
	if s.done.Next > s.next { // the tail was lost after its entries were done
		s.next = s.done.Next
		s.closeOut()
	}
	found.Position, found.Next = s.done, s.next
	return found, s.drop()
}

// openLast cuts the last segment where its last whole entry ends and goes on with it, if that is possible.
func (s *Spool) openLast(g *segment) (torn int64, err error) {
	if torn, err = g.scan(); err != nil {
		return 0, err
	}
	if g.damaged {
		return torn, nil // it stays as it is, for who wants to look
	}
	out, err := s.system.create(g.path)
	if err != nil {
		return 0, err
	}
	if torn > 0 {
		if err := errors.Join(out.Truncate(g.size), out.Sync()); err != nil {
			return 0, errors.Join(err, out.Close())
		}
	}
	s.out = out
	if g.size == 0 {
		return torn, s.writeHeader(g)
	}
	return torn, nil
}

// from is p where every entry before first is done.
func (p Position) from(first uint64) Position {
	p.Next = max(p.Next, first)
	for len(p.Ahead) > 0 && p.Ahead[0].From <= p.Next {
		p.Next = max(p.Next, p.Ahead[0].To)
		p.Ahead = p.Ahead[1:]
	}
	return p
}

// SetOptions changes the limits.
func (s *Spool) SetOptions(o Options) {
	s.mu.Lock()
	s.options = o
	s.mu.Unlock()
	s.signal() // the writer may have to sync what it left for later
}

// Used is the bytes that the segments have, and the number of the next entry.
func (s *Spool) Used() (bytes int64, next uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used + s.reserved, s.next
}

// Dir is the folder.
func (s *Spool) Dir() string { return s.dir }

// Ready tells that something was appended, or could not be, since it told last.
func (s *Spool) Ready() <-chan struct{} { return s.ready }

// Commit says what the reader is done with. It is written at once, and made last with the next fsync; segments of which
// all entries are done are deleted.
func (s *Spool) Commit(p Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	return s.commit(p)
}

func (s *Spool) commit(p Position) error {
	s.done = p.from(p.Next)
	if err := s.positions.write(s.done); err != nil {
		return err
	}
	return s.drop()
}

// drop deletes the segments that are done. The one that is written to stays.
func (s *Spool) drop() error {
	n := len(s.segments)
	if s.out != nil {
		n--
	}
	gone := 0
	for gone < n && s.segments[gone].end <= s.done.Next {
		if err := s.segments[gone].remove(); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		s.used -= s.segments[gone].size
		gone++
	}
	s.segments = s.segments[gone:]
	return nil
}

// Seal refuses further entries. It is false while some that came before are still being appended; Ready tells when they are.
func (s *Spool) Seal() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	return s.reserved == 0
}

// Close waits for what is being appended, makes the entries and the position last, and gives the folder up.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed, s.sealed = true, true
	s.mu.Unlock()
	close(s.freed)
	s.writer.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.syncOut()
	s.closeOut()
	err = errors.Join(err, s.commit(s.done), s.positions.sync(s.system)) // with no segment open those that are done go
	s.positions.close()
	return errors.Join(err, s.lock.Release())
}
