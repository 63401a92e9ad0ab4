package ingest

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

const (
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
)

// write answers with a body that appendBody appends to the connection's own response buffer.
func (r *request) write(status int, contentType string, appendBody func(r *request, dst []byte) []byte) {
	resp := &r.ctx.Response
	resp.SetStatusCode(status)
	resp.Header.SetContentType(contentType)
	body := resp.SwapBody(nil)
	resp.SwapBody(appendBody(r, body[:0]))
	if r.srv.draining.Load() {
		resp.SetConnectionClose()
	}
}

// answerOne answers a request of one record.
func (r *request) answerOne(a *record.Ack) {
	if a.Code != record.Stored {
		r.answerNotStored(detail(a))
		return
	}
	r.write(fasthttp.StatusOK, typeJSON, (*request).appendStored)
}

// answerNotStored answers a request whose one record went all its way without being stored. A record that was dropped is
// no error: a client that saw one would send it again.
func (r *request) answerNotStored(err *record.Error) {
	if !setAside(err) {
		r.refuse(err)
		return
	}
	r.write(status(err.Code), typeJSON, func(r *request, dst []byte) []byte {
		dst = append(dst, `{"topic":`...)
		dst = appendString(dst, r.name)
		dst = append(dst, ',')
		dst = appendAside(dst, err)
		return append(dst, '}')
	})
}

// setAside says that a record was not stored in its topic, and that this is not an error: the configuration asks for it.
func setAside(err *record.Error) bool {
	return err.Code == record.Dropped || err.Code == record.DeadLettered
}

// appendAside says what became of a record that was set aside.
func appendAside(dst []byte, err *record.Error) []byte {
	if err.Letter != nil {
		return appendDeadLettered(dst, err)
	}
	return appendDropped(dst, err)
}

// appendDeadLettered says where the dead letter of a record is, and why the record became one.
func appendDeadLettered(dst []byte, err *record.Error) []byte {
	l := err.Letter
	dst = append(dst, `"dead_letter":{"topic":`...)
	dst = appendString(dst, l.Topic)
	dst = append(dst, `,"partition":`...)
	dst = appendNumber(dst, int64(l.Partition))
	dst = append(dst, `,"offset":`...)
	dst = appendNumber(dst, l.Offset)
	dst = append(dst, `},"code":`...)
	dst = appendString(dst, l.Code.String())
	dst = append(dst, `,"message":`...)
	return appendString(dst, err.Message)
}

// appendDropped says that a record was dropped, and by whom.
func appendDropped(dst []byte, err *record.Error) []byte {
	dst = append(dst, `"dropped":true,"message":`...)
	return appendString(dst, err.Message)
}

// appendStored says where the one record is, which is another topic than the request's if an interceptor routed it there.
func (r *request) appendStored(dst []byte) []byte {
	a := &r.sent[0].Acks[0]
	dst = append(dst, `{"topic":`...)
	dst = appendString(dst, r.sent[0].Records[0].Topic)
	dst = append(dst, `,"partition":`...)
	dst = appendNumber(dst, int64(a.Partition))
	dst = append(dst, `,"offset":`...)
	dst = appendNumber(dst, a.Offset)
	dst = append(dst, `,"timestamp":`...)
	dst = appendNumber(dst, a.Timestamp)
	return append(dst, '}')
}

// appendNumber appends n, or null for the negative values that stand for nothing.
func appendNumber(dst []byte, n int64) []byte {
	if n < 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, n, 10)
}

// refuse answers with the one error of the whole request.
func (r *request) refuse(err *record.Error) {
	r.srv.problem(r.ctx, err)
	if !r.body.ended {
		r.srv.lingerOnClose(r.ctx)
	}
}

// problem answers with an error (RFC 9457).
func (s *Server) problem(ctx *fasthttp.RequestCtx, err *record.Error) {
	s.problemStatus(ctx, status(err.Code), err)
}

func (s *Server) problemStatus(ctx *fasthttp.RequestCtx, status int, err *record.Error) {
	resp := &ctx.Response
	resp.SetStatusCode(status)
	resp.Header.SetContentType(typeProblem)
	s.retryAfter(ctx, status, err.RetryAfter)
	body := resp.SwapBody(nil)
	body = appendProblem(body[:0], status, err)
	resp.SwapBody(append(body, '}'))
	if s.draining.Load() {
		resp.SetConnectionClose()
	}
}

// retryAfter sets Retry-After where the meaning of the status asks for it.
func (s *Server) retryAfter(ctx *fasthttp.RequestCtx, status int, d time.Duration) {
	if asksToRetry(status) {
		ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, strconv.FormatInt(retrySeconds(d), 10))
	}
}

// appendProblem appends a problem, which the caller ends with a brace.
func appendProblem(dst []byte, status int, err *record.Error) []byte {
	dst = append(dst, `{"type":"about:blank","title":`...)
	dst = appendString(dst, fasthttp.StatusMessage(status))
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ',')
	dst = appendCause(dst, err, "detail")
	dst = append(dst, `,"retryable":`...)
	return strconv.AppendBool(dst, err.Code.Retriable())
}

// appendCause appends code and message, the latter under the given name.
func appendCause(dst []byte, err *record.Error, message string) []byte {
	dst = append(dst, `"code":`...)
	dst = appendString(dst, err.Code.String())
	dst = append(dst, ',', '"')
	dst = append(dst, message...)
	dst = append(dst, `":`...)
	dst = appendString(dst, err.Message)
	if err.Mismatch != nil {
		dst = appendMismatch(dst, err.Mismatch)
	}
	return dst
}

// appendMismatch says for programs where a record does not fit its schema. What is not known of the schema is left out.
func appendMismatch(dst []byte, m *record.Mismatch) []byte {
	for _, member := range [...][2]string{{"part", m.Part}, {"path", m.Path}, {"expected", m.Expected}, {"found", m.Found}, {"subject", m.Subject}} {
		if member[0] == "subject" && member[1] == "" {
			continue
		}
		dst = append(dst, ',')
		dst = append(appendString(dst, member[0]), ':')
		dst = appendString(dst, member[1])
	}
	if m.SchemaID == 0 {
		return dst
	}
	dst = append(dst, `,"schema_id":`...)
	return strconv.AppendInt(dst, int64(m.SchemaID), 10)
}
