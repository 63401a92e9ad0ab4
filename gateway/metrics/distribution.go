package metrics

// DistributionBuckets is how many buckets a Distribution has.
const DistributionBuckets = 40

// Distribution is values counted by their power of two: Buckets[i] counts those from 2^(i-1) to 2^i - 1, Buckets[0] those
// that are 0, and the last one also all that are larger.
type Distribution struct {
	Buckets [DistributionBuckets]int64
	Sum     int64
}

// span says which bounds of a Distribution a histogram shows: 2^from - 1, 2^(from+1) - 1, ..., 2^to - 1, divided by unit.
// What is less is in the first bucket, what is more only in the count: a bound that no value comes near is a series for
// nothing.
type span struct {
	from, to int // below DistributionBuckets - 1
	unit     float64
}

const nanosecondsPerSecond = 1e9

// The spans of the histograms.
//
//nolint:gochecknoglobals // tables that are only read
var (
	callTime = span{10, 30, nanosecondsPerSecond} // 1 µs to 1.1 s
	waitTime = span{14, 34, nanosecondsPerSecond} // 16 µs to 17 s
	callFuel = span{10, 30, 1}                    // a thousand to a billion units
)

// cumulative returns the number of values, their sum, and for each bound how many values are at most that large.
func (s span) cumulative(d *Distribution) (count uint64, sum float64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, s.to-s.from+1)
	for i, n := range d.Buckets {
		count += uint64(n)
		if i >= s.from && i <= s.to {
			buckets[s.bound(i)] = count
		}
	}
	return count, float64(d.Sum) / s.unit, buckets
}

func (s span) bound(i int) float64 { return float64(int64(1)<<i-1) / s.unit }
