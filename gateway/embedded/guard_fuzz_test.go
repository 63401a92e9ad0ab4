package embedded

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

type input struct {
	net.Conn

	rest []byte
}

func (c *input) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// allowed is what of the bytes kfake may see, the simple way.
func allowed(p []byte) (out []byte) {
	for len(p) >= 8 {
		size := binary.BigEndian.Uint32(p)
		if size < 4 || size > maxRequestBytes || kmsg.RequestForKey(int16(binary.BigEndian.Uint16(p[4:]))) == nil {
			return out
		}
		n := min(4+int(size), len(p))
		out, p = append(out, p[:n]...), p[n:]
	}
	return out
}

// FuzzGuard: kfake sees whole heads of requests that exist, in whatever pieces it reads, and nothing behind what is none.
func FuzzGuard(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x08\x00\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x05\x00\x03\x00\x00x"), uint8(3))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(1))
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00"), uint8(200))
	f.Add([]byte("\x00\x00\x00\x04\x7f\xff\x00\x00"), uint8(8))
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		c := &guardedConn{Conn: &input{rest: sent}}
		p := make([]byte, 1+int(piece))
		var got []byte
		for {
			n, err := c.Read(p)
			got = append(got, p[:n]...)
			if err != nil {
				break
			}
		}
		if want := allowed(sent); !bytes.Equal(got, want) {
			t.Errorf("of %q it sees %q, want %q", sent, got, want)
		}
	})
}
