package schema

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
)

// TestOneRequestForMany holds that a schema is asked for once, however many want it at the same time, and never again.
func TestOneRequestForMany(t *testing.T) {
	f := newFake(t)
	id := mustRegister(t, f, "orders-value", orderV1)
	gate := make(chan struct{})
	f.setFail(func(http.ResponseWriter, *http.Request) bool { <-gate; return false })
	r, _ := open(t, schemaConfig(f.URL()))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if s, err := r.ByID(context.Background(), id); err != nil || s.ID != id {
				t.Errorf("%v, %v", s, err)
			}
		})
		wg.Go(func() {
			if s, err := r.Version(context.Background(), "orders-value", 0); err != nil || s.ID != id {
				t.Errorf("%v, %v", s, err)
			}
		})
	}
	waitUntil(t, func() bool { return f.requests.Load() == 2 && r.Cached().Misses == 100 })
	close(gate)
	wg.Wait()
	for range 10 {
		_, _ = r.ByID(t.Context(), id)
		_, _ = r.Version(t.Context(), "orders-value", 0)
	}
	if n := f.requests.Load(); n != 2 {
		t.Errorf("%d requests for two schemas", n)
	}
	if c := r.Cached(); c.Schemas != 1 || c.Subjects != 1 || c.Hits != 20 {
		t.Errorf("%+v", c)
	}
}

// waitUntil waits for what goroutines are about to do.
func waitUntil(t testing.TB, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within a minute")
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // between looks, not instead of them
	}
}

// TestMissingIsRemembered holds that what is not there is asked for again only after missing.cache.ttl.ms.
func TestMissingIsRemembered(t *testing.T) {
	f := newFake(t)
	r, c := open(t, schemaConfig(f.URL()))
	ask := func(want int64) {
		t.Helper()
		_, err := r.Version(t.Context(), "orders-value", 0)
		e, ok := errors.AsType[*RegistryError](err)
		if !ok || e.Status != 404 || e.Code != 40401 || e.Unavailable() {
			t.Fatalf("%v", err)
		}
		if n := f.requests.Load(); n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
	}
	ask(1)
	ask(1)
	c.advance(5 * time.Second)
	ask(2)
	ask(2)
	id := mustRegister(t, f, "orders-value", orderV1)
	ask(2)
	c.advance(5 * time.Second)
	if s, err := r.Version(t.Context(), "orders-value", 0); err != nil || s.ID != id {
		t.Errorf("%v, %v", s, err)
	}
}

// TestLatestIsRefreshedBeside holds that a new version is found beside those that use the old one, and that what is known goes on
// when the registry fails, or has deleted it.
func TestLatestIsRefreshedBeside(t *testing.T) {
	for name, fail := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"500": answers(500, 50001, "store is down"), "404": answers(404, 40401, "Subject not found"), "401": answers(401, 40101, "who"), "422": answers(422, 42201, "invalid"),
		"no schema": func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, `{"subject":"orders-value","version":9,"id":99,"schema":"{"}`)
			return true
		},
		"wrong id": func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, `{"subject":"orders-value","version":9,"id":0,"schema":"\"int\""}`)
			return true
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) bool {
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			v1 := mustRegister(t, f, "orders-value", orderV1)
			r, c := open(t, schemaConfig(f.URL()))
			latest := func(want int) {
				t.Helper()
				if s, err := r.Version(t.Context(), "orders-value", 0); err != nil || s.ID != want {
					t.Fatalf("%+v, %v, want id %d", s, err, want)
				}
			}
			latest(v1)
			v2 := mustRegister(t, f, "orders-value", orderV2)
			latest(v1)
			f.setFail(fail)
			c.advance(time.Minute)
			latest(v1) // which begins the refresh
			waitUntil(t, func() bool { return r.Stats.Stale.Load() == 1 })
			latest(v1)
			f.setFail(nil)
			latest(v1) // not asked again so soon
			before := f.requests.Load()
			c.advance(5 * time.Second)
			latest(v1)
			waitUntil(t, func() bool { s, _ := r.bySubject.peek("orders-value"); return s.ID == v2 })
			latest(v2)
			if n := f.requests.Load() - before; n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestDownIsTold holds that a registry which does not answer makes records wait once at most, and what they are told.
func TestDownIsTold(t *testing.T) {
	f := newFake(t)
	f.setFail(answers(503, 0, "starting"))
	r, c := open(t, schemaConfig(f.URL()))
	s := serializer(t, r, "value.serializer = 'avro'")
	ask := func() *record.Error { return serialize(t, s, `k={"id":1}`)[0].err }
	err := ask()
	if err == nil || err.Code != record.SchemaUnavailable || err.RetryAfter == 0 || !strings.Contains(err.Message, `the latest version of subject "orders-value"`) || !strings.Contains(err.Message, "503") {
		t.Fatalf("%v", err)
	}
	c.advance(6 * time.Second)
	gate := make(chan struct{})
	f.setFail(func(http.ResponseWriter, *http.Request) bool { <-gate; return false })
	if err := ask(); err == nil || err.Code != record.SchemaUnavailable { // at once, though the registry hangs
		t.Fatalf("%v", err)
	}
	mustRegister(t, f, "orders-value", orderV1)
	close(gate)
	waitUntil(t, func() bool { _, ok := r.bySubject.peek("orders-value"); return ok })
	if err := ask(); err != nil {
		t.Errorf("%v", err)
	}
	if n := r.Stats.Unavailable.Load(); n != 2 {
		t.Errorf("%d counted as unavailable", n)
	}
}

// TestMadeUpIDsDelayNoTopic holds that a topic finds its schema while frames with many ids that nobody knows wait for the registry.
func TestMadeUpIDsDelayNoTopic(t *testing.T) {
	f := newFake(t)
	v1 := mustRegister(t, f, "orders-value", orderV1)
	gate := make(chan struct{})
	f.setFail(func(_ http.ResponseWriter, req *http.Request) bool {
		if strings.HasPrefix(req.URL.Path, "/schemas/ids/") {
			<-gate
		}
		return false
	})
	r, _ := open(t, schemaConfig(f.URL()))
	var wg sync.WaitGroup
	for i := range 3 * maxLoads {
		wg.Go(func() { _, _ = r.ByID(context.Background(), 1000+i) })
	}
	waitUntil(t, func() bool { return f.requests.Load() == maxLoads })
	if s, err := r.Version(t.Context(), "orders-value", 0); err != nil || s.ID != v1 {
		t.Errorf("%+v, %v", s, err)
	}
	close(gate)
	wg.Wait()
}

// TestPatience holds that nobody waits for ever for a registry that hangs.
func TestPatience(t *testing.T) {
	f := newFake(t)
	gate := make(chan struct{})
	f.setFail(func(http.ResponseWriter, *http.Request) bool { <-gate; return false })
	cfg := schemaConfig(f.URL())
	cfg.RequestTimeout = 20 * time.Millisecond
	r, _ := open(t, cfg)
	_, err := r.ByID(t.Context(), 1)
	if e, ok := errors.AsType[*RegistryError](err); !ok || !e.Unavailable() || e.Status != 0 {
		t.Errorf("%v", err)
	}
	close(gate)
}

// TestClosed holds that a registry which is closed answers at once.
func TestClosed(t *testing.T) {
	f := newFake(t)
	r, _ := open(t, schemaConfig(f.URL()))
	r.Close()
	if _, err := r.ByID(t.Context(), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if f.requests.Load() != 0 {
		t.Error("it was asked")
	}
}

func TestFailover(t *testing.T) {
	down, broken, good := httptest.NewServer(http.NotFoundHandler()), newFake(t), newFake(t)
	down.Close()
	broken.setFail(answers(500, 50001, "broken"))
	id := mustRegister(t, good, "orders-value", orderV1)
	r, _ := open(t, schemaConfig(down.URL, broken.URL(), good.URL()))
	if s, err := r.ByID(t.Context(), id); err != nil || s.ID != id {
		t.Fatalf("%v, %v", s, err)
	}
	if _, err := r.Version(t.Context(), "orders-value", 0); err != nil {
		t.Fatal(err)
	}
	if broken.requests.Load() != 1 || good.requests.Load() != 2 {
		t.Errorf("the broken one was asked %d times, the good one %d times: who answered is asked first", broken.requests.Load(), good.requests.Load())
	}
	if _, err := r.ByID(t.Context(), 77); err == nil || !strings.Contains(err.Error(), "40403") {
		t.Errorf("%v", err)
	}
	if st := &r.Stats; st.Answered.Load() != 2 || st.Failed.Load() != 2 || st.Denied.Load() != 1 || st.LatencyNanos.Load() == 0 {
		t.Errorf("answered %d, failed %d, denied %d", st.Answered.Load(), st.Failed.Load(), st.Denied.Load())
	}
	if broken.requests.Load() != 1 {
		t.Error("an answer that says no is one: nobody else is asked")
	}
}

func TestLogin(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		http.Redirect(w, r, "http://127.0.0.1:1/steal", http.StatusFound)
	}))
	defer srv.Close()
	for _, login := range []string{"basic.auth.user.info = 'ada:p:w'", "bearer.auth.token = 'tok'"} {
		cfg, err := config.Parse("f", []byte("kafka.bootstrap.servers = 'b:1'\n[schema]\nregistry.url = '"+srv.URL+"'\n"+login))
		if err != nil {
			t.Fatal(err)
		}
		r, _ := open(t, cfg.Schema)
		if _, err := r.ByID(t.Context(), 1); err == nil {
			t.Error("a redirect was followed to another host")
		}
	}
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:p:w")); len(got) != 2 || got[0] != want || got[1] != "Bearer tok" {
		t.Errorf("%q", got)
	}
}

func TestTLS(t *testing.T) {
	f := newFake(t)
	id := mustRegister(t, f, "orders-value", orderV1)
	srv := httptest.NewTLSServer(f.Handler())
	defer srv.Close()
	cfg := schemaConfig(srv.URL)
	r, _ := open(t, cfg)
	if _, err := r.ByID(t.Context(), id); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
	cfg.TLS.CAFile = schemaFile(t, "ca.pem", pemOf(srv))
	r, _ = open(t, cfg)
	if _, err := r.ByID(t.Context(), id); err != nil {
		t.Error(err)
	}
	cfg.TLS.CAFile = schemaFile(t, "bad.pem", "no PEM")
	if _, err := Open(cfg, nil); err == nil || !strings.Contains(err.Error(), "schema.registry.ssl.truststore.location") {
		t.Errorf("%v", err)
	}
}

// TestBounds holds that neither an answer nor what is kept grows without end.
func TestBounds(t *testing.T) {
	f := newFake(t)
	cfg := schemaConfig(f.URL())
	cfg.CacheSize, cfg.MaxBytes = 10, 1024
	r, _ := open(t, cfg)
	for id := range 50 {
		_, _ = r.ByID(t.Context(), id+1)
	}
	if c := r.Cached(); c.Missing != 10 || len(r.byID.entries) != 10 {
		t.Errorf("%+v, %d entries", c, len(r.byID.entries))
	}
	for i := range 20 {
		mustRegister(t, f, fmt.Sprintf("s%d", i), fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1}`, i))
		if _, err := r.Version(t.Context(), fmt.Sprintf("s%d", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.Cached(); c.Subjects != 10 {
		t.Errorf("%+v", c)
	}
	f.setFail(func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprintf(w, `{"schema":"%s"}`, strings.Repeat("x", 1<<20))
		return true
	})
	if _, err := r.ByID(t.Context(), 1000); err == nil || !strings.Contains(err.Error(), "schema.max.bytes") {
		t.Errorf("%v", err)
	}
}

func TestReferencesAreLoaded(t *testing.T) {
	f := newFake(t)
	mustRegister(t, f, "address", `{"type":"record","name":"Address","namespace":"shop","fields":[{"name":"street","type":"string"}]}`)
	ref := sr.SchemaReference{Name: "shop.Address", Subject: "address", Version: 1}
	if _, _, err := f.RegisterSchema("customer", sr.Schema{
		Schema: `{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"at","type":"Address"}]}`, References: []sr.SchemaReference{ref},
	}); err != nil {
		t.Fatal(err)
	}
	path := schemaFile(t, "order.avsc", `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"by","type":"Customer"},{"name":"to","type":"Address"}]}`)
	r, _ := open(t, schemaConfig(f.URL()))
	s := serializer(t, r, fmt.Sprintf("value.serializer = 'avro'\nvalue.schema.file = '%s'\nauto.register.schemas = true\nvalue.subject.name.strategy = 'RECORD_NAME'\n"+
		"value.schema.references = ['shop.Customer=customer:1', 'shop.Address=address:1']", path))
	got := serialize(t, s, `k={"by":{"at":{"street":"a"}},"to":{"street":"b"}}`)[0]
	if got.err != nil || got.value != "\x00\x00\x00\x00\x03\x02a\x02b" {
		t.Errorf("%q, %v", got.value, got.err)
	}
	if _, ok := f.GetSchema("shop.Order", 1); !ok {
		t.Error("it is not in subject shop.Order")
	}
	if out, _, err := r.Decode(t.Context(), nil, []byte(got.value), codec.Options{}); err != nil || string(out) != `{"by":{"at":{"street":"a"}},"to":{"street":"b"}}` {
		t.Errorf("%s, %v", out, err)
	}
}

// TestWarm holds that schemas are looked up ahead, and that what was not there then is looked up again for the first record.
func TestWarm(t *testing.T) {
	f := newFake(t)
	r, _ := open(t, schemaConfig(f.URL()))
	for _, settings := range []string{"", "value.schema.version = 1", "value.schema.id = 1", "value.schema.file = '" + schemaFile(t, "order.avsc", orderV1) + "'"} {
		before := f.requests.Load()
		s := serializer(t, r, "value.serializer = 'avro'\n"+settings)
		s.Warm()
		waitUntil(t, func() bool {
			_, _, missing := r.byID.len()
			return f.requests.Load() == before+1 && r.Cached().Missing > 0 && missing <= 1
		})
		r.wg.Wait()
		id := mustRegister(t, f, "orders-value", orderV1)
		if got := serialize(t, s, `k={"id":1}`)[0]; got.err != nil || got.value != frame(id)+"\x02" {
			t.Errorf("%s: %+v", settings, got)
		}
		f.Reset()
		r, _ = open(t, schemaConfig(f.URL()))
	}
}
