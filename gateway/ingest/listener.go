package ingest

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

const (
	spareWorkers  = 1024
	refuseTimeout = time.Second
	maxLingerers  = 128 // refused connections that are closed politely at the same time
)

// listener holds the number of open connections to max.connections, and answers those over it.
type listener struct {
	net.Listener
	max       int64
	open      atomic.Int64
	slack     time.Duration // of deadlines
	lingering chan struct{}
	full      []byte // the answer to connections over the limit
}

func newListener(ln net.Listener, cfg *config.HTTP) *listener {
	return &listener{
		Listener: ln, max: int64(cfg.MaxConnections), slack: slackOf(cfg.ReadTimeout, cfg.WriteTimeout, cfg.IdleTimeout),
		lingering: make(chan struct{}, maxLingerers), full: fullResponse(cfg.MaxConnections),
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.max {
			return &conn{Conn: c, from: l, read: deadline{slack: l.slack}, write: deadline{slack: l.slack}}, nil
		}
		l.open.Add(-1)
		l.refuse(c)
	}
}

// refuse tells a connection over the limit why. It must not hold up those that wait to be accepted.
func (l *listener) refuse(c net.Conn) {
	select {
	case l.lingering <- struct{}{}:
		go func() {
			defer func() { <-l.lingering }()
			_ = c.SetDeadline(time.Now().Add(refuseTimeout)) // a broken connection is closed all the same
			_, _ = c.Write(l.full)
			_ = linger(c)
		}()
	default:
		_ = c.Close()
	}
}

// fullResponse is written as it is to connections that no server looks at. It has no Date: that would
// stay the time of the start.
func fullResponse(limit int) []byte {
	const status = fasthttp.StatusServiceUnavailable
	err := record.Errorf(record.Overloaded, "max.connections = %d connections are open", limit)
	body := append(appendProblem(nil, status, err), '}')
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: 1\r\nConnection: close\r\n\r\n%s",
		status, fasthttp.StatusMessage(status), typeProblem, len(body), body)
}
