package ingest

import (
	"bytes"
	"io"
)

// firstRead is how much memory a reader of lines begins with, unless the body is known to be smaller.
const firstRead = 32 << 10

// lineReader cuts a stream into lines. A line ends with LF or CR LF; the last one may do without. Blank ones are skipped.
type lineReader struct {
	src        io.Reader
	mem        *scratch
	buf        []byte // all of mem
	start, end int    // what of buf was read and not yet returned
	first      int    // size of buf to begin with
	longest    int    // longer lines are skipped
	number     int    // of the line returned last, blank ones counted, from 1
	eof        bool
}

// open begins a stream of about size bytes, or of unknown size if it is negative.
func (l *lineReader) open(src io.Reader, size int, mem *scratch, longest int) {
	*l = lineReader{src: src, mem: mem, longest: longest, first: firstRead}
	if size >= 0 && size < firstRead {
		l.first = size + 1 // the end is met without asking for more memory
	}
}

// next returns the next line without its end; it is valid until the next call. A line that is longer than longest is
// skipped, and tooLong is true. At the end of the stream the error is io.EOF; any other error is a *record.Error.
func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	for {
		line, tooLong, err = l.cut()
		if err != nil || tooLong || !blank(line) {
			return line, tooLong, err
		}
	}
}

// cut returns the next line, blank or not.
func (l *lineReader) cut() (line []byte, tooLong bool, err error) {
	searched := l.start
	for {
		if i := bytes.IndexByte(l.buf[searched:l.end], '\n'); i >= 0 {
			return l.take(searched+i, 1)
		}
		if l.eof {
			if l.start == l.end {
				return nil, false, io.EOF
			}
			return l.take(l.end, 0)
		}
		if l.end-l.start > l.longest+1 { // one more than the longest line with its CR
			l.number++
			return nil, true, l.skip()
		}
		unread := l.end - l.start
		if err := l.fill(); err != nil {
			return nil, false, err
		}
		searched = l.start + unread
	}
}

// take returns the line that ends before end, and steps over its line end.
func (l *lineReader) take(end, lineEnd int) ([]byte, bool, error) {
	line := l.buf[l.start:end]
	l.start = end + lineEnd
	l.number++
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > l.longest {
		return nil, true, nil
	}
	return line, false, nil
}

// skip reads on to the end of the line, keeping nothing of it.
func (l *lineReader) skip() error {
	for {
		l.start = l.end
		if err := l.fill(); err != nil {
			return err
		}
		if i := bytes.IndexByte(l.buf[l.start:l.end], '\n'); i >= 0 {
			l.start += i + 1
			return nil
		}
		if l.eof {
			l.start = l.end
			return nil
		}
	}
}

// fill reads more, after making room for it.
func (l *lineReader) fill() error {
	if err := l.room(); err != nil {
		return err
	}
	n, err := l.src.Read(l.buf[l.end:])
	l.end += n
	switch {
	case err == io.EOF:
		l.eof = true
		return nil
	case err != nil:
		return err
	default:
		return nil
	}
}

// room makes place for at least one more byte.
func (l *lineReader) room() error {
	if l.end < len(l.buf) {
		return nil
	}
	unread := l.end - l.start
	if l.start > 0 {
		copy(l.buf, l.buf[l.start:l.end])
		l.start, l.end = 0, unread
	}
	if unread < len(l.buf) && unread <= len(l.buf)/2 {
		return nil
	}
	// One byte more than the longest line with its CR shows that a line is too long, so it need never be larger.
	size := max(l.first, min(2*len(l.buf), l.longest+2))
	if size <= len(l.buf) {
		return nil
	}
	buf, err := l.mem.grow(unread, size)
	if err != nil {
		return err
	}
	l.buf = buf
	return nil
}

// blank says whether a line is nothing but white space.
func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
