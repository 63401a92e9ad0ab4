package ingest

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// body reads a request body as it was sent and holds it to max.body.bytes and read.timeout.ms.
type body struct {
	stream io.Reader
	conn   net.Conn
	length int // Content-Length; -1 if chunked
	read   int
	cfg    *config.HTTP
	// failed is why reading stopped early; nil while all is well.
	failed *record.Error
	ended  bool // the whole body was read
}

func (b *body) open(ctx *fasthttp.RequestCtx, cfg *config.HTTP) {
	*b = body{stream: ctx.RequestBodyStream(), conn: ctx.Conn(), length: ctx.Request.Header.ContentLength(), cfg: cfg}
	if b.length < -1 { // neither Content-Length nor chunked is no body (RFC 9112 section 6.3)
		b.length = 0
	}
	b.ended = b.length == 0
}

// fits refuses a body whose announced length is over the limit.
func (b *body) fits() *record.Error {
	if b.length > b.cfg.MaxBodyBytes {
		return record.Errorf(record.BodyTooLarge, "body is %d bytes, more than max.body.bytes = %d", b.length, b.cfg.MaxBodyBytes)
	}
	return nil
}

// Read implements io.Reader. An error other than io.EOF is a *record.Error, and is final.
func (b *body) Read(p []byte) (int, error) {
	if b.failed != nil {
		return 0, b.failed
	}
	if b.ended {
		return 0, io.EOF
	}
	n, err := b.stream.Read(p)
	b.read += n
	switch {
	case b.read > b.cfg.MaxBodyBytes: // only a chunked body gets here
		b.failed = record.Errorf(record.BodyTooLarge, "body is more than max.body.bytes = %d", b.cfg.MaxBodyBytes)
		return 0, b.failed
	case b.read == b.length, b.length < 0 && err == io.EOF && !cutOff(b.conn):
		b.ended = true
		return n, io.EOF
	case err == nil:
		return n, nil
	default:
		b.failed = b.explain(err)
		return n, b.failed
	}
}

func (b *body) explain(err error) *record.Error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return tooSlow(b.cfg.ReadTimeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return record.Errorf(record.Invalid, "body ended after %d bytes, before its end", b.read)
	default:
		return &record.Error{Code: record.Invalid, Message: "body cannot be read: " + err.Error(), Err: err}
	}
}

func tooSlow(limit time.Duration) *record.Error {
	return record.Errorf(record.TooSlow, "the request was not received within read.timeout.ms = %d", limit.Milliseconds())
}

// asError returns the *record.Error that our readers fail with.
func asError(err error) *record.Error {
	if e, ok := errors.AsType[*record.Error](err); ok {
		return e
	}
	return &record.Error{Code: record.Internal, Message: "body cannot be read: " + err.Error(), Err: err}
}
