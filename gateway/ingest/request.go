package ingest

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/idempotency"
	"sluice/gateway/record"
)

const (
	sentRecordSize = 192 // what a record costs that was sent and whose outcome was not taken over: its Record and Ack
	resultSize     = 16

	// topicsCompared is how many topics a name is looked for in. Few are routed to, and where they are many, looking must
	// stay cheap.
	topicsCompared = 8
)

// request is one request on its way. It is pooled: one goroutine fills and sends batches, any goroutine may complete them.
type request struct {
	srv      *Server
	ctx      *fasthttp.RequestCtx
	params   params
	body     body
	inf      inflater
	lines    lineReader
	envelope envelope
	mem      scratch
	hasher   idempotency.Hasher // of requests with an Idempotency-Key

	topic  Topic
	name   string        // of the topic
	batch  *record.Batch // being filled
	shared shared        // what every record of batch has in common
	first  int           // number of the first record of batch among all records of the request

	held    int           // bytes taken from receive.memory, scratch aside
	charged int           // of them, for batch
	kept    int           // of them, for records that were sent
	blocked time.Duration // spent in Send while the client waited

	sent    []*record.Batch // not yet taken into results, in order
	results []result        // of records that were sent, in order
	causes  []*record.Error // that results refer to
	topics  []string        // that results refer to, other than name
	bad     []badRecord     // records that could not be parsed, in order
	rest    *record.Error   // why the records after the last one were not read

	nothingStored bool // it is a transaction, and none of its records is or will be stored

	// refs is one for the handler and one for every batch that is not completed. Whoever brings it to zero ends the request.
	refs  atomic.Int32
	wake  chan struct{} // a hint that refs may be down to one; it may be stale
	done  func(*record.Batch)
	timer *time.Timer
}

// result is the outcome of one record, kept small because a request may have very many.
type result struct {
	offset    int64
	partition int32
	ref       int32 // 0 is stored in the request's topic, -n is stored in topics[n-1], n is not stored because of causes[n-1]
}

// badRecord is a record that never entered a batch.
type badRecord struct {
	index int // among all records of the request
	err   *record.Error
}

func newRequest(s *Server) *request {
	r := &request{srv: s, wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	r.timer.Stop()
	r.mem = scratch{pool: s.pool, budget: &s.receive}
	r.done = r.completed
	return r
}

func (s *Server) request(ctx *fasthttp.RequestCtx) *request {
	r, ok := s.requests.Get().(*request)
	if !ok {
		r = newRequest(s)
	}
	r.refs.Store(1)
	r.ctx = ctx
	return r
}

// release gives up the handler's share. Batches that are still under way keep the request until they are completed.
func (r *request) release() {
	if r.batch != nil {
		r.batch.Free()
	}
	for _, b := range r.sent {
		b.Free()
	}
	r.give(r.held)
	r.mem.free()
	r.inf.close()
	r.body, r.ctx = body{}, nil
	if r.refs.Add(-1) == 0 {
		r.recycle()
	}
}

func (r *request) recycle() {
	clear(r.sent)
	clear(r.causes)
	clear(r.topics)
	clear(r.bad)
	r.sent, r.causes, r.topics, r.bad, r.results = r.sent[:0], r.causes[:0], r.topics[:0], r.bad[:0], r.results[:0]
	r.topic, r.name, r.batch, r.rest, r.nothingStored = nil, "", nil, nil, false
	r.shared, r.blocked, r.charged, r.kept = shared{}, 0, 0, 0
	r.params.reset()
	r.srv.requests.Put(r)
}

// completed is the Done of every batch that a request waits for.
func (r *request) completed(b *record.Batch) {
	if r.params.form != formRaw {
		b.ReleaseBytes() // the request may still be reading from a slow client
	}
	b.Free()
	switch r.refs.Add(-1) {
	case 1:
		select {
		case r.wake <- struct{}{}:
		default:
		}
	case 0:
		r.recycle()
	}
}

// freeBatch is the Done of every batch that nobody waits for.
func freeBatch(b *record.Batch) { b.Free() }

// take charges n bytes to receive.memory.
func (r *request) take(n int) *record.Error {
	if err := r.srv.receive.take(n); err != nil {
		return err
	}
	r.held += n
	return nil
}

func (r *request) give(n int) {
	if n != 0 {
		r.srv.receive.give(n)
		r.held -= n
	}
}

// send sends the batch that was filled, and pays for it until the topic has either charged it or refused it.
func (r *request) send() {
	b := r.batch
	r.batch = nil
	b.Hold()
	if r.params.queued {
		b.Done = freeBatch
		b.Unattended = true
		b.Start()
		r.handOver(b)
		r.takeQueued(b)
		return
	}
	r.refs.Add(1)
	b.Done = r.done
	b.Start()
	r.handOver(b)
	r.sent = append(r.sent, b)
}

// handOver gives the memory of b back only after Send, which may block before the topic charges it to buffer.memory.
func (r *request) handOver(b *record.Batch) {
	r.topic.Send(b)
	r.give(r.charged)
	r.charged = 0
}

// takeQueued keeps what is known of a batch that nobody will wait for: which records were refused at once.
func (r *request) takeQueued(b *record.Batch) {
	base := len(r.results)
	for range b.Acks {
		r.results = append(r.results, result{offset: record.NoOffset, partition: record.NoPartition})
	}
	for _, f := range b.Failed {
		r.results[base+f.Index].ref = r.cause(f.Err)
	}
	b.Free()
}

// takeDone moves the outcomes of completed batches into results, as far as they come first.
func (r *request) takeDone() {
	n := 0
	for n < len(r.sent) && r.sent[n].Open() == 0 {
		b := r.sent[n]
		for i := range b.Acks {
			r.takeAck(&b.Acks[i], b.Records[i].Topic)
		}
		b.Free()
		n++
	}
	r.forget(n)
}

// takeKnown moves the outcomes of all batches into results when the time to wait is over.
func (r *request) takeKnown() {
	late := outcomeUnknown(r.topic.AwaitTimeout())
	for _, b := range r.sent {
		for i := range b.Acks {
			ack, ok := b.Outcome(i)
			if !ok {
				ack = late.Failed(record.NoPartition)
			}
			r.takeAck(&ack, b.Records[i].Topic)
		}
		b.Free()
	}
	r.forget(len(r.sent))
}

// takeAck keeps the outcome of a record that went to the given topic.
func (r *request) takeAck(a *record.Ack, topic string) {
	res := result{offset: a.Offset, partition: a.Partition}
	switch {
	case a.Code != record.Stored:
		res.ref = r.cause(detail(a))
	case topic != r.name:
		res.ref = -r.routedTo(topic)
	}
	r.results = append(r.results, res)
}

// forget drops the first n of sent.
func (r *request) forget(n int) {
	kept := copy(r.sent, r.sent[n:])
	clear(r.sent[kept:])
	r.sent = r.sent[:kept]
}

// cause returns the number of err among the causes. Records that fail together share their error, one after the other.
func (r *request) cause(err *record.Error) int32 {
	if n := len(r.causes); n == 0 || r.causes[n-1] != err {
		r.causes = append(r.causes, err)
	}
	return int32(len(r.causes))
}

// routedTo returns the number of a topic among those that interceptors routed records to. The name is copied, as it may
// live in the batch's memory.
func (r *request) routedTo(topic string) int32 {
	from := max(0, len(r.topics)-topicsCompared)
	if i := slices.Index(r.topics[from:], topic); i >= 0 {
		return int32(from + i + 1)
	}
	r.topics = append(r.topics, strings.Clone(topic))
	return int32(len(r.topics))
}

// detail is why a record was not stored.
func detail(a *record.Ack) *record.Error {
	if a.Detail != nil {
		return a.Detail
	}
	return &record.Error{Code: a.Code, Message: a.Code.String()}
}

func outcomeUnknown(waited time.Duration) *record.Error {
	return record.Errorf(record.Unknown, "no acknowledgement within %d ms; the record may or may not be in the log",
		waited.Milliseconds())
}

// await waits until every record has its outcome. It returns false when the topic's time for that is over.
func (r *request) await() bool {
	if r.refs.Load() == 1 {
		return true
	}
	r.timer.Reset(r.topic.AwaitTimeout())
	defer r.timer.Stop()
	for r.refs.Load() > 1 {
		select {
		case <-r.wake:
		case <-r.timer.C:
			return false
		}
	}
	return true
}
