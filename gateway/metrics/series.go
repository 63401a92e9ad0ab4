package metrics

import "time"

// windowLength is metrics.sample.window.ms of Kafka's producer, which keeps metrics.num.samples = 2 of them.
const windowLength = 30 * time.Second

// window is what happened in a stretch of time.
type window struct {
	start    time.Time
	counters [numCounters]int64
	peaks    [numPeaks]int64
}

// series is the figures of all sources with one label value.
type series struct {
	label   string
	sources int // in the last snapshot
	total   [numCounters]int64
	levels  [numLevels]float64

	last, current window // last ends where current begins; it is zero in the first 30 s
}

// grow adds what a source did since the snapshot before.
func (s *series) grow(delta *[numCounters]int64, r *reading) {
	s.sources++
	for i, n := range delta {
		s.total[i] += n
		s.current.counters[i] += n
	}
	for i, n := range r.peaks {
		s.current.peaks[i] = max(s.current.peaks[i], n)
	}
	for i, v := range r.levels {
		if level(i) == batchSize || level(i) == spoolAge {
			s.levels[i] = max(s.levels[i], v)
		} else {
			s.levels[i] += v
		}
	}
}

// turn begins the next window when the current one is over. What was just sampled belongs to the time before now, so this
// comes after grow: windows lie end to end, however rarely they are sampled.
func (s *series) turn(now time.Time) {
	if now.Sub(s.current.start) >= windowLength {
		s.last = s.current
		s.current = window{start: now}
	}
}

// elapsed is the time that both windows cover, in nanoseconds. A rate that has just begun is taken over a whole window, so
// that its first records do not look like a storm (Java: Rate.windowSize).
func (s *series) elapsed(now time.Time) float64 {
	start := s.current.start
	if !s.last.start.IsZero() {
		start = s.last.start
	}
	return float64(max(now.Sub(start), windowLength))
}

// recent is how much a counter grew in both windows.
func (s *series) recent(c total) int64 { return s.last.counters[c] + s.current.counters[c] }
