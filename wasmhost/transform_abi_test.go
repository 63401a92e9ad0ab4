package wasmhost

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/wasmhost/meter"
)

// abiReport is what abi.c says of a record.
type abiReport struct {
	BaseOffset, BaseTimestamp, MaxTimestamp, Producer, Timestamp, Offset, Clock int64
	Largest, Count, Epoch, LastOffsetDelta, Sequence, Read, Small, After, RC    int32
	Attributes, ProducerEpoch                                                   int16
	RecordAttributes                                                            uint8
	Padding                                                                     [7]uint8
}

func reported(t *testing.T, r *Record) (a abiReport) {
	t.Helper()
	if r.Verdict != Passed {
		t.Fatalf("%q: %v: %s", r.Key, r.Cause, r.Reason)
	}
	if err := binary.Read(bytes.NewReader(r.Value), binary.LittleEndian, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func abiTest(t *testing.T) (*Guest, *transformTest) {
	t.Helper()
	tt := newTransformTest(t, func(l *Limits) {
		l.FuelPerRecord, l.FuelMax, l.Output = 1<<30, 1<<40, 1<<19
		l.CallTimeout = 250 * time.Millisecond
	})
	g, _ := tt.guest(t, tt.compile(t, cTransform(t, "abi")), "")
	return g, tt
}

// TestTransformBatchHeader compares what a guest sees of a batch with what Redpanda would show it.
func TestTransformBatchHeader(t *testing.T) {
	g, _ := abiTest(t)
	b := transformBatch(keyed("a", "longer key")...)
	b.Records[1].Timestamp--
	g.OnSend(b)
	// "a": 2 bytes of key, 2 of value, 1 for how many headers, and 4 of header; "longer key": 9 more.
	want := abiReport{
		BaseTimestamp: transformTime, MaxTimestamp: transformTime, Producer: -1, Timestamp: transformTime, Clock: transformTime * 1e6,
		Largest: 18, Count: 2, Epoch: -1, LastOffsetDelta: 1, Sequence: -1, Read: 9, Small: -2, ProducerEpoch: -1,
	}
	if diff := cmp.Diff(want, reported(t, &b.Records[0])); diff != "" {
		t.Error(diff)
	}
	want.Timestamp, want.Clock, want.Offset, want.Read, want.After = transformTime-1, (transformTime-1)*1e6, 1, 18, -1
	if diff := cmp.Diff(want, reported(t, &b.Records[1])); diff != "" {
		t.Error(diff)
	}
	last := Record{Key: []byte("z"), Timestamp: -1}
	b = transformBatch(last)
	g.OnSend(b)
	want = abiReport{
		BaseTimestamp: batchTime, MaxTimestamp: batchTime, Producer: -1, Timestamp: batchTime, Clock: batchTime * 1e6, Largest: 4,
		Count: 1, Epoch: -1, Sequence: -1, Read: 4, Small: -2, After: -1, ProducerEpoch: -1,
	}
	if diff := cmp.Diff(want, reported(t, &b.Records[0])); diff != "" {
		t.Error(diff)
	}
}

// TestTransformWrites compares what writing returns with what it returns in Redpanda.
func TestTransformWrites(t *testing.T) {
	g, _ := abiTest(t)
	long := appendNullable([]byte{1}, []byte("audit"))
	for _, c := range []struct {
		key, value string
		want       int32
		extra      int
	}{
		{"write", "\x01\x01\x00", 3, 1},
		{"write", "\x00\x00\x00", 3, 1},
		{"write", "\x02k\x02v\x02\x02h\x01", 8, 1},
		{"write", "\x01\x01\x02\x01\x01", 5, 1}, // a null header key
		{"write", "\x81\x00\x01\x00", 4, 1},     // a number that is longer than need be
		{"write", "", -2, 0},
		{"write", "\x01\x01", -2, 0},
		{"write", "\x01\x01\x00\x00", -2, 0},             // a byte too many
		{"write", "\x03\x01\x00", -2, 0},                 // a length of -2
		{"write", "\x01\x01\x01", -2, 0},                 // -1 headers
		{"write", "\x04k\x01\x00", -2, 0},                // a key that takes everything else with it
		{"write", "\x01\x01\x02\x00", -2, 0},             // half a header
		{"write", "\x01\x01\xfe\xff\xff\xff\x0f", -2, 0}, // billions of headers
		{"write", strings.Repeat("\xff", 11) + "\x00", -2, 0},
		{"options", "", 3, 1},
		{"options", string(long), 3, 1},
		{"options", "\x01\x0corders", 3, 1},
		{"options", "\x01\x12forbidden", -3, 0},
		{"options", "\x01\x00", -3, 0}, // no name
		{"options", "\x01\x01", -2, 0}, // null
		{"options", "\x01", -2, 0},
		{"options", "\x00", -2, 0},
		{"options", "\x02\x0aaudit", -2, 0}, // another option
		{"options", "\x01\x0aaudi", -2, 0},
		{"options", string(long) + "\x01", -2, 0},
		{"options", string(long) + string(long), -2, 0},
	} {
		b := transformBatch(Record{Key: []byte(c.key), Value: []byte(c.value), Timestamp: -1})
		g.OnSend(b)
		// The report comes last: it is the extra record if there was another, and the record itself if there was none.
		report := &b.Records[0]
		if len(b.Extra) > 0 {
			report = &b.Extra[len(b.Extra)-1].Record
		}
		if a := reported(t, report); a.RC != c.want || len(b.Extra) != c.extra {
			t.Errorf("%s %q: %d and %d extra records, want %d and %d", c.key, c.value, a.RC, len(b.Extra), c.want, c.extra)
		}
		if routed := string(b.Records[0].Route) == "audit"; routed != (c.value == string(long)) {
			t.Errorf("%s %q: routed to %q", c.key, c.value, b.Records[0].Route)
		}
	}
	if n := g.Stats.Discarded.Load(); n != 0 {
		t.Errorf("%d instances failed", n)
	}
}

// TestTransformMisbehaves has a guest break every rule, between records with which it does not.
func TestTransformMisbehaves(t *testing.T) {
	g, _ := abiTest(t)
	for _, c := range []struct {
		key, reason string
		cause       Cause
	}{
		{"fault", "it gave the host 100 bytes at 4294967280, but its memory ends at", Trap},
		{"spam", "with its output the call returns more than", OutputTooLarge},
		{"large", "with its output the call returns more than", OutputTooLarge},
		{"busy", "it took longer than 250ms (wasm.call.timeout.ms)", OutOfTime},
		{"return", "it exited: _start returned", Trap},
	} {
		b := transformBatch(keyed("a", "b", "c", c.key, "d")...)
		start := time.Now()
		g.OnSend(b)
		for i := range b.Records {
			if i != 3 && b.Records[i].Verdict != Passed {
				t.Errorf("%s: record %d: %s", c.key, i, b.Records[i].Reason)
			}
		}
		if r := &b.Records[3]; r.Verdict != Failed || r.Cause != c.cause || !strings.Contains(r.Reason, c.reason) || r.Changed != 0 || string(r.Value) != "v" {
			t.Errorf("%s: %v %v %q, want %v %q", c.key, r.Verdict, r.Cause, r.Reason, c.cause, c.reason)
		}
		if len(b.Extra) != 0 {
			t.Errorf("%s: %d extra records of a call that failed", c.key, len(b.Extra))
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", c.key, took)
		}
	}
}

// TestTransformSkipsRecords has a guest that asks for the next batch before it has read this one, which loses no records:
// those it did not read are shown to it again, and fail if it does not want them at all.
func TestTransformSkipsRecords(t *testing.T) {
	g, tt := abiTest(t)
	b := transformBatch(keyed("a", "early", "b", "c")...)
	g.OnSend(b)
	for i := range b.Records {
		r := &b.Records[i]
		if r.Verdict != Passed || r.Dropped() != (i == 1) {
			t.Errorf("%s: %v, dropped %v: %s", r.Key, r.Verdict, r.Dropped(), r.Reason)
		}
	}
	if n := g.Stats.Discarded.Load(); n != 1 {
		t.Errorf("%d instances failed, want 1", n)
	}
	g, _ = tt.guest(t, tt.compile(t, watTransform(t, `(module
		(import "redpanda_transform" "check_abi_version_1" (func))
		(import "redpanda_transform" "read_batch_header" (func $next (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
		(memory (export "memory") 1)
		(func (export "_start") (local $p i32)
			(loop
				(drop (call $next `+strings.Repeat("(local.get $p) ", 10)+`))
				(br 0))))`)), "")
	b = transformBatch(keyed("a", "b")...)
	g.OnSend(b)
	want := []string{"it asked for the next batch after 0 records of 1", "it asked for the next batch after 0 records of 1"}
	if diff := cmp.Diff(want, reasons(b.Records)); diff != "" || b.Records[1].Cause != BadOutput {
		t.Error(b.Records[1].Cause, diff)
	}
}

// TestTransformContract refuses modules that only look like transforms.
func TestTransformContract(t *testing.T) {
	const (
		memory = `(memory (export "memory") 1)`
		v1     = `(import "redpanda_transform" "check_abi_version_1" (func))`
		start  = `(func (export "_start"))`
	)
	tt := newTransformTest(t, nil)
	for _, c := range []struct{ name, imports, rest, want string }{
		{"no marker", `(import "redpanda_transform" "write_record" (func (param i32 i32) (result i32)))`, memory + start, "neither check_abi_version_1 nor"},
		{"a marker of another type", `(import "redpanda_transform" "check_abi_version_2" (func (param i32)))`, memory + start, "is imported as (i32) -> (); it is () -> ()"},
		{"no _start", v1, memory, "a Redpanda transform exports _start"},
		{"_start of another type", v1, memory + `(func (export "_start") (result i32) i32.const 0)`, "_start is exported as () -> i32"},
		{"_start is a global", v1, memory + `(global (export "_start") i32 (i32.const 0))`, "_start is exported as something that is not a function"},
		{"no memory", v1, start, `the memory is not exported as "memory"`},
		{"memory of another name", v1, start + `(memory (export "mem") 1)`, `the memory is not exported as "memory"`},
		{"another registry", v1 + `(import "redpanda_schema_registry" "check_abi_version_1" (func))`, memory + start, "redpanda_schema_registry.check_abi_version_1: () -> () is not offered"},
		{"unknown function", v1 + `(import "redpanda_transform" "write_batch" (func))`, memory + start, "redpanda_transform.write_batch: () -> () is not offered"},
	} {
		m, err := tt.host.Compile(t.Context(), watTransform(t, "(module "+c.imports+c.rest+")"))
		if err == nil {
			m.Release()
			t.Errorf("%s: is not refused", c.name)
		} else if _, ok := errors.AsType[*meter.Refused](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestTransformNeverAsks has guests that do not get as far as asking for a batch.
func TestTransformNeverAsks(t *testing.T) {
	tt := newTransformTest(t, func(l *Limits) { l.Module.InitFuel = 10_000_000 })
	for body, want := range map[string]string{
		"":              "_start: it exited: _start returned",
		"(loop (br 0))": "_start: it used up its fuel (wasm.init.fuel)",
		"unreachable":   "_start: unreachable",
	} {
		m := tt.compile(t, watTransform(t, `(module (import "redpanda_transform" "check_abi_version_1" (func)) (memory (export "memory") 1) (func (export "_start") `+body+`))`))
		g, err := m.Configure(Settings{Topic: "orders", Log: NewLog(1)})
		if err == nil {
			g.Close()
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", body, err, want)
		}
	}
}

// TestTransformLeavesNothing counts goroutines, which an instance that is not ended would keep for ever.
func TestTransformLeavesNothing(t *testing.T) {
	wasm := cTransform(t, "abi")
	before := coroutines(t)
	t.Run("guests", func(t *testing.T) {
		tt := newTransformTest(t, func(l *Limits) { l.InstanceMaxAge = time.Nanosecond }) // replaced all the time
		m := tt.compile(t, wasm)
		for range 3 {
			g, _ := tt.guest(t, m, "")
			for range 20 {
				g.OnSend(transformBatch(keyed("a", "fault", "return")...))
			}
		}
		if n := coroutines(t); n <= before {
			t.Errorf("%d coroutines while there are instances, want more than %d", n, before)
		}
	})
	if n := coroutines(t); n != before {
		t.Errorf("%d coroutines after the host was closed, %d before", n, before)
	}
}

// coroutines is how many there are.
func coroutines(t *testing.T) int {
	t.Helper()
	runtime.GC()
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil {
		t.Fatal(err)
	}
	return strings.Count(text.String(), "[coroutine")
}
