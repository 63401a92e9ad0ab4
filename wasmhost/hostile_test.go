package wasmhost

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/wasmhost/meter"
)

// hostile is a module that means no good, and what has to become of it.
type hostile struct {
	name string
	wat  string // what on_send does; a whole module if it begins with "(module"
	more string // further fields of the module
	raw  []byte // instead of wat: the bytes of the upload

	refused string // the upload is refused, with this in its reasons
	start   string // it is accepted and does not start, with this in the error
	causes  []Cause
	passes  bool // what it does is allowed, or does nothing
	chooses bool // it is a partitioner
}

// head is what all modules of the corpus have. The input lies at 1024.
const head = `(module
 (import "sluice_v1" "log" (func $log (param i32 i32 i32)))
 (import "sluice_v1" "record_error" (func $record_error (param i32 i32 i32)))
 (import "sluice_v1" "counter_add" (func $counter_add (param i32 i32 i64)))
 (import "sluice_v1" "now_ms" (func $now_ms (result i64)))
 (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
 (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
 (memory (export "memory") 2)
 (func (export "sluice_abi_v1"))
`

const alloc = ` (func (export "sluice_alloc") (param i32) (result i32) (i32.const 1024))
`

func (h *hostile) text() string {
	if strings.HasPrefix(h.wat, "(module") {
		return h.wat
	}
	b := head
	if !strings.Contains(h.more, `"sluice_alloc"`) {
		b += alloc
	}
	name := "on_send"
	if h.chooses {
		name = "partition"
	}
	return b + fmt.Sprintf(" (func (export %q) (param $b i32) (param $n i32) (result i32) (local $i i32) (local $r i32)\n  (local.set $r (i32.load (i32.add (local.get $b) (i32.const 12))))\n  %s)\n %s)", name, h.wat, h.more)
}

func (h *hostile) wasm(t testing.TB) []byte {
	t.Helper()
	if h.raw != nil || h.wat == "" && h.more == "" {
		return h.raw
	}
	return assemble(t, h.text())
}

// assemble is wat2wasm.
func assemble(t testing.TB, wat string) []byte {
	t.Helper()
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
			t.Fatal("SLUICE_REQUIRE_ALL=1, but needs wat2wasm (wabt)")
		}
		t.Skip("needs wat2wasm (wabt)")
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "m.wat"), filepath.Join(dir, "m.wasm")
	if err := os.WriteFile(in, []byte(wat), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "--enable-all", "--no-check", "-o", out, in)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, text, wat)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// patch is a body that writes v to the field at offset of the first record, with flags, and succeeds.
func patch(flags int, fields ...int) string {
	var b strings.Builder
	for i := 0; i+1 < len(fields); i += 2 {
		fmt.Fprintf(&b, "(i32.store (i32.add (local.get $r) (i32.const %d)) (i32.const %d))\n", fields[i], fields[i+1])
	}
	fmt.Fprintf(&b, "(i32.store (i32.add (local.get $r) (i32.const 40)) (i32.const %d)) (i32.const 0)", flags)
	return b.String()
}

func forever(body string) string { return "(loop $l " + body + " (br $l)) (i32.const 0)" }

// parts makes 128 parts of 4096 newlines each at 0, for fd_write.
const parts = `(memory.fill (i32.const 65536) (i32.const 10) (i32.const 4096))
  (loop $p (i32.store (local.get $i) (i32.const 65536)) (i32.store offset=4 (local.get $i) (i32.const 4096))
   (br_if $p (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 1024)))) `

func endless() []hostile {
	fuel := []Cause{OutOfFuel, OutOfTime}
	deep := []Cause{OutOfFuel, OutOfTime, Trap} // stack overflow is a trap
	all := []hostile{
		{name: "loop br", wat: forever("")},
		{name: "loop br_if", wat: "(loop $l (br_if $l (i32.const 1))) (i32.const 0)"},
		{name: "loop br_table", wat: "(loop $l (br_table $l $l $l (local.get $n))) (i32.const 0)"},
		{name: "nested loops", wat: forever("(loop $k (br_if $k (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))")},
		{name: "loop out of blocks", wat: "(loop $l (block $a (block $b (br_table $a $b (i32.const 0))) (br $l)) (br $l)) (i32.const 0)"},
		{name: "loop of divisions", wat: forever("(local.set $i (i32.div_u (i32.const 100) (i32.const 7)))")},
		{name: "loop of roots", wat: forever("(drop (f64.sqrt (f64.const 2)))")},
		{name: "loop of memory.fill", wat: forever("(memory.fill (i32.const 0) (i32.const 0) (i32.const 131072))")},
		{name: "loop of memory.copy", wat: forever("(memory.copy (i32.const 0) (i32.const 8) (i32.const 131064))")},
		{name: "loop of memory.grow 0", wat: forever("(drop (memory.grow (i32.const 0)))")},
		{name: "loop of memory.grow 1", wat: forever("(drop (memory.grow (i32.const 1)))")},
		{name: "loop of huge memory.grow", wat: forever("(drop (memory.grow (i32.const 65535)))")},
		{name: "loop of table.grow", wat: forever("(drop (table.grow $t (ref.null func) (i32.const 100)))"), more: "(table $t 1 funcref)"},
		{name: "loop of table.fill", wat: forever("(table.fill $t (i32.const 0) (ref.null func) (i32.const 60000))"), more: "(table $t 60000 funcref)"},
		{name: "loop of table.copy", wat: forever("(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 59999))"), more: "(table $t 60000 funcref)"},
		{name: "loop of memory.init", wat: forever("(memory.init $d (i32.const 0) (i32.const 0) (i32.const 5))"), more: `(data $d "hello")`},
		{name: "log flood", wat: forever("(call $log (i32.const 2) (i32.const 0) (i32.const 1000))")},
		{name: "counter flood", wat: forever("(i32.store (i32.const 16) (i32.and (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 0x0f0f0f0f))) (i32.store (i32.const 16) (i32.or (i32.load (i32.const 16)) (i32.const 0x60606060))) (call $counter_add (i32.const 16) (i32.const 4) (i64.const 1))")},
		{name: "record_error flood", wat: forever("(call $record_error (i32.const 0) (i32.const 0) (i32.const 512))")},
		{name: "now_ms flood", wat: forever("(drop (call $now_ms))")},
		{name: "write flood", wat: "(i32.store (i32.const 0) (i32.const 0)) (i32.store (i32.const 4) (i32.const 65536)) " + forever("(drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))")},
		{name: "random flood", wat: forever("(drop (call $random_get (i32.const 0) (i32.const 65536)))")},
		{name: "write flood in many parts", wat: parts + forever("(drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 128) (i32.const 131000)))")},
		{name: "counter with a name as long as memory", wat: "(call $counter_add (i32.const 0) (i32.const 0) (i64.const 1)) " + forever("(call $counter_add (i32.const 0) (i32.const 131072) (i64.const 1))")},
		{name: "log flood through a table", wat: forever("(call_indirect (type $l) (i32.const 2) (i32.const 0) (i32.const 1000) (i32.const 0))"), more: "(type $l (func (param i32 i32 i32))) (table 1 funcref) (elem (i32.const 0) $log)"},
		{name: "loop of table.init", wat: forever("(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 3))"), more: "(table $t 9 funcref) (elem $e func $log $log $log)"},
		{name: "waiting for the clock", wat: forever("(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 0)))")},
		{name: "sleeping", wat: forever("(drop (call $poll (i32.const 0) (i32.const 512) (i32.const 1) (i32.const 768)))")},
		{name: "self recursion", wat: "(call $f) (i32.const 0)", more: "(func $f (call $f) (call $f))"},
		{name: "mutual recursion", wat: "(call $f) (i32.const 0)", more: "(func $f (call $g) (call $g)) (func $g (call $f) (call $f))"},
		{name: "recursion through a table", wat: "(call $f) (i32.const 0)", more: "(type $v (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (call_indirect (type $v) (i32.const 0)) (call_indirect (type $v) (i32.const 0)))"},
		{name: "fib(60)", wat: "(call $f (i32.const 60))", more: "(func $f (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0)) (else (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 2)))))))"},
		{name: "40 doublings", wat: "(call $f40) (i32.const 0)", more: doublings()},
		{name: "recursion with huge frames", wat: "(call $f) (i32.const 0)", more: "(func $f (local" + strings.Repeat(" i64", 3000) + ") (call $f) (call $f))"},
		{name: "trap by endless partition", wat: forever(""), chooses: true},
	}
	for i := range all {
		all[i].causes = fuel
		if strings.Contains(all[i].name, "recursion") {
			all[i].causes = deep
		}
	}
	return all
}

func doublings() string {
	b := "(func $f0)"
	for i := 1; i <= 40; i++ {
		b += fmt.Sprintf(" (func $f%d (call $f%d) (call $f%d))", i, i-1, i-1)
	}
	return b
}

func traps() []hostile {
	all := []hostile{
		{name: "unreachable", wat: "(unreachable)"},
		{name: "division by zero", wat: "(i32.div_s (i32.const 1) (i32.const 0))"},
		{name: "integer overflow", wat: "(i32.div_s (i32.const 0x80000000) (i32.const -1))"},
		{name: "load out of bounds", wat: "(i32.load (i32.const -4))"},
		{name: "store out of bounds", wat: "(i32.store (i32.const 131072) (i32.const 0)) (i32.const 0)"},
		{name: "fill just out of bounds", wat: "(memory.fill (i32.const 131000) (i32.const 0) (i32.const 100)) (i32.const 0)"},
		{name: "null function", wat: "(call_indirect (type $v) (i32.const 0)) (i32.const 0)", more: "(type $v (func)) (table 1 funcref)"},
		{name: "wrong type of function", wat: "(call_indirect (type $v) (i32.const 0)) (i32.const 0)", more: "(type $v (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (param i64))"},
		{name: "conversion", wat: "(i32.trunc_f64_s (f64.const nan))"},
		{name: "200 huge frames and no end", wat: "(call $f (i32.const 200))", more: "(func $f (param i32) (result i32) (local" + strings.Repeat(" i64", 4900) + ") (if (i32.eqz (local.get 0)) (then (unreachable))) (call $f (i32.sub (local.get 0) (i32.const 1))))"},
		{name: "trap in a host function's result", wat: "(i32.load (i32.sub (call $random_get (i32.const -1) (i32.const 9)) (i32.const 22)))"},
		{name: "exit", wat: "(call $exit (i32.const 0)) (i32.const 0)"},
	}
	for i := range all {
		all[i].causes = []Cause{Trap}
	}
	return append(all,
		hostile{name: "negative result", wat: "(i32.const -1)", causes: []Cause{ReturnCode}},
		hostile{name: "smallest result", wat: "(i32.const 0x80000000)", causes: []Cause{ReturnCode}},
		hostile{name: "positive result", wat: "(i32.const 7)", passes: true},
	)
}

// headersAt131072 makes 5,000 headers of 1,000 bytes.
const headersAt131072 = `(local.set $i (i32.const 131072)) (loop $h (i32.store offset=4 (local.get $i) (i32.const 1000))
  (br_if $h (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 16))) (i32.const 211072)))) `

func badOutputs() []hostile {
	bad := func(name string, body string) hostile {
		return hostile{name: name, wat: body, causes: []Cause{BadOutput, OutputTooLarge}}
	}
	return []hostile{
		bad("key out of bounds", patch(1, 0, 131072, 4, 1)),
		bad("key at the end of the address space", patch(1, 0, -1, 4, 1)),
		bad("key of 2 GiB", patch(1, 0, 0, 4, 0x7fffffff)),
		bad("key whose end wraps", patch(1, 0, -16, 4, 32)),
		bad("key of length -2", patch(1, 0, 0, 4, -2)),
		bad("value out of bounds", patch(2, 8, 131000, 12, 1000)),
		bad("value whose end wraps", patch(2, 8, -8, 12, 16)),
		bad("value of smallest length", patch(2, 8, 0, 12, -2147483648)),
		bad("headers beyond counting", patch(4, 16, 0, 20, -1)),
		bad("headers whose size wraps", patch(4, 16, 0, 20, 0x10000001)),
		bad("headers out of bounds", patch(4, 16, 131072, 20, 1)),
		bad("header key out of bounds", "(i32.store (i32.const 0) (i32.const -1)) (i32.store (i32.const 4) (i32.const 9)) "+patch(4, 16, 0, 20, 1)),
		bad("header value of length -5", "(i32.store (i32.const 12) (i32.const -5)) "+patch(4, 16, 0, 20, 1)),
		bad("headers that are all of memory each", "(i32.store (i32.const 4) (i32.const 131072)) (i32.store (i32.const 20) (i32.const 131072)) "+patch(4, 16, 0, 20, 2000)),
		bad("timestamp before 1970", patch(8, 24, -5, 28, -1)),
		bad("route out of bounds", patch(16, 44, 10, 48, -1)),
		bad("flags that mean nothing", patch(0x7fffffc0)),
		bad("all flags", patch(-1)),
		bad("moved records", "(i32.store (i32.add (local.get $b) (i32.const 12)) (i32.const -1)) "+patch(64)),
		{name: "output flood", wat: "(drop (memory.grow (i32.const 200))) " + patch(2, 8, 0, 12, 13_000_000), causes: []Cause{OutputTooLarge}},
		{name: "output flood through headers", wat: "(drop (memory.grow (i32.const 40))) (i32.store (i32.const 131072) (i32.const 0)) " + headersAt131072 + patch(4, 16, 131072, 20, 5000), causes: []Cause{OutputTooLarge}},
		{name: "as many empty headers as are allowed", wat: "(drop (memory.grow (i32.const 40))) " + patch(4, 16, 131072, 20, 60_000), passes: true},
		{name: "memory up to its limit", wat: "(i32.sub (i32.lt_s (memory.grow (i32.const 1022)) (i32.const 0)) (i32.eqz (memory.grow (i32.const 1))))", passes: true},
		{name: "memory beyond its limit", wat: "(i32.store (i32.mul (memory.grow (i32.const 1023)) (i32.const 65536)) (i32.const 0)) (i32.const 0)", causes: []Cause{Trap}},
		{name: "route that is not allowed", wat: patch(16, 44, 1, 48, 0), causes: []Cause{RouteDenied}},
		{name: "key and value of the same bytes", wat: patch(3, 0, 0, 4, 100, 8, 50, 12, 100), passes: true},
		{name: "key that is the descriptor", wat: patch(1, 0, 1024, 4, 32), passes: true},
		{name: "overwritten header", wat: "(memory.fill (local.get $b) (i32.const 255) (i32.const 32)) (i32.const 0)", passes: true},
		{name: "overwritten input", wat: "(memory.fill (local.get $b) (i32.const 0) (local.get $n)) (i32.const 0)", passes: true},
		{name: "input full of ones", wat: "(memory.fill (local.get $b) (i32.const 255) (local.get $n)) (i32.const 0)", causes: []Cause{BadOutput}},
		{name: "overwritten fields that nothing flags", wat: patch(0, 0, -1, 4, -9, 8, -1, 12, -9, 16, -1, 20, -1, 32, -1), passes: true},
		{name: "error of a record that is not there", wat: "(call $record_error (i32.const 99) (i32.const 0) (i32.const 1)) (call $record_error (i32.const -1) (i32.const 0) (i32.const 1)) (i32.const 0)", passes: true},
		{name: "reason out of bounds", wat: "(call $record_error (i32.const 0) (i32.const -1) (i32.const -1)) (i32.const 0)", causes: []Cause{RecordError}},
		{name: "log out of bounds", wat: "(call $log (i32.const 99) (i32.const -1) (i32.const 100)) (i32.const 0)", passes: true},
		{name: "counter out of bounds", wat: "(call $counter_add (i32.const -1) (i32.const 9) (i64.const 1)) (i32.const 0)", passes: true},
		{name: "partition beyond", wat: "(i32.store (i32.add (local.get $r) (i32.const 36)) (i32.const 3)) (i32.const 0)", chooses: true, causes: []Cause{InvalidPartition}},
		{name: "partition -2", wat: "(i32.store (i32.add (local.get $r) (i32.const 36)) (i32.const -2)) (i32.const 0)", chooses: true, causes: []Cause{InvalidPartition}},
		{name: "alloc without memory", wat: "(i32.const 0)", more: `(func (export "sluice_alloc") (param i32) (result i32) (i32.const 0))`, causes: []Cause{OutOfMemory}},
		{name: "alloc out of bounds", wat: "(i32.const 0)", more: `(func (export "sluice_alloc") (param i32) (result i32) (i32.const 131064))`, causes: []Cause{BadOutput}},
		{name: "alloc whose end wraps", wat: "(i32.const 0)", more: `(func (export "sluice_alloc") (param i32) (result i32) (i32.const -8))`, causes: []Cause{BadOutput}},
		{name: "alloc unaligned", wat: "(i32.const 0)", more: `(func (export "sluice_alloc") (param i32) (result i32) (i32.const 1025))`, causes: []Cause{BadOutput}},
		{name: "alloc that never ends", wat: "(i32.const 0)", more: `(func (export "sluice_alloc") (param i32) (result i32) (loop (br 0)) (i32.const 0))`, causes: []Cause{OutOfFuel}},
		{name: "alloc that traps", wat: "(i32.const 0)", more: `(func (export "sluice_alloc") (param i32) (result i32) (unreachable))`, causes: []Cause{Trap}},
		{name: "close that never ends", wat: "(i32.const 0)", more: `(func (export "close") (result i32) (loop (br 0)) (i32.const 0))`, passes: true},
	}
}

func starts() []hostile {
	return []hostile{
		{name: "start that never ends", wat: "(i32.const 0)", more: "(func $s (loop (br 0))) (start $s)", start: "wasm.init.fuel"},
		{name: "start that recurses", wat: "(i32.const 0)", more: "(func $s (call $s) (call $s)) (start $s)", start: "start"},
		{name: "start that traps", wat: "(i32.const 0)", more: "(func $s (unreachable)) (start $s)", start: "start"},
		{name: "start that fills memory for ever", wat: "(i32.const 0)", more: "(func $s (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br 0))) (start $s)", start: "wasm.init.fuel"},
		{name: "_initialize that never ends", wat: "(i32.const 0)", more: `(func (export "_initialize") (loop (br 0)))`, start: "_initialize: it used up its fuel (wasm.init.fuel)"},
		{name: "configure that never ends", wat: "(i32.const 0)", more: `(func (export "configure") (param i32 i32) (result i32) (loop (br 0)) (i32.const 0))`, start: "configure: it used up its fuel"},
		{name: "configure that traps", wat: "(i32.const 0)", more: `(func (export "configure") (param i32 i32) (result i32) (unreachable))`, start: "configure: unreachable"},
		{name: "configure that exits", wat: "(i32.const 0)", more: `(func (export "configure") (param i32 i32) (result i32) (call $exit (i32.const 3)) (i32.const 0))`, start: "exited with status 3"},
		{name: "configure that refuses in silence", wat: "(i32.const 0)", more: `(func (export "configure") (param i32 i32) (result i32) (i32.const -1))`, start: "logged no reason"},
		{name: "data out of bounds", wat: "(i32.const 0)", more: `(data (i32.const 131070) "12345")`, start: "instantiated"},
		{name: "data at the end of the address space", wat: "(i32.const 0)", more: `(data (i32.const -1) "12345")`, start: "instantiated"},
	}
}

func corpus() map[string][]hostile {
	return map[string][]hostile{"endless": endless(), "traps": traps(), "outputs": badOutputs(), "starts": starts(), "refusals": refusals(), "binaries": binaries()}
}

// TestHostileCorpus: whatever an upload tries, it is refused with its reason or stopped within its limits, and the records
// beside those that it failed on are as they were.
func TestHostileCorpus(t *testing.T) {
	limits := DefaultLimits()
	limits.AcquireTimeout = 5 * time.Second // instances come late on a machine that is busy with other tests
	limits.Module.InitFuel, limits.InitTimeout = 100_000_000, 500*time.Millisecond
	h, err := New(Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for part, all := range corpus() {
		n += len(all)
		t.Run(part, func(t *testing.T) {
			for _, bad := range all {
				t.Run(bad.name, func(t *testing.T) { bad.check(t, h) })
			}
		})
	}
	if n < 60 {
		t.Errorf("the corpus has %d modules only", n)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if m := h.Memory(); m != 0 {
		t.Errorf("%d bytes of memory are still charged", m)
	}
}

func (h *hostile) check(t *testing.T, host *Host) {
	t.Helper()
	m, err := host.Compile(t.Context(), h.wasm(t))
	if h.refused != "" {
		refused, ok := errors.AsType[*meter.Refused](err)
		if !ok || h.refused != "?" && !strings.Contains(refused.Error(), h.refused) {
			t.Fatalf("%v, want a refusal that says %q", err, h.refused)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	g, err := m.Configure(Settings{Topic: "orders", Name: "hostile", Version: m.ID, Log: NewLog(10), Instances: 2})
	if h.start != "" {
		if err == nil || !strings.Contains(err.Error(), h.start) {
			t.Fatalf("%v, want an error that says %q", err, h.start)
		}
		return
	}
	if err != nil {
		if cause, ok := AsFailure(err); ok && len(h.causes) > 0 && cause == h.causes[0] {
			return // no configure: alloc is called first with the records
		}
		t.Fatal(err)
	}
	defer g.Close()
	b := oneRecord()
	if h.chooses {
		g.Partition(b)
	} else {
		g.OnSend(b)
	}
	h.verdict(t, &b.Records[0])
}

// oneRecord is a batch that has one.
func oneRecord() *Batch {
	return &Batch{
		Topics: []Topic{{"orders", 3}}, Alloc: func(n int) []byte { return make([]byte, n) }, Headers: func(n int) []Header { return make([]Header, n) },
		Records: []Record{{Key: []byte("key"), Value: []byte("value"), Headers: []Header{{"h", []byte("v")}}, Timestamp: 1, Partition: -1}},
	}
}

func (h *hostile) verdict(t *testing.T, r *Record) {
	t.Helper()
	if h.passes {
		if r.Verdict != Passed {
			t.Errorf("verdict %d, %v: %s", r.Verdict, r.Cause, r.Reason)
		}
		return
	}
	ok := false
	for _, c := range h.causes {
		ok = ok || r.Cause == c
	}
	if !ok || r.Verdict != Failed {
		t.Errorf("verdict %d, cause %v (%s), want one of %v", r.Verdict, r.Cause, r.Reason, h.causes)
	}
	if string(r.Key) != "key" || string(r.Value) != "value" || len(r.Headers) != 1 || r.Timestamp != 1 || r.Partition != -1 {
		t.Errorf("the record is not as it was: %+v", r)
	}
}
