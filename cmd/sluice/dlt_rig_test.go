package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/gateway/deadletter"
	"sluice/gateway/kafkatest"
	"sluice/gateway/record"
)

// dltRig is a cluster with the topics orders, other and orders.DLT of 3 partitions, and a configuration for it.
type dltRig struct {
	t       *testing.T
	cluster *kfake.Cluster
	k       *kgo.Client
	file    string
	base    time.Time
}

const dltTables = "[topics.orders]\ndead_letter.enable = true\n[topics.other]\n[topics.\"*.DLT\"]\n"

func newDltRig(t *testing.T) *dltRig {
	t.Helper()
	c := kafkatest.FakeCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(3, "orders", "other", "orders.DLT"))
	k, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	r := &dltRig{t: t, cluster: c, k: k, file: filepath.Join(t.TempDir(), "config.toml"), base: time.Now().Truncate(time.Millisecond)}
	r.write(r.settings(dltTables))
	return r
}

func (r *dltRig) settings(tables string) string {
	return fmt.Sprintf("[kafka]\nbootstrap.servers = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n%s",
		r.cluster.ListenAddrs()[0], tables)
}

func (r *dltRig) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// serve runs a gateway until stop is called, or the test ends.
func (r *dltRig) serve(tables, cache string) (url string, stop func()) {
	r.t.Helper()
	cfg, err := config.Parse("test.toml", []byte(r.settings(tables)))
	if err != nil {
		r.t.Fatal(err)
	}
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = "", cache
	g, err := gateway.New(cfg, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
		done <- nil
	}
	r.t.Cleanup(stop)
	select {
	case <-g.Started():
	case err := <-done:
		r.t.Fatal(err)
	}
	return "http://" + g.HTTPAddr(), stop
}

// put writes a letter, or whatever else stands in a dead-letter topic.
func (r *dltRig) put(rec *kgo.Record) *kgo.Record {
	r.t.Helper()
	if rec.Topic == "" {
		rec.Topic = "orders.DLT"
	}
	if err := r.k.ProduceSync(r.t.Context(), rec).FirstErr(); err != nil {
		r.t.Fatal(err)
	}
	return rec
}

// sluices is a letter as the gateway writes it, of a record with the header h.
func sluices(l deadletter.Letter, key, value []byte) *kgo.Record {
	if l.Topic == "" {
		l.Topic = "orders"
	}
	if l.Code == "" {
		l.Code, l.Cause, l.Message = "rejected", "interceptor", "no field /id"
	}
	rec := &kgo.Record{Key: key, Value: value}
	for _, h := range l.AppendHeaders(nil, []record.Header{{Key: "h", Value: []byte("1")}, {Key: "null"}}) {
		rec.Headers = append(rec.Headers, kgo.RecordHeader(h))
	}
	return rec
}

// springs is a letter as Spring Kafka writes it.
func springs(key, value string) *kgo.Record {
	return &kgo.Record{Key: []byte(key), Value: []byte(value), Headers: []kgo.RecordHeader{
		{Key: "h", Value: []byte("2")},
		{Key: "kafka_dlt-original-topic", Value: []byte("orders")},
		{Key: "kafka_dlt-original-partition", Value: []byte{0, 0, 0, 2}},
		{Key: "kafka_dlt-original-offset", Value: []byte{0, 0, 0, 0, 0, 0, 0, 41}},
		{Key: "kafka_dlt-original-timestamp", Value: []byte{0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0}},
		{Key: "kafka_dlt-exception-fqcn", Value: []byte("java.lang.IllegalStateException")},
		{Key: "kafka_dlt-exception-message", Value: []byte("no such customer")},
		{Key: "kafka_dlt-exception-stacktrace", Value: []byte("java.lang.IllegalStateException: no such customer\n\tat Main.main(Main.java:7)\n")},
	}}
}

// dlt runs a command with the configuration.
func (r *dltRig) dlt(args ...string) (stdout, stderr string, status int) {
	r.t.Helper()
	return r.dltUntil(r.t.Context(), args...)
}

func (r *dltRig) dltUntil(ctx context.Context, args ...string) (stdout, stderr string, status int) {
	var out, errOut bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&errOut)
	root.SetArgs(append([]string{"dlt", args[0], "--config", r.file}, args[1:]...))
	if err := root.ExecuteContext(ctx); err != nil {
		return out.String(), errOut.String() + err.Error(), exitStatus(err)
	}
	return out.String(), errOut.String(), 0
}

// ok runs a command that has to succeed.
func (r *dltRig) ok(args ...string) string {
	r.t.Helper()
	out, stderr, status := r.dlt(args...)
	if status != 0 {
		r.t.Fatalf("dlt %v: exit status %d\n%s%s", args, status, out, stderr)
	}
	return out
}

// ids lists letters by their ids.
func (r *dltRig) ids(args ...string) string {
	r.t.Helper()
	out := r.ok(append([]string{"list", "orders", "--json"}, args...)...)
	var ids []string
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var l struct{ ID string }
		if err := d.Decode(&l); err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, l.ID)
	}
	return strings.Join(ids, " ")
}

// committed is what a topic holds for readers of what is committed, by an independent client.
func (r *dltRig) committed(topic string) []*kgo.Record {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	ends, err := kadm.NewClient(r.k).ListEndOffsets(ctx, topic)
	if err != nil {
		r.t.Fatal(err)
	}
	k, err := kgo.NewClient(kgo.SeedBrokers(r.cluster.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		r.t.Fatal(err)
	}
	defer k.Close()
	left := make(map[int32]bool)
	ends.Each(func(o kadm.ListedOffset) { left[o.Partition] = o.Offset > 0 })
	var all []*kgo.Record
	for {
		for p, more := range left {
			if !more {
				delete(left, p)
			}
		}
		if len(left) == 0 {
			return all
		}
		f := k.PollFetches(ctx)
		if ctx.Err() != nil {
			r.t.Fatalf("%s cannot be read to its end: %v", topic, left)
		}
		f.EachRecord(func(rec *kgo.Record) {
			if !rec.Attrs.IsControl() {
				all = append(all, rec)
			}
			end, _ := ends.Lookup(topic, rec.Partition)
			left[rec.Partition] = left[rec.Partition] && rec.Offset < end.Offset-1
		})
	}
}

// recordText is a record in words.
func recordText(rec *kgo.Record) string {
	of := func(p []byte) string {
		if p == nil {
			return "null"
		}
		return fmt.Sprintf("%q", p)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s=%s", of(rec.Key), of(rec.Value))
	for _, h := range rec.Headers {
		fmt.Fprintf(&b, " %s:%s", h.Key, of(h.Value))
	}
	return b.String()
}

// values is the values of what a topic holds, by partition, in order.
func (r *dltRig) values(topic string) string {
	r.t.Helper()
	var parts [3][]string
	for _, rec := range r.committed(topic) {
		parts[rec.Partition] = append(parts[rec.Partition], string(rec.Value))
	}
	return fmt.Sprint(parts)
}

func post(t *testing.T, url, body string) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// wait waits for a signal of what has to happen.
func wait[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(30 * time.Second):
		t.Fatal("not within 30 s: " + what)
	}
	return v
}
