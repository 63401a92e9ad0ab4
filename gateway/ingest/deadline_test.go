package ingest

import (
	"testing"
	"time"
)

func TestDeadlineIsArmedOnlyWhenItMustBe(t *testing.T) {
	start := time.Now()
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	var armed []time.Time
	set := func(t time.Time) error {
		armed = append(armed, t)
		return nil
	}
	d := deadline{slack: time.Second}
	for _, step := range []struct {
		wanted time.Time
		want   time.Time // what is armed; zero is none
		calls  int       // so far
	}{
		{time.Time{}, time.Time{}, 0},
		{at(10), at(11), 1},
		{at(10.5), at(11), 1}, // still in time
		{at(11), at(11), 1},
		{at(11.1), at(12.1), 2}, // it would fire early
		{at(5), at(6), 3},       // it would fire too late
		{time.Time{}, time.Time{}, 4},
		{time.Time{}, time.Time{}, 4},
	} {
		d.wanted = step.wanted
		if err := d.arm(set); err != nil {
			t.Fatal(err)
		}
		if len(armed) != step.calls || !d.armed.Equal(step.want) {
			t.Errorf("wanted %v: %d calls, armed %v", step.wanted.Sub(start), len(armed), d.armed.Sub(start))
		}
	}
}

func TestSlack(t *testing.T) {
	if s := slackOf(0, 16*time.Second, 32*time.Second); s != time.Second {
		t.Error(s)
	}
	if s := slackOf(0, 0); s != 0 {
		t.Error(s)
	}
}
