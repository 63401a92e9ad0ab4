package producer

import (
	"context"
	"net"
	"testing"
	"time"
)

func TestReconnectBackoffGrowsAndIsForgotten(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	p := testProps()
	p.ReconnectBackoff, p.ReconnectBackoffMax = 100*time.Millisecond, 200*time.Millisecond
	d := newDialer(p, nil, func(c net.Conn) net.Conn { return c })
	start := time.Now()
	for range 3 { // at once, after 100 ms, after another 200 ms, each +- 20 %
		if conn, err := d.dial(context.Background(), "tcp", addr); err == nil {
			conn.Close()
			t.Fatal("connected to nobody")
		}
	}
	if took := time.Since(start); took < 240*time.Millisecond {
		t.Fatalf("three attempts took %v", took)
	}
	ln, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := d.dial(context.Background(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if len(d.broken) != 0 {
		t.Fatalf("%v is not forgotten", d.broken)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.broken[addr] = broken{1, time.Now().Add(time.Hour)}
	if _, err := d.dial(ctx, "tcp", addr); err == nil {
		t.Fatal("waited for nothing")
	}
}
