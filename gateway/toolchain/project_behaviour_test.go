package toolchain

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/guest-sdk/go/murmur2"
	"sluice/wasmhost"
)

// loaded is the module as a gateway has it.
func loaded(t *testing.T, wasm []byte) *wasmhost.Module {
	t.Helper()
	limits := wasmhost.DefaultLimits()
	limits.CallTimeout, limits.InitTimeout = time.Minute, time.Minute // this machine may be busy with other tests
	h, err := wasmhost.New(wasmhost.Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	m, err := h.Compile(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return m
}

// configured is the module with a configuration, or why it refuses it.
func configured(t *testing.T, m *wasmhost.Module, config string) (*wasmhost.Guest, error) {
	t.Helper()
	g, err := m.Configure(wasmhost.Settings{Topic: "orders", Name: "my-module", Version: m.ID, Config: json.RawMessage(config), Log: wasmhost.NewLog(10)})
	if err == nil {
		t.Cleanup(g.Close)
	}
	return g, err
}

func batchOf(records ...wasmhost.Record) *wasmhost.Batch {
	for i := range records {
		records[i].Partition, records[i].Timestamp = -1, -1
	}
	return &wasmhost.Batch{
		Topics: []wasmhost.Topic{{Name: "orders", Partitions: 6}}, Records: records,
		Alloc: func(n int) []byte { return make([]byte, n) }, Headers: func(n int) []wasmhost.Header { return make([]wasmhost.Header, n) },
	}
}

// behaves runs a template's module: it must do the same in all languages.
func behaves(t *testing.T, kind Kind, wasm []byte, dir string) {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	m := loaded(t, wasm)
	g, err := configured(t, m, string(config))
	if err != nil {
		t.Fatal(err)
	}
	_, err = configured(t, m, `{"reservd": 1}`)
	if err == nil || !strings.Contains(err.Error(), "reservd") {
		t.Errorf("a key that is not known: error %v", err)
	}
	if kind == Interceptor {
		stamps(t, g)
		return
	}
	for _, bad := range []string{`{"reserved": 0}`, `{"reserved": 4294967297}`, `{"reserved": "one"}`} {
		if _, err := configured(t, m, bad); err == nil || !strings.Contains(err.Error(), "/reserved") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
	keepsFree(t, g)
}

func keepsFree(t *testing.T, g *wasmhost.Guest) {
	t.Helper()
	high := []wasmhost.Header{{Key: "priority", Value: []byte("high")}}
	b := batchOf(
		wasmhost.Record{Key: []byte("customer-1")},
		wasmhost.Record{Key: []byte("customer-2")},
		wasmhost.Record{Key: []byte("customer-1"), Headers: high},
		wasmhost.Record{Key: []byte("customer-1"), Headers: []wasmhost.Header{{Key: "priority", Value: nil}}},
		wasmhost.Record{Headers: high},
	)
	g.Partition(b)
	first, second := 1+murmur2.Partition([]byte("customer-1"), 5), 1+murmur2.Partition([]byte("customer-2"), 5)
	for i, want := range []int32{first, second, 0, first, -1} {
		if r := b.Records[i]; r.Verdict != wasmhost.Passed || r.Partition != want {
			t.Errorf("record %d: %v %s, partition %d, want %d", i, r.Verdict, r.Reason, r.Partition, want)
		}
	}
}

func stamps(t *testing.T, g *wasmhost.Guest) {
	t.Helper()
	b := batchOf(
		wasmhost.Record{Value: []byte("1")},
		wasmhost.Record{Value: []byte("2"), Headers: []wasmhost.Header{{Key: "source", Value: []byte("other")}, {Key: "x", Value: []byte("y")}}},
		wasmhost.Record{},
		wasmhost.Record{Value: []byte{}},
	)
	g.OnSend(b)
	for i, want := range []string{"source=web", "x=y source=web", "", "source=web"} {
		r := b.Records[i]
		var got []string
		for _, h := range r.Headers {
			got = append(got, h.Key+"="+string(h.Value))
		}
		passed := r.Verdict == wasmhost.Passed
		if passed != (i != 2) || strings.Join(got, " ") != want {
			t.Errorf("record %d: passed %v (%s), headers %v, want %s", i, passed, r.Reason, got, want)
		}
	}
	if reason := b.Records[2].Reason; !strings.Contains(reason, "a record must have a value") {
		t.Errorf("reason %q", reason)
	}
}
