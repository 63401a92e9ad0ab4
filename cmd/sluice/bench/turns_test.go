package bench

import (
	"testing"
	"time"
)

func TestTurnsAreEvenlyDue(t *testing.T) {
	ts := &turns{interval: float64(time.Second) / 3, closes: time.Second}
	for n, want := range []time.Duration{0, 333333333, 666666666, time.Second} {
		if due, ok := ts.take(0); !ok || due != want {
			t.Errorf("turn %d is due at %v, %t; want %v", n, due, ok, want)
		}
	}
	if due, ok := ts.take(0); ok {
		t.Errorf("a turn at %v, after the end", due)
	}
}

func TestTurnsEndByNumberOrTime(t *testing.T) {
	byNumber := &turns{limit: 2, closes: time.Hour}
	for range 2 {
		if due, ok := byNumber.take(5); !ok || due != 5 {
			t.Errorf("take = %v, %t; want at once", due, ok)
		}
	}
	if _, ok := byNumber.take(5); ok {
		t.Error("a third turn of two")
	}
	byTime := &turns{closes: 10}
	if _, ok := byTime.take(10); !ok {
		t.Error("no turn at the last moment")
	}
	if _, ok := byTime.take(11); ok {
		t.Error("a turn after the end")
	}
}

func TestOverdueAreThoseNobodyTook(t *testing.T) {
	ts := &turns{interval: 10, closes: 50}
	ts.take(0)
	ts.take(50)
	var ages []time.Duration
	ts.overdue(func(age time.Duration) { ages = append(ages, age) })
	if len(ages) != 4 || ages[0] != 30 || ages[3] != 0 {
		t.Errorf("ages %v; want 30 20 10 0, those due at 20 to 50", ages)
	}
}

func TestBackoffGrowsToASecond(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		1: 10 * time.Millisecond, 2: 20 * time.Millisecond, 7: 640 * time.Millisecond, 8: time.Second, 1000: time.Second,
	} {
		if got := backoff(failures); got != want {
			t.Errorf("backoff(%d) = %v, want %v", failures, got, want)
		}
	}
}
