package guest

import (
	"slices"
	"sync"
	"time"

	"sluice/gateway/record"
	"sluice/wasmhost"
)

// call is the part of a batch that one guest sees in one call, in memory that is used again and again.
type call struct {
	wasmhost.Batch
	index   []int32 // Records[k] is record index[k] of the batch
	headers []wasmhost.Header
	from    *record.Batch
}

// calls keeps calls for the next batch.
type calls struct{ pool sync.Pool }

func (p *calls) take(b *record.Batch) *call {
	c, ok := p.pool.Get().(*call)
	if !ok {
		c = &call{}
		c.Alloc = func(n int) []byte { return c.from.Alloc(n) }
		c.Headers = c.newHeaders
	}
	c.from, c.Now = b, time.Now().UnixMilli()
	return c
}

func (p *calls) put(c *call) {
	clear(c.Records)
	clear(c.headers)
	c.Records, c.index, c.headers, c.Topics, c.from = c.Records[:0], c.index[:0], c.headers[:0], c.Topics[:0], nil
	p.pool.Put(c)
}

// newHeaders returns room for n headers. Slices handed out before keep pointing into the old array.
func (c *call) newHeaders(n int) []wasmhost.Header {
	l := len(c.headers)
	if cap(c.headers)-l < n {
		c.headers = make([]wasmhost.Header, 0, max(2*cap(c.headers), n, 16))
		l = 0
	}
	c.headers = c.headers[:l+n]
	return c.headers[l : l+n : l+n]
}

// topic is the index of a topic in the call.
func (c *call) topic(name string, partitions int32) uint32 {
	for i := range c.Topics {
		if c.Topics[i].Name == name {
			return uint32(i)
		}
	}
	c.Topics = append(c.Topics, wasmhost.Topic{Name: name, Partitions: partitions})
	return uint32(len(c.Topics) - 1)
}

// add appends record i of the batch.
func (c *call) add(i int, r *record.Record, partitions int32) {
	headers := c.newHeaders(len(r.Headers))
	for k := range r.Headers {
		headers[k] = wasmhost.Header(r.Headers[k])
	}
	c.index = append(c.index, int32(i))
	c.Records = append(c.Records, wasmhost.Record{
		Key: r.Key, Value: r.Value, Headers: headers, Timestamp: r.Timestamp,
		Topic: c.topic(r.Topic, partitions), Partition: r.Partition,
	})
}

// recordHeaders turns what a guest set into headers of the batch.
func recordHeaders(b *record.Batch, from []wasmhost.Header) []record.Header {
	to := b.NewHeaders(len(from))
	for i := range from {
		to[i] = record.Header(from[i])
	}
	return to
}

// same says whether two guests made the same of a record.
func same(a, b *wasmhost.Record) bool {
	equal := func(x, y []byte) bool { return (x == nil) == (y == nil) && slices.Equal(x, y) }
	return a.Verdict == b.Verdict && a.Dropped() == b.Dropped() && a.Partition == b.Partition && equal(a.Route, b.Route) &&
		a.Timestamp == b.Timestamp && equal(a.Key, b.Key) && equal(a.Value, b.Value) &&
		slices.EqualFunc(a.Headers, b.Headers, func(x, y wasmhost.Header) bool { return x.Key == y.Key && equal(x.Value, y.Value) })
}
