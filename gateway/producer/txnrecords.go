package producer

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// Transaction is records that are stored together or not at all. It belongs to one goroutine.
type Transaction struct {
	pool    *Transactions
	chunks  []*txnChunk
	records int
	memory  int64
}

// txnChunk is the records of one batch that go to one topic.
type txnChunk struct {
	topic   *Topic
	batch   *record.Batch
	bytes   int64 // of keys, values and headers
	largest int64
	last    int32 // the highest partition
	slots   []txnSlot
	headers []kgo.RecordHeader
}

type txnSlot struct {
	kgo.Record
	index int // in the batch
}

// TransactionTopic is a topic as the destination of records of one transaction.
type TransactionTopic struct {
	*Topic
	in *Transaction
}

// New returns a transaction that has no records yet. It costs nothing until Commit.
func (p *Transactions) New() *Transaction { return &Transaction{pool: p} }

// Topic is t for the records of the transaction.
func (x *Transaction) Topic(t *Topic) TransactionTopic { return TransactionTopic{t, x} }

// Memory is what the records hold that were appended, in bytes.
func (x *Transaction) Memory() int64 { return x.memory }

// Append takes the records of b that go to the topic and have no Ack yet. They get it from Commit or Abort, but for those that
// cannot be accepted. It is always true: a topic that was retired meanwhile serves as well.
func (t TransactionTopic) Append(b *record.Batch) bool {
	w := t.measure(b, t.in.pool.cfg.Producer.Compression.Type)
	if w.records == 0 {
		return true
	}
	if err := t.in.room(w); err != nil {
		t.Refuse(b, err)
		return true
	}
	t.in.pool.sizes.Store(t.name, int32(min(max(t.props.MaxRequestSize, 512), 1<<30)))
	t.in.take(t.Topic, b, w)
	return true
}

func (x *Transaction) room(w burden) *record.Error {
	cfg := &x.pool.cfg
	if x.records+w.records > cfg.MaxRecords {
		return record.Errorf(record.TooManyRecords, "the transaction has more than transaction.max.records = %d records", cfg.MaxRecords)
	}
	if x.memory+w.memory > cfg.MaxBytes {
		return record.Errorf(record.BodyTooLarge, "the records of the transaction hold more than transaction.max.bytes = %d", cfg.MaxBytes)
	}
	return nil
}

func (x *Transaction) take(t *Topic, b *record.Batch, w burden) {
	c := &txnChunk{topic: t, batch: b, bytes: w.bytes, largest: w.largest, slots: make([]txnSlot, 0, w.records)}
	for i := range b.Records {
		if r := &b.Records[i]; r.Topic == t.name && !r.Done() {
			c.add(r, i)
		}
	}
	x.records += w.records
	x.memory += w.memory
	x.chunks = append(x.chunks, c)
}

func (c *txnChunk) add(r *record.Record, i int) {
	s := txnSlot{Record: kgo.Record{Topic: c.topic.name, Key: r.Key, Value: r.Value, Partition: r.Partition}, index: i}
	if r.Timestamp != record.NoTimestamp {
		s.Timestamp = time.UnixMilli(r.Timestamp)
	}
	from := len(c.headers)
	for _, h := range r.Headers {
		c.headers = append(c.headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if len(r.Headers) > 0 { // an array that append has left behind still holds them
		s.Headers = c.headers[from:len(c.headers):len(c.headers)]
	}
	c.slots = append(c.slots, s)
	c.last = max(c.last, r.Partition)
}

// fresh is the record as it was added: it may have been in a transaction that was aborted.
func (s *txnSlot) fresh() *kgo.Record {
	r := &s.Record
	s.Record = kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers, Partition: r.Partition, Timestamp: r.Timestamp}
	return r
}

// refused finds a record that cannot be stored among those that were to be: it went another way than those appended with it.
func (x *Transaction) refused() (b *record.Batch, i int, err *record.Error) {
	for _, c := range x.chunks {
		for i := range c.batch.Records {
			if ack, ok := c.batch.Outcome(i); ok && ack.Code != record.Stored && ack.Code != record.Dropped {
				return c.batch, i, ack.Detail
			}
		}
	}
	return nil, 0, nil
}

// Abort gives all records the Ack of a transaction that was not begun, because of the err of a record that was not appended.
func (x *Transaction) Abort(err *record.Error) {
	x.pool.Stats.Refused.Add(1)
	x.refuse(&culprit{}, err)
}

func (x *Transaction) refuse(because *culprit, err *record.Error) {
	for _, c := range x.chunks {
		c.topic.Stats.Refused.Add(int64(len(c.slots)))
	}
	x.complete(because, err)
}

// Commit stores the records, all or none. When it returns each has its Ack, and none is stored unless the error is nil or of a
// Code whose outcome is unknown, which is then that of all. The error may be about record i of b; b is nil if it is about none.
func (x *Transaction) Commit() (b *record.Batch, i int, err *record.Error) {
	if b, i, err = x.refused(); err != nil {
		b, i = b.Origin(i)
		x.Abort(err)
		return b, i, err
	}
	if x.records == 0 {
		return nil, 0, nil
	}
	if x.pool.cfg.Linger > 0 {
		return x.together()
	}
	return x.alone()
}

// alone is a Kafka transaction of these records only.
func (x *Transaction) alone() (b *record.Batch, i int, err *record.Error) {
	c, err := x.pool.acquire()
	if err != nil {
		x.turnAway(err)
		return nil, 0, err
	}
	return x.end(x.on(c))
}

// turnAway answers the records of a transaction that got no client.
func (x *Transaction) turnAway(err *record.Error) {
	st := &x.pool.Stats
	switch err.Code {
	case record.Draining:
		st.Draining.Add(1)
	case record.Fenced:
		st.Fenced.Add(1)
	default:
		st.NoClient.Add(1)
	}
	x.refuse(nil, err)
}

// on runs the transaction on a client, which it gives back.
func (x *Transaction) on(c *txnClient) *txnRun {
	r := &txnRun{Transaction: x, client: c, begun: time.Now(), done: make(chan struct{}), failed: make(chan struct{})}
	x.pool.cluster.open.Add(int64(x.records))
	clean := r.run()
	x.pool.cluster.open.Add(-int64(x.records))
	x.pool.Stats.Nanos.Add(int64(time.Since(r.begun)))
	x.pool.Stats.Ran.Add(1)
	x.pool.release(c, clean)
	return r
}

// end counts the records, answers them, and returns what Commit does.
func (x *Transaction) end(r *txnRun) (b *record.Batch, i int, err *record.Error) {
	if r.culprit != nil {
		b, i = r.culprit.batch.Origin(r.culprit.index)
	}
	r.count()
	for _, c := range x.chunks {
		n, st := int64(len(c.slots)), &c.topic.Stats
		st.Appended.Add(n)
		st.Bytes.Add(c.bytes)
		raise(&st.MaxRecord, c.largest)
		if r.err != nil {
			st.Failed.Add(n)
		}
		st.Ended.Add(n)
	}
	x.complete(r.culprit, r.err)
	return b, i, r.err
}

// complete gives every record its Ack: that of a record which is stored if err is nil.
func (x *Transaction) complete(culprit *culprit, err *record.Error) {
	others := err
	if culprit != nil {
		others = &record.Error{Code: record.Aborted, Message: "its transaction was aborted because of another record: " + err.Message, Err: err.Err}
	}
	for _, c := range x.chunks {
		for i := range c.slots {
			s := &c.slots[i]
			if err == nil {
				ack := record.Ack{Code: record.Stored, Offset: s.Offset, Timestamp: s.Timestamp.UnixMilli(), Partition: s.Partition}
				c.batch.Complete(s.index, ack)
				continue
			}
			why := others
			if culprit != nil && culprit.batch == c.batch && culprit.index == s.index {
				why = err
			}
			c.batch.Complete(s.index, why.Failed(s.Partition))
		}
	}
	x.chunks = nil
}
