package ingest

import (
	"errors"
	"io"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// Transactions stores records of several topics together.
type Transactions interface {
	// Begin returns a transaction without records. It costs nothing until its Commit.
	Begin() Transaction
	// AwaitTimeout is how long a Commit may take.
	AwaitTimeout() time.Duration
}

// Transaction is records that are stored together or not at all. It belongs to one goroutine.
type Transaction interface {
	// Topic finds a topic. A record that is sent to it and not refused gets its Ack from Commit or Abort.
	Topic(name []byte) (Topic, *record.Error)
	// Memory is what the records hold that were sent and not refused, in bytes.
	Memory() int
	// Commit stores all records, or none, and gives each its Ack. The error says why they are not stored, or that it is not
	// known whether all are or none; it is about record i of b, or of none in particular if b is nil.
	Commit() (b *record.Batch, i int, err *record.Error)
	// Abort gives all records their Acks without storing any.
	Abort(err *record.Error)
}

// transactionsPath is the path, and the name under which requests with an Idempotency-Key are kept apart from those of topics.
const transactionsPath = "/v1/transactions"

// transaction is a request whose records are stored together or not at all.
type transaction struct {
	*request
	tx      Transaction
	parts   []*part          // in the order in which they are sent
	filling map[string]*part // by topic
	places  []place          // of every record of the request
	memory  int              // of the parts
}

// part is records of one topic that travel together.
type part struct {
	topic  Topic
	batch  *record.Batch
	shared shared
	paid   int // memory of the batch that is charged
}

// place is where a record of the request went.
type place struct {
	part  *part
	index int
	line  int
}

// serveTransactions is POST /v1/transactions.
func (s *Server) serveTransactions(ctx *fasthttp.RequestCtx, _ []byte) (bytesIn int) {
	r := s.request(ctx)
	defer r.release()
	err := r.admitTransaction()
	switch {
	case err != nil:
		r.refuse(err)
	case r.params.once != nil:
		r.serveOnce()
	default:
		r.serve()
	}
	return r.body.read
}

// admitTransaction refuses what can be refused before the body is read.
func (r *request) admitTransaction() *record.Error {
	s := r.srv
	r.body.open(r.ctx, &s.cfg)
	if s.draining.Load() {
		r.ctx.SetConnectionClose()
		return record.Errorf(record.Draining, "the gateway is shutting down")
	}
	if err := s.receive.admits(); err != nil {
		return err
	}
	if s.Transactions == nil {
		return record.Errorf(record.TransactionsOff, "this gateway has no transactions; "+
			"they need transactional.id.prefix in section [transactions] of its configuration")
	}
	r.topic, r.name, r.nothingStored = anyTopic{server: s}, transactionsPath, true
	if err := r.params.parse(r.ctx, &s.cfg, queryAck|queryResults|queryTopic); err != nil {
		return err
	}
	if r.params.form != formEnvelope {
		return record.Errorf(record.UnsupportedType, "Content-Type is %q; records of a transaction are lines of application/vnd.sluice.records+ndjson",
			r.ctx.Request.Header.ContentType())
	}
	r.params.form = formTransaction
	if r.params.queued {
		return record.Errorf(record.Invalid, "ack is \"queued\"; a transaction is answered when it has ended")
	}
	if err := r.body.fits(); err != nil {
		r.ctx.SetConnectionClose()
		return err
	}
	return nil
}

// serveTransaction reads all lines, sends them through their topics, and commits. The first that fails ends it.
func (r *request) serveTransaction(src io.Reader) {
	t := &transaction{request: r, tx: r.srv.Transactions.Begin(), filling: make(map[string]*part)}
	defer t.free()
	if n, err := t.read(src); err != nil {
		t.tx.Abort(err)
		t.refuse(n, err)
		return
	}
	if n, err := t.send(); err != nil {
		t.tx.Abort(err)
		t.refuse(n, err)
		return
	}
	b, i, err := t.tx.Commit()
	if err != nil {
		r.nothingStored = !err.Code.OutcomeUnknown()
		t.refuse(t.number(b, i), err)
		return
	}
	r.nothingStored = false
	for _, p := range t.places {
		ack, _ := p.part.batch.Outcome(p.index)
		r.takeAck(&ack, p.part.batch.Records[p.index].Topic)
	}
	t.answer()
}

// free gives up what the request holds of its batches. All records have their Acks.
func (t *transaction) free() {
	for _, p := range t.parts {
		p.batch.Free()
	}
}

// noRecord is the number of no record.
const noRecord = -1

// read makes records of all lines. An error is about the record of the given number, or none.
func (t *transaction) read(src io.Reader) (n int, err *record.Error) {
	r := t.request
	limits := &r.srv.cfg
	r.lines.open(src, r.sizeHint(), &r.mem, limits.MaxInflatedBytes)
	for n = 0; ; n++ {
		line, tooLong, failed := r.lines.next()
		switch {
		case errors.Is(failed, io.EOF):
			r.mem.free()
			if n == 0 {
				return noRecord, record.Errorf(record.Invalid, "body has no records")
			}
			return n, nil
		case failed != nil:
			return noRecord, asError(failed)
		case tooLong:
			return n, r.lineTooLong()
		case n >= limits.MaxRecordsPerRequest:
			return noRecord, record.Errorf(record.TooManyRecords, "more than max.records.per.request = %d records", limits.MaxRecordsPerRequest)
		}
		if err := t.add(line); err != nil {
			return n, err
		}
	}
}

// add makes a record of a line.
func (t *transaction) add(line []byte) *record.Error {
	r := t.request
	name, err := r.topicOf(line)
	if err != nil {
		return err
	}
	p, err := t.partFor(name)
	if err != nil {
		return t.located(err)
	}
	rec := p.batch.Add(p.topic.Name())
	p.shared.apply(&r.params, rec)
	r.batch, r.shared = p.batch, p.shared
	err = r.decodeEnvelope(rec, line)
	r.batch = nil
	if err != nil {
		return err
	}
	if size := rec.Size(); size > p.topic.MaxRecordBytes() {
		return record.Errorf(record.RecordTooLarge, "line %d: record is %d bytes, more than max.request.size = %d of topic %q",
			r.lines.number, size, p.topic.MaxRecordBytes(), p.topic.Name())
	}
	t.places = append(t.places, place{p, len(p.batch.Records) - 1, r.lines.number})
	return t.pay(p)
}

// located says of an error which line it is about.
func (t *transaction) located(err *record.Error) *record.Error {
	e := *err // it may be shared
	e.Message = "line " + itoa(t.lines.number) + ": " + err.Message
	return &e
}

// partFor returns the part that the next record of a topic goes into.
func (t *transaction) partFor(name []byte) (*part, *record.Error) {
	p := t.filling[string(name)]
	if p != nil && len(p.batch.Records) < record.MaxBatchRecords && p.batch.Memory() < p.topic.BatchMemory() {
		return p, nil
	}
	topic, err := t.tx.Topic(name)
	if err != nil {
		return nil, err
	}
	p = &part{topic: topic, batch: t.srv.pool.Batch()}
	t.parts = append(t.parts, p)
	t.filling[topic.Name()] = p
	return p, p.shared.load(&t.params, p.batch)
}

// pay charges what the part has grown by to receive.memory, until the request is answered.
func (t *transaction) pay(p *part) *record.Error {
	grown := p.batch.Memory() - p.paid
	p.paid += grown
	t.memory += grown
	return t.payFor(t.memory)
}

func (t *transaction) payFor(memory int) *record.Error {
	if memory <= t.charged {
		return nil
	}
	step := max(memory-t.charged, chargeStep)
	if err := t.take(step); err != nil {
		return err
	}
	t.charged += step
	return nil
}

// send takes all parts through their topics.
func (t *transaction) send() (n int, err *record.Error) {
	for _, p := range t.parts {
		p.batch.Hold()
		p.batch.Done = freeBatch
		p.batch.Start()
		p.topic.Send(p.batch)
	}
	for n, p := range t.places {
		ack, ok := p.part.batch.Outcome(p.index)
		switch {
		case !ok || ack.Code == record.Dropped:
		case ack.Code == record.TooManyRecords || ack.Code == record.BodyTooLarge: // all of them together
			return noRecord, detail(&ack)
		default:
			return n, detail(&ack)
		}
	}
	return noRecord, t.payFor(max(t.memory, t.tx.Memory())) // interceptors may have made records larger
}

// number is that of a record among all of the request.
func (t *transaction) number(b *record.Batch, i int) int {
	for n, p := range t.places {
		if p.part.batch == b && p.index == i {
			return n
		}
	}
	return noRecord
}

// refuse answers with the error of a transaction, which is about record n or none.
func (t *transaction) refuse(n int, err *record.Error) {
	e := *err // it may be shared
	if n >= 0 && n < len(t.places) {
		e.Message = "line " + itoa(t.places[n].line) + ": " + e.Message
	}
	if t.nothingStored {
		e.Message += "; nothing of the transaction was stored"
	}
	t.request.refuse(&e)
	if n == noRecord {
		return
	}
	resp := &t.ctx.Response
	body := resp.SwapBody(nil)
	body = append(body[:len(body)-1], `,"index":`...)
	resp.SwapBody(append(appendNumber(body, int64(n)), '}'))
}

// answer tells where the records are.
func (t *transaction) answer() {
	code := record.Stored
	if t.tally().dropped > 0 {
		code = record.Dropped
	}
	t.write(status(code), typeJSON, func(r *request, dst []byte) []byte {
		dst = append(dst, `{"committed":true`...)
		if r.params.errorsOnly {
			dst = r.appendCounts(dst, `,"stored":`)
		} else {
			dst = r.appendRecords(dst)
		}
		return append(dst, '}')
	})
}

// anyTopic stands for the topic of a request that has many.
type anyTopic struct {
	Topic  // nil: nothing is sent to it
	server *Server
}

func (t anyTopic) AwaitTimeout() time.Duration { return t.server.Transactions.AwaitTimeout() }
func (t anyTopic) MaxRecordBytes() int         { return t.server.cfg.MaxInflatedBytes }

// topicOf reads the member "topic" of a line, which says where the record goes; ?topic= if the line has none. It is all that is
// checked: the rest of the line is read once it is known whose memory it goes into.
func (r *request) topicOf(line []byte) ([]byte, *record.Error) {
	s := &scanner{b: line, line: r.lines.number}
	if err := s.expect('{'); err != nil {
		return nil, err
	}
	for first := true; ; {
		more, err := s.next('}', &first)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		name, err := s.member()
		if err != nil {
			return nil, err
		}
		if string(name) == "topic" {
			return s.topic()
		}
		if _, err := s.value(); err != nil {
			return nil, err
		}
	}
	if len(r.params.defaultTopic) == 0 {
		return nil, s.errorf(`"topic" is missing, and the request has no ?topic= for lines without`)
	}
	return r.params.defaultTopic, nil
}

func (s *scanner) topic() ([]byte, *record.Error) {
	if s.peek() != '"' {
		return nil, s.unexpected("the name of a topic")
	}
	raw, escaped, err := s.str()
	if err == nil && escaped {
		err = s.errorf(`the name of a topic has no escapes: it may hold only letters, digits, '.', '_' and '-'`)
	}
	return raw, err
}
