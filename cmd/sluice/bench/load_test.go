package bench

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// small is a load of n requests over a few connections.
func small(s *served, n int64) plan {
	return plan{
		base: s.base, shape: shape{topic: "t", dialect: dialectRaw, records: 1, size: 100},
		connections: 8, requests: n, timeout: 10 * time.Second,
	}
}

func run(t *testing.T, p plan) *Result {
	t.Helper()
	r, err := newLoad(p, nil).run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBothSidesCountTheSame(t *testing.T) {
	s := serve(t, ok)
	r := run(t, small(s, 5000))
	if n := s.requests.Load(); n != 5000 || r.Statuses["200"] != 5000 || r.Latency.Count != 5000 {
		t.Errorf("the server saw %d requests, the report has %v and %d latencies; want 5000 of each",
			n, r.Statuses, r.Latency.Count)
	}
	if n := s.bodies.Load(); n != 5000*100 {
		t.Errorf("the server saw %d bytes of bodies, want %d", n, 5000*100)
	}
	if n := s.connections(); n != 8 {
		t.Errorf("%d connections for 8 that are kept alive", n)
	}
	if len(r.Errors) > 0 || r.Unanswered > 0 || r.RefusedLatency != nil {
		t.Errorf("errors %v, %d unanswered, refused %v; want none", r.Errors, r.Unanswered, r.RefusedLatency)
	}
}

func TestOnlyTheWindowIsCounted(t *testing.T) {
	f := func(rate float64, elapsed, due time.Duration, counted, timed bool) {
		t.Helper()
		l := newLoad(plan{base: &url.URL{}, shape: shape{dialect: dialectRaw, records: 1}, warmup: time.Hour, duration: time.Hour, rate: rate}, nil)
		l.started = time.Now().Add(-elapsed)
		l.note(due, 200, fate{stored: 1}, nil)
		if got := l.tally.statuses[200].Load() == 1; got != counted {
			t.Errorf("answered after %v: counted %t, want %t", elapsed, got, counted)
		}
		if got := l.tally.accepted.count.Load() == 1; got != timed {
			t.Errorf("due at %v, answered after %v: latency recorded %t, want %t", due, elapsed, got, timed)
		}
		if l.tally.answered.Load() != 1 {
			t.Error("what is answered out of the window must still be known")
		}
	}
	const warm, in, after = 30 * time.Minute, 90 * time.Minute, 150 * time.Minute
	f(0, warm, warm, false, false)
	f(0, in, warm, true, true)
	f(0, after, in, false, false)
	f(10, in, warm, true, false)  // at a rate, the latency belongs to the moment the request was due:
	f(10, after, in, false, true) // otherwise a late answer would go unseen
}

func TestARequestIsNotSentBeforeItIsDue(t *testing.T) {
	l := newLoad(plan{base: &url.URL{}, shape: shape{dialect: dialectRaw, records: 1}, rate: 1, duration: time.Hour}, nil)
	l.started = time.Now()
	due := l.now() + 5*time.Millisecond
	if !l.waitFor(t.Context(), newPause(), due) || l.now() < due || l.tally.pacing.count.Load() != 1 {
		t.Errorf("sent at %v, due at %v, %d waits recorded", l.now(), due, l.tally.pacing.count.Load())
	}
	if !l.waitFor(t.Context(), newPause(), 0) || l.tally.pacing.count.Load() != 1 {
		t.Error("a request that is late anyway must not count as the generator's lateness")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if l.waitFor(ended, newPause(), time.Hour) {
		t.Error("a load that is over must not send")
	}
}

func TestStatusesAreCountedApart(t *testing.T) {
	s := serve(t, func(ctx *fasthttp.RequestCtx, n int64) {
		ctx.SetStatusCode([]int{200, 202, 503, 200, 429}[n%5])
	})
	p := small(s, 1000)
	p.shape.records, p.shape.dialect = 10, dialectNDJSON
	r := run(t, p)
	if want := map[string]int64{"200": 400, "202": 200, "503": 200, "429": 200}; !maps.Equal(r.Statuses, want) {
		t.Errorf("statuses %v, want %v", r.Statuses, want)
	}
	if r.Latency.Count != 600 || r.RefusedLatency.Count != 400 {
		t.Errorf("%d latencies of OK and %d of refused; want 600 and 400", r.Latency.Count, r.RefusedLatency.Count)
	}
	if share := r.Goodput / (r.RequestsPerSecond * 10); share < 0.599 || share > 0.601 {
		t.Errorf("goodput is %v of all records, want 0.6", share)
	}
	if r.clean() == nil {
		t.Error("refused requests must not pass as a clean run")
	}
}

func TestAClosedConnectionIsDialledAgain(t *testing.T) {
	s := serve(t, func(ctx *fasthttp.RequestCtx, n int64) {
		ok(ctx, n)
		if n%10 == 0 {
			ctx.SetConnectionClose()
		}
	})
	r := run(t, small(s, 500))
	if r.Statuses["200"] != 500 || len(r.Errors) > 0 {
		t.Errorf("statuses %v, errors %v; want 500 times 200 and no error", r.Statuses, r.Errors)
	}
	if n := s.connections(); n < 50 || n > 58 {
		t.Errorf("%d connections; want 50 to 58, a new one for each of 50 that were closed", n)
	}
}

func TestChunkedResponsesAreRead(t *testing.T) {
	s := serve(t, func(ctx *fasthttp.RequestCtx, _ int64) {
		ctx.Response.ImmediateHeaderFlush = true
		ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
			for range 3 {
				_, _ = w.WriteString("piece")
				_ = w.Flush() // each ends a chunk; if the client is gone, the test says so
			}
		})
	})
	if r := run(t, small(s, 200)); r.Statuses["200"] != 200 || len(r.Errors) > 0 || s.connections() != 8 {
		t.Errorf("statuses %v, errors %v, %d connections; want 200 times 200 over 8", r.Statuses, r.Errors, s.connections())
	}
}

func TestARateIsKept(t *testing.T) {
	s := serve(t, ok)
	p := small(s, 0)
	p.rate, p.duration = 2000, 500*time.Millisecond
	r := run(t, p)
	// Every request that falls due in the window is sent or reported, however slow the machine: 0, 0.5 ms ... 500 ms.
	if sent := s.requests.Load(); sent+r.Unsent != 1001 {
		t.Errorf("%d requests sent and %d unsent; want 1001 at 2000/s for 0.5 s", sent, r.Unsent)
	}
	if r.Latency.Count != 1001 {
		t.Errorf("%d latencies; want one for each of 1001", r.Latency.Count)
	}
}

func TestASlowServerDoesNotHideItsQueue(t *testing.T) {
	s := serve(t, func(ctx *fasthttp.RequestCtx, n int64) {
		if n == 1 {
			<-time.After(200 * time.Millisecond) // the server's pause that is to be seen
		}
		ok(ctx, n)
	})
	p := small(s, 0)
	p.connections, p.rate, p.duration = 1, 1000, 300*time.Millisecond
	r := run(t, p)
	// One connection waits 200 ms; the 200 requests that fell due meanwhile waited 100 ms on average.
	if r.Latency.P50 < 20_000 {
		t.Errorf("p50 is %v µs: the requests that had to wait behind the slow one are missing", r.Latency.P50)
	}
}

func TestWhatCannotBeSentIsReported(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(*fasthttp.RequestCtx, int64) { <-release })
	defer close(release)
	p := small(s, 0)
	p.rate, p.duration, p.timeout, p.connections = 1000, 100*time.Millisecond, time.Millisecond, 2
	r := run(t, p)
	if r.Unanswered > 2 || r.Unanswered+r.Unsent != 101 || r.Latency.Count != 101 {
		t.Errorf("%d unanswered, %d unsent, %d latencies; want 2, 99 and 101", r.Unanswered, r.Unsent, r.Latency.Count)
	}
	if answered, _ := r.Answered(); answered != 0 {
		t.Errorf("%d answered; nothing was", answered)
	}
}

func TestNobodyListens(t *testing.T) {
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, plan{
		base: &url.URL{Scheme: "http", Host: ports[0]}, shape: shape{topic: "t", dialect: dialectRaw, records: 1, size: 1},
		connections: 1, requests: 4, timeout: time.Second,
	})
	if n := r.Errors["connection refused"]; n != 4 || len(r.Errors) != 1 {
		t.Errorf("errors %v; want 4 refused connections", r.Errors)
	}
	if least := (backoff(1) + backoff(2) + backoff(3)).Seconds(); r.Seconds < least {
		t.Errorf("4 connections refused in %v s: one after the other without a pause of %v s in all", r.Seconds, least)
	}
}

func TestCancellingEndsTheLoad(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 8)
	s := serve(t, func(*fasthttp.RequestCtx, int64) { asked <- struct{}{}; <-release })
	defer close(release)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	go func() { <-asked; cancel(stop) }()
	if _, err := newLoad(small(s, 1000), nil).run(ctx); !errors.Is(err, stop) {
		t.Errorf("run = %v, want the cause of the cancellation", err)
	}
}

func TestTheServerIsAccounted(t *testing.T) {
	s := serve(t, ok)
	p := small(s, 2000)
	p.server = process(os.Getpid()) // generator and server are one process here
	r := run(t, p)
	if r.Server == nil || r.Server.CPUPerRequest <= 0 || r.Server.RSS <= 0 || r.Server.PeakRSS < r.Server.RSS {
		t.Fatalf("server use: %+v", r.Server)
	}
	if diff := r.Server.CPUPerRequest / r.GeneratorCPU; diff < 0.8 || diff > 1.25 {
		t.Errorf("one process is accounted twice as %v and %v µs per request", r.Server.CPUPerRequest, r.GeneratorCPU)
	}
}

func TestProgressIsTold(t *testing.T) {
	for _, warmup := range []time.Duration{0, time.Hour} {
		s := serve(t, ok)
		ctx, cancel := context.WithCancel(t.Context())
		var requests int64
		p := small(s, 0)
		p.warmup, p.duration = warmup, time.Hour
		l := newLoad(p, func(p Progress) {
			if p.WarmingUp != (warmup > 0) {
				t.Errorf("after %v: warming up %t", p.Elapsed, p.WarmingUp)
			}
			if requests += p.Requests; requests > 0 {
				cancel()
			}
		})
		l.every = time.Millisecond
		if _, err := l.run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if requests == 0 || requests > s.requests.Load() {
			t.Errorf("progress tells of %d requests, the server saw %d", requests, s.requests.Load())
		}
	}
}

func TestErrorsOfOneKindAreOne(t *testing.T) {
	a := &net.OpError{Op: "read", Err: os.NewSyscallError("read", os.ErrDeadlineExceeded)}
	if got := errorKind(a); got != "timed out" {
		t.Errorf("errorKind(%v) = %q", a, got)
	}
}
