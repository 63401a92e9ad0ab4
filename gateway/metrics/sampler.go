package metrics

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// sampler makes series out of the snapshots of one scope. It adds up growth instead of totals, so that the sum over a table's
// topics does not fall, and look like a restart to rate(), when one of them goes.
type sampler struct {
	at     time.Time                        // of the snapshot before
	seen   map[identity]*[numCounters]int64 // of the sources of that snapshot
	series map[string]*series
}

type identity struct {
	label  string
	source any
}

// sample takes one snapshot in.
func (s *sampler) sample(now time.Time, readings []reading) {
	for _, e := range s.series {
		e.sources, e.levels = 0, [numLevels]float64{}
	}
	seen := make(map[identity]*[numCounters]int64, len(readings))
	for i := range readings {
		r := &readings[i]
		id := identity{r.label, r.source}
		delta := advance(&r.counters, s.seen[id])
		seen[id] = &r.counters
		s.of(r.label).grow(&delta, r)
	}
	s.seen = seen
	for label, e := range s.series {
		if e.sources == 0 {
			delete(s.series, label)
		}
		e.turn(now)
	}
	s.at = now
}

// of returns the series of a label. A new one began after the snapshot before.
func (s *sampler) of(label string) *series {
	e := s.series[label]
	if e == nil {
		e = &series{label: label, current: window{start: s.at}}
		if s.series == nil {
			s.series = make(map[string]*series)
		}
		s.series[label] = e
	}
	return e
}

// advance returns by how much counters are beyond what was seen before, and makes them the most that was ever seen: a figure
// that is the difference of two atomics may fall for a moment, which is not a beginning from zero.
func advance(counters, before *[numCounters]int64) (delta [numCounters]int64) {
	if before == nil {
		return *counters
	}
	for i, n := range before {
		counters[i] = max(counters[i], n)
		delta[i] = counters[i] - n
	}
	return delta
}

func (s *sampler) all() []*series {
	return slices.SortedFunc(maps.Values(s.series), func(a, b *series) int { return strings.Compare(a.label, b.label) })
}
