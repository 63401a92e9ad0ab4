package gateway

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/kafkatest"
	"sluice/gateway/registry"
	"sluice/wasmhost"
	"sluice/wasmhost/compile"
)

const compileArg = "__compile"

// sharedCache keeps machine code for all tests of the package.
var sharedCache string

// TestMain lets the test binary be the child that compiles a module: it leaves a file in the folder that it is told, for who
// counts children.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == compileArg {
		if _, err := os.CreateTemp(os.Args[2], "started-*"); err != nil {
			os.Exit(1)
		}
		os.Exit(compile.Child(os.Stdin, os.Stdout))
	}
	var err error
	if sharedCache, err = os.MkdirTemp("", "sluice-test-cache-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(sharedCache)
	os.Exit(code)
}

// steerSource is a guest that appends its mark, which its configuration gives, to every value. A header named as its mark
// says what else it does with a record. It counts the cookies that it gave and those that came back.
const steerSource = `#include "sluice.h"
#ifndef V
#define V 1
#endif
static sluice_bytes mark;
static void configure(sluice_config *c) {
    if (sluice_config_has(c, "/refuse")) sluice_refuse(c, sluice_config_string(c, "/refuse", ""));
    mark = sluice_config_string(c, "/mark", "?");
}
static uint32_t cookie_of(sluice_bytes key) { return key.ptr ? (uint32_t)sluice_murmur2(key) & 0xffff : 0; }
#ifndef NO_SEND
static void on_send(sluice_record *r) {
    sluice_bytes what = {0, 0};
    bool told = sluice_header(r, mark, &what);
    sluice_set_cookie(r, (uint64_t)V << 32 | cookie_of(sluice_key(r)));
    if (ALWAYS_TRAP) __builtin_trap();
    if (ALWAYS_FAIL) return sluice_fail(r, "broken");
    if (told && sluice_equal(what, "fail")) return sluice_fail(r, "as told");
    if (told && sluice_equal(what, "trap")) __builtin_trap();
    if (told && sluice_equal(what, "drop")) return sluice_drop(r);
    if (told && sluice_equal(what, "route")) sluice_route(r, "other");
    if (told && sluice_equal(what, "wide")) sluice_route(r, "wide");
    if (told && sluice_equal(what, "far")) sluice_set_timestamp(r, 9223372036854775807);
    if (GREEDY) {
        sluice_set_value(r, sluice_view(sluice_room(100000), 100000));
        return;
    }
    sluice_bytes v = sluice_value(r);
    uint8_t *to = sluice_room(v.len + mark.len + 1);
    memcpy(to, v.ptr, v.len);
    memcpy(to + v.len, mark.ptr, mark.len);
    uint32_t n = v.len + mark.len;
    if (V > 1) to[n++] = '0' + V;
    sluice_set_value(r, sluice_view(to, n));
    sluice_counter_add("given", cookie_of(sluice_key(r)));
}
SLUICE_ON_SEND(on_send)
#endif
#ifndef NO_PARTITION
static int32_t partition(sluice_record *r) {
    sluice_bytes what;
    if (!sluice_header(r, "partition", &what)) return SLUICE_NOT_MINE;
    if (sluice_equal(what, "trap")) __builtin_trap();
    if (sluice_equal(what, "last")) return sluice_partitions(r) - 1;
    int32_t n = 0;
    for (uint32_t i = 0; i < what.len; i++) n = 10 * n + what.ptr[i] - '0';
    return n;
}
SLUICE_PARTITION(partition)
#endif
#ifndef NO_ACK
static volatile uint32_t turns;
static void on_ack(const sluice_ack *a) {
    uint64_t cookie = sluice_ack_cookie(a);
#ifdef ACK_TRAP
    if (sluice_equal(mark, "a")) __builtin_trap();
#endif
    sluice_counter_add("told", 1);
    sluice_counter_add(sluice_ack_error(a) ? "told_failed" : "told_stored", 1);
    if (cookie >> 32 != V) sluice_counter_add("foreign", 1);
    sluice_counter_add("returned", (int64_t)(cookie & 0xffff));
    sluice_bytes line = sluice_concat(sluice_concat(mark, " "), sluice_decimal((int64_t)(cookie & 0xffff)));
    line = sluice_concat(sluice_concat(line, " "), sluice_decimal(sluice_ack_error(a)));
    sluice_log(SLUICE_INFO, sluice_concat(sluice_concat(line, " "), sluice_ack_topic(a)));
    if (sluice_ack_key_size(a) == 13) // slow
        for (turns = 0; turns < 60000000; turns++) {}
}
SLUICE_ON_ACK(on_ack)
#endif
SLUICE_CONFIGURE(configure)
`

var steers sync.Map // by their macros

// steer is a guest made from steerSource with macros such as V=2.
func steer(t testing.TB, macros ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("clang"); err != nil {
		kafkatest.Missing(t, "needs clang and lld")
	}
	build, _ := steers.LoadOrStore(strings.Join(macros, " "), sync.OnceValues(func() ([]byte, error) { return buildSteer(macros) }))
	wasm, err := build.(func() ([]byte, error))()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func buildSteer(macros []string) ([]byte, error) {
	dir, err := os.MkdirTemp(sharedCache, "steer-")
	if err != nil {
		return nil, err
	}
	source, out := filepath.Join(dir, "steer.c"), filepath.Join(dir, "steer.wasm")
	text := steerSource
	for _, name := range []string{"ALWAYS_TRAP", "ALWAYS_FAIL", "GREEDY"} {
		text = fmt.Sprintf("#ifndef %[1]s\n#define %[1]s 0\n#endif\n", name) + text
	}
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		return nil, err
	}
	args := []string{"--target=wasm32", "-O2", "-nostdlib", "-I../guest-sdk/c", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, source}
	for _, m := range macros {
		args = append(args, "-D"+m)
	}
	if text, err := exec.CommandContext(context.Background(), "clang", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	return os.ReadFile(out)
}

// guestConfig is a configuration for c with the given tables, whose registry has the versions of module "steer".
func guestConfig(t testing.TB, c *kfake.Cluster, tables string, versions ...[]byte) (*config.Config, []string) {
	t.Helper()
	cfg := parse(t, guestTables(c, tables))
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = t.TempDir(), sharedCache
	cfg.Wasm.LogLinesPerSecond = 1_000_000
	cfg.Wasm.AcquireTimeout, cfg.Wasm.CallTimeout = 30*time.Second, 10*time.Second // a busy machine is no failure
	if len(versions) == 0 {
		return cfg, nil
	}
	return cfg, seedRegistry(t, cfg, "steer", versions...)
}

func guestTables(c *kfake.Cluster, tables string) string {
	return fmt.Sprintf("shutdown.timeout.ms = 10000\n[kafka]\nbootstrap.servers = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n%s", c.ListenAddrs()[0], tables)
}

// clean ends the gateway and finds what it left behind.
func (r *rig) clean() {
	r.t.Helper()
	if err := r.end(); err != nil {
		r.t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	httpClient.CloseIdleConnections()
	eventually(r.t, "all batches are given back", func() bool { return r.g.pool.Live() == 0 })
	if n := r.g.host.Memory(); n != 0 {
		r.t.Errorf("%d bytes of guests' memory are left", n)
	}
	if all := r.g.modules.Bounds(); len(all) != 0 {
		r.t.Errorf("%d bindings are left", len(all))
	}
	r.g.modules.EachStats(func(ref guest.Ref, s *wasmhost.Stats) {
		if s.Live.Load() != 0 || s.Idle.Load() != 0 || s.Memory.Load() != 0 {
			r.t.Errorf("%s %.8s: %d live and %d idle instances with %d bytes are left", ref.Module, ref.Version, s.Live.Load(), s.Idle.Load(), s.Memory.Load())
		}
	})
}

// sum adds a counter of all versions, or of one.
func (r *rig) sum(counter, version string) (n int64) {
	r.g.modules.EachStats(func(ref guest.Ref, s *wasmhost.Stats) {
		if version == "" || ref.Version == version {
			n += s.Counters()[counter]
		}
	})
	return n
}

// module is what the registry knows of module "steer".
func (r *rig) module() registry.Module {
	r.t.Helper()
	m, err := r.g.registry.Module("steer")
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// line is an envelope with headers given as name=value.
func line(key, value string, headers ...string) string {
	return lineTo("", key, value, headers...)
}

func lineTo(partition, key, value string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"value":%q,"headers":[`, value)
	for i, h := range headers {
		name, v, _ := strings.Cut(h, "=")
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":%q,"value":%q}`, name, v)
	}
	b.WriteByte(']')
	if key != "" {
		fmt.Fprintf(&b, `,"key":%q`, key)
	}
	if partition != "" {
		fmt.Fprintf(&b, `,"partition":%s`, partition)
	}
	b.WriteString("}\n")
	return b.String()
}

// byKey is the values of records by their keys.
func byKey(all []*kgo.Record) map[string][]string {
	m := map[string][]string{}
	for _, r := range all {
		m[string(r.Key)] = append(m[string(r.Key)], string(r.Value))
	}
	return m
}

// send posts bodies until stop is closed, from n connections, and returns what failed.
func (r *rig) load(n int, one func(worker, i int) error) (stop func()) {
	done, errs := make(chan struct{}), make(chan error, n)
	for w := range n {
		go func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					errs <- nil
					return
				default:
				}
				if err := one(w, i); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	return func() {
		r.t.Helper()
		close(done)
		for range n {
			if err := <-errs; err != nil {
				r.t.Error(err)
			}
		}
	}
}

// httpClient keeps as many connections as tests have.
var httpClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

func parseWith(t testing.TB, registryDir, text string) *config.Config {
	t.Helper()
	cfg := parse(t, text)
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = registryDir, sharedCache
	return cfg
}
