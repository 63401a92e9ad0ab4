package schema

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

const (
	orderV1 = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}`
	orderV2 = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`
)

// fake is a registry that counts what it is asked, and can be made to fail.
type fake struct {
	*srfake.Registry

	mu       sync.Mutex
	asked    map[string]int // by method and path
	fail     func(w http.ResponseWriter, r *http.Request) bool
	requests atomic.Int64
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{Registry: srfake.New(), asked: make(map[string]int)}
	t.Cleanup(f.Close)
	f.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		f.requests.Add(1)
		f.mu.Lock()
		f.asked[r.Method+" "+r.URL.Path]++
		fail := f.fail
		f.mu.Unlock()
		return fail != nil && fail(w, r)
	})
	return f
}

func (f *fake) setFail(fail func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

func (f *fake) count(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[what]
}

// answers makes the registry answer everything with a status and an error of its own.
func answers(status, code int, message string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error_code": code, "message": message})
		return true
	}
}

func mustRegister(t testing.TB, f *fake, subject, text string) int {
	t.Helper()
	id, _, err := f.RegisterSchema(subject, sr.Schema{Schema: text})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// schemaConfig has the defaults of the configuration, but for times that no test is to meet by chance.
func schemaConfig(urls ...string) config.Schema {
	cfg, err := config.Parse("f", []byte("kafka.bootstrap.servers = 'b:1'"))
	if err != nil {
		panic(err) //nolint:forbidigo // it has no test to fail
	}
	s := cfg.Schema
	s.URLs, s.RequestTimeout, s.CacheSize = urls, time.Minute, 100
	return s
}

// clock is the time of a Registry under test.
type clock struct{ now atomic.Int64 }

func (c *clock) time() time.Time         { return time.Unix(0, c.now.Load()) }
func (c *clock) advance(d time.Duration) { c.now.Add(int64(d)) }

func open(t testing.TB, cfg config.Schema) (*Registry, *clock) {
	t.Helper()
	r, err := Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	c := &clock{}
	c.advance(time.Hour)
	r.byID.clock, r.byVersion.clock, r.bySubject.clock, r.registered.clock = c.time, c.time, c.time, c.time
	return r, c
}

// topicOf is the topic "orders" of a configuration whose table says settings.
func topicOf(t testing.TB, settings string) *config.Topic {
	t.Helper()
	cfg, err := config.Parse("f", []byte("kafka.bootstrap.servers = 'b:1'\nschema.registry.url = 'http://r:1'\n[topics.orders]\n"+settings))
	if err != nil {
		t.Fatal(err)
	}
	topic, _ := cfg.Topic("orders")
	return &topic
}

func schemaFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func serializer(t testing.TB, r *Registry, settings string) *Serializer {
	t.Helper()
	s, err := NewSerializer(topicOf(t, settings), r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// one is a record with what became of it.
type one struct {
	key, value string
	err        *record.Error
}

// text is a key or value; "<null>" stands for Kafka's null.
func textOf(p []byte) string {
	if p == nil {
		return "<null>"
	}
	return string(p)
}

// serialize sends records, "key=value" each, through a serializer.
func serialize(t testing.TB, s *Serializer, records ...string) []one {
	t.Helper()
	b := new(record.Pool).Batch()
	for _, text := range records {
		r := b.Add("orders")
		key, value, _ := strings.Cut(text, "=")
		if key != "<null>" {
			r.Key = b.Copy([]byte(key))
		}
		if value != "<null>" {
			r.Value = b.Copy([]byte(value))
		}
	}
	b.Start()
	b.Hold()
	b.Done = func(*record.Batch) {}
	s.Serialize(b)
	out := make([]one, len(records))
	for i := range out {
		out[i] = one{key: textOf(b.Records[i].Key), value: textOf(b.Records[i].Value)}
	}
	for _, f := range b.Failed {
		out[f.Index].err = f.Err
	}
	return out
}
