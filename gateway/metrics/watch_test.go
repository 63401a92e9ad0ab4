package metrics

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestBufferWatch(t *testing.T) {
	type look struct {
		after time.Duration
		used  int64 // of 100
		warns bool
	}
	tests := map[string][]look{
		"exactly 80 % is not over": {{0, 80, false}, {0, 81, true}},
		"once while it stays":      {{0, 90, true}, {2 * time.Minute, 95, false}, {2 * time.Minute, 85, false}},
		"not again until it was below 70 %": {
			{0, 90, true}, {2 * time.Minute, 70, false}, {time.Second, 90, false}, {time.Second, 69, false}, {time.Second, 90, true},
		},
		"at most once a minute": {
			{0, 90, true},
			{20 * time.Second, 10, false},
			{20 * time.Second, 90, false},
			{19 * time.Second, 90, false},
			{time.Second, 90, true},
		},
		"never": {{0, 0, false}, {time.Hour, 79, false}},
	}
	for name, looks := range tests {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			w := NewBufferWatch(slog.New(slog.NewTextHandler(&log, nil)))
			c := newClock()
			for i, l := range looks {
				c.advance(l.after)
				log.Reset()
				calm := Topic{Name: "calm", BufferTotal: 100, BufferAvailable: 100}
				w.Observe(c.now(), []Topic{calm, {Name: "a", Table: "*", BufferTotal: 100, BufferAvailable: 100 - l.used}})
				if got := strings.Count(log.String(), "level=WARN"); got != int(number(l.warns)) {
					t.Errorf("look %d at %d %%: %d warnings, want %v: %s", i, l.used, got, l.warns, log.String())
				}
				if l.warns && !strings.Contains(log.String(), "topic=a") {
					t.Errorf("the warning does not name its topic: %s", log.String())
				}
			}
		})
	}
}

func TestBufferWatchForgets(t *testing.T) {
	c := newClock()
	var log strings.Builder
	w := NewBufferWatch(slog.New(slog.NewTextHandler(&log, nil)))
	full := []Topic{{Name: "a", BufferTotal: 100}}
	w.Observe(c.now(), full)
	c.advance(10 * time.Second)
	w.Observe(c.now(), nil)
	w.Observe(c.now(), full)
	if got := strings.Count(log.String(), "WARN"); got != 1 {
		t.Errorf("%d warnings within a minute of a topic that went and came back, want 1", got)
	}
	c.advance(time.Minute)
	w.Observe(c.now(), nil)
	if len(w.topics) != 0 {
		t.Errorf("%d topics are remembered that are gone", len(w.topics))
	}
}
