package partitioner

import (
	"slices"

	"sluice/gateway/record"
)

// chooser finds the partition after last, which is record.NoPartition at the beginning. It is safe for concurrent use.
type chooser interface {
	choose(p *record.Partitions, last int32) int32
}

// candidates is how many partitions may be chosen: those with a leader or, when none has one, all.
func candidates(p *record.Partitions) int {
	if n := len(p.Available); n > 0 {
		return n
	}
	return int(p.Count)
}

// candidate is the i-th of the candidates.
func candidate(p *record.Partitions, i int) int32 {
	if len(p.Available) > 0 {
		return p.Available[i]
	}
	return int32(i)
}

// position is where a partition stands among the candidates, if it is one.
func position(p *record.Partitions, partition int32) (int, bool) {
	if n := len(p.Available); n == 0 || n == int(p.Count) {
		return int(partition), partition >= 0 && partition < p.Count
	}
	return slices.BinarySearch(p.Available, partition)
}

// pick is a random number below n. The remainder is as good as even: n is tiny against 2^64.
func pick(rand func() uint64, n int) int { return int(rand() % uint64(n)) }

// uniform chooses any candidate, the last one too: Java's BuiltInPartitioner without load statistics.
type uniform struct{ rand func() uint64 }

func (u *uniform) choose(p *record.Partitions, _ int32) int32 {
	return candidate(p, pick(u.rand, candidates(p)))
}

// another chooses any candidate but the last one, unless there is no other: KIP-480's StickyPartitionCache.
type another struct{ rand func() uint64 }

func (a *another) choose(p *record.Partitions, last int32) int32 {
	n := candidates(p)
	at, found := position(p, last)
	if !found || n == 1 {
		return candidate(p, pick(a.rand, n))
	}
	i := pick(a.rand, n-1)
	if i >= at {
		i++
	}
	return candidate(p, i)
}
