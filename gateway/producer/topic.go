package producer

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// metadataWait is how long a topic that was never seen is looked up even when max.block.ms is shorter: the setting says
// how long to wait for room, and without a partition count there is nothing to be refused from.
const metadataWait = time.Second

// Topic is one topic's place in the producer: its budget of memory and the client that carries its records.
type Topic struct {
	name  string
	props config.Producer

	cluster *Cluster
	client  *client
	budget  *budget
	drain   DrainRate    // of bytes
	drained atomic.Int64 // bytes, ever
	ends    DrainRate    // of records
	load    loads
	parts   atomic.Pointer[record.Partitions]
	limit   atomic.Pointer[sizeLimit] // nil if it is not known

	retired atomic.Bool
	turning atomic.Bool // of a patient topic: see turn
	closing sync.Once
	closed  chan struct{}
	forced  atomic.Int64 // when an explicit partition last forced a refresh, Unix nanoseconds

	shelf   *shelf // of its client's book; the sender's
	shelved *book  // that shelf is of

	deliveryTimeout time.Duration
	offsetUnknown   bool // acks=0: the broker tells none

	Stats Stats
}

// Stats counts what happened to a topic's records. All counters only grow.
type Stats struct {
	Appended     atomic.Int64 // records accepted into the buffer
	Ended        atomic.Int64 // records answered, stored or not
	Failed       atomic.Int64 // records that ended with an error after they were accepted
	Refused      atomic.Int64 // records that were not accepted
	Exhausted    atomic.Int64 // of those, for want of buffer.memory or buffer.records
	Bytes        atomic.Int64 // key, value and headers of accepted records
	MaxRecord    atomic.Int64 // bytes of the largest accepted record
	WaitNanos    atomic.Int64 // time spent waiting for buffer.memory or buffer.records
	QueueNanos   atomic.Int64 // time from acceptance to acknowledgement, summed over the groups that were timed
	QueueGroups  atomic.Int64 // groups that were timed: one of all that are handed to kgo at once
	MaxQueueNano atomic.Int64
}

// Stored is the number of records that Kafka has.
func (s *Stats) Stored() int64 { return s.Ended.Load() - s.Failed.Load() }

// Open is the number of records that were accepted and are not yet answered.
func (s *Stats) Open() int64 { return max(s.Appended.Load()-s.Ended.Load(), 0) }

// Name is the topic's name in the cluster.
func (t *Topic) Name() string { return t.name }

// Client is the Kafka client that carries the topic's records.
func (t *Topic) Client() *WireStats { return &t.client.tap.Stats }

// Budget is buffer.memory of the topic and how much of it is free, in bytes, and the number of requests that wait for it.
func (t *Topic) Budget() (total, available int64, waiting int) {
	return t.budget.total.Load(), t.budget.available(), int(t.budget.waiting.Load())
}

// Close refuses new records, and those that wait for room or for metadata. What was accepted goes on.
func (t *Topic) Close() {
	t.closing.Do(func() { close(t.closed) })
	t.budget.close()
}

// Append takes the records of b that go to this topic and have no Ack yet. Each of them has its partition. Those that
// cannot be accepted get their Ack before Append returns; the others when Kafka has answered. It waits for at most
// max.block.ms for buffer.memory and buffer.records, first come first served. It is false, and nothing has happened, if the topic was
// retired.
func (t *Topic) Append(b *record.Batch) bool {
	load := t.measure(b, t.props.Compression.Type)
	if load.records == 0 {
		return true
	}
	want := t.claim(load)
	if err := t.acquire(want); err != nil {
		if err.Code == record.BufferFull {
			t.Stats.Exhausted.Add(int64(load.records))
		}
		t.Refuse(b, err)
		return true
	}
	g := t.group(b, load, want)
	t.cluster.open.Add(int64(load.records))
	if !t.client.acc.push(g) {
		t.turnBack(g)
		return false
	}
	return true
}

// Check refuses the records of b that go to this topic and can never be sent.
func (t *Topic) Check(b *record.Batch) { t.measure(b, t.props.Compression.Type) }

// burden is what the records of one Append weigh.
type burden struct {
	records int
	bytes   int64 // of keys, values and headers
	largest int64
	memory  int64 // that they hold until they are acknowledged
}

// claim is what records of that weight take of the budget.
func (t *Topic) claim(w burden) claim {
	c := claim{bytes: w.memory}
	if t.props.BufferRecords > 0 {
		c.records = min(int64(w.records), t.props.BufferRecords) // interceptors may make more of a batch; then it goes alone
	}
	return c
}

func (t *Topic) group(b *record.Batch, w burden, c claim) *group {
	g := t.cluster.groups.take(w.records)
	g.topic, g.batch, g.claim = t, b, c
	for i := range b.Records {
		if r := &b.Records[i]; r.Topic == t.name && !r.Done() {
			g.add(r, i)
			t.load.appended(r)
		}
	}
	g.left.Store(int32(w.records))
	t.Stats.Appended.Add(int64(w.records))
	t.Stats.Bytes.Add(w.bytes)
	raise(&t.Stats.MaxRecord, w.largest)
	return g
}

// turnBack undoes an Append that came after the client was closed.
func (t *Topic) turnBack(g *group) {
	for i := range g.slots {
		t.load.acked(&g.slots[i].Record)
	}
	n := int64(len(g.slots))
	t.Stats.Appended.Add(-n)
	t.cluster.open.Add(-n)
	t.budget.release(g.claim)
	t.cluster.groups.put(g)
}

// measure refuses records that can never be sent and weighs the others. codec is the compression.type that they are sent with.
func (t *Topic) measure(b *record.Batch, codec string) burden {
	var w burden
	for i := range b.Records {
		r := &b.Records[i]
		if r.Topic != t.name || r.Done() {
			continue
		}
		s := r.Size()
		if s+recordBatchOverhead > t.props.MaxRequestSize {
			t.Stats.Refused.Add(1)
			b.Fail(i, record.Errorf(record.RecordTooLarge, "the record is %d bytes with its batch header, more than max.request.size = %d",
				s+recordBatchOverhead, t.props.MaxRequestSize))
			continue
		}
		if err := t.unfit(r, codec); err != nil {
			t.Stats.Refused.Add(1)
			b.Foretell(i, err)
			continue
		}
		w.records++
		w.bytes += int64(s)
		w.largest = max(w.largest, int64(s))
	}
	if w.records > 0 {
		w.memory = int64(b.Memory()) * int64(w.records) / int64(len(b.Records))
	}
	return w
}

// recordBatchOverhead is the header of a Kafka record batch (61 bytes) and the most a record's own lengths and deltas
// take beside its bytes (Java: AbstractRecords.estimateSizeInBytesUpperBound).
const recordBatchOverhead = batchHeader + 21

func raise(m *atomic.Int64, v int64) {
	for old := m.Load(); v > old && !m.CompareAndSwap(old, v); old = m.Load() {
	}
}

func draining() *record.Error { return record.Errorf(record.Draining, "the gateway is shutting down") }

func (t *Topic) acquire(c claim) *record.Error {
	if t.budget.tryAcquire(c) {
		return nil
	}
	if c.bytes > t.budget.total.Load() {
		return record.Errorf(record.RecordTooLarge, "the record holds %d bytes of memory, more than buffer.memory = %d", c.bytes, t.budget.total.Load())
	}
	start := time.Now()
	g := t.budget.acquire(c, t.props.MaxBlock)
	t.Stats.WaitNanos.Add(int64(time.Since(start)))
	switch g {
	case granted:
		return nil
	case refused:
		return draining()
	default:
		return t.full(g, c)
	}
}

// full says what the buffer has too little of for c, and when there should be enough.
func (t *Topic) full(lack grant, c claim) *record.Error {
	limit := fmt.Sprintf("buffer.memory = %d bytes", t.budget.total.Load())
	wait := t.drain.RetryAfter(c.bytes, t.drained.Load(), time.Now())
	if lack == exhaustedRecords {
		limit = fmt.Sprintf("buffer.records = %d", t.budget.maxRecords.Load())
		wait = t.ends.RetryAfter(c.records, t.Stats.Ended.Load(), time.Now())
	}
	e := record.Errorf(record.BufferFull, "%s of topic %q is full and stayed so for max.block.ms = %d", limit, t.name, t.props.MaxBlock.Milliseconds())
	e.RetryAfter = wait
	return e
}

// Refuse fails all records of b that go to this topic and have no Ack yet. None of them was appended.
func (t *Topic) Refuse(b *record.Batch, err *record.Error) {
	for i := range b.Records {
		if r := &b.Records[i]; r.Topic == t.name && !r.Done() {
			t.Stats.Refused.Add(1)
			b.Fail(i, err)
		}
	}
}

// failed makes the Ack of a record that is given up.
func (t *Topic) failed(gen int64, s *slot, err error, maybeWritten bool) record.Ack {
	if fatalFor(err) {
		t.client.failed(gen, err)
	}
	if errors.Is(err, kerr.UnknownTopicID) {
		t.client.recreated(t.name)
	}
	if errors.Is(err, kerr.MessageTooLarge) {
		t.cluster.limits.ask(t)
	}
	t.cluster.meta.suspect()
	t.Stats.Failed.Add(1)
	why := classify(err, maybeWritten)
	t.turn(why.Code)
	return why.Failed(s.Partition)
}

// finish ends a group whose last record was answered: its memory is free again.
func (t *Topic) finish(g *group) {
	n := int64(len(g.slots))
	held := g.claim
	if !g.since.IsZero() {
		took := int64(time.Since(g.since))
		t.Stats.QueueNanos.Add(took)
		t.Stats.QueueGroups.Add(1)
		raise(&t.Stats.MaxQueueNano, took)
	}
	t.cluster.groups.put(g)
	t.Stats.Ended.Add(n)
	t.drained.Add(held.bytes)
	t.cluster.open.Add(-n)
	t.budget.release(held)
}
