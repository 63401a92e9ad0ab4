package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/config"
	"sluice/gateway/idempotency"
	"sluice/gateway/record"
)

// Server is the data plane. It starts nothing before Serve.
type Server struct {
	// Ready says why no records are accepted at the moment, for /readyz; nil is ready, and partly then says which are not accepted although others
	// are, if there are such. It may be nil, and is set before Serve.
	Ready func() (partly string, err error)

	// Transactions is where POST /v1/transactions goes; nil refuses it. It is set before Serve.
	Transactions Transactions

	cfg      config.HTTP
	topics   Topics
	pool     *record.Pool
	obs      Observer
	log      *slog.Logger
	http     *fasthttp.Server
	draining atomic.Bool
	receive  budget
	codecs   codecs
	once     *idempotency.Table
	requests sync.Pool // of *request
}

// New makes a server of the given limits. obs may be nil.
func New(cfg config.HTTP, topics Topics, pool *record.Pool, obs Observer, log *slog.Logger) *Server {
	if obs == nil {
		obs = noObserver{}
	}
	s := &Server{cfg: cfg, topics: topics, pool: pool, obs: obs, log: log, receive: budget{limit: int64(cfg.ReceiveMemory)}}
	s.once = newOnce(&cfg.Idempotency)
	s.http = &fasthttp.Server{
		Handler:       s.handle,
		ErrorHandler:  s.badRequest,
		ExpectHandler: s.expect,
		// Connections over the limit are refused by our listener, with a reason. fasthttp counts a moment longer than we do.
		Concurrency:    cfg.MaxConnections + spareWorkers,
		ReadBufferSize: cfg.ReadBufferBytes,
		ReadTimeout:    cfg.ReadTimeout,
		WriteTimeout:   cfg.WriteTimeout,
		IdleTimeout:    cfg.IdleTimeout,
		// fasthttp hands over what it has read of a body up to this size, and then streams. We want to have all of it
		// streamed, into our own memory; the limits are ours.
		MaxRequestBodySize:            1,
		StreamRequestBody:             true,
		DisablePreParseMultipartForm:  true,
		DisableHeaderNamesNormalizing: true,
		NoDefaultServerHeader:         true,
		SecureErrorLogMessage:         true,
		CloseOnShutdown:               true,
		Logger:                        httpLog{log},
	}
	return s
}

// Serve answers requests on ln until Shutdown; then it returns nil.
func (s *Server) Serve(ln net.Listener) error {
	return s.http.Serve(newListener(ln, &s.cfg))
}

// Drain refuses new records from now on, and says so in /readyz, so that load balancers turn away. Requests whose
// records were accepted are finished; the listener stays open.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown closes the listener and waits for the handlers to finish. Its error is that of ctx, when they did not.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	if err := s.http.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("data plane: %d connections are still open: %w", s.http.GetOpenConnectionsCount(), err)
	}
	return nil
}

// Connections is the number of open connections.
func (s *Server) Connections() int { return max(int(s.http.GetOpenConnectionsCount()), 0) } // fasthttp counts from -1 until it serves

// ReceiveMemory is how much of receive.memory is in use, in bytes.
func (s *Server) ReceiveMemory() int64 { return s.receive.used.Load() }

// Idempotency is what is remembered by Idempotency-Key.
func (s *Server) Idempotency() *idempotency.Table { return s.once }

// handle answers one request.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	defer s.recovered(ctx)
	e, param := s.match(ctx)
	if e == nil {
		s.lingerOnClose(ctx)
		s.observe(ctx, RouteNone, 0)
		return
	}
	n := e.serve(s, ctx, param)
	s.observe(ctx, e.route, n)
}

func (s *Server) observe(ctx *fasthttp.RequestCtx, route Route, bytesIn int) {
	s.obs.Request(route, ctx.Response.StatusCode(), time.Since(ctx.Time()), bytesIn)
}

// recovered keeps a bug in one request from ending the others. fasthttp does not recover.
func (s *Server) recovered(ctx *fasthttp.RequestCtx) {
	v := recover()
	if v == nil {
		return
	}
	s.log.Error("a request handler panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	ctx.Response.Reset()
	s.problem(ctx, record.Errorf(record.Internal, "internal error"))
	ctx.SetConnectionClose()
	s.observe(ctx, RouteNone, 0)
}

// badRequest answers what fasthttp could not read.
func (s *Server) badRequest(ctx *fasthttp.RequestCtx, err error) {
	s.lingerOnClose(ctx)
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	switch {
	case errors.As(err, &small):
		s.problemStatus(ctx, fasthttp.StatusRequestHeaderFieldsTooLarge, record.Errorf(record.Invalid,
			"request line and headers are more than read.buffer.bytes = %d", s.cfg.ReadBufferBytes))
	case errors.As(err, &timeout) && timeout.Timeout():
		s.problem(ctx, tooSlow(s.cfg.ReadTimeout))
	default:
		s.problem(ctx, record.Errorf(record.Invalid, "request cannot be parsed: %v", err))
	}
	s.obs.Request(RouteNone, ctx.Response.StatusCode(), 0, 0)
}

// httpLog is where fasthttp reports broken connections.
type httpLog struct{ log *slog.Logger }

func (l httpLog) Printf(format string, args ...any) {
	l.log.Debug("http", "event", fmt.Sprintf(format, args...))
}

type noObserver struct{}

func (noObserver) Request(Route, int, time.Duration, int) {}
