package guest

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/kafkatest"
	"sluice/gateway/partitioner"
	"sluice/gateway/record"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// simple is a guest that adds its version to every record, as header "version", and chooses partition 1.
const simple = `#include "sluice.h"
static sluice_bytes version;
static void configure(sluice_config *c) {
    version = sluice_config_version(c);
    if (sluice_config_has(c, "/refuse")) sluice_refuse(c, "refused");
}
static void on_send(sluice_record *r) {
    if (FAIL) return sluice_fail(r, "broken");
    sluice_set_cookie(r, V);
    sluice_add_header(r, "version", version);
}
static int32_t partition(sluice_record *r) { return 1; }
static void on_ack(const sluice_ack *a) { sluice_counter_add(sluice_ack_cookie(a) == V ? "mine" : sluice_ack_cookie(a) ? "foreign" : "none", 1); }
SLUICE_CONFIGURE(configure)
SLUICE_ON_SEND(on_send)
#ifndef NO_PARTITION
SLUICE_PARTITION(partition)
#endif
SLUICE_ON_ACK(on_ack)
`

var simpleVersions = sync.OnceValues(func() (all [3][]byte, err error) {
	dir, err := os.MkdirTemp("", "sluice-test-guest-")
	if err != nil {
		return all, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	source := filepath.Join(dir, "simple.c")
	if err := os.WriteFile(source, []byte(simple), 0o600); err != nil {
		return all, err
	}
	for i, macros := range [][]string{{"-DV=1", "-DFAIL=0"}, {"-DV=2", "-DFAIL=0"}, {"-DV=3", "-DFAIL=1", "-DNO_PARTITION"}} {
		out := filepath.Join(dir, "out.wasm")
		args := append([]string{"--target=wasm32", "-O2", "-nostdlib", "-I../../guest-sdk/c", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, source}, macros...)
		if text, err := exec.CommandContext(context.Background(), "clang", args...).CombinedOutput(); err != nil {
			return all, fmt.Errorf("%w: %s", err, text)
		}
		if all[i], err = os.ReadFile(out); err != nil {
			return all, err
		}
	}
	return all, nil
})

// files is a Builder that reads .wasm files and builds nothing; what is saved is announced by hand.
type files struct {
	mu      sync.Mutex
	wasm    map[string][]byte
	changed map[string]func()
}

func (f *files) Folder(_ context.Context, path string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wasm[path] == nil {
		return nil, fs.ErrNotExist
	}
	return f.wasm[path], nil
}

func (f *files) ReadyMade(context.Context, string) ([]byte, bool, error) { return nil, false, nil }

func (f *files) Watch(ctx context.Context, path string, changed func(), _ func(error)) {
	f.mu.Lock()
	f.changed[path] = changed
	f.mu.Unlock()
	<-ctx.Done()
}

func (f *files) save(path string, wasm []byte) {
	f.mu.Lock()
	f.wasm[path] = wasm
	changed := f.changed[path]
	f.mu.Unlock()
	if changed != nil {
		changed()
	}
}

// bench is Modules with versions of the module "m": two good ones, and one that fails on all records and is no partitioner.
type bench struct {
	*Modules
	t    testing.TB
	ids  []string
	pool record.Pool
	src  *files
}

func newBench(t testing.TB) *bench {
	t.Helper()
	if _, err := exec.LookPath("clang"); err != nil {
		kafkatest.Missing(t, "needs clang and lld")
	}
	versions, err := simpleVersions()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError + 1}))
	host, err := wasmhost.New(wasmhost.Options{Limits: wasmhost.DefaultLimits(), Log: log, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, src: &files{wasm: map[string][]byte{"./m": versions[0]}, changed: map[string]func(){}}}
	reg, err := registry.Open("", registry.Options{InUse: func(module, version string) []string { return b.Users(module, version) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, wasm := range versions {
		up, err := reg.Put("m", wasm, nil, registry.Origin{Kind: registry.Uploaded})
		if err != nil {
			t.Fatal(err)
		}
		b.ids = append(b.ids, up.ID)
	}
	wasm := config.Wasm{LogLines: 10, CanaryMaxErrorRate: 10, CanaryMinRecords: 100, CanaryWindow: time.Minute}
	b.Modules = New(Options{Host: host, Registry: reg, Build: b.src, Wasm: wasm, Log: log})
	return b
}

// end closes everything and finds what was left behind.
func (b *bench) end() {
	b.t.Helper()
	b.Close()
	if n := len(b.loaded) + len(b.paths) + len(b.bounds); n != 0 {
		b.t.Errorf("%d modules, %d sources and %d bindings are left", len(b.loaded), len(b.paths), len(b.bounds))
	}
	if err := b.Registry.Close(); err != nil {
		b.t.Error(err)
	}
	if err := b.Host.Close(); err != nil {
		b.t.Error(err)
	}
	if n := b.Host.Memory(); n != 0 {
		b.t.Errorf("%d bytes of guests' memory are left", n)
	}
	if n := b.pool.Live(); n != 0 {
		b.t.Errorf("%d batches are left", n)
	}
	b.EachStats(func(r Ref, s *wasmhost.Stats) {
		if s.Live.Load() != 0 || s.Counters()["foreign"] != 0 {
			b.t.Errorf("%.8s: %d instances are left, %d foreign cookies came", r.Version, s.Live.Load(), s.Counters()["foreign"])
		}
	})
}

// batch is a started batch of n records.
func (b *bench) batch(n int) *record.Batch {
	batch := b.pool.Batch()
	for i := range n {
		r := batch.Add("orders")
		r.Key, r.Value = batch.Copy(fmt.Append(nil, "key", i)), batch.Copy([]byte("value"))
	}
	batch.Done = (*record.Batch).Free
	batch.Hold()
	batch.Start()
	return batch
}

func finish(batch *record.Batch) {
	for i := range batch.Records {
		if !batch.Records[i].Done() {
			batch.Complete(i, record.Ack{Code: record.Stored})
		}
	}
	batch.Free()
}

func use(kind Kind, onError string, binding config.Binding) Use {
	binding.OnError = onError
	if binding.Module == "" {
		binding.Module = "m"
	}
	return Use{Binding: binding, Topic: "orders", Kind: kind}
}

// TestManyThingsAtOnce binds, uses, swaps, tries, ends and closes at the same time. Every record sees exactly one version.
func TestManyThingsAtOnce(t *testing.T) {
	b := newBench(t)
	const rounds = 15
	var stop atomic.Bool
	var wg, changers sync.WaitGroup
	changes := []func(){
		func() { _ = b.Activate(t.Context(), "m", b.ids[0], "") },
		func() { _ = b.Activate(t.Context(), "m", b.ids[1], "") },
		func() { _ = b.Canary(t.Context(), "m", b.ids[rand.N(3)], 50, "") },
		func() { _ = b.Shadow(t.Context(), "m", b.ids[rand.N(3)], "") },
		func() { _ = b.Cancel("m", b.ids[rand.N(3)], "") },
		func() { _, _ = b.Rollback("m", "") },
		func() { _ = b.Registry.Canary("m", b.ids[2], 10, "") },
		func() { b.src.save("./m", []byte("no module")) },
		func() { v, _ := simpleVersions(); b.src.save("./m", v[rand.N(2)]) },
		func() { b.Bounds(); b.Users("m", ""); b.Faults("m") },
	}
	for range 2 {
		changers.Go(func() {
			for !stop.Load() {
				changes[rand.N(len(changes))]()
			}
		})
	}
	for _, binding := range []config.Binding{{}, {Module: "./m", Path: true}} {
		for range 2 {
			wg.Go(func() {
				for range rounds {
					b.round(binding)
				}
			})
		}
	}
	wg.Wait()
	stop.Store(true)
	changers.Wait()
	b.end()
}

// round binds a module in both ways, sends batches through it while others change it, and gives it up.
func (b *bench) round(binding config.Binding) {
	i, err := b.Bind(b.t.Context(), use(Interceptor, "continue", binding))
	if err != nil {
		return // just then what is active or a candidate did not fit, or what was saved was no module
	}
	defer i.Close()
	p, err := b.Bind(b.t.Context(), use(Partitioner, "continue", binding))
	if err == nil {
		defer p.Close()
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 2 {
		wg.Go(func() {
			for range 5 {
				batch := b.batch(20)
				i.OnSend(batch)
				if p != nil {
					p.Partition(batch, &record.Partitions{Topic: "orders", Count: 3})
				}
				for k := range batch.Records {
					r := &batch.Records[k]
					if len(r.Headers) > 1 || len(r.Headers) == 1 && len(r.Headers[0].Value) != 64 || r.Partition > 1 {
						b.t.Errorf("record %d has headers %v and partition %d", k, r.Headers, r.Partition)
					}
				}
				for k := range batch.Records {
					batch.Complete(k, record.Ack{Code: record.Stored})
				}
				i.OnAck(batch)
				batch.Free()
			}
		})
	}
}

// TestStrictIsNeverSkipped: not even when the binding was given up while a batch was on its way.
func TestStrictIsNeverSkipped(t *testing.T) {
	for _, kind := range []Kind{Interceptor, Partitioner} {
		for _, onError := range []string{"strict", "dlq", "continue"} {
			t.Run(string(kind)+" "+onError, func(t *testing.T) {
				b := newBench(t)
				m, err := b.Bind(t.Context(), use(kind, onError, config.Binding{}))
				if err != nil {
					t.Fatal(err)
				}
				m.Close()
				batch := b.batch(3)
				batch.Hold()
				batch.Fail(1, record.Errorf(record.Rejected, "before"))
				if kind == Interceptor {
					m.OnSend(batch)
				} else {
					m.Partition(batch, &record.Partitions{Topic: "orders", Count: 3})
				}
				for _, i := range []int{0, 2} {
					ack, done := batch.Outcome(i)
					if want := onError != "continue"; done != want || want && ack.Code != record.NotAvailable {
						t.Errorf("record %d: %t %v", i, done, ack.Code)
					}
				}
				batch.Free()
				finish(batch)
				b.end()
			})
		}
	}
}

// TestBindThatFailsLeavesNothing: no compiled module, no source that is watched, no guest.
func TestBindThatFailsLeavesNothing(t *testing.T) {
	b := newBench(t)
	before := b.Host.Memory()
	refuse := []byte(`{"refuse":true}`)
	for name, u := range map[string]Use{
		"refuses":            use(Interceptor, "strict", config.Binding{Config: refuse}),
		"refuses, by path":   use(Interceptor, "strict", config.Binding{Config: refuse, Module: "./m", Path: true}),
		"missing":            use(Interceptor, "strict", config.Binding{Module: "n"}),
		"missing, by path":   use(Interceptor, "strict", config.Binding{Module: "./n", Path: true}),
		"candidate unfit":    use(Partitioner, "strict", config.Binding{}),
		"no module, by path": use(Interceptor, "strict", config.Binding{Module: "./x", Path: true}),
	} {
		b.src.save("./x", []byte("no module"))
		if err := b.Registry.Canary("m", b.ids[2], 1, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Bind(t.Context(), u); err == nil {
			t.Errorf("%s: it was bound", name)
		} else if name == "candidate unfit" && !strings.Contains(err.Error(), "is no partitioner") {
			t.Errorf("%s: %v", name, err)
		}
		b.changing.Lock()
		if n := len(b.loaded) + len(b.paths) + len(b.bounds); n != 0 {
			t.Errorf("%s: %d modules, %d sources and %d bindings are left", name, len(b.loaded), len(b.paths), len(b.bounds))
		}
		b.changing.Unlock()
	}
	for deadline := time.Now().Add(10 * time.Second); b.Host.Memory() != before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls what no channel announces
	}
	b.end()
}

func TestTrialCountsInWindows(t *testing.T) {
	var ended []int64
	trial := func() *trial {
		ended = nil
		tr := &trial{maxRate: 0.1, min: 100, window: time.Hour, end: func(records, failed int64) { ended = []int64{records, failed} }}
		tr.since.Store(time.Now().UnixNano())
		return tr
	}
	for name, test := range map[string]struct {
		adds [][2]int64
		want []int64
	}{
		"too few":              {[][2]int64{{99, 99}}, nil},
		"all of enough":        {[][2]int64{{99, 99}, {1, 1}}, []int64{100, 100}},
		"exactly the rate":     {[][2]int64{{100, 10}}, nil},
		"more than the rate":   {[][2]int64{{100, 11}}, []int64{100, 11}},
		"none":                 {[][2]int64{{1000, 0}}, nil},
		"only once":            {[][2]int64{{100, 50}, {100, 100}}, []int64{100, 50}},
		"good ones after bad":  {[][2]int64{{50, 50}, {1000, 0}}, nil},
		"bad ones after those": {[][2]int64{{50, 50}, {1000, 0}, {100, 100}}, []int64{1150, 150}},
	} {
		tr := trial()
		for _, a := range test.adds {
			tr.add(a[0], a[1])
		}
		if fmt.Sprint(ended) != fmt.Sprint(test.want) {
			t.Errorf("%s: ended with %v, want %v", name, ended, test.want)
		}
	}
	tr := trial()
	tr.window = 0
	tr.add(1000, 0)
	tr.add(100, 50) // what was good long ago does not count
	if fmt.Sprint(ended) != "[100 50]" {
		t.Errorf("ended with %v", ended)
	}
}

// TestPicks: the share of the keys is what was asked for, whatever partition they are in, and grows only.
func TestPicks(t *testing.T) {
	const keys = 10_000
	seen := map[string]bool{}
	for _, percent := range []uint32{1, 10, 50, 99} {
		r := &rollout{canary: percent * allKeys / 100}
		all, in, of := 0, make([]int, 12), make([]int, 12)
		for i := range keys {
			key := fmt.Sprint("customer-", i)
			partition := partitioner.Hash([]byte(key)) & 0x7fffffff % 12
			of[partition]++
			if r.picks(&record.Record{Key: []byte(key)}) {
				all++
				in[partition]++
				seen[key] = true
			} else if seen[key] {
				t.Fatalf("%s was picked with fewer than %d %%", key, percent)
			}
		}
		p := float64(percent) / 100
		for what, n := range map[int][2]int{-1: {all, keys}, 0: {in[0], of[0]}, 5: {in[5], of[5]}, 11: {in[11], of[11]}} {
			if d := math.Sqrt(float64(n[1]) * p * (1 - p)); math.Abs(float64(n[0])-float64(n[1])*p) > 5*d+1 {
				t.Errorf("%d %%, partition %d: %d of %d", percent, what, n[0], n[1])
			}
		}
	}
	byValue := &rollout{canary: allKeys / 2}
	n := 0
	for i := range keys {
		if byValue.picks(&record.Record{Value: fmt.Append(nil, i)}) {
			n++
		}
	}
	if n < 4750 || n > 5250 {
		t.Errorf("%d of %d records without a key", n, keys)
	}
}

func TestSmallPercentIsNotNone(t *testing.T) {
	b := newBench(t)
	m, err := b.Bind(t.Context(), use(Interceptor, "continue", config.Binding{}))
	if err != nil {
		t.Fatal(err)
	}
	for percent, want := range map[float64]uint32{0.001: 1, 0.29: 29, 7: 700, 100: 10_000} {
		if err := b.Canary(t.Context(), "m", b.ids[1], percent, ""); err != nil {
			t.Fatal(err)
		}
		if got := m.current.Load().canary; got != want {
			t.Errorf("%v %% are %d of 10,000 keys, want %d", percent, got, want)
		}
	}
	m.Close()
	b.end()
}

func TestAllowed(t *testing.T) {
	for _, test := range []struct {
		routes []string
		topic  string
		want   bool
	}{
		{nil, "a", false},
		{[]string{"a"}, "a", true},
		{[]string{"a"}, "ab", false},
		{[]string{"b", "a*"}, "ab", true},
		{[]string{"*.DLT"}, "orders.DLT", true},
		{[]string{"*"}, "", true},
		{[]string{"["}, "[", false},
	} {
		if got := allowed(test.routes, test.topic); got != test.want {
			t.Errorf("routes %q, topic %q: %t", test.routes, test.topic, got)
		}
	}
}
