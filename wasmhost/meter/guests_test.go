package meter_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/assemblyscript"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"sluice/wasmhost/meter"
)

// guest is one program in a language, built from testdata/guest.
type guest struct {
	name  string
	needs string // the tool that builds it
	build func(t testing.TB, out string) *exec.Cmd
}

var guests = []guest{
	{"c", "clang", func(_ testing.TB, out string) *exec.Cmd {
		return exec.Command("clang", "--target=wasm32", "-O2", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry", "-o", out, "testdata/guest/guest.c")
	}},
	{"go", "go", func(t testing.TB, out string) *exec.Cmd {
		t.Helper()
		src := t.TempDir()
		code, err := os.ReadFile("testdata/guest/guest.go.txt")
		must(t, err)
		must(t, os.WriteFile(filepath.Join(src, "main.go"), code, 0o600))
		must(t, os.WriteFile(filepath.Join(src, "go.mod"), []byte("module guest\n\ngo 1.26\n"), 0o600))
		cmd := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, ".")
		cmd.Dir = src
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off")
		return cmd
	}},
	{"assemblyscript", asc(), func(_ testing.TB, out string) *exec.Cmd {
		return exec.Command(asc(), "testdata/guest/guest.ts", "-O3", "-o", out)
	}},
}

// asc is AssemblyScript's compiler: the SDK's own (npm ci in guest-sdk/assemblyscript), or what the path has.
func asc() string {
	if own := filepath.FromSlash("../../guest-sdk/assemblyscript/node_modules/.bin/asc"); executable(own) {
		return own
	}
	return "asc"
}

func executable(path string) bool {
	_, err := exec.LookPath(path)
	return err == nil
}

var built sync.Map // name to bytes; building Go takes seconds

// wasm returns the guest's module, as its compiler made it.
func (g guest) wasm(t testing.TB) []byte {
	t.Helper()
	if b, ok := built.Load(g.name); ok {
		return b.([]byte)
	}
	if _, err := exec.LookPath(g.needs); err != nil {
		t.Skipf("needs %s", g.needs)
	}
	out := filepath.Join(t.TempDir(), g.name+".wasm")
	if text, err := g.build(t, out).CombinedOutput(); err != nil {
		t.Fatalf("building the %s guest: %v\n%s", g.name, err, text)
	}
	b, err := os.ReadFile(out)
	must(t, err)
	built.Store(g.name, b)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rewrite(t testing.TB, wasm []byte) []byte {
	t.Helper()
	out, _, err := meter.Rewrite(wasm, meter.DefaultLimits())
	must(t, err)
	return out
}

// host is a runtime with what guests import.
func host(t testing.TB, c wazero.RuntimeConfig) wazero.Runtime {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, c.WithMemoryLimitPages(1024))
	t.Cleanup(func() { _ = r.Close(ctx) })
	_, err := wasi_snapshot_preview1.Instantiate(ctx, r)
	must(t, err)
	_, err = assemblyscript.Instantiate(ctx, r)
	must(t, err)
	return r
}

// instance is a running module; its globals are nil if it is not metered.
type instance struct {
	api.Module
	fuel, budget api.MutableGlobal
}

func start(t testing.TB, r wazero.Runtime, wasm []byte) *instance {
	t.Helper()
	c, err := r.CompileModule(context.Background(), wasm)
	must(t, err)
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return instantiate(t, r, c)
}

func instantiate(t testing.TB, r wazero.Runtime, c wazero.CompiledModule) *instance {
	t.Helper()
	ctx := context.Background()
	m, err := r.InstantiateModule(ctx, c, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	must(t, err)
	t.Cleanup(func() { _ = m.Close(ctx) })
	i := &instance{Module: m}
	i.fuel, _ = m.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	i.budget, _ = m.ExportedGlobal(meter.BudgetExport).(api.MutableGlobal)
	i.give(1 << 40)
	if f := m.ExportedFunction("_initialize"); f != nil {
		_, err := f.Call(ctx)
		must(t, err)
	}
	return i
}

// give sets what the next call may use.
func (i *instance) give(units int64) {
	if i.fuel != nil {
		slice := min(units, meter.Slice)
		i.fuel.Set(uint64(slice))
		i.budget.Set(uint64(units - slice))
	}
}

// left is what the calls since give did not use.
func (i *instance) left() int64 { return int64(i.fuel.Get()) + int64(i.budget.Get()) }

func (i *instance) call(t testing.TB, name string, args ...uint64) uint64 {
	t.Helper()
	got, err := i.ExportedFunction(name).Call(context.Background(), args...)
	must(t, err)
	if len(got) == 0 {
		return 0
	}
	return got[0]
}

const sample = `{"order": 4711, "customer": {"name": "Lindqvist, \"Åsa\"", "since": 2019}, "lines": [{"sku": "A-1", "n": 2}, {"sku": "B-7", "n": 1}], "note": null}`

// fill puts sample and then bytes that follow from their places into the arena.
func (i *instance) fill(t testing.TB) uint64 {
	t.Helper()
	at := i.call(t, "arena")
	b, ok := i.Memory().Read(uint32(at), 1<<16)
	if !ok {
		t.Fatal("the arena is not in memory")
	}
	for j := copy(b, sample); j < len(b); j++ {
		b[j] = byte(j * 31)
	}
	return at
}

// A metered guest returns what it returns unmetered, and its charges are the same each time.
func TestGuestsBehaveTheSame(t *testing.T) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			wasm := g.wasm(t)
			r := host(t, wazero.NewRuntimeConfigCompiler())
			plain, metered, again := start(t, r, wasm), start(t, r, rewrite(t, wasm)), start(t, r, rewrite(t, wasm))
			at := plain.fill(t)
			metered.fill(t)
			again.fill(t)
			for _, c := range []struct {
				name string
				args []uint64
			}{
				{"murmur2", []uint64{at, 0}},
				{"murmur2", []uint64{at, 16}},
				{"murmur2", []uint64{at + 3, 1023}},
				{"batch", []uint64{at, 16, 100}},
				{"fields", []uint64{at, uint64(len(sample))}},
				{"fib", []uint64{20}},
				{"sieve", []uint64{20_000}},
			} {
				want := plain.call(t, c.name, c.args...)
				metered.give(1 << 40)
				again.give(1 << 40)
				if got := metered.call(t, c.name, c.args...); got != want {
					t.Errorf("%s%v = %d metered, %d unmetered", c.name, c.args, got, want)
				}
				again.call(t, c.name, c.args...)
				if metered.left() != again.left() || metered.left() >= 1<<40 {
					t.Errorf("%s%v used %d units, then %d", c.name, c.args, 1<<40-metered.left(), 1<<40-again.left())
				}
				t.Logf("%s%v = %d for %d units", c.name, c.args, want, 1<<40-metered.left())
			}
		})
	}
}

func TestInspectGuests(t *testing.T) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			wasm := g.wasm(t)
			info, problems := meter.Inspect(wasm, meter.DefaultLimits())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var murmur2 string
			for _, e := range info.Exports {
				if e.Name == "murmur2" {
					murmur2 = e.Type.String()
				}
			}
			if murmur2 != "(i32, i32) -> i32" {
				t.Errorf("murmur2 is %q", murmur2)
			}
			if !info.HasMemory || info.Size != len(wasm) || info.MemoryMaxPages != 1024 {
				t.Errorf("info = %+v", info)
			}
			imports, exports := len(info.Imports), len(info.Exports)
			info.Imports, info.Exports = nil, nil
			out := rewrite(t, wasm)
			t.Logf("%d imports, %d exports, %s, %d bytes metered: %+v", imports, exports, strings.Join(info.Languages(), " "), len(out), *info)
		})
	}
}
