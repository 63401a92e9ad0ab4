package partitioner

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"sluice/gateway/record"
)

// The names of the built-in partitioners, as the setting partitioner spells them.
const (
	Murmur2      = "murmur2"
	CRC32        = "crc32"
	FNV1a        = "fnv1a"
	RoundRobin   = "round-robin"
	Sticky       = "sticky"
	UniformBytes = "uniform-bytes"
)

// Names returns the names of the built-in partitioners, the default first.
func Names() []string { return []string{Murmur2, CRC32, FNV1a, RoundRobin, Sticky, UniformBytes} }

// Options says how a partitioner behaves. An option that a partitioner has no use for is ignored, as Java ignores
// partitioner.ignore.keys for a partitioner that is not its own.
type Options struct {
	// BatchSize is batch.size in bytes: what one partition gets before sticky, uniform-bytes and murmur2 go on to another.
	// They need at least 1; for batch.size=0 pass 1, as Java does.
	BatchSize int
	// IgnoreKeys is partitioner.ignore.keys: murmur2, uniform-bytes and sticky treat every record as one without a key.
	IgnoreKeys bool
	// Adaptive is partitioner.adaptive.partitioning.enable: murmur2 and uniform-bytes prefer partitions for which little
	// waits. It has no effect while Partitions.Load is nil.
	Adaptive bool
	// AvailabilityTimeout is partitioner.availability.timeout.ms: an Adaptive partitioner leaves out a partition for which
	// bytes wait and whose last acknowledgement is older than this. 0 is off.
	AvailabilityTimeout time.Duration

	// Rand is the source of chance; nil is math/rand/v2. It must be safe for concurrent use if the partitioner is used so.
	Rand func() uint64
	// Now is the clock; nil is time.Now. It must be safe for concurrent use.
	Now func() time.Time
}

// Partitioner chooses the partitions of one topic's records. It is safe for concurrent use.
type Partitioner struct {
	byKey byKey // nil: keys do not matter
	rest  spreader
}

// byKey returns the partition for a key among n, or record.NoPartition if the key does not decide.
type byKey func(key []byte, n int32) int32

// spreader gives a partition to the n records of recs that are still open.
type spreader interface {
	spread(recs []record.Record, p *record.Partitions, n int)
}

// New returns the built-in partitioner of that name for one topic. The error names the setting that is wrong.
func New(name string, o Options) (*Partitioner, error) {
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	switch name {
	case CRC32:
		return &Partitioner{byKey: crc32Partition, rest: random{rand: o.Rand}}, nil
	case FNV1a:
		return &Partitioner{byKey: fnv1aPartition, rest: random{rand: o.Rand}}, nil
	case RoundRobin:
		return &Partitioner{rest: &roundRobin{}}, nil
	case Sticky, UniformBytes, Murmur2:
		return newSticky(name, o)
	}
	return nil, fmt.Errorf("partitioner = %q: there is no built-in partitioner of that name, only %s",
		name, strings.Join(Names(), ", "))
}

func newSticky(name string, o Options) (*Partitioner, error) {
	if o.BatchSize < 1 || o.BatchSize > math.MaxInt32 {
		return nil, fmt.Errorf("batch.size = %d: partitioner %s needs 1 to %d bytes", o.BatchSize, name, math.MaxInt32)
	}
	if o.AvailabilityTimeout < 0 {
		return nil, fmt.Errorf("partitioner.availability.timeout.ms = %d: must be 0 (off) or more",
			o.AvailabilityTimeout.Milliseconds())
	}
	q := &Partitioner{byKey: murmur2Partition}
	if o.IgnoreKeys {
		q.byKey = nil
	}
	next := chooser(&uniform{rand: o.Rand})
	switch {
	case name == Sticky:
		next = &another{rand: o.Rand}
	case o.Adaptive:
		next = &adaptive{uniform: uniform{rand: o.Rand}, now: o.Now, unit: int64(o.BatchSize), timeout: o.AvailabilityTimeout}
	}
	q.rest = &sticky{limit: uint32(o.BatchSize), next: next}
	return q, nil
}

// Partition sets the partition of every record of b that goes to p.Topic and has none yet. Records that are done, that
// were sent to a partition explicitly, or that go to another topic are left alone, and all are if p has no partitions.
func (q *Partitioner) Partition(b *record.Batch, p *record.Partitions) {
	if p.Count <= 0 {
		return
	}
	n := 0
	for i := range b.Records {
		r := &b.Records[i]
		if !open(r, p.Topic) {
			continue
		}
		if p.Count == 1 {
			r.Partition = 0 // there is nothing to choose, nor to remember
			continue
		}
		if q.byKey != nil {
			r.Partition = q.byKey(r.Key, p.Count)
		}
		if r.Partition == record.NoPartition {
			n++
		}
	}
	if n > 0 {
		q.rest.spread(b.Records, p, n)
	}
}

// open says whether r still waits for a partition of topic.
func open(r *record.Record, topic string) bool {
	return r.Partition == record.NoPartition && !r.Explicit && !r.Done() && r.Topic == topic
}
