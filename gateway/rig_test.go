package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
)

// rig is a gateway that serves on loopback.
type rig struct {
	t    testing.TB
	g    *Gateway
	stop context.CancelFunc
	done chan error
	logs *logBuffer
}

// logBuffer keeps log lines for tests to look at.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts a gateway on the brokers with the given tables behind the usual sections.
func serve(t testing.TB, brokers []string, tables string) *rig {
	t.Helper()
	return serveConfig(t, parse(t, head(t, brokers)+tables))
}

// head is the usual sections.
func head(t testing.TB, brokers []string) string {
	t.Helper()
	quoted, err := json.Marshal(brokers)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("shutdown.timeout.ms = 10000\n[kafka]\nbootstrap.servers = %s\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n", quoted)
}

func parse(t testing.TB, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir, cfg.Embedded.DataDir = "", "", "" // in memory
	return cfg
}

func serveConfig(t testing.TB, cfg *config.Config) *rig {
	t.Helper()
	r, err := tryServe(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tryServe is serveConfig with options, for who expects an error.
func tryServe(t testing.TB, cfg *config.Config, options ...Option) (*rig, error) {
	t.Helper()
	r, err := begin(t, cfg, options...)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.g.Started():
		return r, nil
	case err := <-r.done:
		return nil, err
	}
}

// begin is tryServe that does not wait until records are accepted.
func begin(t testing.TB, cfg *config.Config, options ...Option) (*rig, error) {
	t.Helper()
	logs := &logBuffer{}
	g, err := New(cfg, "test", slog.New(slog.NewTextHandler(logs, nil)), options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &rig{t: t, g: g, stop: cancel, done: make(chan error, 1), logs: logs}
	go func() { r.done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Log(logs.String())
		}
	})
	return r, nil
}

// end stops the gateway and returns what Run returned.
func (r *rig) end() error {
	r.t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		return err
	case <-time.After(60 * time.Second):
		r.t.Fatal("the gateway does not stop")
		return nil
	}
}

// answer is a response of the data plane.
type answer struct {
	status int
	header http.Header
	body   string
	Code   string
	Offset *int64
	// Partition and Records are those of an answer that stored something.
	Partition *int32
	Records   []struct {
		Partition int32
		Offset    *int64
		Error     *struct{ Code, Message string }
	}
}

func (r *rig) url(topic string) string {
	return "http://" + r.g.HTTPAddr() + "/v1/topics/" + topic + "/records"
}

// post sends body with headers given as "Name: value".
func (r *rig) post(url, body string, headers ...string) answer {
	r.t.Helper()
	a, err := post(http.DefaultClient, url, body, headers...)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func post(c *http.Client, url, body string, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &a); err != nil {
			return a, fmt.Errorf("%w: %s", err, text)
		}
	}
	return a, nil
}

func (a answer) want(t testing.TB, status int, code string) {
	t.Helper()
	if a.status != status || a.Code != code {
		t.Fatalf("answer %d %s, want %d %q", a.status, a.body, status, code)
	}
}

const ndjson = "Content-Type: application/x-ndjson"

// fake starts a fake cluster with topics orders and other of 3 partitions.
func fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "orders", "other")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// holdProduce keeps the produce requests to a broker unanswered until release is called.
func holdProduce(c *kfake.Cluster, node int32) (release func()) {
	gate := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if c.CurrentNode() == node {
			c.SleepControl(func() { <-gate })
		}
		return nil, nil, false
	})
	return sync.OnceFunc(func() { close(gate) })
}

// read returns all records that the topic holds now, by an independent client.
func read(t testing.TB, brokers []string, topic string, n int) []*kgo.Record {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var recs []*kgo.Record
	for len(recs) < n {
		f := k.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("read %d of %d records", len(recs), n)
		}
		recs = append(recs, f.Records()...)
	}
	return recs
}

// stored is how many records the topic holds.
func stored(c *kfake.Cluster, topic string) (n int64) {
	for p := range int32(len(c.PartitionInfos(topic))) {
		n += c.PartitionInfo(topic, p).HighWatermark
	}
	return n
}

// eventually waits for what no channel announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("not within 30 s: " + what)
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls what no channel announces
	}
}
