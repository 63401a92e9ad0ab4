package meter_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/wasmhost/meter"
)

// swollen is code of which metering would make many times as much.
func swollen() map[string][]byte {
	const n = 60_000
	return map[string][]byte{
		"calls of the host": code(repeat(n, call, 0), end),
		"empty loops":       code(repeat(n, loop, void, end), end),
		"loops of calls":    code(repeat(n, loop, void, call, 0, end), end),
		"short arms":        code(repeat(n, i32Const, 1, ifOp, void, call, 1, elseOp, call, 1, end), end),
		"memory.grow":       code(i32Const, 0, repeat(n, memoryGrow, 0), drop, end),
		"table.grow":        code(repeat(n, refNull, funcref, i32Const, 0, misc, 15, 0, drop), end),
	}
}

func oneFunction(body []byte) []byte {
	w := wasm{imports: []string{":"}, memory: pages, tables: [][]byte{table4}, funcs: []fn{{":", nil, body}}}
	return w.bytes()
}

// Code of which metering would make too much is refused, by whoever looks at it, and before it takes the memory.
func TestGrowthIsBounded(t *testing.T) {
	for name, body := range swollen() {
		t.Run(name, func(t *testing.T) {
			l := meter.DefaultLimits()
			module := oneFunction(body)
			info, problems := meter.Inspect(module, l)
			if len(problems) != 1 || problems[0].Rule != meter.RuleLimit || !strings.Contains(problems[0].Message, "wasm.code.growth.max = 3 allows") {
				t.Fatalf("problems %v", problems)
			}
			if out, _, err := meter.Rewrite(module, l); out != nil || err == nil {
				t.Errorf("%d bytes of it were rewritten, error %v", len(out), err)
			}
			l.CodeGrowth = info.MeteredBytes/info.CodeBytes + 1
			out, again, err := meter.Rewrite(module, l)
			must(t, err)
			if again.MeteredBytes != info.MeteredBytes || len(out) < again.MeteredBytes {
				t.Errorf("%d bytes are announced, then %d, and all of the module is %d", info.MeteredBytes, again.MeteredBytes, len(out))
			}
		})
	}
}

// The bound is on all functions together, and does not touch what compilers make or what is small.
func TestGrowthOfManyFunctions(t *testing.T) {
	w := wasm{imports: []string{":"}, memory: pages}
	for range 3000 {
		w.funcs = append(w.funcs, fn{":", nil, code(repeat(20, call, 0), end)})
	}
	_, problems := meter.Inspect(w.bytes(), meter.DefaultLimits())
	if len(problems) != 1 || !strings.Contains(problems[0].String(), "code.growth.max") {
		t.Errorf("many small functions: %v", problems)
	}
	w.funcs = w.funcs[:100]
	if _, problems := meter.Inspect(w.bytes(), meter.DefaultLimits()); len(problems) > 0 {
		t.Errorf("a few small functions: %v", problems)
	}
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			info, problems := meter.Inspect(g.wasm(t), meter.DefaultLimits())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if growth := float64(info.MeteredBytes) / float64(info.CodeBytes); growth > 2.5 {
				t.Errorf("%s grows %.2f-fold, which is near the limit", g.name, growth)
			} else {
				t.Logf("%.2f-fold", growth)
			}
		})
	}
}

// What all tables have at the start is bounded together.
func TestTableElementsAreBounded(t *testing.T) {
	const limit = 1000
	for _, c := range []struct {
		limit  uint32
		tables []int
		want   string
	}{
		{limit, []int{1000}, ""},
		{limit, []int{1001}, "elements of a table: 1001, more than wasm.table.max.elements = 1000 allows"},
		{limit, []int{500, 0, 500}, ""},
		{limit, []int{500, 1, 500}, "elements of all tables: 1001, more than wasm.table.max.elements = 1000 allows"},
		{limit, []int{1, 1, 1, 998}, "elements of all tables: 1001"},
		{1<<32 - 1, []int{1<<32 - 1, 1}, "elements of all tables: 4294967296"},
	} {
		t.Run(fmt.Sprint(c.limit, c.tables), func(t *testing.T) {
			w := wasm{memory: pages, funcs: []fn{{":", nil, code(end)}}}
			for _, n := range c.tables {
				w.tables = append(w.tables, code(funcref, 0, u(n)))
			}
			l := meter.DefaultLimits()
			l.TableElements = c.limit
			info, problems := meter.Inspect(w.bytes(), l)
			switch {
			case c.want == "" && len(problems) > 0:
				t.Error(problems)
			case c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, c.want)):
				t.Errorf("%v, want %q", problems, c.want)
			}
			if info.TableElements > c.limit {
				t.Errorf("info has %d elements", info.TableElements)
			}
		})
	}
}
