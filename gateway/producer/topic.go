package producer

import (
	"errors"
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
	drain   drainRate
	load    loads
	parts   atomic.Pointer[record.Partitions]

	retired atomic.Bool
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
	Exhausted    atomic.Int64 // of those, for want of buffer.memory
	Bytes        atomic.Int64 // key, value and headers of accepted records
	MaxRecord    atomic.Int64 // bytes of the largest accepted record
	WaitNanos    atomic.Int64 // time spent waiting for buffer.memory
	QueueNanos   atomic.Int64 // time from acceptance to acknowledgement, summed over the groups that were timed
	QueueGroups  atomic.Int64 // groups that were timed: one of all that are handed to kgo at once
	MaxQueueNano atomic.Int64
}

// Stored is the number of records that Kafka has.
func (s *Stats) Stored() int64 { return s.Ended.Load() - s.Failed.Load() }

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
// max.block.ms for buffer.memory, first come first served. It is false, and nothing has happened, if the topic was
// retired.
func (t *Topic) Append(b *record.Batch) bool {
	load := t.measure(b)
	if load.records == 0 {
		return true
	}
	if err := t.acquire(load.memory); err != nil {
		if err.Code == record.BufferFull {
			t.Stats.Exhausted.Add(int64(load.records))
		}
		t.Refuse(b, err)
		return true
	}
	g := t.group(b, load)
	t.cluster.open.Add(int64(load.records))
	if !t.client.acc.push(g) {
		t.turnBack(g)
		return false
	}
	return true
}

// burden is what the records of one Append weigh.
type burden struct {
	records int
	bytes   int64 // of keys, values and headers
	largest int64
	memory  int64 // that they hold until they are acknowledged
}

func (t *Topic) group(b *record.Batch, w burden) *group {
	g := t.cluster.groups.take(w.records)
	g.topic, g.batch, g.bytes = t, b, w.memory
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
	t.budget.release(g.bytes)
	t.cluster.groups.put(g)
}

// measure refuses records that can never be sent and weighs the others.
func (t *Topic) measure(b *record.Batch) burden {
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
const recordBatchOverhead = 61 + 21

func raise(m *atomic.Int64, v int64) {
	for old := m.Load(); v > old && !m.CompareAndSwap(old, v); old = m.Load() {
	}
}

func draining() *record.Error { return record.Errorf(record.Draining, "the gateway is shutting down") }

func (t *Topic) acquire(bytes int64) *record.Error {
	if t.budget.tryAcquire(bytes) {
		return nil
	}
	if bytes > t.budget.total.Load() {
		return record.Errorf(record.RecordTooLarge, "the record holds %d bytes of memory, more than buffer.memory = %d", bytes, t.budget.total.Load())
	}
	start := time.Now()
	g := t.budget.acquire(bytes, t.props.MaxBlock)
	t.Stats.WaitNanos.Add(int64(time.Since(start)))
	switch g {
	case granted:
		return nil
	case refused:
		return draining()
	default:
		e := record.Errorf(record.BufferFull, "buffer.memory = %d bytes of topic %q is full and stayed so for max.block.ms = %d",
			t.budget.total.Load(), t.name, t.props.MaxBlock.Milliseconds())
		e.RetryAfter = t.drain.retryAfter(bytes, time.Now())
		return e
	}
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
	t.cluster.meta.suspect()
	t.Stats.Failed.Add(1)
	return classify(err, maybeWritten).Failed(s.Partition)
}

// finish ends a group whose last record was answered: its memory is free again.
func (t *Topic) finish(g *group) {
	n := int64(len(g.slots))
	bytes := g.bytes
	if !g.since.IsZero() {
		took := int64(time.Since(g.since))
		t.Stats.QueueNanos.Add(took)
		t.Stats.QueueGroups.Add(1)
		raise(&t.Stats.MaxQueueNano, took)
	}
	t.cluster.groups.put(g)
	t.Stats.Ended.Add(n)
	t.drain.released.Add(bytes)
	t.cluster.open.Add(-n)
	t.budget.release(bytes)
}
