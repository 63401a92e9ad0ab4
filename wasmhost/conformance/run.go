package conformance

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/wasmhost"
)

// Run checks a conformance guest.
func Run(t *testing.T, wasm []byte) {
	t.Helper()
	host, err := wasmhost.New(wasmhost.Options{Limits: limits(), Name: "gw-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
		if n := host.Memory(); n != 0 {
			t.Errorf("%d bytes of memory are charged to nobody", n)
		}
	})
	m, err := host.Compile(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	if k := m.Kinds; !k.Partition || !k.OnSend || !k.OnAck {
		t.Fatalf("a conformance guest exports partition, on_send and on_ack; this one is %+v", k)
	}
	g := &guest{module: m}
	t.Run("on_send", g.onSend)
	t.Run("null and empty", g.nullAndEmpty)
	t.Run("json", g.json)
	t.Run("failures", g.failures)
	t.Run("progress", g.progress)
	t.Run("partition", g.partition)
	t.Run("on_ack", g.onAck)
	t.Run("cookies", g.cookies)
	t.Run("configure", g.configure)
	t.Run("log and count", g.logAndCount)
	t.Run("clock", g.clock)
	t.Run("batches", g.batches)
	t.Run("close", g.close)
}

// limits are the host's own, but for those that a machine that is busy with other things would reach.
func limits() wasmhost.Limits {
	l := wasmhost.DefaultLimits()
	l.AcquireTimeout, l.CallTimeout, l.InitTimeout = time.Minute, 10*time.Second, time.Minute
	l.BreakerFailures, l.LogLinesPerSec = 1000, 1000
	return l
}

// guest is a conformance guest under test.
type guest struct{ module *wasmhost.Module }

// start configures the guest for one test.
func (g *guest) start(t *testing.T, config string) (*wasmhost.Guest, *wasmhost.Log) {
	t.Helper()
	log := wasmhost.NewLog(2000)
	made, err := g.module.Configure(g.settings(config, log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made, log
}

func (g *guest) settings(config string, log *wasmhost.Log) wasmhost.Settings {
	return wasmhost.Settings{
		Topic: "orders", Name: "conformance", Version: g.module.ID, Config: json.RawMessage(config), Instances: 1, Log: log,
		RouteAllowed: func(topic []byte) bool { return string(topic) != "denied" },
	}
}

// batch is a batch of topics orders (3 partitions) and other (5).
func batch(records ...wasmhost.Record) *wasmhost.Batch {
	return &wasmhost.Batch{
		Now: 1_700_000_000_123, Records: records,
		Topics:  []wasmhost.Topic{{Name: "orders", Partitions: 3}, {Name: "other", Partitions: 5}},
		Alloc:   func(n int) []byte { return make([]byte, n) },
		Headers: func(n int) []wasmhost.Header { return make([]wasmhost.Header, n) },
	}
}

// told is a record with key k and value v that is told to do something.
func told(do ...string) wasmhost.Record {
	r := wasmhost.Record{Key: []byte("k"), Value: []byte("v"), Timestamp: -1, Partition: -1}
	for _, d := range do {
		r.Headers = append(r.Headers, wasmhost.Header{Key: "do", Value: []byte(d)})
	}
	return r
}

// lines are the texts of a log that begin with prefix, oldest first.
func lines(log *wasmhost.Log, prefix string) []string {
	var texts []string
	for _, l := range log.Lines() {
		if strings.HasPrefix(l.Text, prefix) {
			texts = append(texts, l.Text)
		}
	}
	slices.Reverse(texts)
	return texts
}
