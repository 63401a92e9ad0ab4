package producer

import (
	"sync"
	"time"
)

const (
	drainSample   = 200 * time.Millisecond
	minRetryAfter = time.Second
	maxRetryAfter = 30 * time.Second
)

// DrainRate measures how fast bytes or records are given back, to tell a refused client when to come again.
type DrainRate struct {
	mu       sync.Mutex
	at       time.Time
	seen     int64
	perSec   float64
	lastMove time.Time
}

// RetryAfter is the time after which need more should be free, if released is what was given back ever. It is at least a second, the unit of HTTP's
// Retry-After; while nothing drains at all it grows with the standstill.
func (d *DrainRate) RetryAfter(need, released int64, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sample(released, now)
	if d.perSec < 1 {
		return clampRetry(now.Sub(d.lastMove))
	}
	return clampRetry(time.Duration(float64(need) / d.perSec * float64(time.Second)))
}

func (d *DrainRate) sample(total int64, now time.Time) {
	if d.at.IsZero() {
		d.at, d.lastMove, d.seen = now, now, total
		return
	}
	dt := now.Sub(d.at)
	if dt < drainSample {
		return
	}
	rate := float64(total-d.seen) / dt.Seconds()
	if total != d.seen {
		d.lastMove = now
	}
	if dt > 5*time.Second {
		d.perSec = rate // the old figure is stale
	} else {
		d.perSec = 0.5*d.perSec + 0.5*rate
	}
	d.at, d.seen = now, total
}

func clampRetry(d time.Duration) time.Duration {
	return min(max(d, minRetryAfter), maxRetryAfter)
}
