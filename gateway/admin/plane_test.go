package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sluice/gateway"
	"sluice/gateway/admin"
	"sluice/gateway/config"
)

// tables are the topics of the gateway under test. What it binds itself is on line 15.
const tables = `shutdown.timeout.ms = 10000
[kafka]
bootstrap.servers = "embedded"
[embedded]
listen = "127.0.0.1:0"
data.dir = ""
[http]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[topics.orders]
producer.linger.ms = 0
[topics.filed]
producer.linger.ms = 0
partitioner = { module = "MODULE", config = {} }
[topics."logs.*"]
dead_letter.topic = "dead"
[topics.dead]
`

// plane is a gateway with its admin plane.
type plane struct {
	t      *testing.T
	g      *gateway.Gateway
	tables string
	stop   func() error
}

// conformance is the guest that does what records tell it, in C. version makes it another one.
func conformance(t *testing.T, version string) []byte {
	t.Helper()
	return versioned(compiled(t, "conformance/conformance.c"), version)
}

// guests are what was compiled, by source: a compiler takes longer than a test.
var guests = struct {
	sync.Mutex
	wasm map[string][]byte
}{wasm: make(map[string][]byte)}

// compiled compiles a guest in C: a file of the SDK, or what has several lines.
func compiled(t *testing.T, source string) []byte {
	t.Helper()
	guests.Lock()
	defer guests.Unlock()
	if wasm, ok := guests.wasm[source]; ok {
		return wasm
	}
	if _, err := exec.LookPath("clang"); err != nil {
		if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("no clang that knows wasm32: apt-get install clang lld")
	}
	out, file := filepath.Join(t.TempDir(), "o.wasm"), filepath.Join("../../guest-sdk/c", source)
	if strings.Contains(source, "\n") { // the source itself
		file = filepath.Join(t.TempDir(), "o.c")
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first",
		"-I../../guest-sdk/c", "-o", out, file)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	guests.wasm[source] = wasm
	return wasm
}

// versioned adds a custom section, which makes another version of a module that does the same.
func versioned(wasm []byte, version string) []byte {
	section := append([]byte{byte(len("v"))}, "v"+version...)
	return append(append(bytes.Clone(wasm), 0, byte(len(section))), section...)
}

func start(t *testing.T, change ...func(*config.Config)) *plane {
	t.Helper()
	module := filepath.Join(t.TempDir(), "filed.wasm")
	if err := os.WriteFile(module, conformance(t, "filed"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(tables, "MODULE", module)
	cfg, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = "", "" // in memory
	for _, f := range change {
		f(cfg)
	}
	var log lockedBuffer
	g, err := gateway.New(cfg, "test", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	select {
	case <-g.Started():
	case err := <-done:
		t.Fatal(err)
	}
	p := &plane{t: t, g: g, tables: text, stop: sync.OnceValue(func() error {
		cancel()
		return <-done
	})}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return p
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// reply is an answer of the admin plane.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

// do asks the admin plane; headers are "Name: value".
func (p *plane) do(method, path string, body io.Reader, headers ...string) reply {
	p.t.Helper()
	return p.at(p.g.AdminAddr(), method, path, body, headers...)
}

func (p *plane) at(addr, method, path string, body io.Reader, headers ...string) reply {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+addr+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply{t: p.t, what: method + " " + path, status: resp.StatusCode, header: resp.Header, body: string(text)}
}

func (p *plane) json(method, path, body string) reply {
	p.t.Helper()
	return p.do(method, path, strings.NewReader(body), "Content-Type: application/json")
}

func (p *plane) put(name string, wasm []byte) string {
	p.t.Helper()
	r := p.do("PUT", "/v1/modules/"+name, bytes.NewReader(wasm))
	var report struct{ Version string }
	r.want(http.StatusCreated).into(&report)
	return report.Version
}

// send sends a record, with headers named do, to the data plane and returns the partition it was stored in, or the code of
// the error.
func (p *plane) send(topic, key string, do ...string) string {
	p.t.Helper()
	headers := make([]string, 0, len(do))
	for _, d := range do {
		headers = append(headers, fmt.Sprintf(`{"name":"do","value":%q}`, d))
	}
	line := fmt.Sprintf(`{"key":%q,"value":"v","headers":[%s]}`, key, strings.Join(headers, ","))
	r := p.at(p.g.HTTPAddr(), "POST", "/v1/topics/"+topic+"/records", strings.NewReader(line), "Content-Type: application/vnd.sluice.records+ndjson")
	var a struct {
		Code    string
		Records []struct {
			Partition int
			Dropped   bool
			Error     *struct{ Code string }
		}
	}
	r.into(&a)
	switch {
	case len(a.Records) == 1 && a.Records[0].Error != nil:
		return a.Records[0].Error.Code
	case len(a.Records) == 1 && a.Records[0].Dropped:
		return "dropped"
	case len(a.Records) == 1:
		return fmt.Sprint(a.Records[0].Partition)
	default:
		return a.Code
	}
}

// want is satisfied by an answer with that status that has all parts. A problem must be one.
func (r reply) want(status int, parts ...string) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d, want %d: %s", r.what, r.status, status, r.body)
	}
	if problem := r.header.Get("Content-Type") == "application/problem+json"; problem != (status >= 400) {
		r.t.Errorf("%s: content type %q with status %d", r.what, r.header.Get("Content-Type"), status)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			r.t.Errorf("%s: no %s in %s", r.what, part, r.body)
		}
	}
	return r
}

func (r reply) into(v any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		r.t.Fatalf("%s: %v: %s", r.what, err, r.body)
	}
}

// state is what the plane shows of a module: "active candidate previous" as "v1", with the names of versions.
func (p *plane) state(name string, names map[string]string) string {
	p.t.Helper()
	var m admin.ModuleState
	p.do("GET", "/v1/modules/"+name, http.NoBody).want(http.StatusOK).into(&m)
	var out []string
	for _, v := range m.Versions {
		if v.State == "stored" {
			continue
		}
		s := v.State + "=" + names[v.ID]
		if v.Mode != "" {
			s += "(" + v.Mode
			if v.Percent > 0 {
				s += fmt.Sprintf(" %v", v.Percent)
			}
			s += ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}
