package ingest

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"sluice/gateway/record"
)

// inflater undoes a Content-Encoding and holds what comes out to max.inflated.bytes while it comes out.
type inflater struct {
	r     *request
	codec *codec // nil while closed
	out   io.Reader
	n     int // bytes that came out
	taken int // from receive.memory for the codec

	packed, plain scratch // of snappy's block format, which cannot be streamed
	block         bytes.Reader
}

// open begins to inflate the body of r.
func (f *inflater) open(r *request) *record.Error {
	f.r, f.n = r, 0
	f.packed = scratch{pool: r.srv.pool, budget: &r.srv.receive}
	f.plain = f.packed
	f.codec = r.srv.codecs.take(r.params.encoding)
	f.codec.in.Reset(&r.body)
	memory, err := f.codec.memory()
	if err != nil {
		return f.explain(err)
	}
	if err := r.srv.receive.take(memory); err != nil {
		return err
	}
	f.taken = memory
	if f.codec.isSnappyBlock() {
		return f.openBlock()
	}
	if f.out, err = f.codec.open(); err != nil {
		return f.explain(err)
	}
	return nil
}

// close gives everything back. It may be called at any time, also twice.
func (f *inflater) close() {
	if f.codec == nil {
		return
	}
	f.r.srv.codecs.put(f.codec)
	f.r.srv.receive.give(f.taken)
	f.packed.free()
	f.plain.free()
	*f = inflater{}
}

// Read implements io.Reader. An error other than io.EOF is a *record.Error.
func (f *inflater) Read(p []byte) (int, error) {
	n, err := f.out.Read(p)
	f.n += n
	if limit := f.r.srv.cfg.MaxInflatedBytes; f.n > limit {
		return 0, record.Errorf(record.BodyTooLarge, "body inflates to more than max.inflated.bytes = %d", limit)
	}
	switch {
	case err == io.EOF:
		return n, f.atEnd()
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch): // of what follows the first member or frame
		return n, f.trailing()
	case err != nil:
		return n, f.explain(err)
	default:
		return n, nil
	}
}

// atEnd demands that the body ends where the compressed stream does, and returns io.EOF then. Not every decoder reads on.
func (f *inflater) atEnd() error {
	switch _, err := f.codec.in.Peek(1); {
	case err == nil:
		return f.trailing()
	case err == io.EOF:
		return io.EOF
	default:
		return f.explain(err)
	}
}

func (f *inflater) trailing() *record.Error {
	return record.Errorf(record.Invalid, "body has other bytes after the end of what is %s", f.r.params.encoding)
}

func (f *inflater) explain(err error) *record.Error {
	name := f.r.params.encoding.String()
	var own *record.Error
	switch {
	case f.r.body.failed != nil:
		return f.r.body.failed
	case errors.As(err, &own):
		return own
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return record.Errorf(record.BodyTooLarge, "body asks for more memory to inflate than its first frame, or than %d bytes", maxWindow)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return record.Errorf(record.Invalid, "body is not %s: it ends too early", name)
	default:
		return &record.Error{Code: record.Invalid, Message: "body is not " + name + ": " + err.Error(), Err: err}
	}
}

// openBlock reads the one block that a body in snappy's block format is.
func (f *inflater) openBlock() *record.Error {
	n := 0
	var buf []byte
	for {
		if n == len(buf) {
			var err *record.Error
			if buf, err = f.packed.grow(n, max(2*n, 4<<10)); err != nil {
				return err
			}
		}
		k, err := f.codec.in.Read(buf[n:])
		n += k
		if err == io.EOF {
			break
		}
		if err != nil {
			return f.explain(err)
		}
	}
	return f.decodeBlock(buf[:n])
}

func (f *inflater) decodeBlock(packed []byte) *record.Error {
	size, err := snappyLen(packed)
	if err != nil {
		return f.explain(err)
	}
	if limit := f.r.srv.cfg.MaxInflatedBytes; size > limit {
		return record.Errorf(record.BodyTooLarge, "body inflates to %d bytes, more than max.inflated.bytes = %d", size, limit)
	}
	room, full := f.plain.grow(0, size)
	if full != nil {
		return full
	}
	plain, err := snappyDecode(room, packed)
	if err != nil {
		return f.explain(err)
	}
	f.block.Reset(plain)
	f.out = &f.block
	return nil
}
