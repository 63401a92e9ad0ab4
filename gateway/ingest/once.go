package ingest

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/config"
	"sluice/gateway/idempotency"
	"sluice/gateway/record"
)

const (
	headerReplayed = "Idempotency-Replayed"
	retryInUse     = time.Second // when to ask again for the answer of a request that is still in progress
)

func newOnce(cfg *config.Idempotency) *idempotency.Table {
	return idempotency.New(idempotency.Limits{Bytes: cfg.MaxBytes, AnswerBytes: cfg.MaxAnswerBytes, TTL: cfg.TTL})
}

// serveOnce serves a request that has an Idempotency-Key: the first of its key, or one that gets the first one's answer.
func (r *request) serveOnce() {
	entry, state := r.srv.once.Claim(r.name, r.params.once, r.ctx.Time())
	if state == idempotency.Busy {
		state = r.awaitFirst(entry)
	}
	switch state {
	case idempotency.Claimed:
		r.serveFirst(entry)
	case idempotency.Answered:
		r.replay(entry.Answer())
	case idempotency.Busy:
		r.srv.once.Stats.TimedOut.Add(1)
		r.refuse(record.Errorf(record.KeyInUse, "a request with Idempotency-Key %.100q is still in progress after %d ms; ask again for its answer",
			r.params.once, r.topic.AwaitTimeout().Milliseconds()))
		r.ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, strconv.FormatInt(retrySeconds(retryInUse), 10))
	default:
		r.refuse(record.Errorf(record.Overloaded, "idempotency.max.bytes = %d is in use by requests in progress with an Idempotency-Key",
			r.srv.cfg.Idempotency.MaxBytes))
	}
}

// awaitFirst waits for the request that has the key, with the own body still unread: it is executed if nothing comes of that one.
func (r *request) awaitFirst(entry *idempotency.Entry) idempotency.State {
	start := time.Now()
	r.timer.Reset(r.topic.AwaitTimeout())
	state := r.srv.once.Wait(entry, r.timer.C)
	r.timer.Stop()
	r.extendDeadline(time.Since(start))
	return state
}

// serveFirst executes the request, and settles its key whatever happens.
func (r *request) serveFirst(entry *idempotency.Entry) {
	panics := true
	defer func() {
		if panics { // and nobody knows how far it came
			r.srv.problem(r.ctx, record.Errorf(record.Internal, "internal error"))
			r.remember(entry)
		}
	}()
	r.serve()
	panics = false
	r.takeKnown() // of a raw record, and what came in while it was answered
	if r.unsent() {
		r.srv.once.Forget(entry)
		return
	}
	r.remember(entry)
}

// unsent says whether it is certain that no record of the request was stored, nor will be.
func (r *request) unsent() bool {
	if r.params.form == formTransaction {
		return r.nothingStored
	}
	for i := range r.results {
		if err := r.why(&r.results[i]); err == nil || !leavesNoTrace(err.Code) {
			return false
		}
	}
	return true
}

// leavesNoTrace says whether a record with this outcome is certainly not stored. What is not known to be so is not.
func leavesNoTrace(c record.Code) bool {
	switch c {
	case record.Invalid, record.UnsupportedType, record.BodyTooLarge, record.RecordTooLarge, record.TooManyRecords,
		record.HeadersTooLarge, record.TopicNotAllowed, record.UnknownTopic, record.UnknownPartition, record.Rejected,
		record.Unauthorized, record.TooSlow, record.InvalidRecord, record.Fenced,
		record.TransactionsOff, record.BrokerError, record.SchemaMismatch, record.SchemaRefused:
		return true
	default:
		return c.Retriable()
	}
}

// remember keeps the answer that was just given; if it is too large, a summary.
func (r *request) remember(entry *idempotency.Entry) {
	resp := &r.ctx.Response
	a := idempotency.Answer{
		Fingerprint: r.hasher.Fingerprint(), Status: resp.StatusCode(), ContentType: typeJSON, Body: resp.Body(),
	}
	if string(resp.Header.ContentType()) == typeProblem {
		a.ContentType = typeProblem
	}
	if r.params.encoding == identity && r.body.ended { // perhaps nobody had to read on to see it
		a.Fingerprint.Whole = true
	}
	now := time.Now()
	if !r.srv.once.Complete(entry, a, now) {
		r.srv.once.Stats.Summarised.Add(1)
		a.Body = r.appendSummary(nil, &a)
		r.srv.once.Complete(entry, a, now)
	}
}

// replay answers with what the first request of the key was answered with, if this is the same request.
func (r *request) replay(a *idempotency.Answer) {
	same, err := r.matches(&a.Fingerprint)
	switch {
	case err != nil:
		r.refuse(err)
	case !same:
		r.srv.once.Stats.Reused.Add(1)
		r.refuse(record.Errorf(record.KeyReused,
			"Idempotency-Key %.100q was used for another request, with other parameters or another body", r.params.once))
	default:
		r.srv.once.Stats.Replayed.Add(1)
		r.write(a.Status, a.ContentType, func(_ *request, dst []byte) []byte { return append(dst, a.Body...) })
		r.ctx.Response.Header.Set(headerReplayed, "true")
		if !r.body.ended {
			r.srv.lingerOnClose(r.ctx)
		}
	}
}

// matches reads the body, sends nothing, and says whether this is the request of the fingerprint.
func (r *request) matches(f *idempotency.Fingerprint) (bool, *record.Error) {
	if _, err := r.open(); err != nil {
		return false, err
	}
	room, err := r.mem.grow(0, firstRead)
	if err != nil {
		return false, err
	}
	same, failed := r.hasher.Matches(f, room)
	if failed != nil {
		return false, asError(failed)
	}
	return same, nil
}

// fingerprint begins the fingerprint with everything beside the body that says what is to be stored and answered. Trace
// context is left out, because every attempt of a traced client has its own.
func (r *request) fingerprint() {
	h, p := &r.hasher, &r.params
	h.Start()
	h.Bytes(r.ctx.URI().PathOriginal())
	h.Number(int64(p.form))
	h.Number(flag(p.queued))
	h.Number(flag(p.errorsOnly))
	h.Number(flag(p.tombstone))
	h.Number(int64(p.partition))
	h.Number(p.timestamp)
	h.Bytes(p.defaultTopic)
	hashEncoded(h, &p.key)
	for i := range p.headers {
		if e := &p.headers[i]; !isTraceContext(e.name) {
			h.Bytes(e.name)
			hashEncoded(h, &e.value)
		}
	}
	h.Number(-1) // a header would begin with the length of its name
}

func hashEncoded(h *idempotency.Hasher, e *encoded) {
	h.Number(flag(e.set))
	h.Number(flag(e.base64))
	h.Bytes(e.b)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func isTraceContext(name []byte) bool {
	return equalFold(name, "traceparent") || equalFold(name, "tracestate")
}

// appendSummary says what of an answer is kept when there is no room for all of it. It is never more than
// idempotency.SummaryBytes: it has no messages, and the name of a topic is short.
func (r *request) appendSummary(dst []byte, a *idempotency.Answer) []byte {
	t := r.tally()
	note := "the answer was " + strconv.Itoa(len(a.Body)) + " bytes, and too large to be remembered whole: " +
		"see idempotency.answer.max.bytes and idempotency.max.bytes"
	if a.ContentType == typeProblem && t.first != nil {
		dst = appendProblem(dst, a.Status, &record.Error{Code: t.first.Code, Message: note})
		dst = append(dst, `,"failed":`...)
		dst = strconv.AppendInt(dst, int64(t.failed), 10)
		return append(dst, '}')
	}
	if r.params.form == formTransaction {
		dst = append(dst, `{"committed":true`...)
	} else {
		dst = append(dst, `{"topic":`...)
		dst = appendString(dst, r.name)
	}
	count := func(name string, n int) {
		dst = append(dst, ',')
		dst = appendString(dst, name)
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	if r.params.queued {
		count("accepted", t.stored)
	} else {
		count("stored", t.stored)
	}
	count("dropped", t.dropped)
	count("dead_lettered", t.letters)
	count("failed", t.failed)
	if r.rest != nil {
		dst = append(dst, `,"error":{`...)
		dst = appendCause(dst, record.Errorf(r.rest.Code, "the request broke off after %d records, those behind were not sent",
			len(r.results)+len(r.bad)), "message")
		dst = append(dst, '}')
	}
	dst = append(dst, `,"summary":`...)
	dst = appendString(dst, note)
	return append(dst, '}')
}
