package bench

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// tally is what the connections of a load write down together. All of it is safe for concurrent use.
type tally struct {
	answered   atomic.Int64 // since the start
	stored     atomic.Int64 // records, also accepted ones, since the start, as the following
	dropped    atomic.Int64 // records that modules ended
	failed     atomic.Int64 // records
	unsent     atomic.Int64 // due, but no connection was free
	unanswered atomic.Int64 // sent, but not answered before the end
	statuses   [600]atomic.Int64
	accepted   *histogram // 200, 202 and 207
	refused    *histogram // any other status
	pacing     *histogram // how late a connection that slept until a request was due woke up

	mu     sync.Mutex
	errors map[string]int64
}

func newTally() tally {
	return tally{
		accepted: newHistogram(), refused: newHistogram(), pacing: newHistogram(), errors: map[string]int64{},
	}
}

// success says whether a status means that all records are stored or accepted.
func success(status int) bool { return status == 200 || status == 202 }

// answer counts an answer or a failed exchange; counted says whether it falls into the window.
func (t *tally) answer(status int, f fate, err error, counted bool) {
	if err != nil {
		t.mu.Lock()
		t.errors[errorKind(err)]++
		t.mu.Unlock()
		return
	}
	t.answered.Add(1)
	t.stored.Add(f.stored)
	t.dropped.Add(f.dropped)
	t.failed.Add(f.failed)
	if counted {
		t.statuses[status].Add(1)
	}
}

func (t *tally) time(status int, d time.Duration) {
	if success(status) || status == statusPartial {
		t.accepted.add(d)
	} else {
		t.refused.add(d)
	}
}

// late records the age of a request whose answer nobody will ever see: its latency is at least that.
func (t *tally) late(age time.Duration) { t.accepted.add(age) }

func (t *tally) overdue(age time.Duration) {
	t.unsent.Add(1)
	t.late(age)
}

// statusCounts is how often each status was answered in the window.
func (t *tally) statusCounts() map[string]int64 {
	m := map[string]int64{}
	for status := range t.statuses {
		if n := t.statuses[status].Load(); n > 0 {
			m[strconv.Itoa(status)] = n
		}
	}
	return m
}

// errorCounts is how often an exchange failed, by kind, since the start.
func (t *tally) errorCounts() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.errors)
}

// errorKind names an error without what differs from connection to connection, so that equal ones are counted together.
func errorKind(err error) string {
	var errno syscall.Errno
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed within a response"
	case errors.Is(err, io.EOF):
		return "connection closed before a response"
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.Canceled):
		return "timed out"
	default:
		return err.Error()
	}
}
