package meter_test

import (
	"fmt"
	"slices"
)

// Opcodes and types that the tests write modules with.
const (
	i32       = 0x7f
	i64       = 0x7e
	f32       = 0x7d
	f64       = 0x7c
	v128      = 0x7b
	funcref   = 0x70
	externref = 0x6f
	void      = 0x40

	unreachable  = 0x00
	nop          = 0x01
	block        = 0x02
	loop         = 0x03
	ifOp         = 0x04
	elseOp       = 0x05
	end          = 0x0b
	br           = 0x0c
	brIf         = 0x0d
	brTable      = 0x0e
	returnOp     = 0x0f
	call         = 0x10
	callIndirect = 0x11
	drop         = 0x1a
	selectOp     = 0x1b
	localGet     = 0x20
	localSet     = 0x21
	localTee     = 0x22
	globalGet    = 0x23
	globalSet    = 0x24
	tableGet     = 0x25
	tableSet     = 0x26
	i32Load      = 0x28
	i64Load      = 0x29
	i32Store     = 0x36
	memorySize   = 0x3f
	memoryGrow   = 0x40
	i32Const     = 0x41
	i64Const     = 0x42
	f32Const     = 0x43
	f64Const     = 0x44
	i32Eqz       = 0x45
	i32LtS       = 0x48
	i32LtU       = 0x49
	i64GtU       = 0x56
	i32Add       = 0x6a
	i32Sub       = 0x6b
	i32And       = 0x71
	i32RemU      = 0x70
	i64Add       = 0x7c
	i64Mul       = 0x7e
	f64Sqrt      = 0x9f
	i64DivU      = 0x80
	i32WrapI64   = 0xa7
	refNull      = 0xd0
	refFunc      = 0xd2
	misc         = 0xfc
	vector       = 0xfd
)

// u is the unsigned LEB128 of v.
func u(v int) []byte {
	var b []byte
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// s is the signed LEB128 of v.
func s(v int64) []byte {
	var b []byte
	for ; v < -64 || v > 63; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v)&0x7f)
}

// code joins opcodes (int) and what follows them ([]byte).
func code(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = append(b, byte(p))
		case []byte:
			b = append(b, p...)
		default:
			panic(fmt.Sprintf("a %T in code", p)) //nolint:forbidigo // a test that is written wrongly
		}
	}
	return b
}

func repeat(n int, parts ...any) []byte { return slices.Repeat(code(parts...), n) }

func str(text string) []byte { return append(u(len(text)), text...) }

// vec is a vector of entries.
func vec(entries ...[]byte) []byte { return append(u(len(entries)), slices.Concat(entries...)...) }

func sec(id byte, content ...[]byte) []byte {
	all := slices.Concat(content...)
	return slices.Concat([]byte{id}, u(len(all)), all)
}

func bin(sections ...[]byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"), slices.Concat(sections...)...)
}

// types is a function type in letters: "iI:f" takes an i32 and an i64 and returns an f32.
func types(letters string) []byte {
	kinds := map[rune]byte{'i': i32, 'I': i64, 'f': f32, 'F': f64, 'v': v128, 'r': funcref, 'e': externref}
	lists := [2][]byte{}
	at := 0
	for _, l := range letters {
		if l == ':' {
			at++
			continue
		}
		lists[at] = append(lists[at], kinds[l])
	}
	return slices.Concat([]byte{0x60}, u(len(lists[0])), lists[0], u(len(lists[1])), lists[1])
}

// wasm is a module in parts. Its functions are exported as f0, f1, ...; f0 also as f.
type wasm struct {
	types   []string // beyond those of the functions
	imports []string // types of functions from "host"
	funcs   []fn
	tables  [][]byte
	memory  []byte // its limits
	globals [][]byte
	elems   [][]byte
	data    [][]byte
	start   int // a function's index plus 1
}

type fn struct {
	typ    string
	locals []byte // groups: a vector
	body   []byte // with its end
}

// withTypes lists the types in order: those asked for, then the functions'.
func (w *wasm) withTypes() []string {
	all := slices.Clone(w.types)
	for _, t := range w.imports {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	for _, f := range w.funcs {
		if !slices.Contains(all, f.typ) {
			all = append(all, f.typ)
		}
	}
	return all
}

func (w *wasm) bytes() []byte {
	all := w.withTypes()
	var ts, imports, funcs, exports, bodies [][]byte
	for _, t := range all {
		ts = append(ts, types(t))
	}
	for i, t := range w.imports {
		imports = append(imports, slices.Concat(str("host"), str(fmt.Sprintf("h%d", i)), []byte{0}, u(slices.Index(all, t))))
	}
	for i, f := range w.funcs {
		funcs = append(funcs, u(slices.Index(all, f.typ)))
		exports = append(exports, slices.Concat(str(fmt.Sprintf("f%d", i)), []byte{0}, u(i+len(imports))))
		locals := f.locals
		if locals == nil {
			locals = vec()
		}
		bodies = append(bodies, append(u(len(locals)+len(f.body)), append(slices.Clone(locals), f.body...)...))
	}
	if len(funcs) > 0 {
		exports = append(exports, slices.Concat(str("f"), []byte{0}, u(len(imports))))
	}
	sections := [][]byte{sec(1, vec(ts...)), sec(2, vec(imports...)), sec(3, vec(funcs...)), sec(4, vec(w.tables...))}
	if w.memory != nil {
		sections = append(sections, sec(5, vec(w.memory)))
		exports = append(exports, append(str("memory"), 2, 0))
	}
	for i := range w.globals {
		exports = append(exports, slices.Concat(str(fmt.Sprintf("g%d", i)), []byte{3}, u(i)))
	}
	sections = append(sections, sec(6, vec(w.globals...)), sec(7, vec(exports...)))
	if w.start > 0 {
		sections = append(sections, sec(8, u(w.start-1)))
	}
	sections = append(sections, sec(9, vec(w.elems...)), sec(12, u(len(w.data))), sec(10, vec(bodies...)), sec(11, vec(w.data...)))
	return bin(sections...)
}
