package ingest

import (
	"bytes"
	"io"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// serveRecords is POST /v1/topics/{t}/records.
func (s *Server) serveRecords(ctx *fasthttp.RequestCtx, param []byte) (bytesIn int) {
	r := s.request(ctx)
	defer r.release()
	err := r.admit(param)
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

// serve reads the body, sends its records and answers.
func (r *request) serve() {
	src, err := r.open()
	switch {
	case err != nil:
		r.refuse(err)
	case r.params.form == formTransaction:
		r.serveTransaction(src)
	case r.params.form == formRaw:
		r.serveRaw(src)
	default:
		r.serveLines(src)
	}
}

// open returns where to read the decoded body from.
func (r *request) open() (src io.Reader, err *record.Error) {
	src = &r.body
	if r.params.encoding != identity {
		src = &r.inf
	}
	if r.params.once != nil {
		r.fingerprint()
		r.hasher.Body(src)
		src = &r.hasher
	}
	if r.params.encoding != identity {
		err = r.inf.open(r)
	}
	return src, err
}

// admit refuses what can be refused before the body is read.
func (r *request) admit(param []byte) *record.Error {
	s := r.srv
	r.body.open(r.ctx, &s.cfg)
	if s.draining.Load() {
		r.ctx.SetConnectionClose()
		return record.Errorf(record.Draining, "the gateway is shutting down")
	}
	if err := s.receive.admits(); err != nil {
		return err
	}
	name := param
	var err *record.Error
	if bytes.IndexByte(param, '%') >= 0 {
		if name, err = unescape(nil, param); err != nil {
			return err
		}
	}
	if r.topic, err = s.topics.Topic(name); err != nil {
		return err
	}
	r.name = r.topic.Name()
	if err := r.params.parse(r.ctx, &s.cfg, queryAck|queryResults); err != nil {
		return err
	}
	if err := r.body.fits(); err != nil {
		r.ctx.SetConnectionClose()
		return err
	}
	if size := r.sizeHint(); r.params.form == formRaw && size+r.params.size() > r.topic.MaxRecordBytes() {
		return r.recordTooLarge(size)
	}
	return nil
}

// expect decides on a request that asks first whether it may send its body (RFC 9110 section 10.1.1). What handle would
// refuse unread is refused here, with the same answer.
func (s *Server) expect(ctx *fasthttp.RequestCtx) int {
	e, param := s.match(ctx)
	if e != nil && e.route != RouteRecords {
		return fasthttp.StatusContinue
	}
	route := RouteNone
	if e != nil {
		route = e.route
		r := s.request(ctx)
		defer r.release()
		err := r.admit(param)
		if err == nil {
			return fasthttp.StatusContinue
		}
		s.problem(ctx, err)
	}
	s.lingerOnClose(ctx)
	s.obs.Request(route, ctx.Response.StatusCode(), 0, 0)
	return ctx.Response.StatusCode()
}

// serveHealth is GET /healthz: the process answers.
func (s *Server) serveHealth(ctx *fasthttp.RequestCtx, _ []byte) int {
	ctx.SetContentType(typeJSON)
	ctx.SetBodyString(`{"status":"ok"}`)
	return 0
}

// serveReady is GET /readyz: records are accepted.
func (s *Server) serveReady(ctx *fasthttp.RequestCtx, _ []byte) int {
	if s.draining.Load() {
		s.problem(ctx, record.Errorf(record.Draining, "the gateway is shutting down"))
		return 0
	}
	body := []byte(`{"status":"ready"`)
	if s.Ready != nil {
		partly, err := s.Ready()
		if err != nil {
			s.problem(ctx, &record.Error{Code: record.NotAvailable, Message: err.Error(), Err: err})
			return 0
		}
		if partly != "" {
			body = appendString(append(body, `,"detail":`...), partly)
		}
	}
	ctx.SetContentType(typeJSON)
	ctx.SetBody(append(body, '}'))
	return 0
}
