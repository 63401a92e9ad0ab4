package bench

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	subBits  = 7                                  // 128 buckets per power of two: a bucket is at most 1/128 of its value wide
	maxBits  = 40                                 // 2^40 ns, about 18 minutes; anything longer is recorded as that
	nBuckets = (maxBits - subBits + 1) << subBits // 34 powers of two of 128 buckets
)

// histogram counts durations in buckets whose width grows with the value, as HdrHistogram does: exact below 128 ns, and
// within 0.8 % above. It is safe for concurrent use; the zero value is not, use newHistogram.
type histogram struct {
	buckets []atomic.Uint64
	count   atomic.Uint64
	sum     atomic.Uint64 // nanoseconds
	max     atomic.Int64
}

func newHistogram() *histogram { return &histogram{buckets: make([]atomic.Uint64, nBuckets)} }

// bucketOf is the index of the bucket that holds v nanoseconds.
func bucketOf(v uint64) int {
	if v >= 1<<maxBits {
		v = 1<<maxBits - 1
	}
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// bucketTop is the largest value that falls into bucket i.
func bucketTop(i int) uint64 {
	shift := max(i>>subBits-1, 0)
	return uint64(i-shift<<subBits+1)<<shift - 1
}

// add records one duration; a negative one counts as 0.
func (h *histogram) add(d time.Duration) {
	v := max(d, 0)
	h.buckets[bucketOf(uint64(v))].Add(1)
	h.count.Add(1)
	h.sum.Add(uint64(v))
	for {
		old := h.max.Load()
		if int64(v) <= old || h.max.CompareAndSwap(old, int64(v)) {
			return
		}
	}
}

// quantile is the smallest recorded duration that at least the share q of all records do not exceed, rounded up to the
// end of its bucket; 0 when nothing was recorded.
func (h *histogram) quantile(q float64) time.Duration {
	n := h.count.Load()
	rank := uint64(q * float64(n))
	if float64(rank) < q*float64(n) || rank == 0 {
		rank++
	}
	var seen uint64
	for i := range h.buckets {
		if seen += h.buckets[i].Load(); seen >= rank {
			return min(time.Duration(bucketTop(i)), time.Duration(h.max.Load()))
		}
	}
	return time.Duration(h.max.Load())
}

// Latency is a distribution of durations in microseconds.
type Latency struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"mean_us"`
	P50   float64 `json:"p50_us"`
	P90   float64 `json:"p90_us"`
	P99   float64 `json:"p99_us"`
	P999  float64 `json:"p99_9_us"`
	Max   float64 `json:"max_us"`
}

// latency sums the histogram up; nil when nothing was recorded.
func (h *histogram) latency() *Latency {
	n := h.count.Load()
	if n == 0 {
		return nil
	}
	return &Latency{
		Count: n,
		Mean:  float64(h.sum.Load()) / float64(n) / 1e3,
		P50:   micros(h.quantile(0.5)), P90: micros(h.quantile(0.9)), P99: micros(h.quantile(0.99)),
		P999: micros(h.quantile(0.999)), Max: micros(time.Duration(h.max.Load())),
	}
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }
