package spool

import (
	"errors"
	"io"
	"os"
)

// readAhead is how much is read at once, in bytes.
const readAhead = 128 << 10

// Reader reads the entries of a spool in order. It belongs to one goroutine.
type Reader struct {
	s    *Spool
	next uint64 // number of the entry that Next looks for

	seg   *segment // nil if it has to be found
	f     *os.File // of seg
	at    int64    // where in f the next frame starts
	limit int64    // how far f may be read
	end   uint64   // behind the last entry before limit
	buf   []byte   // of f, from at on
	room  []byte   // that buf lies in
}

// Reader returns a reader that begins at the given number.
func (s *Spool) Reader(from uint64) *Reader { return &Reader{s: s, next: from} }

// Seek goes on at the entry of the given number.
func (r *Reader) Seek(seq uint64) {
	r.close()
	r.next = seq
}

// Close gives the reader's file back.
func (r *Reader) Close() { r.close() }

func (r *Reader) close() {
	if r.f != nil {
		r.f.Close()
	}
	r.f, r.seg, r.buf = nil, nil, nil
}

// Next returns the next entry; its bytes are good until the next call. The error is io.EOF if there is none yet, and a
// DamagedError if some cannot be read: the one after that continues behind them. Other errors are the disk's, and may pass.
func (r *Reader) Next() (seq uint64, payload []byte, err error) {
	for {
		if err := r.enter(); err != nil {
			return 0, nil, err
		}
		frame, seq, err := r.frame()
		if err != nil {
			return 0, nil, err
		}
		if frame == nil {
			if err := r.skip(); err != nil {
				return 0, nil, err
			}
			continue
		}
		r.at += int64(len(frame))
		r.buf = r.buf[len(frame):]
		if seq < r.next { // Seek went into the middle of the segment
			continue
		}
		r.next = seq + 1
		return seq, frame[frameHeader:], nil
	}
}

// enter sees to an open segment that has the next entry.
func (r *Reader) enter() error {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.seg != nil && r.next < r.end {
		return nil
	}
	if r.next >= s.next {
		return io.EOF
	}
	if r.seg != nil && r.next < r.seg.end { // it has grown
		r.limit, r.end = r.seg.size, r.seg.end
		return nil
	}
	r.close()
	for _, g := range s.segments {
		if r.next >= g.end {
			continue
		}
		r.next = max(r.next, g.first) // what was before is done and deleted
		f, err := os.Open(g.path)
		if errors.Is(err, os.ErrNotExist) && s.There() == nil {
			return r.missing(g)
		}
		if err != nil {
			return err
		}
		r.f, r.seg, r.at, r.limit, r.end = f, g, int64(segmentHeader), g.size, g.end
		return nil
	}
	return io.EOF
}

// frame returns the next frame of the segment; nil if there is no whole one whose number can be.
func (r *Reader) frame() ([]byte, uint64, error) {
	if err := r.fill(frameHeader); err != nil {
		return nil, 0, err
	}
	size, seq, ok := header(r.buf)
	if !ok || seq > r.next || seq < r.seg.first || size > r.limit-r.at {
		return nil, 0, nil
	}
	if err := r.fill(int(size)); err != nil {
		return nil, 0, err
	}
	if len(r.buf) < int(size) || !valid(r.buf[:size]) {
		return nil, 0, nil
	}
	return r.buf[:size], seq, nil
}

// fill reads until buf has n bytes, or there are no more.
func (r *Reader) fill(n int) error {
	if len(r.buf) >= n {
		return nil
	}
	want := min(int64(max(n, readAhead)), r.limit-r.at)
	if want <= int64(len(r.buf)) {
		return nil
	}
	if int64(cap(r.room)) < want {
		r.room = make([]byte, max(want, readAhead))
	}
	room := r.room[:want]
	have := copy(room, r.buf)
	k, err := r.f.ReadAt(room[have:], r.at+int64(have))
	r.buf = room[:have+k]
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// skip goes on behind what cannot be read, and says what that is.
func (r *Reader) skip() error {
	rest := make([]byte, r.limit-r.at)
	k, err := r.f.ReadAt(rest, r.at)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	e := &DamagedError{Path: r.seg.path, From: r.next, To: r.end}
	offset, seq, ok := resync(rest[:k], r.next, r.end)
	if ok {
		e.To = seq
		r.at += int64(offset)
	} else {
		r.at = r.limit
	}
	r.buf = nil
	r.next = e.To
	r.s.lose(r.seg, e)
	if e.From == e.To { // it was before what is looked for
		return nil
	}
	return e
}

// missing goes on behind a segment whose file is gone, although the folder is there. The lock is held.
func (r *Reader) missing(g *segment) error {
	e := &DamagedError{Path: g.path, From: r.next, To: g.end, Gone: true}
	r.next = e.To
	r.s.loseLocked(g, e)
	return e
}

// lose notes what cannot be read of a segment; once, however often it is tried.
func (s *Spool) lose(g *segment, e *DamagedError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseLocked(g, e)
}

func (s *Spool) loseLocked(g *segment, e *DamagedError) {
	g.damaged = true
	if from := max(e.From, s.lostTo); from < e.To {
		s.Stats.Lost.Add(int64(e.To - from))
		s.lostTo = e.To
	}
}
