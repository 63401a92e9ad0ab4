package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"sluice/gateway/schema/codec"
)

// TestNewVersionUnderLoad holds that records switch over to a new version of the schema without a failed request, and that both can be
// read by what the registry says of their ids.
func TestNewVersionUnderLoad(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), schemaTables+"latest.cache.ttl.ms = 1\n[topics.orders]\nvalue.serializer = 'avro'\n")
	defer func() { _ = r.end() }()
	r.registerSchema("orders-value", orderV1)
	eventually(t, "the first version", func() bool { return r.post(r.url("orders"), `{"id":1}`).status == 200 }) // it may have been looked for before
	evolve(t, r, c, func() { r.registerSchema("orders-value", orderV2) })
}

// TestNewSchemaFileUnderLoad holds the same of a schema in a file, which is registered.
func TestNewSchemaFileUnderLoad(t *testing.T) {
	c := fake(t)
	file := schemaFile(t, orderV1)
	text := fmt.Sprintf("[kafka]\nbootstrap.servers = '%s'\n[http]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'\n", c.ListenAddrs()[0]) + schemaTables +
		"[topics.orders]\nvalue.serializer = 'avro'\nvalue.schema.file = '" + file + "'\nauto.register.schemas = true\n"
	r := serveConfig(t, parse(t, text))
	defer func() { _ = r.end() }()
	evolve(t, r, c, func() {
		if err := os.WriteFile(file, []byte(orderV2), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.g.Reload(parse(t, text)); err != nil {
			t.Fatal(err)
		}
	})
}

// evolve sends orders all the time, and has change bring a new version of their schema.
func evolve(t *testing.T, r *rig, c *kfake.Cluster, change func()) {
	t.Helper()
	var sent atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				a, err := post(http.DefaultClient, r.url("orders"), `{"id":1}`)
				if err != nil || a.status != 200 {
					t.Errorf("%d %s, %v", a.status, a.body, err)
					return
				}
				sent.Add(1)
			}
		})
	}
	eventually(t, "records of the first version", func() bool { return sent.Load() >= 20 || t.Failed() })
	change()
	versions := make(map[string]int)
	for seen := 0; versions[`{"id":1,"note":null}`] == 0 && !t.Failed(); {
		n := int(stored(c, "orders"))
		if n == seen {
			continue
		}
		seen = n
		clear(versions)
		for _, rec := range read(t, c.ListenAddrs(), "orders", n) {
			out, _, err := r.g.schemas.Decode(t.Context(), nil, rec.Value, codec.Options{})
			if err != nil {
				t.Fatalf("%q: %v", rec.Value, err)
			}
			versions[string(out)]++
		}
	}
	if len(versions) != 2 || versions[`{"id":1}`] < 20 {
		t.Errorf("%v", versions)
	}
}

// TestSlowRegistryDelaysNoOther holds that a topic without a schema, and one whose schema is known, go on while a registry takes its time,
// that those who wait for it wait for one answer, and that their records are stored when it comes.
func TestSlowRegistryDelaysNoOther(t *testing.T) {
	const waiting = 8
	c := fake(t, kfake.SeedTopics(1, "new"))
	registry := newFaultyRegistry(t)
	r := serve(t, c.ListenAddrs(), "[schema]\nregistry.url = '"+registry.url+"'\nregistry.request.timeout.ms = 60000\nlatest.cache.ttl.ms = 1\n"+
		"[topics.orders]\nvalue.serializer = 'avro'\n[topics.other]\n[topics.\"new*\"]\nvalue.serializer = 'avro'\n")
	defer func() { _ = r.end() }()
	r.post(r.url("orders"), `{"id":1}`).want(t, 200, "")
	gate := make(chan struct{})
	open := sync.OnceFunc(func() { close(gate) })
	defer open()
	slow := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		select {
		case <-gate:
			registry.answer(w, req)
		case <-req.Context().Done():
		}
	})
	registry.fault.Store(&slow)
	answers := make(chan answer, waiting)
	for range waiting {
		go func() {
			a, _ := post(http.DefaultClient, r.url("new"), `{"id":1}`)
			answers <- a
		}()
	}
	for range 20 {
		r.post(r.url("orders"), `{"id":2}`).want(t, 200, "")
		r.post(r.url("other"), `x`).want(t, 200, "")
	}
	eventually(t, "the registry is asked", func() bool { return registry.count("new-value") > 0 })
	if n := len(answers); n > 0 {
		t.Errorf("%d records of a schema that is not known were answered: %+v", n, <-answers)
	}
	open()
	for range waiting {
		(<-answers).want(t, 200, "")
	}
	if n := registry.count("new-value"); n != 1 || stored(c, "new") != waiting {
		t.Errorf("the registry was asked %d times, and %d records are stored", n, stored(c, "new"))
	}
}

// faultyRegistry knows a schema for every subject, counts what it is asked for by subject, and does what fault says instead while it is set.
type faultyRegistry struct {
	url   string
	fault atomic.Pointer[http.HandlerFunc]

	mu    sync.Mutex
	asked map[string]int
}

func newFaultyRegistry(t *testing.T) *faultyRegistry {
	t.Helper()
	f := &faultyRegistry{asked: make(map[string]int)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		subject := strings.Split(req.URL.Path, "/")[2]
		f.mu.Lock()
		f.asked[subject]++
		f.mu.Unlock()
		if fault := f.fault.Load(); fault != nil {
			(*fault)(w, req)
			return
		}
		f.answer(w, req)
	}))
	t.Cleanup(srv.Close)
	f.url = srv.URL
	return f
}

func (f *faultyRegistry) answer(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(map[string]any{"subject": "any", "version": 1, "id": 1, "schema": orderV1})
}

func (f *faultyRegistry) count(subject string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[subject]
}

// fault is what a registry does, and what records are told whose schema is not known then.
type fault struct {
	name   string
	do     http.HandlerFunc
	status int
	code   string
	asked  int // how often at most, for the first one who asks: a refusal is asked for again by the first record
}

func faults(gate <-chan struct{}) []fault {
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const unavailable, refused = "schema_registry_unavailable", "schema_refused"
	return []fault{
		{"down", func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		}, 503, unavailable, 2}, // net/http asks once more when a connection it kept is closed
		{"slow", func(_ http.ResponseWriter, req *http.Request) {
			select {
			case <-gate:
			case <-req.Context().Done():
			}
		}, 503, unavailable, 1},
		{"409", says(409, `{"error_code":409,"message":"incompatible"}`), 422, refused, 2},
		{"422", says(422, `{"error_code":42201,"message":"invalid"}`), 422, refused, 2},
		{"500", says(500, "<html>"), 503, unavailable, 1},
		{"401", says(401, `{"error_code":40101,"message":"who are you"}`), 503, unavailable, 1},
		{"deleted", says(404, `{"error_code":40401,"message":"Subject not found"}`), 422, refused, 2},
		{"no JSON", says(200, "x"), 503, unavailable, 1},
		{"wrong id", says(200, `{"subject":"x","id":-7,"version":1,"schema":"\"int\""}`), 503, unavailable, 1},
		{"no id", says(200, `{"subject":"x","version":1,"schema":"\"int\""}`), 503, unavailable, 1},
		{"broken schema", says(200, `{"subject":"x","id":7,"version":2,"schema":"{"}`), 422, refused, 2},
	}
}

// TestFaultsUnderLoad holds that, whatever the registry does, records whose schema is known and those without one are stored without a
// delay by it, that all others are told the truth, and that the registry is asked once for each schema, however many wait.
func TestFaultsUnderLoad(t *testing.T) {
	gate := make(chan struct{})
	t.Cleanup(func() { close(gate) })
	for _, f := range faults(gate) {
		t.Run(f.name, func(t *testing.T) {
			registry := newFaultyRegistry(t)
			c := fake(t, kfake.SeedTopics(3, "cold"))
			r := serve(t, c.ListenAddrs(), "[schema]\nregistry.url = '"+registry.url+"'\nlatest.cache.ttl.ms = 1\nmissing.cache.ttl.ms = 600000\nregistry.request.timeout.ms = 1000\n"+
				"[topics.orders]\nvalue.serializer = 'avro'\n[topics.other]\n[topics.\"cold*\"]\nvalue.serializer = 'avro'\n")
			defer func() { _ = r.end() }()
			r.post(r.url("orders"), `{"id":1}`).want(t, 200, "")
			registry.fault.Store(&f.do)
			known := registry.count("orders-value")
			stale := func() float64 { return r.scrapeOf("sluice_schema_stale_total")["sluice_schema_stale_total"] }
			before := stale()
			load(t, r, f)
			eventually(t, "a refresh", func() bool { // the load may have been over within the time to live
				r.post(r.url("orders"), `{"id":2}`).want(t, 200, "")
				return stale() > before
			})
			if n := registry.count("orders-value") - known; n < 1 || n > f.asked {
				t.Errorf("the registry was asked %d times for a schema that is known", n)
			}
			if n := registry.count("cold-value"); n < 1 || n > f.asked {
				t.Errorf("the registry was asked %d times for a schema that is not known", n)
			}
		})
	}
}

// load sends to all topics at once, and looks at every answer.
func load(t *testing.T, r *rig, f fault) {
	t.Helper()
	var wg sync.WaitGroup
	for worker := range 6 {
		topic, body := []string{"orders", "other", "cold"}[worker%3], `{"id":2}`
		status, code := 200, ""
		if topic == "cold" {
			status, code = f.status, f.code
		}
		wg.Go(func() {
			for range 25 {
				a, err := post(http.DefaultClient, r.url(topic), body)
				if err != nil || a.status != status || a.Code != code || (status == 503) != (a.header.Get("Retry-After") != "") {
					t.Errorf("%s is answered %d %s, %v; want %d %s", topic, a.status, a.body, err, status, code)
				}
			}
		})
	}
	wg.Wait()
}
