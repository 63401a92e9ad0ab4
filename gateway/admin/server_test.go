package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/metrics"
	"sluice/gateway/registry"
)

// fixed is a gateway that stands still.
type fixed struct {
	topics []TopicState
	hold   chan struct{} // if not nil, Status waits for it
	asked  chan struct{} // and says that it does
}

func (f *fixed) Status() Status {
	if f.hold != nil {
		close(f.asked)
		<-f.hold
	}
	return Status{State: "ok", Kafka: "no broker answers", Version: "1.2.3", Started: time.Unix(1_700_000_000, 0).UTC()}
}

func (f *fixed) Topics() []TopicState { return f.topics }

func (f *fixed) Topic(name string) (TopicState, bool) {
	for _, t := range f.topics {
		if t.Name == name {
			return t, true
		}
	}
	return TopicState{}, false
}

func (f *fixed) Bind(context.Context, string, guest.Kind, []registry.Binding) error { return nil }

func sample() *fixed {
	orders := TopicState{
		Name: "orders", Table: "orders", Partitions: 6, Buffer: Buffer{Total: 100, Available: 40, Waiting: 2},
		Counters: Counters{Accepted: 6, Stored: 5, Failed: 4, Refused: 3, Exhausted: 2, Bytes: 1},
		Settings: []config.Effective{{Name: "acks", Value: "all", Origin: "config.toml:4"}},
	}
	logs := orders
	logs.Name, logs.Table = "logs.a b", "logs.*"
	return &fixed{topics: []TopicState{orders, logs}}
}

// start serves g on a real listener and returns its address.
func start(t *testing.T, g Gateway) (*Server, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(config.Admin{Listen: ln.Addr().String()}, metrics.New().Handler(), g, nil, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, ln.Addr().String()
}

func do(t *testing.T, method, addr, path, host string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

const (
	state = `"partitions":6,"buffer":{"total_bytes":100,"available_bytes":40,"waiting":2},` +
		`"counters":{"accepted":6,"stored":5,"failed":4,"refused":3,"buffer_exhausted":2,"accepted_bytes":1}`
	settings = `,"settings":[{"name":"acks","value":"all","origin":"config.toml:4"}]`
)

func TestRoutes(t *testing.T) {
	_, addr := start(t, sample())
	tests := []struct {
		method, path string
		status       int
		contentType  string
		body         string
	}{
		{
			"GET", "/healthz", 200, "application/json",
			`{"status":"ok","kafka":"no broker answers","version":"1.2.3","started":"2023-11-14T22:13:20Z"}`,
		},
		{"HEAD", "/healthz", 200, "application/json", ""},
		{
			"GET", "/v1/topics", 200, "application/json",
			`{"topics":[{"name":"logs.a b","table":"logs.*",` + state + `},{"name":"orders","table":"orders",` + state + `}]}`,
		},
		{"GET", "/v1/topics/orders", 200, "application/json", `{"name":"orders","table":"orders",` + state + settings + `}`},
		{"GET", "/v1/topics/logs.a%20b", 200, "application/json", `{"name":"logs.a b","table":"logs.*",` + state + settings + `}`},
		{
			"GET", "/v1/topics/none", 404, "application/problem+json",
			`{"type":"about:blank","title":"Not Found","status":404,"code":"topic_not_configured",` +
				`"detail":"no [topics.*] table of the configuration matches topic \"none\"","retryable":false}`,
		},
		{"GET", "/v1/topics/a/b", 404, "application/problem+json", notFoundBody},
		{"GET", "/", 404, "application/problem+json", notFoundBody},
		{"GET", "/metrics/", 404, "application/problem+json", notFoundBody},
		{"POST", "/nowhere", 404, "application/problem+json", notFoundBody},
		{
			"DELETE", "/v1/topics/orders", 405, "application/problem+json",
			`{"type":"about:blank","title":"Method Not Allowed","status":405,"code":"invalid_request",` +
				`"detail":"DELETE is not allowed here; GET, HEAD is","retryable":false}`,
		},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			resp, body := do(t, test.method, addr, test.path, "")
			if resp.StatusCode != test.status || resp.Header.Get("Content-Type") != test.contentType {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, resp.Header.Get("Content-Type"), test.status, test.contentType)
			}
			if diff := cmp.Diff(test.body, strings.TrimSuffix(body, "\n")); diff != "" {
				t.Error(diff)
			}
			if allow := resp.Header.Get("Allow"); (allow == "GET, HEAD") != (test.status == 405) {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

const notFoundBody = `{"type":"about:blank","title":"Not Found","status":404,"code":"invalid_request",` +
	`"detail":"no such path; the admin plane has /metrics, /healthz, /readyz, /v1/topics, /v1/modules and what is below them, and /debug/pprof/{profile}","retryable":false}`

func TestMetrics(t *testing.T) {
	_, addr := start(t, sample())
	resp, body := do(t, http.MethodGet, addr, "/metrics", "")
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if !strings.Contains(body, "\nsluice_config_reload_total{result=\"done\"} 0\n") {
		t.Errorf("the gateway's metrics are missing:\n%s", body)
	}
}

func TestNoTopics(t *testing.T) {
	_, addr := start(t, &fixed{})
	if _, body := do(t, http.MethodGet, addr, "/v1/topics", ""); body != "{\"topics\":[]}\n" {
		t.Errorf("no topics are %s", body)
	}
}

func TestUnwritableSetting(t *testing.T) {
	g := sample()
	g.topics[0].Settings[0].Value = func() {}
	_, addr := start(t, g)
	resp, body := do(t, http.MethodGet, addr, "/v1/topics/orders", "")
	var p problemBody
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 500 || p.Code != "internal_error" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestHost(t *testing.T) {
	_, addr := start(t, sample())
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8081": 200, "127.0.0.1": 200, "127.1.2.3:80": 200, "[::1]": 200, "[::1]:8081": 200,
		"evil.example": 421, "evil.example:8081": 421, "localhost.evil.example": 421, "10.0.0.1:8081": 421,
		"[2001:db8::1]": 421, "127.0.0.1.evil.example": 421,
	} {
		for _, path := range []string{"/healthz", "/metrics", "/nowhere"} {
			want := want
			if want == 200 && path == "/nowhere" {
				want = 404
			}
			if resp, body := do(t, http.MethodGet, addr, path, host); resp.StatusCode != want {
				t.Errorf("Host %q %s: %d, want %d: %s", host, path, resp.StatusCode, want, body)
			} else if want == 421 && !strings.Contains(body, `"code":"host_not_allowed"`) {
				t.Errorf("Host %q %s: %s", host, path, body)
			}
		}
	}
}

func TestHostElsewhere(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for listen, guarded := range map[string]bool{
		"0.0.0.0:8081": false, ":8081": false, "10.0.0.1:8081": false, "127.0.0.1:0": true, "localhost:1": true, "[::1]:1": true,
	} {
		w := recorder(t, guard(listen, ok), "sluice.example")
		if (w == http.StatusMisdirectedRequest) != guarded {
			t.Errorf("listen %q: %d", listen, w)
		}
	}
}

// TestShutdownWaits holds that Shutdown lets a request finish that has begun.
func TestShutdownWaits(t *testing.T) {
	g := sample()
	g.hold, g.asked = make(chan struct{}), make(chan struct{})
	s, addr := start(t, g)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-g.asked
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	for { // until Shutdown has closed the listener
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
	}
	close(g.hold)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the request that had begun got %d", resp.StatusCode)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// TestShutdownCuts holds that Shutdown does not wait beyond its context.
func TestShutdownCuts(t *testing.T) {
	g := sample()
	g.hold, g.asked = make(chan struct{}), make(chan struct{})
	defer close(g.hold)
	s, addr := start(t, g)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-g.asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); err == nil {
		t.Error("Shutdown did not say that it cut a request")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

func recorder(t *testing.T, h http.Handler, host string) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	go srv.Serve(ln) //nolint:errcheck // it ends with Close
	defer func() { _ = srv.Close() }()
	resp, _ := do(t, http.MethodGet, ln.Addr().String(), "/", host)
	return resp.StatusCode
}
