package wasmhost

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"sluice/guest-sdk/abi"
)

// wasiImports are the functions of WASI that head does not import.
var wasiImports = map[string]string{
	"clock_res_get": "ii", "fd_read": "iiii", "fd_close": "i", "fd_fdstat_get": "ii", "fd_prestat_get": "ii", "fd_seek": "iIii",
	"fd_prestat_dir_name": "iii", "sched_yield": "", "args_sizes_get": "ii", "args_get": "ii", "environ_sizes_get": "ii",
}

// wasiHead is head with more of WASI.
func wasiHead(more map[string]string) string {
	var imports strings.Builder
	for _, name := range slices.Sorted(maps.Keys(more)) {
		params := strings.NewReplacer("i", " i32", "I", " i64").Replace(more[name])
		fmt.Fprintf(&imports, " (import \"wasi_snapshot_preview1\" %q (func $%s (param%s) (result i32)))\n", name, name, params)
	}
	return strings.Replace(head, " (memory", imports.String()+" (memory", 1) + alloc
}

// answers calls WASI functions and returns what they returned, followed by size bytes that they wrote to 8192.
func answers(t *testing.T, more map[string]string, size int, calls ...string) (rc []uint32, out []byte) {
	t.Helper()
	body := ""
	for i, c := range calls {
		body += fmt.Sprintf("(i32.store (i32.const %d) %s)\n", 4096+4*i, c)
	}
	// The results lie before what was written, so that one value has both.
	body += fmt.Sprintf("(memory.copy (i32.const %d) (i32.const 8192) (i32.const %d))\n", 4096+4*len(calls), size)
	h := hostile{wat: body + patch(2, 8, 4096, 12, 4*len(calls)+size)}
	text := strings.Replace(h.text(), head+alloc, wasiHead(more), 1)
	g := newRig(t, nil).guest(t, text, "")
	b := batchOf("k")
	g.OnSend(b)
	passed(t, b)
	value := b.Records[0].Value
	for range calls {
		rc, value = append(rc, binary.LittleEndian.Uint32(value)), value[4:]
	}
	return rc, value
}

func returned(t *testing.T, got []uint32, want ...uint32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("returned %v, want %v", got, want)
	}
}

// TestWASIClocks: wall clock stands still at the time of the batch, and the monotonic one goes on by being looked at.
func TestWASIClocks(t *testing.T) {
	look := func(id, at int) string {
		return fmt.Sprintf("(call $clock (i32.const %d) (i64.const 1) (i32.const %d))", id, at)
	}
	rc, out := answers(t, wasiImports, 40, look(0, 8192), look(1, 8200), look(0, 8208), look(1, 8216),
		"(call $clock_res_get (i32.const 0) (i32.const 8224))", look(2, 8192), look(0, -4), look(1, 131065))
	returned(t, rc, wasiOK, wasiOK, wasiOK, wasiOK, wasiOK, wasiInval, wasiFault, wasiFault)
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(out[8*i:]) }
	if at(0) != batchTime*1e6 || at(2) != at(0) {
		t.Errorf("wall clock shows %d and %d, want %d", at(0), at(2), uint64(batchTime*1e6))
	}
	if at(3) != at(1)+monoStep || at(4) != monoStep {
		t.Errorf("the monotonic clock shows %d and %d, with a resolution of %d", at(1), at(3), at(4))
	}
}

// TestWASIRandom: bytes differ from call to call and from instance to instance, and are bounded.
func TestWASIRandom(t *testing.T) {
	get := func(at, n int) string { return fmt.Sprintf("(call $random_get (i32.const %d) (i32.const %d))", at, n) }
	calls := []string{get(8192, 16), get(8208, 16), get(65536, maxRandom), get(65536, maxRandom+1), get(131064, 9), get(-8, 16), get(0, 0)}
	rc, out := answers(t, nil, 32, calls...)
	returned(t, rc, wasiOK, wasiOK, wasiOK, wasiFault, wasiFault, wasiFault, wasiOK)
	rc, _ = answers(t, nil, 0, get(0, maxRandom+1))
	returned(t, rc, wasiInval)
	_, again := answers(t, nil, 32, calls...)
	if bytes.Equal(out[:16], out[16:]) || bytes.Equal(out, again) || bytes.Equal(out[:16], make([]byte, 16)) {
		t.Errorf("%x and %x are not random", out, again)
	}
}

// TestWASIDescriptors: 0 is at its end, 1 and 2 are the log, and there are no others.
func TestWASIDescriptors(t *testing.T) {
	rc, out := answers(t, wasiImports, 32,
		"(call $fd_fdstat_get (i32.const 2) (i32.const 8192))", "(call $fd_fdstat_get (i32.const 3) (i32.const 8192))", "(call $fd_fdstat_get (i32.const 0) (i32.const 131064))",
		"(call $fd_prestat_get (i32.const 3) (i32.const 8192))", "(call $fd_prestat_dir_name (i32.const 3) (i32.const 8192) (i32.const 9))",
		"(call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8220))", "(call $fd_read (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8220))",
		"(call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 8216))", "(call $fd_close (i32.const 1))", "(call $sched_yield)",
		"(call $fd_write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8216))", "(call $fd_write (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8216))")
	returned(t, rc, wasiOK, wasiBadf, wasiFault, wasiBadf, wasiBadf, wasiOK, wasiBadf, wasiSpipe, wasiOK, wasiOK, wasiBadf, wasiBadf)
	if want := append([]byte{2}, make([]byte, 23)...); !bytes.Equal(out[:24], want) {
		t.Errorf("descriptor 2 is %x, want a character device without rights", out[:24])
	}
	if n := binary.LittleEndian.Uint32(out[28:]); n != 0 {
		t.Errorf("%d bytes were read", n)
	}
}

// TestWASIStrings: the program is called as the module, and has no environment.
func TestWASIStrings(t *testing.T) {
	rc, out := answers(t, wasiImports, 40,
		"(call $args_sizes_get (i32.const 8192) (i32.const 8196))", "(call $environ_sizes_get (i32.const 8200) (i32.const 8204))",
		"(call $args_get (i32.const 8208) (i32.const 8212))", "(call $args_get (i32.const -4) (i32.const 8212))", "(call $args_get (i32.const 8228) (i32.const 131070))",
		"(call $args_sizes_get (i32.const -1) (i32.const 8228))")
	returned(t, rc, wasiOK, wasiOK, wasiOK, wasiFault, wasiFault, wasiFault)
	var sizes [5]uint32
	if _, err := binary.Decode(out, binary.LittleEndian, &sizes); err != nil {
		t.Fatal(err)
	}
	if want := [5]uint32{1, 7, 0, 0, 8212}; sizes != want || string(out[20:27]) != "rigged\x00" {
		t.Errorf("sizes and pointers %v, want %v; argument %q", sizes, want, out[20:27])
	}
}

// TestWASIPoll: what a guest waits for has always happened.
func TestWASIPoll(t *testing.T) {
	poll := func(in, out, n, count int) string {
		return fmt.Sprintf("(call $poll (i32.const %d) (i32.const %d) (i32.const %d) (i32.const %d))", in, out, n, count)
	}
	rc, out := answers(t, nil, 68, `(block (result i32) (i64.store (i32.const 16384) (i64.const 77)) (i64.store (i32.const 16432) (i64.const 78))
 (i32.store8 (i32.const 16440) (i32.const 1)) `+poll(16384, 8192, 2, 8256)+")",
		poll(16384, 8192, 0, 8256), poll(16384, 8192, 257, 8256), poll(131000, 8192, 9, 8256), poll(16384, 131000, 9, 8256), poll(16384, 20000, 1, -4))
	returned(t, rc, wasiOK, wasiInval, wasiInval, wasiFault, wasiFault, wasiFault)
	event := func(i int) []byte { return out[eventSize*i:][:eventSize] }
	for i, kind := range []byte{0, 1} {
		want := make([]byte, eventSize)
		want[0], want[10] = byte(77+i), kind
		if !bytes.Equal(event(i), want) {
			t.Errorf("event %d is %x, want %x", i, event(i), want)
		}
	}
	if n := binary.LittleEndian.Uint32(out[64:]); n != 2 {
		t.Errorf("%d events", n)
	}
}

// TestWASIUnsupported: everything that is only there to be linked says so.
func TestWASIUnsupported(t *testing.T) {
	all := wasiUnsupported()
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		calls = append(calls, "(call $"+name+strings.NewReplacer("i", " (i32.const 0)", "I", " (i64.const 0)").Replace(all[name])+")")
	}
	rc, _ := answers(t, all, 0, calls...)
	returned(t, rc, slices.Repeat([]uint32{wasiNosys}, len(all))...)
	if len(all) < 25 || all["path_open"] == "" || all["sock_accept"] == "" {
		t.Errorf("they are %v", all)
	}
}

// TestWASIWrite: lines go to the log, whole, whatever pieces they come in; what is beyond a few lines is left to be written
// again.
func TestWASIWrite(t *testing.T) {
	write := func(fd, iov, n int) string {
		return fmt.Sprintf("(i32.store (local.get $i) (call $fd_write (i32.const %d) (i32.const %d) (i32.const %d) (i32.const 8))) (i32.store offset=4 (local.get $i) (i32.load (i32.const 8))) (i32.store (i32.const 8) (i32.const 0)) (local.set $i (i32.add (local.get $i) (i32.const 8)))\n", fd, iov, n)
	}
	body := "(local.set $i (i32.const 16384))\n" + write(1, 4096, 2) + write(2, 4112, 1) + write(1, 4120, 1) + write(1, 4128, 1) + write(1, 4136, 1) +
		write(1, -8, 1) + write(1, 4144, 1) + write(1, 4096, 0) + patch(2, 8, 16384, 12, 64)
	lines, _, b := said(t, 64, body, `(data (i32.const 5000) "one\ntwo, t")  (data (i32.const 5020) "wo\n") (data (i32.const 5030) "bad\n")
 (data (i32.const 4096) "\88\13\00\00\0a\00\00\00" "\9c\13\00\00\02\00\00\00") ;; one, two, two
 (data (i32.const 4112) "\a6\13\00\00\04\00\00\00") ;; bad
 (data (i32.const 4120) "\9e\13\00\00\01\00\00\00") ;; the end of two
 (data (i32.const 4128) "\00\80\00\00\ff\ff\00\00") ;; 65535 times 0
 (data (i32.const 4136) "\9e\13\00\00\01\00\00\00")
 (data (i32.const 4144) "\00\00\00\80\04\00\00\00") ;; beyond memory
`)
	passed(t, b)
	var got [16]uint32
	if _, err := binary.Decode(b.Records[0].Value, binary.LittleEndian, &got); err != nil {
		t.Fatal(err)
	}
	if want := [16]uint32{0, 12, 0, 4, 0, 1, 0, 4 * abi.MaxLine, 0, 1, wasiFault, 0, wasiFault, 0, 0, 0}; got != want {
		t.Errorf("results and bytes written %v, want %v", got, want)
	}
	want := []Line{
		{Level: abi.LevelInfo, Text: "one"},
		{Level: abi.LevelError, Text: "bad"},
		{Level: abi.LevelInfo, Text: "two, two"},
		{Level: abi.LevelInfo, Text: strings.Repeat("\uFFFD", abi.MaxLine)},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	for i, w := range want {
		if lines[i].Level != w.Level || lines[i].Text != w.Text {
			t.Errorf("line %d: level %d, %q", i, lines[i].Level, lines[i].Text)
		}
	}
}

// TestUpperHalvesAreMasked: what a register holds beside a 32-bit parameter reaches no host function, which would else
// look for memory beyond 4 GiB, or see a size that no guest gave.
func TestUpperHalvesAreMasked(t *testing.T) {
	g := newRig(t, nil).guest(t, deeds(false), "")
	in := g.send.take(0)
	defer g.send.put(in)
	const junk = 0xdeadbeef << 32
	var got []uint64
	f := hostFunc{params: "iIiFi", call: func(_ *callContext, _ api.Memory, stack []uint64) { got = slices.Clone(stack) }}
	f.Call(in.ctx, in.mod, []uint64{junk | 1, junk | 2, junk | 3, junk | 4, 5})
	if want := []uint64{1, junk | 2, 3, junk | 4, 5}; !slices.Equal(got, want) {
		t.Errorf("it gets %x, want %x", got, want)
	}
	for _, f := range hostFuncs() {
		if f.name != "log" && f.name != "clock_time_get" && f.name != "random_get" {
			continue
		}
		stack := make([]uint64, 4)
		for i, v := range []uint64{1, 4096, 8} {
			stack[i] = junk | v
		}
		if f.Call(in.ctx, in.mod, stack); f.module == wasiModule && stack[0] != wasiOK {
			t.Errorf("%s returned %d", f.name, stack[0])
		}
	}
}
