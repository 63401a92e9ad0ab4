package sdktest

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"unicode/utf16"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sluice/guest-sdk/abi"
)

const now = 1_700_000_000_123 // what now_ms says

// line is a line of a guest's log.
type line struct {
	Level uint32
	Text  string
}

// guest is an instance under a host that does what the contract says and no more.
type guest struct {
	tb       testing.TB
	mod      api.Module
	lines    []line
	failures map[uint32]string
	counters map[string]int64
	arena    uint32 // what sluice_alloc gave, and how much
	size     uint32
}

// newGuest instantiates a module and calls _initialize, if it has that. With stoppable a context can end a call.
func newGuest(tb testing.TB, wasm []byte, stoppable bool) *guest {
	tb.Helper()
	ctx := context.Background()
	config := wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(512).WithCloseOnContextDone(stoppable)
	r := wazero.NewRuntimeWithConfig(ctx, config)
	tb.Cleanup(func() { _ = r.Close(ctx) })
	g := &guest{tb: tb, failures: map[uint32]string{}, counters: map[string]int64{}}
	if _, err := g.imports(r).Instantiate(ctx); err != nil {
		tb.Fatal(err)
	}
	if _, err := r.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(g.abort).Export("abort").Instantiate(ctx); err != nil {
		tb.Fatal(err)
	}
	mod, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		tb.Fatal(err)
	}
	g.mod = mod
	return g
}

func (g *guest) imports(r wazero.Runtime) wazero.HostModuleBuilder {
	return r.NewHostModuleBuilder(abi.Module).
		NewFunctionBuilder().WithFunc(func(_ context.Context, _ api.Module, level, p, n uint32) {
		g.lines = append(g.lines, line{level, string(g.read(p, n))})
	}).Export("log").
		NewFunctionBuilder().WithFunc(func(_ context.Context, _ api.Module, i, p, n uint32) {
		g.failures[i] = string(g.read(p, n))
	}).Export("record_error").
		NewFunctionBuilder().WithFunc(func(_ context.Context, _ api.Module, p, n uint32, delta int64) {
		g.counters[string(g.read(p, n))] += delta
	}).Export("counter_add").
		NewFunctionBuilder().WithFunc(func(context.Context) int64 { return now }).Export("now_ms")
}

// abort gets an AssemblyScript string, which has its length in bytes in front.
func (g *guest) abort(_ context.Context, m api.Module, message, _, _, _ uint32) {
	n, ok := m.Memory().ReadUint32Le(message - 4)
	if !ok {
		return
	}
	p, _ := m.Memory().Read(message, n)
	units := make([]uint16, n/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(p[2*i:])
	}
	g.lines = append(g.lines, line{abi.LevelError, string(utf16.Decode(units))})
}

// read copies from the guest's memory.
func (g *guest) read(p, n uint32) []byte {
	view, ok := g.memory().Read(p, n)
	if !ok {
		panic(fmt.Sprintf("%d bytes at %d: memory ends at %d", n, p, g.memory().Size())) //nolint:forbidigo // wazero makes it a trap
	}
	return append([]byte{}, view...)
}

// memory is g's; while _initialize runs, mod is not set yet, but nothing logs then.
func (g *guest) memory() api.Memory { return g.mod.Memory() }

// place writes what a hook gets into the arena and returns its address; it asks for more room only if it must.
func (g *guest) place(n int, write func(view []byte, base uint32)) uint32 {
	g.tb.Helper()
	if g.arena == 0 || uint32(n) > g.size {
		res, err := g.mod.ExportedFunction(abi.Alloc).Call(context.Background(), uint64(n))
		if err != nil {
			g.tb.Fatal(err)
		}
		g.arena, g.size = uint32(res[0]), uint32(n)
		if g.arena == 0 || g.arena%8 != 0 {
			g.tb.Fatalf("sluice_alloc(%d) = %d", n, g.arena)
		}
	}
	view, ok := g.memory().Read(g.arena, uint32(n))
	if !ok {
		g.tb.Fatalf("sluice_alloc(%d) = %d: memory ends at %d", n, g.arena, g.memory().Size())
	}
	write(view, g.arena)
	return g.arena
}

// call calls a hook with an input that stands at p.
func (g *guest) call(ctx context.Context, hook string, p uint32, n int) (int32, error) {
	res, err := g.mod.ExportedFunction(hook).Call(ctx, uint64(p), uint64(n))
	if err != nil {
		return 0, err
	}
	return int32(res[0]), nil
}

// configure configures the guest, overwrites what it got and returns what it said.
func (g *guest) configure(json string) int32 {
	g.tb.Helper()
	p := g.place(len(json), func(view []byte, _ uint32) { copy(view, json) })
	code, err := g.call(context.Background(), "configure", p, len(json))
	if err != nil {
		g.tb.Fatal(err)
	}
	g.place(len(json), func(view []byte, _ uint32) { clear(view) })
	return code
}

// instantiate is a guest configured with a config table.
func instantiate(tb testing.TB, wasm []byte, config string) *guest {
	tb.Helper()
	g := newGuest(tb, wasm, false)
	if code := g.configure(`{"topic":"orders","module":"m","version":"ab","host":"gw-1","config":` + config + `}`); code != 0 {
		tb.Fatalf("configure = %d, log %v", code, g.lines)
	}
	return g
}
