package partitioner

import (
	"sync/atomic"

	"sluice/gateway/record"
)

// random gives every record a partition of its own choice.
type random struct{ rand func() uint64 }

func (s random) spread(recs []record.Record, p *record.Partitions, n int) {
	all := candidates(p)
	for i := 0; n > 0; i++ {
		if open(&recs[i], p.Topic) {
			recs[i].Partition = candidate(p, pick(s.rand, all))
			n--
		}
	}
}

// roundRobin is Java's RoundRobinPartitioner: one counter per topic, which starts over at 2^31 without its sign.
type roundRobin struct{ turn atomic.Uint32 }

func (s *roundRobin) spread(recs []record.Record, p *record.Partitions, n int) {
	all := uint32(candidates(p))
	turn := s.turn.Add(uint32(n)) - uint32(n)
	for i := 0; n > 0; i++ {
		if open(&recs[i], p.Topic) {
			recs[i].Partition = candidate(p, int((turn&0x7fffffff)%all))
			turn++
			n--
		}
	}
}

// recordOverhead is what a record takes in a Kafka batch beside its bytes at the least (one byte for each of length,
// attributes, two deltas, three sizes). Java counts it too; and without it, empty records would never move on.
const recordOverhead = 7

// sticky stays on one partition until that was given limit bytes, then lets next choose.
type sticky struct {
	limit uint32
	next  chooser
	// state is the partition plus one in the upper half (0: none chosen yet), the bytes it was given in the lower half,
	// at most limit. One word, so that goroutines need no lock to agree.
	state atomic.Uint64
}

// spread claims the bytes of a run of records before it writes to them: whoever loses the race looks again.
// The next partition is chosen by the first record that needs it, with what is known by then.
func (s *sticky) spread(recs []record.Record, p *record.Partitions, n int) {
	for n > 0 {
		old := s.state.Load()
		partition, given := s.current(old, p)
		end, taken := 0, 0
		for given < uint64(s.limit) && taken < n {
			if r := &recs[end]; open(r, p.Topic) {
				given += uint64(r.Size() + recordOverhead)
				taken++
			}
			end++
		}
		claim := uint64(partition+1)<<32 | min(given, uint64(s.limit))
		if !s.state.CompareAndSwap(old, claim) {
			continue
		}
		for i := range recs[:end] {
			if open(&recs[i], p.Topic) {
				recs[i].Partition = partition
			}
		}
		recs, n = recs[end:], n-taken
	}
}

// current is the partition that the next record goes to, and the bytes it was given. Other than Java's it moves on at
// once when its partition has lost its leader: records that need not wait for one should not.
func (s *sticky) current(state uint64, p *record.Partitions) (partition int32, given uint64) {
	partition, given = int32(state>>32)-1, state&0xffffffff
	if _, ok := position(p, partition); ok && given < uint64(s.limit) {
		return partition, given
	}
	return s.next.choose(p, partition), 0
}
