package bench

import (
	"context"
	"sync/atomic"
	"time"
)

// turns hands out the requests of a load, each with the moment it is due.
type turns struct {
	interval float64       // nanoseconds between two requests; 0 when each is due at once
	limit    int64         // how many there are; 0 for as many as fit before closes
	closes   time.Duration // none is due after this
	taken    atomic.Int64
}

// take gives the next request's due time; false means that there are no more.
func (t *turns) take(now time.Duration) (due time.Duration, ok bool) {
	if now > t.closes {
		return 0, false
	}
	if t.interval == 0 && t.limit == 0 {
		return now, true
	}
	n := t.taken.Add(1) - 1
	if t.limit > 0 && n >= t.limit {
		return 0, false
	}
	if t.interval == 0 {
		return now, true
	}
	due = t.due(n)
	return due, due <= t.closes
}

func (t *turns) due(n int64) time.Duration { return time.Duration(float64(n) * t.interval) }

// overdue calls f with the age of each request that was due before the end and that no connection was free to send.
// Leaving them out would make a server look the better the less it answers.
func (t *turns) overdue(f func(age time.Duration)) {
	if t.interval == 0 || t.limit > 0 {
		return
	}
	for n := t.taken.Load(); t.due(n) <= t.closes; n++ {
		f(t.closes - t.due(n))
	}
}

// pause is a timer that is used again and again.
type pause struct{ timer *time.Timer }

func newPause() *pause {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &pause{timer: t}
}

// sleep waits for d; false means that ctx ended first.
func (p *pause) sleep(ctx context.Context, d time.Duration) bool {
	p.timer.Reset(d)
	select {
	case <-p.timer.C:
		return true
	case <-ctx.Done():
		p.timer.Stop()
		return false
	}
}
