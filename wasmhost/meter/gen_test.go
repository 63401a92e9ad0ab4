package meter_test

import (
	"encoding/binary"
	"math"
	"slices"
)

// gen makes a random valid module from bytes; the same bytes make the same module. Each of its functions counts the
// instructions it runs in a global of its own, which it does not look at, apart from giving up when they are many. What
// a NaN's bits are is up to the engine, so that every float is made canonical.
type gen struct {
	src    []byte
	wasm   *wasm
	sigs   []string
	fn     int      // the function that is made
	locals string   // types of its parameters and locals, in letters
	busy   []uint32 // locals that count loops and may not be changed
	labels []label  // open blocks, the function first
	depth  int
	size   int // of the code so far, in instructions
}

type label struct {
	types string // what a branch carries
	loop  bool
}

// The globals: one of each type for the program, then the count of instructions and the depth of calls.
const (
	globalTypes = "iIfF"
	globalSteps = 4
	globalDepth = 5

	maxSteps = 200_000
	maxDepth = 12
	maxSize  = 1500 // instructions of a function, about
)

func generate(src []byte) *wasm {
	g := &gen{src: src, wasm: &wasm{memory: code(1, u(1), u(3))}}
	for _, t := range []int{i32, i64, f32, f64, i64, i32} {
		g.wasm.globals = append(g.wasm.globals, zero(t))
	}
	g.wasm.types = []string{"i:i", "iI:Ii", ":iI", "i:"} // of blocks
	g.wasm.tables = [][]byte{code(funcref, 1, u(4), u(9))}
	g.wasm.data = [][]byte{append([]byte{1}, str("passive data, for memory.init")...), slices.Concat([]byte{0}, code(i32Const, s(64), end), str("\x01\x02active"))}
	for range 1 + g.pick(4) {
		g.sigs = append(g.sigs, g.letters(g.pick(4))+":"+g.letters(g.pick(3)))
	}
	g.sigs[0] = g.sigs[0][:slices.Index([]byte(g.sigs[0]), ':')] + ":" + g.letters(1)
	var refs [][]byte
	for i := range g.sigs {
		refs = append(refs, u(i))
	}
	g.wasm.elems = [][]byte{slices.Concat([]byte{0}, code(i32Const, 0, end), vec(refs[:min(4, len(refs))]...))}
	for i := range g.sigs {
		g.function(i)
	}
	return g.wasm
}

func zero(t int) []byte {
	switch t {
	case i32:
		return code(t, 1, i32Const, 0, end)
	case i64:
		return code(t, 1, i64Const, 0, end)
	case f32:
		return code(t, 1, f32Const, make([]byte, 4), end)
	default:
		return code(t, 1, f64Const, make([]byte, 8), end)
	}
}

// pick is a number below n; 0 once the bytes are used up.
func (g *gen) pick(n int) int {
	if len(g.src) == 0 {
		return 0
	}
	b := g.src[0]
	g.src = g.src[1:]
	return int(b) % n
}

func (g *gen) letters(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = globalTypes[g.pick(4)]
	}
	return string(b)
}

func split(sig string) (params, results string) {
	at := slices.Index([]byte(sig), ':')
	return sig[:at], sig[at+1:]
}

func (g *gen) function(i int) {
	params, results := split(g.sigs[i])
	g.fn, g.locals, g.busy, g.size, g.depth = i, params+"iIfFiiI", nil, 0, 0
	g.labels = []label{{types: results}}
	locals := vec(code(1, i32), code(1, i64), code(1, f32), code(1, f64), code(2, i32), code(1, i64))
	body := g.prologue(results)
	for range 1 + g.pick(6) {
		body = append(body, g.statement()...)
	}
	for _, t := range results {
		body = append(body, g.expr(byte(t))...)
	}
	body = append(body, code(globalGet, globalDepth, i32Const, 1, i32Sub, globalSet, globalDepth)...)
	g.wasm.funcs = append(g.wasm.funcs, fn{g.sigs[i], locals, append(body, end)})
}

// prologue returns zeros where calls are nested deeply, and gives up when too much was run.
func (g *gen) prologue(results string) []byte {
	var zeros []byte
	for _, t := range results {
		z := zero(map[rune]int{'i': i32, 'I': i64, 'f': f32, 'F': f64}[t])
		zeros = append(zeros, z[2:len(z)-1]...)
	}
	return code(globalGet, globalDepth, i32Const, s(maxDepth), 0x4a, ifOp, void, zeros, returnOp, end,
		globalGet, globalDepth, i32Const, 1, i32Add, globalSet, globalDepth,
		globalGet, globalSteps, i64Const, s(maxSteps), i64GtU, ifOp, void, unreachable, end, g.count(12))
}

// count adds to the steps, itself included.
func (g *gen) count(instructions int) []byte {
	return code(globalGet, globalSteps, i64Const, s(int64(instructions+4)), i64Add, globalSet, globalSteps)
}

// counted puts the count of its instructions before straight code.
func (g *gen) counted(straight []byte, instructions int) []byte {
	return append(g.count(instructions), straight...)
}

// local is a local of that type; n picks one that may be changed.
func (g *gen) local(t byte, change bool) []byte {
	var all []int
	for i := range g.locals {
		if g.locals[i] == t && (!change || !slices.Contains(g.busy, uint32(i))) {
			all = append(all, i)
		}
	}
	return u(all[g.pick(len(all))])
}

// constant is one of that type.
func (g *gen) constant(t byte) []byte {
	odd := []int64{0, 1, -1, 2, 64, 65535, 65536, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	switch t {
	case 'i':
		return code(i32Const, s(int64(int32(odd[g.pick(len(odd))]+int64(g.pick(3))))))
	case 'I':
		return code(i64Const, s(odd[g.pick(len(odd))]))
	case 'f':
		v := []float32{0, 1, -1.5, 1e30, float32(math.Inf(1)), float32(math.Copysign(0, -1)), 1e-40}[g.pick(7)]
		return code(f32Const, binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	default:
		v := []float64{0, 1, -1.5, 1e300, math.Inf(-1), math.Copysign(0, -1), 5e-324, 4294967296}[g.pick(8)]
		return code(f64Const, binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	}
}

// canonical replaces a NaN on the stack by the canonical one.
func (g *gen) canonical(t byte) []byte {
	if t == 'f' {
		l := u(len(g.locals) - 5)
		return code(localTee, l, f32Const, []byte{0, 0, 0xc0, 0x7f}, localGet, l, localGet, l, 0x5b, selectOp)
	}
	l := u(len(g.locals) - 4)
	return code(localTee, l, f64Const, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, localGet, l, localGet, l, 0x61, selectOp)
}

// op is an instruction that makes one value of others.
type op struct {
	takes string
	gives byte
	code  []byte
}

var ops = func() []op {
	var all []op
	add := func(takes string, gives byte, codes ...byte) {
		for _, c := range codes {
			all = append(all, op{takes, gives, []byte{c}})
		}
	}
	span := func(first, last byte) (b []byte) {
		for c := int(first); c <= int(last); c++ {
			b = append(b, byte(c))
		}
		return b
	}
	add("i", 'i', 0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1)
	add("ii", 'i', append(span(0x46, 0x4f), span(0x6a, 0x78)...)...)
	add("I", 'i', 0x50, 0xa7)
	add("II", 'i', span(0x51, 0x5a)...)
	add("ff", 'i', span(0x5b, 0x60)...)
	add("FF", 'i', span(0x61, 0x66)...)
	add("I", 'I', 0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4)
	add("II", 'I', span(0x7c, 0x8a)...)
	add("i", 'I', 0xac, 0xad)
	add("f", 'f', span(0x8b, 0x91)...)
	add("ff", 'f', span(0x92, 0x97)...)
	add("F", 'F', span(0x99, 0x9f)...)
	add("FF", 'F', span(0xa0, 0xa5)...)
	add("f", 'i', 0xa8, 0xa9)
	add("F", 'i', 0xaa, 0xab)
	add("f", 'I', 0xae, 0xaf)
	add("F", 'I', 0xb0, 0xb1)
	add("i", 'f', 0xb2, 0xb3)
	add("I", 'f', 0xb4, 0xb5)
	add("F", 'f', 0xb6)
	add("i", 'F', 0xb7, 0xb8)
	add("I", 'F', 0xb9, 0xba)
	add("f", 'F', 0xbb)
	add("f", 'i', 0xbc)
	add("F", 'I', 0xbd)
	for c := range byte(8) { // saturating conversions
		all = append(all, op{[]string{"f", "F"}[c>>1&1], "iI"[c>>2], []byte{misc, c}})
	}
	all = append(all, // through SIMD: splat, add, extract
		op{"i", 'i', code(vector, 0x11, vector, u(0xa1), vector, 0x1b, 2)},
		op{"ii", 'i', code(vector, 0x11, vector, 0x0c, make([]byte, 16), vector, u(0xae), vector, 0x1b, 1, i32Add)},
		op{"II", 'I', code(vector, 0x12, vector, 0x0c, repeat(16, 3), vector, u(0xd5), vector, 0x1d, 1, i64Add)},
	)
	return all
}()
