package embedded

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxRequestBytes is Kafka's default of socket.request.max.bytes.
const maxRequestBytes = 100 << 20

// requestHead is the length of a request's size, API key and API version.
const requestHead = 8

// guardedListener keeps bytes that are no Kafka request away from kfake, which would allocate whatever size they claim
// and panic on an API key nobody knows: a curl at the broker's port would end the gateway.
type guardedListener struct{ net.Listener }

// Accept implements net.Listener.
func (l *guardedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: c}, nil
}

// guardedConn reads the head of every request before it lets kfake see its size.
type guardedConn struct {
	net.Conn
	head [requestHead]byte
	next []byte // what of head was not handed on yet
	body int    // bytes of the request after its head that were not read yet
}

// Read implements io.Reader. One goroutine calls it, request by request.
func (c *guardedConn) Read(p []byte) (int, error) {
	if len(c.next) == 0 && c.body == 0 {
		if err := c.readHead(); err != nil {
			return 0, err
		}
	}
	if len(c.next) > 0 {
		n := copy(p, c.next)
		c.next = c.next[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.body)])
	c.body -= n
	return n, err
}

func (c *guardedConn) readHead() error {
	if _, err := io.ReadFull(c.Conn, c.head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(c.head[:])
	key := int16(binary.BigEndian.Uint16(c.head[4:]))
	if size < requestHead-4 || size > maxRequestBytes || kmsg.RequestForKey(key) == nil {
		return fmt.Errorf("not a Kafka request: size %d, API key %d", size, key)
	}
	c.next = c.head[:]
	c.body = int(size) - (requestHead - 4)
	return nil
}
