package bench

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Idle is what connections cost that do nothing.
type Idle struct {
	Environment   Environment `json:"environment"`
	Connections   int         `json:"connections"` // each has sent one request before
	Before        int64       `json:"rss_before_bytes"`
	After         int64       `json:"rss_after_bytes"`
	PerConnection float64     `json:"rss_per_connection_bytes"`
}

// runIdle is `sluice bench --idle N`.
func (b *bench) runIdle(ctx context.Context) error {
	p, err := newParty(&b.options)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.broker(ctx); err != nil {
		return err
	}
	const spare = 100
	base, server, err := p.sluice(ctx, sluiceSettings{maxBlockMs: 60_000, maxConnections: b.idle + spare})
	if err != nil {
		return err
	}
	report, err := b.measureIdle(ctx, base, server)
	if err != nil {
		return err
	}
	if err := p.alive(); err != nil {
		return err
	}
	return b.print(report)
}

// measureIdle opens the connections and compares the server's memory before and after.
func (b *bench) measureIdle(ctx context.Context, base *url.URL, server account) (*Idle, error) {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	request := newRequest(base, b.load.shape)
	first := newConn(ctx, base.Host) // so that what the first request alone costs is not divided among all
	defer first.close()
	if err := first.ask(request.turn()); err != nil {
		return nil, err
	}
	before, err := settled(ctx, server)
	if err != nil {
		return nil, err
	}
	conns := make([]*conn, b.idle)
	defer closeAll(conns)
	b.say("idle: opening %d connections", b.idle)
	if err := openAll(ctx, conns, base.Host, request); err != nil {
		return nil, err
	}
	after, err := settled(ctx, server)
	if err != nil {
		return nil, err
	}
	return &Idle{
		Environment: environment(), Connections: b.idle, Before: before, After: after,
		PerConnection: float64(after-before) / float64(b.idle),
	}, nil
}

// ask sends one request and wants it to succeed.
func (c *conn) ask(request []byte) error {
	status, err := c.exchange(request)
	if err == nil && !success(status) {
		err = fmt.Errorf("%s answered %d", c.address, status)
	}
	return err
}

// openAll opens the connections, some at a time, and sends one request over each.
func openAll(ctx context.Context, conns []*conn, address string, request *request) error {
	const atATime = 32
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range atATime {
		wg.Go(func() {
			own := request.clone(0)
			for i := next.Add(1) - 1; i < int64(len(conns)) && failed.Load() == nil; i = next.Add(1) - 1 {
				c := newConn(ctx, address)
				c.dialer.LocalAddr = sourceOf(address, int(i))
				conns[i] = c
				if err := c.ask(own.turn()); err != nil {
					err = fmt.Errorf("connection %d of %d: %w", i+1, len(conns), err)
					failed.CompareAndSwap(nil, &err)
				}
				c.in = nil // an idle connection needs no buffer
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// sourceOf is the local address of connection i: one loopback address has too few ports for more than some 28,000.
func sourceOf(address string, i int) net.Addr {
	const perAddress = 20_000
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host).To4(); err != nil || ip == nil || !ip.IsLoopback() || i < perAddress {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i/perAddress))}
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		if c != nil {
			c.close()
		}
	}
}

// settled reads the server's memory when it has stopped changing by more than 1 % within a second, or after ten.
func settled(ctx context.Context, server account) (int64, error) {
	pause := newPause()
	defer pause.timer.Stop()
	u, err := server.usage()
	for range 10 {
		if err != nil || !pause.sleep(ctx, time.Second) {
			break
		}
		before := u.rss
		if u, err = server.usage(); err == nil && abs(u.rss-before)*100 < before {
			break
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return u.rss, err
}

func abs(n int64) int64 { return max(n, -n) }
