package metrics

import (
	"math"
	"time"
)

// value takes a number out of a series.
type value func(s *series, now time.Time) float64

// sum is what counters came to since the series began.
func sum(cs ...total) value {
	return func(s *series, _ time.Time) float64 {
		var n int64
		for _, c := range cs {
			n += s.total[c]
		}
		return float64(n)
	}
}

// rate is what counters grew by per second (Java: Rate).
func rate(cs ...total) value {
	return func(s *series, now time.Time) float64 {
		var n int64
		for _, c := range cs {
			n += s.recent(c)
		}
		return float64(n) / (s.elapsed(now) / float64(time.Second))
	}
}

// mean is what a counter grew by per n (Java: Avg); NaN if there was none.
func mean(c, n total) value {
	return func(s *series, _ time.Time) float64 {
		if s.recent(n) == 0 {
			return math.NaN()
		}
		return float64(s.recent(c)) / float64(s.recent(n))
	}
}

// largest is the largest value of both windows (Java: Max); NaN if there was none.
func largest(p peak, n total) value {
	return func(s *series, _ time.Time) float64 {
		m := max(s.last.peaks[p], s.current.peaks[p])
		if m == 0 && s.recent(n) == 0 {
			return math.NaN()
		}
		return float64(m)
	}
}

// share is the part of the time that a counter of nanoseconds grew by.
func share(c total) value {
	return func(s *series, now time.Time) float64 { return float64(s.recent(c)) / s.elapsed(now) }
}

// present is a level as it was last seen.
func present(l level) value {
	return func(s *series, _ time.Time) float64 { return s.levels[l] }
}

// anyOf is 1 if a level that counts is above zero.
func anyOf(l level) value {
	return func(s *series, _ time.Time) float64 { return number(s.levels[l] > 0) }
}

// perLevel is v divided by a level; NaN if that is not known.
func perLevel(v value, l level) value {
	return func(s *series, now time.Time) float64 {
		if s.levels[l] == 0 {
			return math.NaN()
		}
		return v(s, now) / s.levels[l]
	}
}

// seconds turns nanoseconds into seconds.
func seconds(v value) value {
	return func(s *series, now time.Time) float64 { return v(s, now) / float64(time.Second) }
}
