package partitioner

import (
	"slices"
	"sync/atomic"
	"time"

	"sluice/gateway/record"
)

// tableAge is how long a load table is used. A partition is chosen once per batch.size bytes, so that a younger table
// would seldom be used twice, and an older one would send too much to a partition that has just become slow.
const tableAge = 5 * time.Millisecond

// adaptive prefers partitions for which little waits: Java's BuiltInPartitioner with load statistics (KIP-794).
type adaptive struct {
	uniform

	now     func() time.Time
	unit    int64 // bytes that count as one in a queue's size
	timeout time.Duration
	table   atomic.Pointer[loadTable]
}

// loadTable is how often each partition shall be chosen. It is never changed once published.
type loadTable struct {
	of         *record.Partitions
	made       time.Time
	partitions []int32  // empty: all candidates alike
	sums       []uint64 // sums[i]: how often partitions[0..i] are chosen out of the last sum
}

func (a *adaptive) choose(p *record.Partitions, last int32) int32 {
	if p.Load == nil {
		return a.uniform.choose(p, last)
	}
	t := a.current(p)
	if len(t.partitions) == 0 {
		return a.uniform.choose(p, last)
	}
	// The first sum strictly above the number is the one whose share the number fell into.
	i, equal := slices.BinarySearch(t.sums, a.rand()%t.sums[len(t.sums)-1])
	if equal {
		i++
	}
	return t.partitions[i]
}

// current is the table in use, or a new one if that is too old or knows other leaders. Two goroutines that find this out
// together both make one; that is cheaper than to have them wait for each other.
func (a *adaptive) current(p *record.Partitions) *loadTable {
	now := a.now()
	if t := a.table.Load(); t != nil && t.of == p && now.Sub(t.made) < tableAge {
		return t
	}
	t := a.measure(p, now)
	a.table.Store(t)
	return t
}

// measure is Java's updatePartitionLoadStats: a partition is chosen (longest queue + 1 - its own queue) times.
func (a *adaptive) measure(p *record.Partitions, now time.Time) *loadTable {
	t := &loadTable{of: p, made: now}
	partitions := make([]int32, 0, len(p.Available))
	queues := make([]uint64, 0, len(p.Available)) // becomes the sums in place
	for _, id := range p.Available {
		l := loadOf(p, id)
		if waiting, late := a.waiting(l, now); !late {
			partitions = append(partitions, id)
			queues = append(queues, waiting)
		}
	}
	if len(queues) == 0 {
		return t
	}
	longest, shortest := slices.Max(queues), slices.Min(queues)
	if longest == shortest && len(queues) == len(p.Available) {
		return t
	}
	sum := uint64(0)
	for i, q := range queues {
		sum += longest + 1 - q
		queues[i] = sum
	}
	t.partitions, t.sums = partitions, queues
	return t
}

// waiting is the size of a queue in whole batches, and whether its acknowledgements are overdue.
func (a *adaptive) waiting(l *record.Load, now time.Time) (batches uint64, late bool) {
	if l == nil {
		return 0, false
	}
	bytes := l.Bytes.Load()
	if bytes <= 0 {
		return 0, false
	}
	late = a.timeout > 0 && now.UnixMilli()-l.LastAck.Load() > a.timeout.Milliseconds()
	return uint64((bytes-1)/a.unit + 1), late
}

// loadOf is nil for a partition that nobody has counted yet.
func loadOf(p *record.Partitions, partition int32) *record.Load {
	if int(partition) >= len(p.Load) {
		return nil
	}
	return p.Load[partition]
}
