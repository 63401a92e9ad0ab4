package ingest

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	lingerTime    = time.Second // how long a client that we answered early may go on sending
	lingerBytes   = 8 << 20     // and how much
	discardAtOnce = 16 << 10
)

// conn is a connection that counts, that can be closed without losing an answer the client has not read yet, and whose
// deadlines cost little. Deadlines, Read and Write are of the goroutine that serves it.
type conn struct {
	net.Conn
	from   *listener
	linger atomic.Bool
	closed atomic.Bool
	ended  bool // the client has ended its side
	read   deadline
	write  deadline
}

// SetReadDeadline implements net.Conn. It does not reach a Read that is already waiting, which fasthttp never asks for.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.read.wanted = t
	return nil
}

// SetWriteDeadline implements net.Conn, as SetReadDeadline does.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.write.wanted = t
	return nil
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.read.wanted, c.write.wanted = t, t
	return nil
}

// Read implements net.Conn. It notes the end of the connection, because fasthttp takes that for the end of a chunked body.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.read.arm(c.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		if n > 0 {
			return n, nil // the end comes again, and means something only when somebody asked for more
		}
		c.ended = true
	}
	return n, err
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.write.arm(c.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// cutOff says whether the connection ended while more was asked for.
func cutOff(c net.Conn) bool {
	own, ok := c.(*conn)
	return ok && own.ended
}

// Close implements net.Conn. Closing a connection with unread bytes resets it, and a reset may overtake the answer.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return c.Conn.Close()
	}
	defer c.from.open.Add(-1)
	if c.linger.Load() {
		return linger(c.Conn)
	}
	return c.Conn.Close()
}

// linger ends our side, takes what the client is still sending, and closes.
func linger(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(lingerTime)) // a broken connection fails the read
		discard(c)
	}
	return c.Close()
}

func discard(c net.Conn) {
	var buf [discardAtOnce]byte
	for left := lingerBytes; left > 0; {
		n, err := c.Read(buf[:])
		if left -= n; err != nil {
			return
		}
	}
}

// lingerOnClose is for a request that is answered before its body was read to the end.
func (s *Server) lingerOnClose(ctx *fasthttp.RequestCtx) {
	if c, ok := ctx.Conn().(*conn); ok {
		c.linger.Store(true)
	}
}
