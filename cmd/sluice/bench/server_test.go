package bench

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"
)

// served is what a server has been asked.
type served struct {
	base     *url.URL
	requests atomic.Int64
	bodies   atomic.Int64 // bytes
	mu       sync.Mutex
	conns    map[uint64]bool
}

// serve starts a fasthttp server on loopback that answers as the n-th request wants; n begins with 1.
func serve(t *testing.T, answer func(ctx *fasthttp.RequestCtx, n int64)) *served {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{base: &url.URL{Scheme: "http", Host: ln.Addr().String()}, conns: map[uint64]bool{}}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		n := s.requests.Add(1)
		s.bodies.Add(int64(len(ctx.PostBody())))
		s.mu.Lock()
		s.conns[ctx.ConnID()] = true
		s.mu.Unlock()
		answer(ctx, n)
	}}
	done := make(chan struct{})
	go func() {
		_ = server.Serve(ln) // fails when the test ends and closes the listener
		close(done)
	}()
	t.Cleanup(func() {
		_ = ln.Close() // not Shutdown: it waits for connections that a test may have left hanging
		<-done
	})
	return s
}

func (s *served) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func ok(ctx *fasthttp.RequestCtx, _ int64) { ctx.SetBodyString(`{"offset":1}`) }
