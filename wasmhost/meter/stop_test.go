package meter_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"sluice/wasmhost/meter"
)

var (
	pages  = code(0, u(1)) // one page, no maximum
	table4 = code(funcref, 0, u(4))
)

// withMemory is one function "f" beside a memory of one page.
func withMemory(typ string, locals []byte, parts ...any) *wasm {
	return &wasm{memory: pages, funcs: []fn{{typ, locals, code(parts...)}}}
}

// hostile runs for ever, or nearly so.
func hostile() map[string]*wasm {
	i32Locals := func(n int) []byte { return vec(code(u(n), i32)) }
	all := map[string]*wasm{
		"loop":                 withMemory(":", nil, loop, void, br, 0, end, end),
		"loop without memory":  {funcs: []fn{{":", nil, code(loop, void, br, 0, end, end)}}},
		"loop of br_if":        withMemory(":", nil, loop, void, i32Const, 1, brIf, 0, end, end),
		"loop in a block":      withMemory(":", nil, loop, void, block, void, i32Const, 1, brIf, 1, end, br, 0, end, end),
		"loop in loops":        withMemory(":", nil, loop, void, loop, void, loop, void, br, 1, end, end, br, 0, end, end),
		"outer loop only":      withMemory(":", nil, loop, void, loop, void, br, 1, end, end, end),
		"br_table back":        withMemory(":", nil, loop, void, i32Const, 7, brTable, vec(u(0), u(0)), 0, end, end),
		"br_table out and in":  withMemory(":", nil, loop, void, block, void, block, void, i32Const, 1, brTable, vec(u(0), u(1)), 1, end, end, br, 0, end, end),
		"loop in if":           withMemory(":", nil, i32Const, 1, ifOp, void, elseOp, end, loop, void, i32Const, 1, ifOp, void, br, 1, end, end, end),
		"loop with parameters": {types: []string{"i:i"}, memory: pages, funcs: []fn{{":i", nil, code(i32Const, 1, loop, 0, i32Const, 1, i32Add, br, 0, end, end)}}},
		"loop with results":    withMemory(":ii", nil, loop, void, br, 0, end, unreachable, end),
		"loop after dead code": withMemory(":", nil, block, void, br, 0, loop, void, br, 0, end, end, loop, void, br, 0, end, end),
		"call itself":          withMemory(":", nil, call, 0, end),
		"call itself late":     withMemory(":", i32Locals(1), call, 0, call, 0, end),
		"fib(60)":              withMemory("i:i", nil, localGet, 0, i32Const, 2, i32LtU, ifOp, i32, localGet, 0, elseOp, localGet, 0, i32Const, 1, i32Sub, call, 0, localGet, 0, i32Const, 2, i32Sub, call, 0, i32Add, end, end),
		"huge frames":          withMemory("i:i", i32Locals(5000), localGet, 0, i32Const, 1, i32Add, call, 0, localTee, u(4999), localGet, u(77), i32Add, end),
		"mutual recursion": {memory: pages, funcs: []fn{
			{":", nil, code(call, 1, call, 1, end)}, {":", nil, code(call, 0, call, 0, end)},
		}},
		"call_indirect itself": {
			memory: pages, tables: [][]byte{code(funcref, 0, u(1))}, elems: [][]byte{slices.Concat([]byte{0}, code(i32Const, 0, end), vec(u(0)))},
			funcs: []fn{{":", nil, code(i32Const, 0, callIndirect, 0, 0, end)}},
		},
		"memory.fill": withMemory(":", nil, loop, void, i32Const, 0, i32Const, 1, i32Const, s(65536), misc, 11, 0, br, 0, end, end),
		"memory.fill of 16 MiB": {memory: code(0, u(256)), funcs: []fn{{":", nil, code(
			loop, void, i32Const, 0, i32Const, 1, i32Const, s(16<<20), misc, 11, 0, br, 0, end, end)}}},
		"memory.copy of 16 MiB": {memory: code(0, u(512)), funcs: []fn{{":", nil, code(
			loop, void, i32Const, 0, i32Const, s(16<<20), i32Const, s(16<<20), misc, 10, 0, 0, br, 0, end, end)}}},
		"memory.fill without loop": {memory: code(0, u(256)), funcs: []fn{{":", nil, code(
			repeat(500, i32Const, 0, i32Const, 1, i32Const, s(16<<20), misc, 11, 0), end)}}},
		"memory.grow by none": withMemory(":", nil, loop, void, i32Const, 0, memoryGrow, 0, drop, br, 0, end, end),
		"memory.grow by one":  withMemory(":", nil, loop, void, i32Const, 1, memoryGrow, 0, drop, br, 0, end, end),
		"memory.grow by all":  withMemory(":", nil, loop, void, i32Const, s(-1), memoryGrow, 0, drop, br, 0, end, end),
		"memory.init": {memory: pages, data: [][]byte{append([]byte{1}, str(strings.Repeat("x", 60_000))...)}, funcs: []fn{{":", nil, code(
			loop, void, i32Const, 0, i32Const, 0, i32Const, s(60_000), misc, 8, 0, 0, br, 0, end, end)}}},
		"table.grow by none": {memory: pages, tables: [][]byte{table4}, funcs: []fn{{":", nil, code(
			loop, void, refNull, funcref, i32Const, 0, misc, 15, 0, drop, br, 0, end, end)}}},
		"table.grow by one": {memory: pages, tables: [][]byte{table4}, funcs: []fn{{":", nil, code(
			loop, void, refNull, funcref, i32Const, 1, misc, 15, 0, drop, br, 0, end, end)}}},
		"table.fill": {memory: pages, tables: [][]byte{code(funcref, 0, u(65536))}, funcs: []fn{{":", nil, code(
			loop, void, i32Const, 0, refNull, funcref, i32Const, s(65536), misc, 17, 0, br, 0, end, end)}}},
		"table.copy": {memory: pages, tables: [][]byte{code(funcref, 0, u(65536))}, funcs: []fn{{":", nil, code(
			loop, void, i32Const, 0, i32Const, 1, i32Const, s(65535), misc, 14, 0, 0, br, 0, end, end)}}},
		"ref.func": {memory: pages, elems: [][]byte{code(3, 0, vec(u(0)))}, funcs: []fn{{":", nil, code(
			loop, void, refFunc, 0, drop, br, 0, end, end)}}},
		"call of the host": {imports: []string{":"}, memory: pages, funcs: []fn{{":", nil, code(loop, void, call, 0, br, 0, end, end)}}},
		"division":         withMemory("I:I", nil, loop, void, repeat(100, i64Const, s(-1), localGet, 0, i64DivU, localSet, 0), br, 0, end, localGet, 0, end),
		"square roots":     withMemory("F:F", nil, loop, void, localGet, 0, repeat(100, f64Sqrt), localSet, 0, br, 0, end, localGet, 0, end),
		"loads":            withMemory("i:i", nil, loop, void, repeat(100, localGet, 0, i32Load, 2, 0, localSet, 0), br, 0, end, localGet, 0, end),
		"vector roots":     withMemory(":", vec(code(u(1), v128)), loop, void, localGet, 0, repeat(50, vector, u(0xef)), localSet, 0, br, 0, end, end),
		"nops":             withMemory(":", nil, loop, void, repeat(1000, nop), br, 0, end, end),
		"straight calls":   {memory: pages, funcs: []fn{{":", nil, code(repeat(4000, call, 1), end)}, {":", nil, code(repeat(4000, call, 2), end)}, {":", nil, code(end)}}},
	}
	all["many loops"] = withMemory(":", nil, repeat(65, loop, void), repeat(64, br, 0, end), br, 0, end, end)
	doubling := &wasm{memory: pages}
	for i := range 40 {
		doubling.funcs = append(doubling.funcs, fn{":", nil, code(call, u(i+1), call, u(i+1), end)})
	}
	doubling.funcs = append(doubling.funcs, fn{":", nil, code(end)})
	all["doubling calls"] = doubling
	return all
}

// Whatever a guest does, it stops when its fuel is used up, soon after, and says so.
func TestStops(t *testing.T) {
	const fuel = 20_000_000
	all := hostile()
	r := host(t, wazero.NewRuntimeConfigCompiler())
	_, err := r.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(func() {}).Export("h0").Instantiate(context.Background())
	must(t, err)
	for _, name := range slices.Sorted(mapKeys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Log(name)
			i := start(t, r, rewrite(t, all[name].bytes()))
			f := i.ExportedFunction("f")
			var args []uint64
			for range f.Definition().ParamTypes() {
				args = append(args, 60)
			}
			i.give(fuel)
			begin := time.Now()
			_, err := f.Call(context.Background(), args...)
			took := time.Since(begin)
			overflow := err != nil && strings.Contains(err.Error(), "stack overflow")
			if err == nil || !overflow && (!strings.Contains(err.Error(), "unreachable") || i.left() >= 0) {
				t.Fatalf("after %v: %v, %d units left", took, err, i.left())
			}
			used := fuel - i.left()
			t.Logf("%6.2f ns a unit, %d units, stack overflow: %v", took.Seconds()*1e9/float64(used), used, overflow)
			if took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// The start function runs when the module is instantiated, on the fuel that the globals begin with.
func TestStartStops(t *testing.T) {
	w := withMemory(":", nil, loop, void, br, 0, end, end)
	w.start = 1
	for _, fuel := range []int64{0, 1000, meter.Slice, 5_000_000} {
		t.Run(fmt.Sprint(fuel), func(t *testing.T) {
			l := meter.DefaultLimits()
			l.InitFuel = fuel
			out, info, err := meter.Rewrite(w.bytes(), l)
			must(t, err)
			if !info.HasStart {
				t.Error("the start function is not noticed")
			}
			r := host(t, wazero.NewRuntimeConfigCompiler())
			_, err = r.Instantiate(context.Background(), out)
			if err == nil || !strings.Contains(err.Error(), "unreachable") {
				t.Errorf("instantiating: %v", err)
			}
		})
	}
}

// A budget below zero stops a guest at its next slice, however much it had.
func TestStopFromOutside(t *testing.T) {
	r := host(t, wazero.NewRuntimeConfigCompiler())
	i := start(t, r, rewrite(t, hostile()["loop"].bytes()))
	for _, budget := range []int64{-1, -1 << 62} {
		i.fuel.Set(meter.Slice)
		i.budget.Set(uint64(budget))
		_, err := i.ExportedFunction("f").Call(context.Background())
		if err == nil || i.left() >= 0 {
			t.Errorf("a budget of %d: %v, %d units left", budget, err, i.left())
		}
	}
}

// The host's own charges, which it takes from the fuel during a call, are noticed when it returns.
func TestHostCharges(t *testing.T) {
	r := host(t, wazero.NewRuntimeConfigCompiler())
	var i *instance
	_, err := r.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(func() {
		i.fuel.Set(i.fuel.Get() - 1_000_000)
	}).Export("h0").Instantiate(context.Background())
	must(t, err)
	for _, calls := range []int{4, 5} {
		w := &wasm{imports: []string{":"}, memory: pages, funcs: []fn{{":", nil, code(repeat(calls, call, 0), end)}}}
		i = start(t, r, rewrite(t, w.bytes()))
		i.give(4_500_000)
		_, err := i.ExportedFunction("f").Call(context.Background())
		if failed := err != nil; failed != (calls == 5) {
			t.Errorf("%d calls for 1,000,000 units each of 4,500,000: %v", calls, err)
		}
	}
}
