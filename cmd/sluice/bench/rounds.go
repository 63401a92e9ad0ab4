package bench

import (
	"context"
	"fmt"
	"slices"
)

// contender is one of those that are measured in turn.
type contender struct {
	name    string
	measure func(context.Context) (sample, error)
}

// sample is what one contender reached in one round: figures by name.
type sample map[string]float64

// Series is one figure of one contender over all rounds.
type Series struct {
	Contender string    `json:"contender"`
	Figure    string    `json:"figure"`
	Min       float64   `json:"min"`
	Median    float64   `json:"median"`
	Max       float64   `json:"max"`
	Rounds    []float64 `json:"rounds"`
}

// Ratio is the quotient of one figure of two contenders, round by round: what both had in common in a round, a busy
// neighbour for instance, cancels out.
type Ratio struct {
	Name   string    `json:"name"`
	Target float64   `json:"target,omitempty"` // the design's, at most; 0 for none
	Min    float64   `json:"min"`
	Median float64   `json:"median"`
	Max    float64   `json:"max"`
	Rounds []float64 `json:"rounds"`
}

// alternate measures each contender once per round, in order, and returns the samples by contender's name.
func alternate(ctx context.Context, rounds int, contenders []contender, say func(string, ...any)) (map[string][]sample, error) {
	samples := map[string][]sample{}
	for round := range rounds {
		for _, c := range contenders {
			say("round %d of %d: %s", round+1, rounds, c.name)
			s, err := c.measure(ctx)
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, c.name, err)
			}
			samples[c.name] = append(samples[c.name], s)
		}
	}
	return samples, nil
}

// series collects one figure of one contender.
func series(samples map[string][]sample, contender, figure string) Series {
	values := make([]float64, 0, len(samples[contender]))
	for _, s := range samples[contender] {
		values = append(values, s[figure])
	}
	lo, mid, hi := spread(values)
	return Series{Contender: contender, Figure: figure, Min: lo, Median: mid, Max: hi, Rounds: values}
}

// ratio divides two series pairwise. A round in which the divisor was 0 has no ratio and is left out.
func ratio(name string, target float64, of, to Series) Ratio {
	var values []float64
	for i, v := range of.Rounds {
		if to.Rounds[i] != 0 {
			values = append(values, v/to.Rounds[i])
		}
	}
	lo, mid, hi := spread(values)
	return Ratio{Name: name, Target: target, Min: lo, Median: mid, Max: hi, Rounds: values}
}

// spread is the smallest, the middle and the largest value; zeros when there is none.
func spread(values []float64) (lo, mid, hi float64) {
	if len(values) == 0 {
		return 0, 0, 0
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return v[0], (v[(n-1)/2] + v[n/2]) / 2, v[n-1]
}
