package realtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/gateway/kafkatest"
)

// settings is a configuration for the cluster with the given tables behind the usual sections. kafka is more of [kafka].
func settings(t testing.TB, c *kafkatest.Cluster, kafka, tables string) string {
	t.Helper()
	brokers, err := json.Marshal(c.Bootstrap())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("shutdown.timeout.ms = 60000\n[kafka]\nbootstrap.servers = %s\n%s\n[admin]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n%s",
		brokers, kafka, tables)
}

// serve runs a gateway in this process until the test ends. It has to end in good order.
func serve(t testing.TB, text string) (addr string) {
	t.Helper()
	cfg, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = "", "" // in memory
	logs := newLogBuffer()
	g, err := gateway.New(cfg, "test", slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	select {
	case <-g.Started():
	case err := <-done:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(logs.String())
		}
	})
	return g.HTTPAddr()
}

// logBuffer keeps what a gateway writes.
type logBuffer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	wrote chan struct{} // a hint that there is more
}

func newLogBuffer() *logBuffer { return &logBuffer{wrote: make(chan struct{}, 1)} }

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.wrote <- struct{}{}:
	default:
	}
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await returns what was written once match finds something in it; nil if it does not within 30 s.
func (l *logBuffer) await(match func(string) []string) []string {
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		if found := match(l.String()); found != nil {
			return found
		}
		select {
		case <-l.wrote:
		case <-deadline.C:
			return nil
		}
	}
}
