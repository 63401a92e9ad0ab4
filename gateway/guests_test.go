package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/kafkatest"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

const envelope = "Content-Type: application/vnd.sluice.records+ndjson"

// conformanceGuest is the path of a guest that does what a record's "do" headers tell it (guest-sdk/CONFORMANCE.md).
func conformanceGuest(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../guest-sdk/go/conformance")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// serveGuests is serve with a cache for machine code, so that a module is compiled once in a test.
func serveGuests(t testing.TB, c *kfake.Cluster, cache, tables string) *rig {
	t.Helper()
	cfg := parse(t, fmt.Sprintf("shutdown.timeout.ms = 10000\n[kafka]\nbootstrap.servers = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n%s", c.ListenAddrs()[0], tables))
	cfg.Wasm.CacheDir = cache
	return serveConfig(t, cfg)
}

// told is a line of an envelope body whose record tells guests what to do.
func told(key, value string, do ...string) string {
	line := map[string]any{"value": value, "headers": map[string]string{}}
	if key != "" {
		line["key"] = key
	}
	if len(do) > 0 {
		line["headers"] = []map[string]string{}
		for _, d := range do {
			line["headers"] = append(line["headers"].([]map[string]string), map[string]string{"name": "do", "value": d})
		}
	}
	text, _ := json.Marshal(line)
	return string(text) + "\n"
}

func TestGuestsByPolicy(t *testing.T) {
	path, cache := conformanceGuest(t), t.TempDir()
	c := fake(t)
	for _, test := range []struct {
		onError string
		do      string
		status  int
		code    string
		value   string // stored; "" if nothing is
		topic   string
	}{
		{"continue", "noop", 200, "", "v", "orders"},
		{"continue", "set-value:w", 200, "", "w", "orders"},
		{"continue", "fail:no", 200, "", "v", "orders"},
		{"continue", "trap", 200, "", "v", "orders"},
		{"continue", "loop", 200, "", "v", "orders"},
		{"continue", "drop", 207, "", "", ""},
		{"continue", "route:other", 200, "", "v", "other"},
		{"continue", "route:forbidden", 200, "", "v", "orders"},
		{"strict", "set-value:w", 200, "", "w", "orders"},
		{"strict", "fail:no", 422, "rejected", "", ""},
		{"strict", "trap", 422, "rejected", "", ""},
		{"strict", "loop", 422, "rejected", "", ""},
		{"strict", "route:forbidden", 422, "rejected", "", ""},
		{"strict", "drop", 207, "", "", ""},
		{"dlq", "fail:no", 207, "", "v", "other"},
		{"dlq", "loop", 207, "", "v", "other"},
		{"dlq", "set-value:w", 200, "", "w", "orders"},
	} {
		t.Run(test.onError+" "+test.do, func(t *testing.T) {
			r := serveGuests(t, c, cache, fmt.Sprintf("[topics.other]\n[topics.orders]\ndead_letter.topic = \"other\"\ninterceptors = [{ module = %q, on_error = %q, routes = [\"other\"] }]\n", path, test.onError))
			before := map[string]int64{"orders": stored(c, "orders"), "other": stored(c, "other")}
			a := r.post(r.url("orders"), told("k", "v", test.do), envelope)
			if test.status == 422 {
				a.want(t, 422, test.code)
			} else if a.status != test.status {
				t.Fatalf("answer %d %s, want %d", a.status, a.body, test.status)
			}
			for topic, n := range before {
				want := n
				if topic == test.topic {
					want++
				}
				if got := stored(c, topic); got != want {
					t.Errorf("topic %s holds %d records more, want %d", topic, got-n, want-n)
				}
			}
			if test.topic != "" {
				all := read(t, c.ListenAddrs(), test.topic, int(before[test.topic]+1))
				if last := newest(all); string(last.Value) != test.value {
					t.Errorf("stored %q, want %q", last.Value, test.value)
				}
			}
			if err := r.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

func newest(all []*kgo.Record) *kgo.Record {
	last := all[0]
	for _, r := range all {
		if r.Timestamp.After(last.Timestamp) || r.Timestamp.Equal(last.Timestamp) && r.Offset > last.Offset {
			last = r
		}
	}
	return last
}

// TestPoisonFailsAlone: on 1 % of the records the guest traps, with all others nothing happens, in order per key.
func TestPoisonFailsAlone(t *testing.T) {
	c := fake(t)
	r := serveGuests(t, c, t.TempDir(), fmt.Sprintf("[topics.orders]\ninterceptors = [{ module = %q, on_error = \"strict\" }]\n", conformanceGuest(t)))
	const requests, each = 5, 200
	poison := 0
	want := map[string][]string{}
	for q := range requests {
		var body strings.Builder
		var bad []int
		for i := range each {
			key, value := fmt.Sprint("key", i%7), fmt.Sprint(q, "/", i)
			if (q*each+i)%100 == 57 {
				body.WriteString(told(key, value, "trap"))
				bad = append(bad, i)
				continue
			}
			body.WriteString(told(key, value, "set-header:seen=1"))
			want[key] = append(want[key], value)
		}
		poison += len(bad)
		a := r.post(r.url("orders"), body.String(), envelope)
		if a.status != 207 {
			t.Fatalf("answer %d %s", a.status, a.body)
		}
		for i, res := range a.Records {
			if failed := res.Error != nil; failed != (len(bad) > 0 && bad[0] == i) {
				t.Fatalf("request %d, record %d: error %+v", q, i, res.Error)
			} else if failed {
				bad = bad[1:]
			}
		}
	}
	got := map[string][]string{}
	for _, rec := range read(t, c.ListenAddrs(), "orders", requests*each-poison) {
		if h := rec.Headers[len(rec.Headers)-1]; h.Key != "seen" {
			t.Errorf("record %s was not seen by the interceptor", rec.Value)
		}
		got[string(rec.Key)] = append(got[string(rec.Key)], string(rec.Value))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("order per key, want and got:\n", diff)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

// stampGuest builds a guest in C that adds its version to every record, as header "version".
func stampGuest(t testing.TB) []byte {
	t.Helper()
	clang, err := exec.LookPath("clang")
	if err != nil {
		kafkatest.Missing(t, "needs clang and lld")
	}
	dir := t.TempDir()
	sdk, err := filepath.Abs("../guest-sdk/c/sluice.h")
	if err != nil {
		t.Fatal(err)
	}
	src := fmt.Sprintf("#include %q\nstatic sluice_bytes version;\n"+
		"static void configure(sluice_config *c) { version = sluice_config_version(c); }\n"+
		"static void on_send(sluice_record *r) { sluice_add_header(r, \"version\", version); }\n"+
		"static void on_ack(sluice_ack *a) { if (sluice_ack_error(a) == 0) sluice_counter_add(\"stored\", 1); }\n"+
		"SLUICE_CONFIGURE(configure)\nSLUICE_ON_SEND(on_send)\nSLUICE_ON_ACK(on_ack)\n", sdk)
	if err := os.WriteFile(filepath.Join(dir, "stamp.c"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "stamp.wasm")
	cmd := exec.CommandContext(t.Context(), clang, "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, filepath.Join(dir, "stamp.c"))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// anotherVersion is a module that does the same and has other bytes: a custom section more.
func anotherVersion(wasm []byte) []byte {
	return append(slices.Clone(wasm), 0, 2, 1, 'x')
}

// TestUpgradeUnderLoad swaps versions at full load: no request fails, and every record passes exactly one of them.
func TestUpgradeUnderLoad(t *testing.T) {
	const swaps = 200
	wasm := stampGuest(t)
	c := fake(t)
	cfg := parse(t, fmt.Sprintf("[kafka]\nbootstrap.servers = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n"+
		"[topics.orders]\ninterceptors = [{ module = \"stamp\", on_error = \"strict\" }]\n[topics.other]\n", c.ListenAddrs()[0]))
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = t.TempDir(), t.TempDir()
	versions := seedRegistry(t, cfg, "stamp", wasm, anotherVersion(wasm))
	r := serveConfig(t, cfg)

	var sent atomic.Int64
	stop, done := make(chan struct{}), make(chan error, 4)
	for range cap(done) {
		go func() {
			body := strings.Repeat(told("k", "v"), 20)
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				a, err := post(http.DefaultClient, r.url("orders"), body, envelope)
				if err == nil && a.status != http.StatusOK {
					err = fmt.Errorf("answer %d %s", a.status, a.body)
				}
				if err != nil {
					done <- err
					return
				}
				sent.Add(20)
			}
		}()
	}
	warm := func(n int) { // until what was given up is closed
		for i := range n {
			if err := r.g.modules.Activate(t.Context(), "stamp", versions[(i+1)%2], "test"); err != nil {
				t.Fatal(err)
			}
		}
	}
	warm(20)
	before := runtime.NumGoroutine()
	warm(swaps)
	if after := runtime.NumGoroutine(); after > before+20 {
		t.Errorf("%d goroutines after 20 swaps, %d after %d more", before, after, swaps)
	}
	close(stop)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	seen := map[string]int{}
	for _, rec := range read(t, c.ListenAddrs(), "orders", int(sent.Load())) {
		if len(rec.Headers) != 1 {
			t.Fatalf("a record passed %d versions: %+v", len(rec.Headers), rec.Headers)
		}
		seen[string(rec.Headers[0].Value)]++
	}
	if len(seen) != 2 || seen[versions[0]] == 0 || seen[versions[1]] == 0 {
		t.Errorf("records by version: %v", seen)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	var told int64
	r.g.modules.EachStats(func(_ guest.Ref, s *wasmhost.Stats) { told += s.Counters()["stored"] })
	if told != sent.Load() {
		t.Errorf("on_ack was told of %d records, %d were sent", told, sent.Load())
	}
}

// seedRegistry puts versions of a module into the registry that cfg names, and returns their ids.
func seedRegistry(t testing.TB, cfg *config.Config, name string, versions ...[]byte) []string {
	t.Helper()
	reg, err := registry.Open(cfg.Wasm.RegistryDir, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, wasm := range versions {
		up, err := reg.Put(name, wasm, nil, registry.Origin{Kind: registry.Uploaded})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, up.ID)
	}
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	return ids
}
