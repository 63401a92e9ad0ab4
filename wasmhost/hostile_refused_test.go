package wasmhost

import (
	"bytes"
	"encoding/binary"
	"strings"
)

func refusals() []hostile {
	const fine = `(memory (export "memory") 1) (func (export "sluice_abi_v1")) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0)) `
	const send = `(func (export "on_send") (param i32 i32) (result i32) (i32.const 0)) `
	mod := func(more string) string { return "(module " + more + ")" }
	return []hostile{
		{name: "unknown import", wat: mod(`(import "env" "system" (func (param i32)))` + fine + send), refused: "env.system"},
		{name: "import of files", wat: mod(`(import "wasi_snapshot_preview1" "path_open" (func (param i32)))` + fine + send), refused: "path_open is imported as"},
		{name: "import of another guest", wat: mod(`(import "guest" "on_send" (func (param i32 i32) (result i32)))` + fine + send), refused: "guest.on_send"},
		{name: "imported memory", wat: mod(`(import "env" "memory" (memory 1)) (func (export "sluice_abi_v1")) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0)) ` + send), refused: "memory"},
		{name: "imported table", wat: mod(`(import "env" "t" (table 1 funcref))` + fine + send), refused: "env.t"},
		{name: "imported global", wat: mod(`(import "env" "g" (global i32))` + fine + send), refused: "env.g"},
		{name: "import with another type", wat: mod(`(import "sluice_v1" "log" (func (param i64)))` + fine + send), refused: "sluice_v1.log is imported as"},
		{name: "no marker", wat: mod(`(memory (export "memory") 1) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0))` + send), refused: "sluice_abi_v1"},
		{name: "no alloc", wat: mod(`(memory (export "memory") 1) (func (export "sluice_abi_v1"))` + send), refused: "sluice_alloc"},
		{name: "no memory", wat: mod(`(func (export "sluice_abi_v1")) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0))` + send), refused: "memory"},
		{name: "nothing to call", wat: mod(fine), refused: "none of partition, on_send and on_ack"},
		{name: "hook with another type", wat: mod(fine + `(func (export "on_send") (param i32) (result i64) (i64.const 0))`), refused: "on_send is exported as"},
		{name: "hook that is a global", wat: mod(fine + `(global (export "on_send") i32 (i32.const 0))`), refused: "on_send"},
		{name: "command", wat: mod(fine + send + `(func (export "_start"))`), refused: "-buildmode=c-shared"},
		{name: "the host's names", wat: mod(fine + send + `(global (export "__sluice_fuel") (mut i64) (i64.const 0))`), refused: "__sluice_fuel"},
		{name: "memory of 4 GiB", wat: mod(`(memory (export "memory") 65536) (func (export "sluice_abi_v1")) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0))` + send), refused: "wasm.memory.max.bytes"},
		{name: "two memories", wat: mod(fine + send + `(memory 1)`), refused: "memor"},
		{name: "64-bit memory", wat: mod(`(memory (export "memory") i64 1) (func (export "sluice_abi_v1")) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0))` + send), refused: "memory64"},
		{name: "shared memory", wat: mod(`(memory (export "memory") 1 1 shared) (func (export "sluice_abi_v1")) (func (export "sluice_alloc") (param i32) (result i32) (i32.const 0))` + send), refused: "threads"},
		{name: "table of 2^27", wat: mod(fine + send + `(table 134217728 funcref)`), refused: "wasm.table.max.elements"},
		{name: "two tables of 2^16", wat: mod(fine + send + `(table 65536 funcref) (table 65536 funcref)`), refused: "table"},
		{name: "17 tables", wat: mod(fine + send + strings.Repeat("(table 1 funcref)", 17)), refused: "wasm.tables.max"},
		{name: "16 tables of 2^16", wat: mod(fine + send + strings.Repeat("(table 65536 externref)", 16)), refused: "wasm.table.max.elements"},
		{name: "10,001 element segments", wat: mod(fine + send + "(table 1 funcref)" + strings.Repeat("(elem)", 10_001)), refused: "wasm.element.segments.max"},
		{name: "6,000 locals", wat: mod(fine + send + `(func (local` + strings.Repeat(" i32", 6000) + `))`), refused: "wasm.function.max.locals"},
		{name: "1,500 globals", wat: mod(fine + send + strings.Repeat("(global i32 (i32.const 0))", 1500)), refused: "wasm.globals.max"},
		{name: "tail call", wat: mod(fine + send + `(func $t (return_call $t))`), refused: "tail"},
		{name: "atomics", wat: mod(fine + send + `(func (drop (i32.atomic.load (i32.const 0))))`), refused: "threads"},
		{name: "exceptions", wat: mod(fine + send + `(tag $e) (func (throw $e))`), refused: "exception"},
		{name: "wrong types", wat: mod(fine + send + `(func (result i32) (i64.const 0))`), refused: "type"},
		{name: "call beyond", wat: mod(fine + send + `(func (call 99))`), refused: "99"},
		{name: "global beyond", wat: mod(fine + send + `(func (drop (global.get 0)))`), refused: "global"},
		{name: "local beyond", wat: mod(fine + send + `(func (drop (local.get 7)))`), refused: "local"},
		{name: "branch beyond", wat: mod(fine + send + `(func (br 9))`), refused: "9"},
	}
}

// binaries are uploads that are no modules, or claim what they do not have.
func binaries() []hostile {
	magic := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, body ...byte) []byte {
		return append(append(bytes.Clone(magic), id, byte(len(body))), body...)
	}
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}         // 2^32-1
	many := func(id byte, n int, entry ...byte) []byte { // a section of n entries
		body := append(binary.AppendUvarint(nil, uint64(n)), bytes.Repeat(entry, n)...)
		return append(binary.AppendUvarint(append(bytes.Clone(magic), id), uint64(len(body))), body...)
	}
	code := func(body ...byte) []byte {
		b := append(section(1, 1, 0x60, 0, 0), 3, 2, 1, 0)
		return append(append(b, 10, byte(len(body)+2), 1, byte(len(body))), body...)
	}
	raw := map[string][]byte{
		"nothing": {}, "a byte": {0}, "magic only": magic[:4], "text": []byte(`(module)`), "gzip": {0x1f, 0x8b, 8, 0, 0, 0, 0, 0},
		"ELF": []byte("\x7fELF\x02\x01\x01"), "zip": []byte("PK\x03\x04"), "JSON": []byte(`{"a":1}`), "version 2": []byte("\x00asm\x02\x00\x00\x00"),
		"component": []byte("\x00asm\x0d\x00\x01\x00"), "empty module": magic,
		"section beyond the end":            append(bytes.Clone(magic), 1, 100),
		"section of 4 GiB":                  append(append(bytes.Clone(magic), 1), huge...),
		"unknown section":                   section(99, 0),
		"sections out of order":             append(section(3, 0), 1, 1, 0),
		"section twice":                     append(section(1, 0), 1, 1, 0),
		"100,001 types":                     many(1, 100_001, 0x60, 0, 0),
		"100,001 functions":                 append(section(1, 1, 0x60, 0, 0), many(3, 100_001, 0)[8:]...),
		"200,001 data segments":             many(11, 200_001, 1, 0),
		"2^32-1 types":                      section(1, huge...),
		"2^32-1 functions":                  section(3, huge...),
		"2^32-1 imports":                    section(2, huge...),
		"2^32-1 data segments":              section(11, huge...),
		"number that does not end":          section(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80),
		"number beyond 32 bits":             section(1, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"functions without code":            append(section(1, 1, 0x60, 0, 0), 3, 2, 1, 0),
		"2^32-1 locals":                     code(append(append([]byte{1}, huge...), 0x7f, 0x0b)...),
		"2^32-1 locals twice":               code(append(append(append(append([]byte{2}, huge...), 0x7f), huge...), 0x7e, 0x0b)...),
		"2^32-1 groups of locals":           code(append(huge, 0x0b)...),
		"code without end":                  code(0, 0x41, 0),
		"code behind its end":               code(0, 0x0b, 0x0b),
		"unknown instruction":               code(0, 0xf7, 0x0b),
		"br_table of 2^32-1":                code(append(append([]byte{0, 0x41, 0, 0x0e}, huge...), 0, 0x0b)...),
		"name of 4 GiB in an import":        section(2, append([]byte{1}, huge...)...),
		"custom section with a name beyond": section(0, 50, 'x'),
		"data segment of 4 GiB":             append(section(5, 1, 0, 1), append([]byte{11, 10, 1, 0, 0x41, 0, 0x0b}, huge...)...),
	}
	var all []hostile
	for name, b := range raw {
		all = append(all, hostile{name: name, raw: b, refused: "?"})
	}
	return all
}
