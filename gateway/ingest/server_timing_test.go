package ingest

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/record"
)

// loopConn is a client without a network: it sends the same request again and again, answers are dropped.
type loopConn struct {
	net.Conn
	request []byte
	at      int // what of the request was read
	left    int // requests
}

func (c *loopConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.request[c.at:])
	if c.at += n; c.at == len(c.request) {
		c.at = 0
		c.left--
	}
	return n, nil
}

func (c *loopConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *loopConn) Close() error                     { return nil }
func (c *loopConn) SetDeadline(time.Time) error      { return nil }
func (c *loopConn) SetReadDeadline(time.Time) error  { return nil }
func (c *loopConn) SetWriteDeadline(time.Time) error { return nil }
func (c *loopConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *loopConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

func httpRequest(contentType, body string, headers ...string) []byte {
	h := ""
	for _, line := range headers {
		h += line + "\r\n"
	}
	return fmt.Appendf(nil, "POST /v1/topics/orders/records HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: bench/1\r\n"+
		"Content-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s", contentType, h, len(body), body)
}

func benchServer() (*Server, *memTopic) {
	topic := testTopic()
	topic.quiet = true
	topic.send = func(t *memTopic, b *record.Batch) { // as cheap as possible: it is not what is measured
		for i, n := 0, len(b.Records); i < n; i++ {
			b.Complete(i, record.Ack{Offset: 12345, Timestamp: 1700000000000, Code: record.Stored})
		}
	}
	cfg := testConfig()
	cfg.ReadBufferBytes = 64 << 10
	return New(cfg, memTopics{"orders": topic}, new(record.Pool), nil, slog.New(slog.DiscardHandler)), topic
}

func benchRequests(b *testing.B, s *fasthttp.Server, request []byte, records int) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(request)))
	c := &loopConn{request: request, left: b.N}
	b.ResetTimer()
	before := cpuTime(b)
	if err := s.ServeConn(c); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N*records), "cpu-ns/record")
}

// cpuTime is what the process has used. Other than the clock it tells something on a machine that is shared.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const benchRecord = 256

func ndjson(n int) string {
	return strings.Repeat(`{"v":"`+strings.Repeat("x", benchRecord-8)+"\"}\n", n)
}

func envelopes(n int) string {
	return strings.Repeat(`{"key":"user-1","value":{"v":"`+strings.Repeat("x", benchRecord-8)+`"},"headers":{"a":"b"}}`+"\n", n)
}

func BenchmarkRequest(b *testing.B) {
	s, _ := benchServer()
	nothing := benchConfigOf(s)
	for _, bb := range []struct {
		name    string
		server  *fasthttp.Server
		request []byte
		records int
	}{
		{"nothing/raw", nothing, httpRequest("application/json", strings.Repeat("x", benchRecord)), 1},
		{"raw", s.http, httpRequest("application/json", strings.Repeat("x", benchRecord)), 1},
		{"raw/key+2headers", s.http, httpRequest("application/json", strings.Repeat("x", benchRecord), "X-Kafka-Key: user-1",
			"X-Kafka-Header-a: b", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), 1},
		{"raw/replayed", s.http, httpRequest("application/json", strings.Repeat("x", benchRecord), onceKey), 1},
		{"nothing/100", nothing, httpRequest("application/x-ndjson", ndjson(100)), 100},
		{"ndjson/100", s.http, httpRequest("application/x-ndjson", ndjson(100)), 100},
		{"envelope/100", s.http, httpRequest("application/vnd.sluice.records+ndjson", envelopes(100)), 100},
	} {
		b.Run(bb.name, func(b *testing.B) { benchRequests(b, bb.server, bb.request, bb.records) })
	}
}

// benchConfigOf is a fasthttp server that does nothing, as one would set it up by default.
func benchConfigOf(s *Server) *fasthttp.Server {
	return &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetContentType("application/json")
			ctx.SetBodyString(`{"topic":"orders","partition":0,"offset":12345,"timestamp":1700000000000}`)
		},
		ReadBufferSize: s.cfg.ReadBufferBytes, NoDefaultServerHeader: true,
	}
}
