package gateway

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// compileC makes a guest of a source file of C that includes sluice.h.
func compileC(t *testing.T, source string) (path string, wasm []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "guest.wasm")
	c := exec.CommandContext(t.Context(), "clang", "--target=wasm32", "-O2", "-nostdlib", "-I../guest-sdk/c", "-Wl,--no-entry", "-Wl,--stack-first", "-o", path, source)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, wasm
}

const conformanceC = "../guest-sdk/c/conformance/conformance.c"

// scrape is what /metrics of the admin plane shows of modules, as text before and number behind the last space of a line.
func (r *rig) scrape() map[string]float64 { return r.scrapeOf("sluice_module_") }

// scrapeOf is the same for the metrics whose names begin so.
func (r *rig) scrapeOf(prefix string) map[string]float64 {
	r.t.Helper()
	resp, err := http.Get("http://" + r.g.AdminAddr() + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%d %s, %v", resp.StatusCode, text, err)
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, prefix) {
			continue
		}
		line = strings.TrimSpace(line)
		i := strings.LastIndexByte(line, ' ')
		if all[line[:i]], err = strconv.ParseFloat(line[i+1:], 64); err != nil {
			r.t.Fatal(err)
		}
	}
	return all
}

func TestModuleMetrics(t *testing.T) {
	path, wasm := compileC(t, conformanceC)
	c := fake(t)
	r := serve(t, c.ListenAddrs(), fmt.Sprintf("[topics.other]\n[topics.\"ord*\"]\ninterceptors = [{ module = %q, on_error = \"strict\", routes = [\"other\"] }]\npartitioner = { module = %[1]q }\n", path))
	body := told("k", "1", "noop") + told("k", "2", "set-value:w") + told("k", "3", "drop") + told("k", "4", "route:other") + told("k", "5", "fail:no") + told("k", "6", "count:masked:5")
	if a := r.post(r.url("orders"), body, envelope); a.status != 207 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	of := func(name string, labels ...string) string {
		return metric(name, append(labels, "module", path, "version", wasmhost.ID(wasm)[:12])...)
	}
	acks := of("sluice_module_records_total", "hook", "on_ack")
	eventually(t, "on_ack was told of all six", func() bool { return r.scrape()[acks] == 6 })
	got := r.scrape()
	for name, want := range map[string]float64{
		of("sluice_module_calls_total", "hook", "on_send"):                                   1,
		of("sluice_module_records_total", "hook", "on_send"):                                 6,
		of("sluice_module_records_changed_total", "hook", "on_send"):                         1,
		of("sluice_module_records_dropped_total", "hook", "on_send"):                         1,
		of("sluice_module_records_routed_total", "hook", "on_send"):                          1,
		of("sluice_module_record_errors_total", "hook", "on_send", "reason", "record_error"): 1,
		of("sluice_module_call_duration_seconds_count", "hook", "on_send"):                   1,
		of("sluice_module_call_fuel_count", "hook", "on_send"):                               1,
		of("sluice_module_calls_total", "hook", "partition"):                                 1,
		of("sluice_module_records_total", "hook", "partition"):                               3,  // noop, set-value and count
		of("sluice_module_counter_total", "name", "masked"):                                  10, // both hooks counted
		of("sluice_module_instances", "state", "idle"):                                       got[of("sluice_module_instances", "state", "live")],
		of("sluice_module_instances_discarded_total"):                                        0,
		of("sluice_module_version_info", "role", "active"):                                   1,
		of("sluice_module_breaker_state", "topic", "ord*"):                                   0,
		of("sluice_module_memory_bytes"):                                                     got["sluice_module_linear_memory_bytes"],
		"sluice_module_linear_memory_limit_bytes":                                            512 << 20,
		metric("sluice_module_dead_lettered_total", "module", path, "topic", "ord*"):         0,
	} {
		if n, ok := got[name]; !ok || n != want {
			t.Errorf("%s is %v (%t), want %v", name, n, ok, want)
		}
	}
	for _, name := range []string{
		of("sluice_module_memory_bytes"), of("sluice_module_instances", "state", "live"),
		of("sluice_module_call_fuel_sum", "hook", "on_send"), of("sluice_module_call_duration_seconds_sum", "hook", "on_send"),
	} {
		if got[name] <= 0 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	state := of("sluice_module_breaker_state", "topic", "ord*")
	for tries := 0; got[state] != 2; tries++ {
		if tries == 200 {
			t.Fatalf("the breaker is %v after %d records on which the guest traps", got[state], tries)
		}
		r.post(r.url("orders"), told("k", "7", "trap"), envelope)
		got = r.scrape()
	}
	r.post(r.url("orders"), told("k", "8", "noop"), envelope).want(t, 503, "not_available")
	got = r.scrape()
	trapped := got[of("sluice_module_record_errors_total", "hook", "on_send", "reason", "trap")]
	discarded, calls := got[of("sluice_module_instances_discarded_total")], got[of("sluice_module_calls_total", "hook", "on_send")]
	if trapped < 1 || discarded < trapped || discarded != calls-1 { // every call but the first failed
		t.Errorf("%v records trapped in %v calls, %v instances were discarded", trapped, calls, discarded)
	}
	if n := got[of("sluice_module_record_errors_total", "hook", "on_send", "reason", "breaker_open")]; n < 1 {
		t.Errorf("%v records met an open breaker", n)
	}
}

// metric is a metric with labels as /metrics shows it.
func metric(name string, labels ...string) string {
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	slices.Sort(pairs)
	return name + "{" + strings.Join(pairs, ",") + "}"
}

// TestShadowMetrics also holds that a reload, which binds anew, makes no counter fall.
func TestShadowMetrics(t *testing.T) {
	_, first := compileC(t, conformanceC)
	source := filepath.Join(t.TempDir(), "other.c")
	text := "#include \"sluice.h\"\nstatic void on_send(sluice_record *r) { sluice_set_value(r, \"other\"); }\nSLUICE_ON_SEND(on_send)\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, second := compileC(t, source)

	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.other]\n[topics.orders]\n")
	for _, wasm := range [][]byte{first, second} {
		if _, err := r.g.modules.Upload(t.Context(), "m", wasm, registry.Origin{Kind: registry.Uploaded}); err != nil {
			t.Fatal(err)
		}
	}
	reload := func(linger int) {
		t.Helper()
		next := fmt.Sprintf("[kafka]\nbootstrap.servers = [%q]\n[topics.other]\n[topics.orders]\nproducer.linger.ms = %d\ndead_letter.topic = \"other\"\ninterceptors = [{ module = \"m\", on_error = \"dlq\" }]\n", c.ListenAddrs()[0], linger)
		if err := r.g.Reload(parse(t, next)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(compared, differed, dead float64) {
		t.Helper()
		got := r.scrape()
		v1, v2 := wasmhost.ID(first)[:12], wasmhost.ID(second)[:12]
		for name, want := range map[string]float64{
			metric("sluice_module_shadow_compared_total", "module", "m", "topic", "orders"):                compared,
			metric("sluice_module_shadow_differed_total", "module", "m", "topic", "orders"):                differed,
			metric("sluice_module_dead_lettered_total", "module", "m", "topic", "orders"):                  dead,
			metric("sluice_module_records_total", "hook", "on_send", "module", "m", "version", v1):         compared,
			metric("sluice_module_records_changed_total", "hook", "on_send", "module", "m", "version", v2): compared,
			metric("sluice_module_version_info", "module", "m", "role", "active", "version", v1):           1,
			metric("sluice_module_version_info", "module", "m", "role", "shadow", "version", v2):           1,
		} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
	}
	reload(0)
	if err := r.g.modules.Activate(t.Context(), "m", wasmhost.ID(first), ""); err != nil {
		t.Fatal(err)
	}
	if err := r.g.modules.Shadow(t.Context(), "m", wasmhost.ID(second), ""); err != nil {
		t.Fatal(err)
	}
	body := told("k", "other", "noop") + told("k", "other", "set-value:other") + told("k", "v", "noop") + told("k", "other", "fail:no")
	r.post(r.url("orders"), body, envelope).want(t, 207, "")
	check(4, 2, 1)
	reload(7)
	r.post(r.url("orders"), told("k", "v", "noop"), envelope).want(t, 200, "")
	check(5, 3, 1)
}
