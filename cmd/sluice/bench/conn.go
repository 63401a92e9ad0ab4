package bench

import (
	"context"
	"net"
	"time"
)

// conn is one keep-alive connection, dialled when it is needed. It is used by one goroutine.
type conn struct {
	ctx     context.Context //nolint:containedctx // the life of the connection: when it ends, so does any exchange
	address string
	dialer  net.Dialer
	nc      net.Conn
	unwatch func() bool
	in      *reader
}

func newConn(ctx context.Context, address string) *conn { return &conn{ctx: ctx, address: address} }

// exchange sends a request and reads its answer's status. After an error, the next exchange dials anew.
func (c *conn) exchange(request []byte) (status int, err error) {
	if c.nc == nil {
		if err := c.dial(); err != nil {
			return 0, err
		}
	}
	if _, err := c.nc.Write(request); err != nil {
		c.close()
		return 0, err
	}
	status, keep, err := c.in.response()
	if err != nil || !keep {
		c.close()
	}
	return status, err
}

// partial is the body of the answer that was read last, if it was a 207.
func (c *conn) partial() []byte {
	if c.in == nil {
		return nil
	}
	return c.in.partial
}

// dial also arranges that the end of ctx ends a read or write that is under way.
func (c *conn) dial() error {
	nc, err := c.dialer.DialContext(c.ctx, "tcp", c.address)
	if err != nil {
		return err
	}
	c.nc, c.in = nc, newReader(nc)
	c.unwatch = context.AfterFunc(c.ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	return nil
}

func (c *conn) close() {
	if c.nc == nil {
		return
	}
	c.unwatch()
	_ = c.nc.Close() // nothing is lost: what mattered was read
	c.nc = nil
}
