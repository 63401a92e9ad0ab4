package bench

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestResponsesEndWhereTheyEnd(t *testing.T) {
	const next = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
	f := func(name, response string, status int, keep bool) {
		t.Helper()
		for _, src := range []io.Reader{
			strings.NewReader(response + next), iotest.OneByteReader(strings.NewReader(response + next)),
			iotest.DataErrReader(strings.NewReader(response + next)),
		} {
			r := newReader(src)
			got, kept, err := r.response()
			if err != nil || got != status || kept != keep {
				t.Errorf("%s: %d, keep %t, %v; want %d, keep %t", name, got, kept, err, status, keep)
				continue
			}
			if !keep {
				continue
			}
			if got, _, err := r.response(); got != 202 || err != nil {
				t.Errorf("%s: the response behind it is read as %d, %v", name, got, err)
			}
			if _, _, err := r.response(); !errors.Is(err, io.EOF) {
				t.Errorf("%s: at the end: %v, want io.EOF", name, err)
			}
		}
	}
	f("length", "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 5\r\n\r\nhello", 200, true)
	f("large", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 100_000), 200, true)
	f("chunked", "HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", 503, true)
	f("empty chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200, true)
	f("chunked wins", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, true)
	f("close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 200, false)
	f("until the end", "HTTP/1.1 200 OK\r\n\r\nhello", 200, false)
	f("1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, false)
	f("1.0 kept", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", 200, true)
	f("no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, true)
	f("continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too Large\r\nContent-Length: 1\r\n\r\nx", 413, true)
	f("long head", "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("y", 10_000)+"\r\nContent-Length: 1\r\n\r\nz", 200, true)
}

func TestBrokenResponses(t *testing.T) {
	f := func(response, want string) {
		t.Helper()
		status, keep, err := newReader(strings.NewReader(response)).response()
		if err == nil || !strings.Contains(err.Error(), want) || keep {
			t.Errorf("%.60q: %d, keep %t, %v; want an error with %q", response, status, keep, err, want)
		}
	}
	f("", "EOF")
	f("HTTP/1.1 200 OK\r\nContent-Len", "unexpected EOF")
	f("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "unexpected EOF")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "unexpected EOF")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello", "unexpected EOF")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not a chunk size")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n", "longer than its size")
	f("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "only chunked")
	f("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not a length")
	f("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "not a header")
	f("HTTP/1.1 999 OK\r\n\r\n", "not an HTTP status")
	f("HTTP/2 200\r\n\r\n", "not an HTTP/1 response")
	f("SSH-2.0-OpenSSH_9.6\r\n\r\n", "not an HTTP/1 response")
	f("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("y", 20_000), "longer than")
}

// FuzzResponse: whatever arrives, and however it is cut into pieces, the reader comes to the same end.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n5;e\r\nhello\r\n0\r\nT: x\r\n\r\n"))
	f.Add([]byte("HTTP/1.0 204 \r\nConnection: keep-alive\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, pieces := newReader(bytes.NewReader(b)), newReader(iotest.OneByteReader(bytes.NewReader(b)))
		for range 10 {
			status, keep, err := whole.response()
			status2, keep2, err2 := pieces.response()
			if status != status2 || keep != keep2 || (err == nil) != (err2 == nil) {
				t.Fatalf("whole: %d %t %v; in pieces: %d %t %v", status, keep, err, status2, keep2, err2)
			}
			if err == nil && (status < 200 || status > 599) {
				t.Fatalf("status %d", status)
			}
			if len(whole.buf) > 2*maxHead {
				t.Fatalf("the buffer grew to %d bytes", len(whole.buf))
			}
			if !keep {
				return
			}
		}
	})
}
