package producer

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// group is the records of one batch that go to one topic, on their way from Append to their Acks. It is one entry of the
// accumulator, and the unit in which memory is taken and given back.
type group struct {
	next  *group // in the accumulator
	topic *Topic
	batch *record.Batch
	claim claim        // charged to the topic's budget
	since time.Time    // when it was handed to kgo, if it is timed
	gen   int64        // of the client it was handed to
	until *deadline    // delivery.timeout.ms
	left  atomic.Int32 // records without an answer
	slots []slot
}

// slot is one record inside kgo. Slots are kept and used again with their groups, so that producing allocates nothing.
type slot struct {
	kgo.Record
	group   *group
	index   int // of the record in its batch
	headers []kgo.RecordHeader
	ledger  *ledger                  // of the partition
	pos     int64                    // in the ledger, once it was given to kgo
	promise func(*kgo.Record, error) // s.acked, bound once
}

// groupPool keeps groups by power-of-two number of slots, up to record.MaxBatchRecords.
type groupPool struct{ class [11]sync.Pool }

func groupClass(n int) int {
	c := 0
	for 1<<c < n {
		c++
	}
	return c
}

// take returns a group with room for n records. Interceptors may make more of a batch than a request's can have; such a group
// is not kept.
func (p *groupPool) take(n int) *group {
	c := groupClass(n)
	if c < len(p.class) {
		if g, ok := p.class[c].Get().(*group); ok {
			g.slots = g.slots[:0]
			return g
		}
	}
	g := &group{slots: make([]slot, 1<<c)}
	for i := range g.slots {
		s := &g.slots[i]
		s.group = g
		s.promise = s.acked
	}
	g.slots = g.slots[:0]
	return g
}

func (p *groupPool) put(g *group) {
	g.slots = g.slots[:cap(g.slots)]
	g.topic, g.batch, g.next, g.until, g.since = nil, nil, nil, nil, time.Time{}
	if c := groupClass(len(g.slots)); c < len(p.class) {
		p.class[c].Put(g)
	}
}

// add puts record i of the batch into the next slot.
func (g *group) add(r *record.Record, i int) {
	g.slots = g.slots[:len(g.slots)+1]
	s := &g.slots[len(g.slots)-1]
	s.index = i
	s.Record = kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Partition: r.Partition}
	if r.Timestamp != record.NoTimestamp {
		s.Timestamp = time.UnixMilli(r.Timestamp)
	}
	if len(r.Headers) > 0 {
		s.headers = s.headers[:0]
		for _, h := range r.Headers {
			s.headers = append(s.headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		s.Headers = s.headers
	}
}

// again makes the record as good as new, to be given to kgo once more: kgo leaves marks in it.
func (s *slot) again() {
	r := &s.Record
	s.Record = kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers, Partition: r.Partition, Timestamp: r.Timestamp}
}

// acked is kgo's promise. It runs on the one goroutine that answers for all records of a client, so it only notes the
// result, gives memory back, and wakes whoever waits. What kgo gave up is for the sender to judge.
func (s *slot) acked(r *kgo.Record, err error) {
	t := s.group.topic
	if err != nil {
		t.client.returned(s, err)
		return
	}
	ack := record.Ack{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), Partition: r.Partition, Code: record.Stored}
	if t.offsetUnknown {
		ack.Offset = record.NoOffset
	}
	if l := s.ledger; l.back.Add(1) == l.given.Load() && l.held.Load() {
		t.client.wake()
	}
	s.end(ack)
}

// fail ends a record that kgo gave up, or never got.
func (s *slot) fail(err error, maybeWritten bool) {
	s.end(s.group.topic.failed(s.group.gen, s, err, maybeWritten))
}

// end gives the record its Ack.
func (s *slot) end(ack record.Ack) {
	g := s.group
	g.topic.load.acked(&s.Record)
	batch, index := g.batch, s.index
	s.ledger = nil
	if g.left.Add(-1) == 0 {
		g.topic.finish(g)
	}
	batch.Complete(index, ack)
}
