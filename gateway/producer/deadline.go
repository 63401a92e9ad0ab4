package producer

import (
	"context"
	"time"
)

// deadline is the delivery.timeout.ms of the records that are handed to kgo within one window of time. kgo fails a batch
// when the context of its first record is done; one context for many records costs nothing per record. kgo's own
// RecordDeliveryTimeout cannot be used: it counts from the record's timestamp, which belongs to the sender.
type deadline struct {
	at   time.Time
	done chan struct{} // nil if there is no deadline
}

// endless is a delivery.timeout.ms that never passes.
const endless time.Duration = 0

func (d *deadline) Deadline() (time.Time, bool) { return d.at, d.done != nil }
func (d *deadline) Done() <-chan struct{}       { return d.done }
func (d *deadline) Value(any) any               { return nil }

// Err makes a new error every time: kgo asks when it gives up what it holds of a partition, so the records that it gave up
// together have the same one.
func (d *deadline) Err() error {
	if !d.passed() {
		return nil
	}
	return &expired{d.at}
}

func (d *deadline) passed() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// expired is the error of records whose delivery.timeout.ms has passed.
type expired struct{ at time.Time }

func (*expired) Error() string { return "delivery.timeout.ms has passed" }

// Is makes it a [context.DeadlineExceeded].
func (*expired) Is(target error) bool { return target == context.DeadlineExceeded }

// deadlines makes the contexts of one delivery.timeout.ms. It belongs to one goroutine.
type deadlines struct {
	timeout time.Duration
	window  time.Duration
	until   time.Time // end of the current window
	cur     *deadline
}

func newDeadlines(timeout time.Duration) *deadlines {
	return &deadlines{timeout: timeout, window: min(max(timeout/100, time.Millisecond), time.Second)}
}

// context returns the context for a record handed over now. It ends between timeout and timeout+window from now.
func (d *deadlines) context(now time.Time) *deadline {
	if d.timeout == endless {
		if d.cur == nil {
			d.cur = &deadline{}
		}
		return d.cur
	}
	if d.cur == nil || !now.Before(d.until) {
		d.until = now.Add(d.window)
		end := &deadline{at: d.until.Add(d.timeout), done: make(chan struct{})}
		time.AfterFunc(d.window+d.timeout, func() { close(end.done) })
		d.cur = end
	}
	return d.cur
}

// passes waits; it is false if ctx ends first.
func passes(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
