package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantilesAgainstSortedValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	distributions := map[string]func() time.Duration{
		"small":   func() time.Duration { return time.Duration(rng.IntN(100)) },
		"uniform": func() time.Duration { return time.Duration(rng.Int64N(int64(time.Second))) },
		"log":     func() time.Duration { return time.Duration(math.Exp(rng.Float64() * 25)) },
		"two":     func() time.Duration { return []time.Duration{time.Microsecond, time.Minute}[rng.IntN(2)] },
	}
	for name, draw := range distributions {
		t.Run(name, func(t *testing.T) {
			h := newHistogram()
			all := make([]time.Duration, 10_000)
			for i := range all {
				all[i] = draw()
				h.add(all[i])
			}
			slices.Sort(all)
			for _, q := range []float64{0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
				exact := all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
				got := h.quantile(q)
				if got < exact || float64(got) > float64(exact)*(1+1.0/128)+1 {
					t.Errorf("quantile %v = %v, sorted values say %v", q, got, exact)
				}
			}
			if l := h.latency(); l.Count != 10_000 || l.Max != micros(all[len(all)-1]) {
				t.Errorf("count %d and max %v µs; want 10000 and %v µs", l.Count, l.Max, micros(all[len(all)-1]))
			}
		})
	}
}

func TestBucketsCoverEveryValueOnce(t *testing.T) {
	for i := range nBuckets {
		if top := bucketTop(i); bucketOf(top) != i || bucketOf(top+1) != min(i+1, nBuckets-1) {
			t.Fatalf("bucket %d ends at %d: that is in bucket %d, and the next value in bucket %d",
				i, top, bucketOf(top), bucketOf(top+1))
		}
	}
	if got := bucketOf(math.MaxInt64); got != nBuckets-1 {
		t.Errorf("the longest duration is in bucket %d, want the last, %d", got, nBuckets-1)
	}
}

func TestEmptyHistogram(t *testing.T) {
	h := newHistogram()
	if h.latency() != nil || h.quantile(0.99) != 0 {
		t.Errorf("nothing was recorded, but latency = %v, p99 = %v", h.latency(), h.quantile(0.99))
	}
	h.add(-time.Second)
	if h.quantile(1) != 0 || h.count.Load() != 1 {
		t.Errorf("a negative duration: quantile %v, count %d; want 0 and 1", h.quantile(1), h.count.Load())
	}
}
