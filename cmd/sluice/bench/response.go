package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxHead bounds a response's status line and headers, and a line of a chunked body.
const maxHead = 16 << 10

// reader reads responses from a connection and throws their bodies away, except those of partial answers. It parses no more of RFC 9112 than is needed
// to find where a response ends.
type reader struct {
	src  io.Reader
	buf  []byte
	r, w int // buf[r:w] is read but not used

	keeps   bool   // the body that is being read
	partial []byte // the body of the last response, if that was a 207
}

func newReader(src io.Reader) *reader { return &reader{src: src, buf: make([]byte, 4<<10)} }

// response reads one response. keep says whether the connection can carry another request.
// io.EOF means that the connection ended before the first byte of a response; io.ErrUnexpectedEOF, within it.
func (r *reader) response() (status int, keep bool, err error) {
	for {
		head, err := r.head()
		if err != nil {
			return 0, false, err
		}
		h, err := parseHead(head)
		if err != nil {
			return 0, false, err
		}
		if h.status < 200 { // 1xx is followed by the answer proper
			continue
		}
		r.keeps, r.partial = h.status == statusPartial, r.partial[:0]
		if err := r.discardBody(h); err != nil {
			return 0, false, err
		}
		return h.status, h.keep && h.framed(), nil
	}
}

// head is what a response's first lines say.
type head struct {
	status  int
	length  int64 // Content-Length; -1 when there is none
	chunked bool
	keep    bool
}

// bodiless says whether such a response never has a body (RFC 9112, section 6.3).
func (h head) bodiless() bool { return h.status == 204 || h.status == 304 }

// framed says whether the end of the body can be told without the connection ending.
func (h head) framed() bool { return h.chunked || h.length >= 0 || h.bodiless() }

// head reads up to and including the empty line. The result is valid until the next read.
func (r *reader) head() ([]byte, error) {
	for from := 0; ; {
		if i := bytes.Index(r.buf[r.r+from:r.w], []byte("\r\n\r\n")); i >= 0 {
			head := r.buf[r.r : r.r+from+i+4]
			r.r += from + i + 4
			return head, nil
		}
		from = max(r.w-r.r-3, 0)
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// line reads up to and including a CRLF. The result, without it, is valid until the next read.
func (r *reader) line() ([]byte, error) {
	for {
		if i := bytes.Index(r.buf[r.r:r.w], []byte("\r\n")); i >= 0 {
			line := r.buf[r.r : r.r+i]
			r.r += i + 2
			return line, nil
		}
		if err := r.more(); err != nil {
			return nil, unexpected(err)
		}
	}
}

// more reads at least one byte behind what is there, making room for it.
func (r *reader) more() error {
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		if r.w >= maxHead {
			return fmt.Errorf("response head or chunk line longer than %d bytes", maxHead)
		}
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	switch {
	case n > 0:
		return nil
	case err == nil:
		return io.ErrNoProgress
	case r.w > 0:
		return unexpected(err)
	default:
		return err
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parseHead reads the status and the headers that say where the response ends.
func parseHead(b []byte) (head, error) {
	h := head{length: -1}
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return h, fmt.Errorf("not an HTTP/1 response: %.40q", line)
	}
	h.keep = line[7] != '0'
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 100 || status > 599 {
		return h, fmt.Errorf("not an HTTP status: %.40q", line)
	}
	h.status = status
	for len(rest) > 2 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if err := h.header(line); err != nil {
			return h, err
		}
	}
	return h, nil
}

// header takes notice of one header line. The switch on the length keeps all others cheap.
func (h *head) header(line []byte) error {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return fmt.Errorf("not a header: %.40q", line)
	}
	name, value := line[:i], bytes.TrimSpace(line[i+1:])
	switch {
	case i == len("content-length") && bytes.EqualFold(name, []byte("content-length")):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil {
			return fmt.Errorf("Content-Length: %.40q is not a length", value)
		}
		h.length = int64(n)
	case i == len("transfer-encoding") && bytes.EqualFold(name, []byte("transfer-encoding")):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
		if !h.chunked {
			return fmt.Errorf("Transfer-Encoding: %.40q is not understood, only chunked", value)
		}
	case i == len("connection") && bytes.EqualFold(name, []byte("connection")):
		if bytes.EqualFold(value, []byte("close")) {
			h.keep = false
		} else if bytes.EqualFold(value, []byte("keep-alive")) {
			h.keep = true
		}
	}
	return nil
}

func (r *reader) discardBody(h head) error {
	switch {
	case h.bodiless():
		return nil
	case h.chunked: // wins over Content-Length (RFC 9112, section 6.3)
		return r.discardChunks()
	case h.length >= 0:
		return r.discard(h.length)
	}
	r.r, r.w = 0, 0
	_, err := io.Copy(io.Discard, r.src) // the body ends with the connection
	return err
}

// discard throws n bytes away.
func (r *reader) discard(n int64) error {
	for {
		have := int64(r.w - r.r)
		if r.keeps {
			r.partial = append(r.partial, r.buf[r.r:r.r+int(min(n, have))]...)
		}
		if n <= have {
			r.r += int(n)
			return nil
		}
		n -= have
		r.r, r.w = 0, 0
		if err := r.more(); err != nil {
			return unexpected(err)
		}
	}
}

// discardChunks throws a chunked body and its trailers away (RFC 9112, section 7.1).
func (r *reader) discardChunks() error {
	for {
		line, err := r.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 62)
		if err != nil {
			return fmt.Errorf("%.40q is not a chunk size", line)
		}
		if n == 0 {
			return r.discardTrailers()
		}
		if err := r.discard(int64(n)); err != nil {
			return err
		}
		if line, err = r.line(); err != nil {
			return err
		}
		if len(line) > 0 {
			return fmt.Errorf("chunk longer than its size: %.40q", line)
		}
	}
}

func (r *reader) discardTrailers() error {
	for {
		if line, err := r.line(); err != nil || len(line) == 0 {
			return err
		}
	}
}
