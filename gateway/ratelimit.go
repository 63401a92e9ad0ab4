package gateway

import (
	"sync/atomic"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// rateLimit is a rate that a topic may be written at, by the generic cell rate algorithm (ITU-T I.371): it only keeps when the
// bucket will be empty again. What is larger than the burst is taken when the bucket is empty and then paid off, so that a
// limit below the size of one batch slows senders down and does not lock them out.
type rateLimit struct {
	setting string
	rate    int64         // units per second
	burst   time.Duration // how far ahead of the rate senders may get
	empty   *atomic.Int64 // Unix nanoseconds
}

// maxRateRetry is the longest Retry-After of a rate limit. Who sent far more at once than the rate allows may have to wait for
// longer, as the message says; but the limit may be raised, and senders should notice.
const maxRateRetry = 30 * time.Second

// rateLimits are those of a topic, in the order in which they are tried.
type rateLimits struct{ records, bytes *rateLimit }

func newRateLimits(cfg config.RateLimit) *rateLimits {
	if cfg.Records == 0 && cfg.Bytes == 0 {
		return nil
	}
	l := &rateLimits{}
	if cfg.Records > 0 {
		l.records = &rateLimit{setting: "rate.limit.records", rate: cfg.Records, burst: cfg.Burst, empty: new(atomic.Int64)}
	}
	if cfg.Bytes > 0 {
		l.bytes = &rateLimit{setting: "rate.limit.bytes", rate: cfg.Bytes, burst: cfg.Burst, empty: new(atomic.Int64)}
	}
	return l
}

// learn takes over what senders owe to old, so that a reload forgives nothing.
func (l *rateLimits) learn(old *rateLimits, now time.Time) {
	if l != nil && old != nil {
		l.records.learn(old.records, now)
		l.bytes.learn(old.bytes, now)
	}
}

// learn makes r go on where old is: with the same bucket, as old may still be taken from, or at another rate with what is in it.
func (r *rateLimit) learn(old *rateLimit, now time.Time) {
	switch {
	case r == nil || old == nil:
	case r.rate == old.rate:
		r.empty = old.empty
	default:
		if ahead := old.empty.Load() - now.UnixNano(); ahead > 0 {
			r.empty.Store(now.UnixNano() + int64(float64(ahead)*float64(old.rate)/float64(r.rate)))
		}
	}
}

// owes says whether senders still owe something.
func (l *rateLimits) owes(now time.Time) bool {
	return l.records != nil && l.records.empty.Load() > now.UnixNano() || l.bytes != nil && l.bytes.empty.Load() > now.UnixNano()
}

// admit takes a batch, or says when to come again. A batch is admitted as a whole: half a request is no use to its sender.
func (l *rateLimits) admit(topic string, b *record.Batch, now time.Time) *record.Error {
	records, bytes := int64(len(b.Records)), int64(0)
	if l.bytes != nil {
		for i := range b.Records {
			bytes += int64(b.Records[i].Size())
		}
	}
	if wait := l.records.take(records, now); wait > 0 {
		return l.records.exceeded(topic, wait)
	}
	if wait := l.bytes.take(bytes, now); wait > 0 {
		l.records.giveBack(records)
		return l.bytes.exceeded(topic, wait)
	}
	return nil
}

// take takes n, or returns how long it is until there is room.
func (r *rateLimit) take(n int64, now time.Time) time.Duration {
	if r == nil {
		return 0
	}
	at := now.UnixNano()
	for {
		empty := r.empty.Load()
		if ahead := time.Duration(empty - at); ahead > r.burst {
			return ahead - r.burst
		}
		if r.empty.CompareAndSwap(empty, max(empty, at)+r.cost(n)) {
			return 0
		}
	}
}

// giveBack undoes a take.
func (r *rateLimit) giveBack(n int64) {
	if r != nil {
		r.empty.Add(-r.cost(n))
	}
}

// cost is the time that n takes at the rate, in nanoseconds.
func (r *rateLimit) cost(n int64) int64 {
	return int64(float64(n) / float64(r.rate) * float64(time.Second))
}

func (r *rateLimit) exceeded(topic string, wait time.Duration) *record.Error {
	e := record.Errorf(record.RateLimited, "topic %q takes no more than %s = %d a second; there is room in %d ms", topic, r.setting, r.rate, (wait + time.Millisecond - 1).Milliseconds())
	e.RetryAfter = min(wait, maxRateRetry)
	return e
}
