package metrics

import (
	"log/slog"
	"time"
)

const (
	// nearlyFullAt is the part of buffer.memory above which a topic is said to be nearly full.
	nearlyFullAt = 0.8
	// calmAt is the part below which the next warning may come.
	calmAt = 0.7
	// warnInterval is the least time between two warnings of one topic.
	warnInterval = time.Minute
)

// BufferWatch warns in the log when a topic's buffer is more than 80 % full: once, and again only after it fell below 70 %,
// and at most once a minute per topic. It is not safe for concurrent use.
type BufferWatch struct {
	log    *slog.Logger
	topics map[string]*watched // by name
}

type watched struct {
	warned time.Time // the zero time if never
	above  bool      // a warning was given, and the buffer has not been below 70 % since
}

// NewBufferWatch makes a BufferWatch that has seen nothing.
func NewBufferWatch(log *slog.Logger) *BufferWatch {
	return &BufferWatch{log: log, topics: make(map[string]*watched)}
}

// Observe looks at the buffers of all topics. It sees only what they are at this moment.
func (w *BufferWatch) Observe(now time.Time, topics []Topic) {
	here := make(map[string]bool, len(topics))
	for i := range topics {
		t := &topics[i]
		here[t.Name] = true
		w.observe(now, t)
	}
	for name, s := range w.topics {
		if !here[name] && now.Sub(s.warned) >= warnInterval { // a topic that a reload brings back must not warn sooner
			delete(w.topics, name)
		}
	}
}

func (w *BufferWatch) observe(now time.Time, t *Topic) {
	used, s := t.used(), w.topics[t.Name]
	switch {
	case used < calmAt && s != nil:
		s.above = false
	case used > nearlyFullAt && (s == nil || !s.above && now.Sub(s.warned) >= warnInterval):
		w.topics[t.Name] = &watched{warned: now, above: true}
		w.log.Warn("buffer.memory of a topic is nearly full", "topic", t.Name, "used_percent", int(used*100),
			"buffer.memory", t.BufferTotal, "available", t.BufferAvailable, "waiting", t.Waiting)
	}
}
