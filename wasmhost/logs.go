package wasmhost

import (
	"sync"
	"time"
)

// Line is one line of a guest's log.
type Line struct {
	Time    time.Time
	Level   int // abi.Level*
	Guest   string
	Version string
	Text    string
}

// Log keeps the last lines of a module's guests and passes new ones on.
type Log struct {
	mu        sync.Mutex
	lines     []Line // a ring
	next      int
	full      bool
	followers map[chan Line]struct{}
}

// NewLog returns a log that keeps n lines (log.lines).
func NewLog(n int) *Log {
	return &Log{lines: make([]Line, max(n, 1)), followers: make(map[chan Line]struct{})}
}

// Add keeps line and passes it on. A follower that does not keep up misses lines.
func (l *Log) Add(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[l.next] = line
	if l.next++; l.next == len(l.lines) {
		l.next, l.full = 0, true
	}
	for f := range l.followers {
		select {
		case f <- line:
		default:
		}
	}
}

// Lines returns the lines that are kept, newest first.
func (l *Log) Lines() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.next
	if l.full {
		n = len(l.lines)
	}
	out := make([]Line, 0, n)
	for i := range n {
		out = append(out, l.lines[(l.next-1-i+len(l.lines))%len(l.lines)])
	}
	return out
}

// Follow returns a channel of the lines from now on, and what ends it.
func (l *Log) Follow() (<-chan Line, func()) {
	const room = 256
	f := make(chan Line, room)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers[f] = struct{}{}
	return f, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.followers, f)
	}
}
