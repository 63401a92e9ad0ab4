package spool

import (
	"errors"
	"sync/atomic"
	"time"
)

// maxWrite is how many bytes go into one write, so that many waiting appends do not have to be copied into one piece.
const maxWrite = 1 << 20

// Append appends the entries as one piece and returns the number of the first. With an Interval of 0 they are synced when it
// returns, else only written: they survive the process, but not the machine. The error is a FullError if there is no room. After an
// error none of them is in the spool.
func (s *Spool) Append(e *Entries) (first uint64, err error) {
	if e.Len() == 0 {
		return 0, nil
	}
	if e.done == nil {
		e.done = make(chan struct{}, 1)
	}
	if err := s.enqueue(e); err != nil {
		s.Stats.Refused.Add(int64(e.Len()))
		return 0, err
	}
	<-e.done
	if e.err != nil {
		s.Stats.Refused.Add(int64(e.Len()))
		return 0, e.err
	}
	s.Stats.Appended.Add(int64(e.Len()))
	return e.first, nil
}

func (s *Spool) enqueue(e *Entries) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return ErrClosed
	}
	if used := s.used + s.reserved; used+e.Size() > s.options.MaxBytes && !s.reclaimable(e.Size()) {
		return &FullError{Need: e.Size(), Used: used, Max: s.options.MaxBytes, Wait: s.before(used + e.Size() - s.options.MaxBytes)}
	}
	s.reserved += e.Size()
	s.waiting = append(s.waiting, e)
	s.signal()
	return nil
}

// before is how many entries have to be done before n bytes are free. The lock is held.
func (s *Spool) before(n int64) int64 {
	last := s.next
	for _, g := range s.segments {
		if last = g.end; n <= g.size {
			break
		}
		n -= g.size
	}
	return int64(last - min(last, s.done.Next))
}

// reclaimable says whether there is room for n bytes once the segment that is written to, of which all is done, is given up.
func (s *Spool) reclaimable(n int64) bool {
	return s.done.Next == s.next && s.reserved+n <= s.options.MaxBytes
}

func (s *Spool) signal() {
	select {
	case s.wake <- struct{}{}:
	default: // it will
	}
}

// run is the writer: it alone writes and syncs.
func (s *Spool) run() {
	var timer *time.Timer
	var due <-chan time.Time
	for {
		select {
		case <-s.wake:
		case <-due:
			due = nil
			s.syncLater()
		case <-s.freed:
			s.writeAll() // nothing is enqueued any more
			return
		}
		s.writeAll()
		interval := s.interval()
		switch {
		case !s.unsaid || due != nil:
		case interval == 0:
			s.syncLater()
		case timer == nil:
			timer = time.NewTimer(interval)
			defer timer.Stop()
			due = timer.C
		default:
			timer.Reset(interval)
			due = timer.C
		}
	}
}

func (s *Spool) interval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Interval
}

// writeAll writes what waits, as long as something does.
func (s *Spool) writeAll() {
	for {
		s.mu.Lock()
		list, o := s.waiting, s.options
		s.waiting, s.spare = s.spare[:0], list // the list is done with before the next is taken
		s.mu.Unlock()
		if len(list) == 0 {
			return
		}
		for len(list) > 0 {
			n, size := 1, list[0].Size()
			for n < len(list) && size+list[n].Size() <= maxWrite {
				size += list[n].Size()
				n++
			}
			s.write(list[:n], size, o)
			list = list[n:]
		}
	}
}

// write writes and syncs some of what waits, and tells how it went.
func (s *Spool) write(list []*Entries, size int64, o Options) {
	err := s.tryWrite(list, size, o)
	s.mu.Lock()
	s.reserved -= size
	if err == nil {
		last := s.segments[len(s.segments)-1]
		for _, e := range list {
			s.next += uint64(e.Len())
		}
		last.end, last.size = s.next, last.size+size
		s.used += size
	}
	s.mu.Unlock()
	for _, e := range list {
		e.err = err
		e.done <- struct{}{}
	}
	select {
	case s.ready <- struct{}{}:
	default: // the reader was told already
	}
}

func (s *Spool) tryWrite(list []*Entries, size int64, o Options) error {
	if err := s.makeRoom(size, o); err != nil {
		return s.asError(err, size, o)
	}
	first := s.next // only the writer changes it
	buf := list[0].buf
	if len(list) > 1 {
		buf = s.scratch[:0]
	}
	for _, e := range list {
		e.number(first)
		first += uint64(e.Len())
		if len(list) > 1 {
			buf = append(buf, e.buf...)
		}
	}
	if len(list) > 1 {
		s.scratch = buf
	}
	_, err := s.out.Write(buf)
	if err == nil {
		err = s.stillThere(time.Now())
	}
	if err == nil && o.Interval == 0 {
		err = s.sync()
	}
	if err != nil {
		s.torn = true
		_ = s.repair() // else the next attempt does
		return s.asError(err, size, o)
	}
	s.unsaid = s.unsaid || o.Interval > 0
	return nil
}

func (s *Spool) asError(err error, size int64, o Options) error {
	if !noRoom(err) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &FullError{Need: size, Used: s.used + s.reserved, Max: o.MaxBytes, Wait: s.before(size), Err: err}
}

// makeRoom sees to a segment that size bytes can be appended to.
func (s *Spool) makeRoom(size int64, o Options) error {
	if s.torn {
		if err := s.repair(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out != nil {
		last := s.segments[len(s.segments)-1]
		over := last.size+size > o.SegmentBytes && last.end > last.first
		full := s.used+s.reserved > o.MaxBytes && s.done.Next == s.next
		if !over && !full {
			return nil
		}
		if err := s.syncOut(); err != nil {
			return err
		}
		s.closeOut()
		if err := s.drop(); err != nil {
			return err
		}
	}
	return s.begin()
}

// begin begins a segment. One that was begun and got no entry is begun again.
func (s *Spool) begin() error {
	if err := s.There(); err != nil { // it would be made in a folder that nobody has locked
		return err
	}
	g := &segment{path: segmentPath(s.dir, s.next), first: s.next, end: s.next}
	if n := len(s.segments); n > 0 && s.segments[n-1].first == s.next {
		s.used -= s.segments[n-1].size
		s.segments = s.segments[:n-1]
	}
	out, err := s.system.create(g.path)
	if err != nil {
		return err
	}
	if err := out.Truncate(0); err != nil {
		return errors.Join(err, out.Close())
	}
	s.out = out
	if err := s.writeHeader(g); err != nil {
		s.out = nil
		return errors.Join(err, out.Truncate(0), out.Close())
	}
	s.segments = append(s.segments, g)
	s.used += g.size
	return nil
}

// writeHeader writes the header of a segment that is empty.
func (s *Spool) writeHeader(g *segment) error {
	if _, err := s.out.Write(appendSegmentHeader(nil, g.first)); err != nil {
		return err
	}
	if err := errors.Join(s.out.Sync(), s.system.syncDir(s.dir)); err != nil {
		return err
	}
	g.size = int64(segmentHeader)
	return nil
}

// repair cuts off what an Append left that failed, and gives the segment up: what the system has of a file whose sync failed is
// not known.
func (s *Spool) repair() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.segments[len(s.segments)-1]
	if err := s.out.Truncate(last.size); err != nil {
		return err
	}
	if err := s.out.Sync(); err != nil {
		return err
	}
	s.torn, s.unsaid = false, false
	s.closeOut()
	return nil
}

func (s *Spool) closeOut() {
	if s.out != nil {
		_ = s.out.Close() // it was synced, or that failed and was told
		s.out = nil
	}
}

// sync syncs what was written.
func (s *Spool) sync() error {
	start := time.Now()
	err := s.out.Sync()
	took := int64(time.Since(start))
	s.Stats.Syncs.Add(1)
	s.Stats.SyncNanos.Add(took)
	raise(&s.Stats.MaxSync, took)
	if err != nil {
		s.Stats.SyncFails.Add(1)
	}
	return err
}

// syncOut syncs what was left for later.
func (s *Spool) syncOut() error {
	if s.out == nil || !s.unsaid {
		return nil
	}
	s.unsaid = false // a sync that failed is not tried again: the next one would say that all is well
	return s.sync()
}

// syncLater is the sync of Interval, with the position. Stats tell if it failed.
func (s *Spool) syncLater() {
	err := s.syncOut()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.closeOut()
	}
	_ = s.positions.sync(s.system) // an older one repeats entries, and loses none
}

func raise(m *atomic.Int64, v int64) {
	for old := m.Load(); v > old && !m.CompareAndSwap(old, v); old = m.Load() {
	}
}
