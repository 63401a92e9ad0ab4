package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway"
	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/wasmhost/compile"
)

// TestMain lets the binary of the tests be the child that compiles modules.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == compileArg {
		os.Exit(compile.Child(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// serveModules runs a gateway with topic orders until the test ends, and has commands talk to it.
func serveModules(t *testing.T) (http string) {
	t.Helper()
	const text = "[kafka]\nbootstrap.servers = \"embedded\"\n[embedded]\nlisten = \"127.0.0.1:0\"\ndata.dir = \"\"\n" +
		"[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[topics.orders]\nproducer.linger.ms = 0\n"
	cfg, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = "", "" // in memory
	g, err := gateway.New(cfg, "test", slog.New(slog.DiscardHandler))
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
	})
	t.Setenv("SLUICE_ADMIN", g.AdminAddr())
	return g.HTTPAddr()
}

// conformance writes the guest in C that does what records tell it, as one of several versions, to a file.
func conformance(t *testing.T, version byte) string {
	t.Helper()
	if _, err := exec.LookPath("clang"); err != nil {
		if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("no clang that knows wasm32: apt-get install clang lld")
	}
	source, err := filepath.Abs("../../guest-sdk/c/conformance/conformance.c")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "c.wasm")
	cmd := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, source)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	again(t, out, version)
	return out
}

// again makes another version of a module in a file, by a custom section.
func again(t *testing.T, file string, version byte) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte{0, 3, 1, 'v', version}); err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// done runs a command that has to end with status 0, and returns what it printed.
func done(t *testing.T, parts []string, args ...string) string {
	t.Helper()
	out, stderr, status := sluice(t, args...)
	if status != 0 {
		t.Fatalf("%v: exit status %d: %s", args, status, stderr)
	}
	for _, p := range parts {
		if !strings.Contains(out, p) {
			t.Errorf("%v: no %q in\n%s", args, p, out)
		}
	}
	return out
}

// TestModuleAsAUserWould pushes, binds, rolls out and removes a module, and sees where records go.
func TestModuleAsAUserWould(t *testing.T) {
	addr := serveModules(t)
	file := conformance(t, '1')
	var report guest.Report
	if err := json.Unmarshal([]byte(done(t, nil, "module", "push", "c", file, "--json")), &report); err != nil || !report.Active {
		t.Fatalf("%v, %+v", err, report)
	}
	one := report.Version
	done(t, []string{"c " + one[:12] + ": known already, active", "partitioner and interceptor"}, "module", "push", "c", file)
	again(t, file, '2')
	out := done(t, []string{": uploaded\n", "next: sluice module activate c "}, "module", "push", "c", file)
	two := strings.Fields(strings.TrimSpace(out))[1][:12]

	done(t, []string{"c: bound as partitioner of topic orders by api, on_error strict, config {\"only\":[]}"},
		"module", "bind", "orders", "--partitioner", "c", "--on-error", "strict", "--config", `{"only":[]}`)
	done(t, []string{"c: bound as interceptor of topic orders", "on_error continue"}, "module", "bind", "orders", "--interceptors", "c,c", "--config", "@"+save(t, "{}"))
	if got := partitionOf(t, addr, "partition:2"); got != "2" {
		t.Errorf("partition %s", got)
	}
	done(t, []string{"c: " + one[:12] + " is active; beside it " + two + " canary 12.5 %"}, "module", "canary", "c", two, "12.5", "--note", "see")
	done(t, []string{two + "  canary 12.5 %", "last change: see", "bound as partitioner of topic orders"}, "module", "show", "c")
	done(t, []string{"beside it " + two + " shadow"}, "module", "shadow", "c", two[:6])
	done(t, []string{"c: " + one[:12] + " is active\n"}, "module", "cancel", "c")
	done(t, nil, "module", "canary", "c", two, "100")
	done(t, []string{"c     " + one[:12], two + " canary 100 %", "interceptor", "orders"}, "module", "list")
	done(t, []string{"c: " + two + " is active\n"}, "module", "promote", "c")
	done(t, []string{"c: " + one[:12] + " is active\n"}, "module", "rollback", "c")
	done(t, []string{"c: " + two + " is active\n"}, "module", "activate", "c", two)
	partitionOf(t, addr, "log:3:careful")
	done(t, []string{two, " warn  careful\n"}, "module", "logs", "c", "--level", "warn")
	done(t, []string{`"level":"warn"`}, "module", "logs", "c", "--level", "warn", "--json", "-n", "1")
	done(t, []string{"1 key \"k\": changed value", "- value v\n", "+ value w<\n", "2 value null: dropped", "1 changed, 1 dropped, 0 routed, 0 failed"},
		"module", "try", "c", "--in", save(t, `{"key":"k","value":"v","headers":{"do":"set-value:w<"}}`+"\n"+`{"value":null,"headers":{"do":"drop"}}`))
	done(t, []string{"partition 1", "partition 2, as its sender says"}, "module", "try", "c", one[:7], "--hook", "partition", "--in",
		save(t, `{"value":"v","headers":{"do":"partition:1"}}`+"\n"+`{"value":"v","partition":2}`))

	if _, stderr, status := sluice(t, "module", "remove", "c"); status != exitFailed || !strings.Contains(stderr, `partitioner of topic "orders"`) {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	done(t, []string{"orders: interceptors unbound\norders: partitioner unbound\n"}, "module", "unbind", "orders", "--partitioner", "--interceptor")
	done(t, []string{"c " + one[:12] + ": removed"}, "module", "remove", "c", one[:12])
	done(t, []string{"c: removed"}, "module", "remove", "c")
	var list struct{ Modules []admin.ModuleSummary }
	if err := json.Unmarshal([]byte(done(t, nil, "module", "list", "--json")), &list); err != nil || len(list.Modules) != 0 {
		t.Errorf("%v, %+v", err, list)
	}
}

// partitionOf sends a record and returns the partition it was stored in.
func partitionOf(t *testing.T, addr, do string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/v1/topics/orders/records", strings.NewReader("v"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Kafka-Header-Do", do)
	req.Header["X-Kafka-Header-do"] = req.Header["X-Kafka-Header-Do"]
	delete(req.Header, "X-Kafka-Header-Do")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct{ Partition json.Number }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	return a.Partition.String()
}

// TestModuleLogsFollowed follows a log until the gateway, here one that is made up, stops.
func TestModuleLogsFollowed(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" || r.URL.String() != "/v1/modules/a%2Fb/logs?level=info&limit=7" {
			w.WriteHeader(http.StatusTeapot)
		}
		fmt.Fprint(w, ":\n\nid: x\nevent: line\ndata: {\"level\":\"info\",\"text\":\"hello: there\",\"version\":\"0123456789abcdef\"}\n\nevent: end\ndata: {}\n\n")
	}))
	defer s.Close()
	done(t, []string{" 0123456789ab info  hello: there\n"}, "module", "logs", "-f", "a/b", "-n", "7", "--level", "info", "--admin", s.URL)
}

func TestModuleRemoteFails(t *testing.T) {
	serveModules(t)
	wasm := conformance(t, '1')
	text := save(t, "text\n")
	records := save(t, `{"value":1}`)
	for _, c := range []struct {
		args   []string
		status int
		parts  []string
	}{
		{[]string{"push", "c", text}, 1, []string{"the module is refused:\n  format: "}},
		{[]string{"push", "c", "nowhere.wasm"}, 1, []string{"nowhere.wasm"}},
		{[]string{"push", "C", wasm}, 1, []string{`"C"`}},
		{[]string{"push", "a", "b", "c"}, 2, []string{"too many arguments: it is sluice module push [NAME [FILE.wasm|DIR]]"}},
		{[]string{"show", "nothing"}, 1, []string{`module "nothing": there is none with this name`}},
		{[]string{"list", "--admin", "127.0.0.1:1"}, 1, []string{"no gateway answers at http://127.0.0.1:1 (--admin, SLUICE_ADMIN)"}},
		{[]string{"list", "--admin", "ftp://x"}, 2, []string{`--admin "ftp://x"`}},
		{[]string{"list", "x"}, 2, []string{"x"}},
		{[]string{"activate", "c"}, 2, []string{"too few arguments: it is sluice module activate NAME VERSION"}},
		{[]string{"canary", "c"}, 2, []string{"too few arguments: it is sluice module canary NAME VERSION PERCENT", "sluice module canary --help"}},
		{[]string{"bind", "orders", "--partitioner", "c", "--fallback", "md5"}, 1, []string{`fallback "md5"`}},
		{[]string{"canary", "c", "abcdef", "0"}, 2, []string{`PERCENT "0"`}},
		{[]string{"canary", "c", "abcdef", "NaN"}, 2, []string{`PERCENT "NaN"`}},
		{[]string{"rollback", "nothing"}, 1, []string{`"nothing"`}},
		{[]string{"bind", "orders"}, 2, []string{"give one of --partitioner and --interceptor"}},
		{[]string{"bind", "orders", "--partitioner", "a", "--interceptor", "b"}, 2, []string{"give one of"}},
		{[]string{"bind", "orders", "--partitioner", "a", "--config", "[]"}, 2, []string{"--config: it must be a JSON object"}},
		{[]string{"bind", "orders", "--partitioner", "nothing"}, 1, []string{`there is no module "nothing"`}},
		{[]string{"bind", "none", "--partitioner", "a"}, 1, []string{`"none"`}},
		{[]string{"unbind", "orders"}, 2, []string{"--partitioner, --interceptors"}},
		{[]string{"unbind", "orders", "--partitioner", "--interceptors"}, 1, []string{`topic "orders" has no interceptor that the API bound`, `topic "orders" has no partitioner that the API bound`}},
		{[]string{"logs", "nothing"}, 1, []string{`"nothing"`}},
		{[]string{"logs", "nothing", "-n", "-1"}, 2, []string{"--lines -1"}},
		{[]string{"try", "c"}, 2, []string{"--in is missing"}},
		{[]string{"try", "c", "--in", text}, 1, []string{"line 1, column"}},
		{[]string{"try", "nothing", "--in", records}, 1, []string{`"nothing"`}},
		{[]string{"try", "c", "--in", records, "--now", "soon"}, 2, []string{`--now "soon"`}},
	} {
		out, stderr, status := sluice(t, append([]string{"module"}, c.args...)...)
		if status != c.status {
			t.Errorf("%v: exit status %d, want %d: %s%s", c.args, status, c.status, out, stderr)
		}
		for _, p := range c.parts {
			if !strings.Contains(stderr, p) {
				t.Errorf("%v: no %q in %s", c.args, p, stderr)
			}
		}
	}
}

// TestWithRecordsKeepsValues holds that the values of a trial come to the module byte by byte.
func TestWithRecordsKeepsValues(t *testing.T) {
	lines := []byte("{\"value\": { \"a\" : \"<\" } }\n\n{\"value\":2}\n")
	body, err := withRecords(admin.Trial{Topic: "t", Config: json.RawMessage(`{"b":"<"}`)}, lines)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(body, []byte(`"records":[{"value": { "a" : "<" } },{"value":2}]}`)) || !json.Valid(body) {
		t.Errorf("%s", body)
	}
}
