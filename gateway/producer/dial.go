package producer

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"sluice/gateway/config"
)

// dialer opens connections to brokers as the connection properties say: socket.connection.setup.timeout.ms,
// send.buffer.bytes, receive.buffer.bytes, reconnect.backoff.ms, and TLS if tls is set.
type dialer struct {
	props   config.Producer
	tls     *tls.Config
	wrap    func(net.Conn) net.Conn // sees what goes over the connection, in clear
	backoff func(fails int) time.Duration

	mu     sync.Mutex
	broken map[string]broken // by address
}

// broken is a broker that could not be connected to.
type broken struct {
	fails int
	until time.Time
}

func newDialer(p config.Producer, tc *tls.Config, wrap func(net.Conn) net.Conn) *dialer {
	return &dialer{
		props: p, tls: tc, wrap: wrap, backoff: backoff(p.ReconnectBackoff, p.ReconnectBackoffMax),
		broken: make(map[string]broken),
	}
}

// dial is for [kgo.Dialer].
func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := d.wait(ctx, addr); err != nil {
		return nil, err
	}
	conn, err := d.connect(ctx, network, addr)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		fails := d.broken[addr].fails + 1
		d.broken[addr] = broken{fails, time.Now().Add(d.backoff(fails))}
		return nil, err
	}
	delete(d.broken, addr)
	return d.wrap(conn), nil
}

// wait lets reconnect.backoff.ms pass since the last failure.
func (d *dialer) wait(ctx context.Context, addr string) error {
	d.mu.Lock()
	left := time.Until(d.broken[addr].until)
	d.mu.Unlock()
	if left <= 0 {
		return nil
	}
	if !passes(ctx, left) {
		return ctx.Err()
	}
	return nil
}

func (d *dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: d.props.ConnectionSetupTimeout}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if err := sizeBuffers(conn, d.props); err != nil {
		conn.Close()
		return nil, err
	}
	if d.tls == nil {
		return conn, nil
	}
	return handshake(ctx, conn, d.tls, addr)
}

func sizeBuffers(conn net.Conn, p config.Producer) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	if p.SendBuffer > 0 {
		if err := tcp.SetWriteBuffer(p.SendBuffer); err != nil {
			return fmt.Errorf("send.buffer.bytes: %w", err)
		}
	}
	if p.ReceiveBuffer > 0 {
		if err := tcp.SetReadBuffer(p.ReceiveBuffer); err != nil {
			return fmt.Errorf("receive.buffer.bytes: %w", err)
		}
	}
	return nil
}

func handshake(ctx context.Context, conn net.Conn, tc *tls.Config, addr string) (net.Conn, error) {
	c := tc.Clone()
	if c.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		c.ServerName = host
	}
	t := tls.Client(conn, c)
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}
