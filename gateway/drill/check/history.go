package check

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Writer appends entries to a history, from any goroutine.
type Writer struct {
	mu  sync.Mutex
	buf *bufio.Writer
	err error // the first one
}

// NewWriter writes to w. Close ends the history.
func NewWriter(w io.Writer) *Writer { return &Writer{buf: bufio.NewWriter(w)} }

// Append writes one entry as one line. Errors are kept for Close.
func (w *Writer) Append(e *Entry) {
	line, err := json.Marshal(e)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		_, err = w.buf.Write(append(line, '\n'))
	}
	w.err = errors.Join(w.err, err)
}

// Close writes what is buffered and returns what went wrong.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.err, w.buf.Flush())
}

// Read reads a history.
func Read(r io.Reader) ([]Entry, error) {
	var all []Entry
	for d := json.NewDecoder(r); ; {
		var e Entry
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("history, entry %d: %w", len(all)+1, err)
		}
		all = append(all, e)
	}
}
