package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestContendersTakeTurns(t *testing.T) {
	var order, said []string
	one := func(name string) contender {
		return contender{name, func(context.Context) (sample, error) {
			order = append(order, name)
			return sample{"n": float64(len(order))}, nil
		}}
	}
	samples, err := alternate(t.Context(), 3, []contender{one("a"), one("b")},
		func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "a", "b", "a", "b"}; !slices.Equal(order, want) || len(said) != 6 {
		t.Errorf("order %v, want %v; said %q", order, want, said)
	}
	got := ratio("b/a", 1.5, series(samples, "b", "n"), series(samples, "a", "n"))
	want := Ratio{Name: "b/a", Target: 1.5, Min: 1.2, Median: 4.0 / 3, Max: 2, Rounds: []float64{2, 4.0 / 3, 1.2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFailedContenderIsNamed(t *testing.T) {
	broken := errors.New("broken")
	_, err := alternate(t.Context(), 1, []contender{
		{"kgo", func(context.Context) (sample, error) { return nil, broken }},
	}, func(string, ...any) {})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "round 1, kgo") {
		t.Errorf("error %v; want who failed and when", err)
	}
}

func TestSpread(t *testing.T) {
	f := func(values []float64, lo, mid, hi float64) {
		t.Helper()
		if a, b, c := spread(values); a != lo || b != mid || c != hi {
			t.Errorf("spread(%v) = %v %v %v, want %v %v %v", values, a, b, c, lo, mid, hi)
		}
	}
	f(nil, 0, 0, 0)
	f([]float64{3}, 3, 3, 3)
	f([]float64{3, 1}, 1, 2, 3)
	f([]float64{9, 1, 2}, 1, 2, 9)
	f([]float64{4, 1, 3, 2}, 1, 2.5, 4)
}

func TestARoundWithoutDivisorHasNoRatio(t *testing.T) {
	r := ratio("x", 0, Series{Rounds: []float64{1, 4}}, Series{Rounds: []float64{0, 2}})
	if len(r.Rounds) != 1 || r.Median != 2 {
		t.Errorf("ratio %+v, want one round of 2", r)
	}
}
