package wasmhost

import (
	"testing"
	"time"
)

// TestBreakerRemembersWhatWentWell: records that fail at one moment, after a long time in which none did, do not open it.
func TestBreakerRemembersWhatWentWell(t *testing.T) {
	l := DefaultLimits()
	b := breaker{limits: &l, since: time.Now().Add(-10 * l.BreakerWindow)}
	b.note(false, 1000, 0, 0)
	for range 2 * l.BreakerFailures {
		b.note(false, 1, 1, 1)
	}
	if s, _ := b.now(); s != BreakerClosed {
		t.Fatalf("it is %v after %d failures among 1000 records", s, 2*l.BreakerFailures)
	}
	for range 1000 {
		b.note(false, 1, 1, 1)
	}
	if s, left := b.now(); s != BreakerIsOpen || left <= 0 || left > l.BreakerBackoff {
		t.Errorf("it is %v for %v although nearly all records fail", s, left)
	}
	if ok, _ := b.allow(); ok {
		t.Error("an open breaker lets a call through")
	}
}
