package sdktest

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
)

const conformance = "conformance/conformance"

// do is a record that is told what to do.
func do(instructions ...string) record {
	r := record{Key: []byte("k\x00\""), Value: []byte(`{"a":[1,{"b":"x\u00e9\ud83d\ude00\n"}],"f":-2.5,"t":true,"n":null,"a/b~":7}`), Timestamp: 42, Partition: -1, Cookie: 5}
	for _, i := range instructions {
		r.Headers = append(r.Headers, header{"do", []byte(i)})
	}
	return r
}

// with is r with a change; headers are copied.
func (r record) with(flags uint32, change func(*record)) record {
	r.Headers = slices.Clone(r.Headers)
	r.Flags |= flags
	change(&r)
	return r
}

func valued(in record, value string) record {
	return in.with(abi.FlagValue, func(r *record) { r.Value = []byte(value) })
}

type sendCase struct {
	in, want record
	failure  string
}

// sendCases is one record each, and what becomes of it.
func sendCases() []sendCase {
	type change = func(*record)
	var cases []sendCase
	ok := func(in record, flags uint32, f change) { cases = append(cases, sendCase{in, in.with(flags, f), ""}) }
	value := func(want string, instructions ...string) {
		cases = append(cases, sendCase{do(instructions...), valued(do(instructions...), want), ""})
	}
	fails := func(reason string, instructions ...string) {
		cases = append(cases, sendCase{do(instructions...), do(instructions...), reason})
	}
	same := func(*record) {}

	ok(record{Partition: -1}, 0, same)
	ok(do("noop", "mod", "partition:1"), 0, same)
	ok(do("set-key:new"), abi.FlagKey, func(r *record) { r.Key = []byte("new") })
	ok(do("set-key:"), abi.FlagKey, func(r *record) { r.Key = []byte{} })
	ok(do("null-key"), abi.FlagKey, func(r *record) { r.Key = nil })
	value("a:b=\xff", "set-value:x", "set-value:a:b=\xff")
	ok(do("null-value"), abi.FlagValue, func(r *record) { r.Value = nil })
	ok(do("set-timestamp:-1"), abi.FlagTimestamp, func(r *record) { r.Timestamp = -1 })
	ok(do("route:a.b"), abi.FlagRoute, func(r *record) { r.Route = "a.b" })
	ok(do("drop"), abi.FlagDrop, same)
	ok(do("cookie:18446744073709551615"), 0, func(r *record) { r.Cookie = 1<<64 - 1 })
	value("1700000000123", "now")
	value("3", "grow:8193")

	two := do("set-header:a=1", "add-header:b=2", "add-header:b=3", "null-header:c", "set-header:a=4", "remove-header:zz")
	ok(two, abi.FlagHeaders, func(r *record) {
		r.Headers = append(r.Headers, header{"b", []byte("2")}, header{"b", []byte("3")}, header{"c", nil}, header{"a", []byte("4")})
	})
	ok(do("remove-header:do", "drop", "add-header:ü="), abi.FlagHeaders|abi.FlagDrop, func(r *record) { r.Headers = []header{{"ü", []byte{}}} })
	ok(do("remove-header:nothing"), 0, same)

	value(`index=0 topic="orders" partitions=12 partition=-1 timestamp=42 cookie=5 key="k\x00\x22" value=null headers=["do"="null-value","do"="echo"]`, "null-value", "echo")
	value(`index=0 topic="orders" partitions=12 partition=-1 timestamp=-3 cookie=18446744073709551614 key=null value="v" headers=["n"=null,"\xc3\xbc"="=\x5c"]`,
		"null-key", "set-value:v", "set-timestamp:-3", "cookie:18446744073709551614", "route:elsewhere", "remove-header:do", "null-header:n", `set-header:ü==\`, "echo")
	// The headers changed, too.
	last := &cases[len(cases)-1].want
	last.Key, last.Timestamp, last.Cookie, last.Route = nil, -3, 1<<64-2, "elsewhere"
	last.Headers = []header{{"n", nil}, {"ü", []byte(`=\`)}}
	last.Flags |= abi.FlagKey | abi.FlagTimestamp | abi.FlagRoute | abi.FlagHeaders

	for pointer, want := range map[string]string{
		"": "object:5", "/a": "array:2", "/a/0": "int:1", "/a/1/b": `string:"x\xc3\xa9\xf0\x9f\x98\x80\x0a"`, "/a/2": "missing", "/a/01": "missing",
		"/a/-": "missing", "/f": "float:-2500", "/t": "true", "/n": "null", "/n/x": "missing", "/a~1b~0": "int:7", "/a/b~": "missing", "a": "missing", "/": "missing",
	} {
		value(want, "json:"+pointer)
	}
	for _, doc := range []struct{ text, pointer, want string }{
		{"", "", "missing"},
		{" 12 ", "", "int:12"},
		{"-9223372036854775808", "", "int:-9223372036854775808"},
		{"9223372036854775807", "", "int:9223372036854775807"},
		{"12345678901234567890e-10", "", "float:1234567890123"},
		{"0.001", "", "float:1"},
		{"1.5e2", "", "float:150000"},
		{"25E-2", "", "float:250"},
		{"-0", "", "int:0"},
		{"01", "", "missing"},
		{"1.", "", "missing"},
		{"+1", "", "missing"},
		{"-", "", "missing"},
		{`"\u12"`, "", "missing"},
		{`"\x"`, "", "missing"},
		{`"a`, "", "missing"},
		{"\"\n\"", "", "missing"},
		{`"\ud800x"`, "", `string:"\xef\xbf\xbdx"`},
		{`"\"\\\/\b\f\n\r\t"`, "", `string:"\x22\x5c/\x08\x0c\x0a\x0d\x09"`},
		{`{"a":1,"a":2}`, "/a", "int:2"},
		{`{"a":1} x`, "/a", "missing"},
		{`{"a":1,}`, "/a", "missing"},
		{`[1,]`, "/0", "missing"},
		{`[1 2]`, "/0", "missing"},
		{`{"a" 1}`, "", "missing"},
		{`{1:2}`, "", "missing"},
		{"[", "", "missing"},
		{"tru", "", "missing"},
		{`{"\u0061":{"":[]}}`, "/a/", "array:0"},
		{strings.Repeat("[", 100) + strings.Repeat("]", 100), "/0/0", "array:1"},
		{strings.Repeat("[", 100000), "", "missing"},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), "", "missing"},
		{`{"":1}`, "/", "int:1"},
		{"{ }", "", "object:0"},
		{"\t[ 1 , 2 ]\r\n", "", "array:2"},
		{`{"a":"\ud83d"}`, "/a", `string:"\xef\xbf\xbd"`},
	} {
		in := do("json:" + doc.pointer)
		in.Value = []byte(doc.text)
		cases = append(cases, sendCase{in, valued(in, doc.want), ""})
	}

	fails("no good: ü", "fail:no good: ü", "trap")
	for _, bad := range []string{"", "nonsense", "set-key", "set-header:x", "cookie:-1", "cookie:", "cookie:18446744073709551616", "set-timestamp:1x", "set-timestamp:9223372036854775808", "log:5:x", "log:2", "count:c", "count:c:-", "json", "grow:"} {
		fails("unknown instruction: "+bad, bad)
	}
	return cases
}

func TestOnSend(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) { checkOnSend(t, instantiate(t, build(t, l, conformance), `{}`)) })
	}
}

// checkOnSend runs all cases one by one, and then in one batch.
func checkOnSend(t *testing.T, g *guest) {
	t.Helper()
	var in, want []record
	failures := map[uint32]string{}
	for _, c := range sendCases() {
		got, err := g.hook(t.Context(), "on_send", orders, []record{c.in})
		if err != nil {
			t.Errorf("%q: %v", c.in.Headers, err)
			continue
		}
		if g.failures[0] != c.failure {
			t.Errorf("%q: failed with %q, want %q", c.in.Headers, g.failures[0], c.failure)
		}
		if diff := cmp.Diff(c.want, got[0]); diff != "" {
			t.Errorf("%q, value %.50q (-want +got):\n%s", c.in.Headers, c.in.Value, diff)
		}
		if c.failure != "" {
			failures[uint32(len(in))] = c.failure
		}
		if !strings.Contains(string(c.want.Value), "index=") {
			in, want = append(in, c.in), append(want, c.want)
		}
	}
	got, err := g.hook(t.Context(), "on_send", orders, in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Errorf("in a batch, %q (-want +got):\n%s", in[i].Headers, diff)
		}
	}
	if diff := cmp.Diff(failures, g.failures); diff != "" {
		t.Errorf("failures in a batch (-want +got):\n%s", diff)
	}
}

// TestRuntimes has the AssemblyScript guest with the other garbage collectors.
func TestRuntimes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the guest twice more")
	}
	l := languages[2]
	compiler, err := l.compiler()
	if err != nil {
		missing(t, "%s: %v", l.dir, err)
	}
	for _, runtime := range []string{"incremental", "stub"} {
		t.Run(runtime, func(t *testing.T) {
			words := l.readme(t)
			for i := range words {
				if words[i] == "minimal" {
					words[i] = runtime
				}
			}
			wasm, err := l.run(compiler, words, conformance, filepath.Join(scratch, runtime+".wasm"))
			if err != nil {
				t.Fatal(err)
			}
			checkOnSend(t, instantiate(t, wasm, `{}`))
		})
	}
}

func TestBatchOfTwoTopics(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			g := instantiate(t, wasm, `{}`)
			other := do("echo")
			other.Topic, other.Partition, other.Key = 1, 3, nil
			other.Value = []byte{}
			got, err := g.hook(t.Context(), "on_send", []topic{{"a", 1}, {"b", 0}}, []record{do("noop"), do("fail:x"), other})
			if err != nil {
				t.Fatal(err)
			}
			want := `index=2 topic="b" partitions=0 partition=3 timestamp=42 cookie=5 key=null value="" headers=["do"="echo"]`
			if string(got[2].Value) != want || g.progress() != 2 {
				t.Errorf("%s, progress %d\nwant %s", got[2].Value, g.progress(), want)
			}
			if diff := cmp.Diff(map[uint32]string{1: "x"}, g.failures); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogAndCount(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			g := instantiate(t, wasm, `{}`)
			g.lines = nil
			for _, hook := range []string{"on_send", "partition"} {
				if _, err := g.hook(t.Context(), hook, orders, []record{do("log:0:a:b", "log:4:ü", "count:n_1:3", "count:n_1:-9223372036854775808")}); err != nil {
					t.Fatal(err)
				}
			}
			want := []line{{abi.LevelTrace, "a:b"}, {abi.LevelError, "ü"}, {abi.LevelTrace, "a:b"}, {abi.LevelError, "ü"}}
			if diff := cmp.Diff(want, g.lines); diff != "" {
				t.Error(diff)
			}
			if g.counters["n_1"] != 6 || len(g.counters) != 1 { // the two minima cancel out
				t.Errorf("counters %v", g.counters)
			}
		})
	}
}

func TestPartition(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			g := instantiate(t, wasm, `{}`)
			abc, null := do("partition:99", "mod"), do("partition:3", "mod")
			abc.Key, null.Key = []byte("abc"), nil
			in := []record{
				do(), do("partition:7"), do("partition:-5"), abc, null, do("set-key:x", "nonsense", "null-value"), do("mod", "partition:1"),
				do("partition:4", "fail:bad", "trap"), do("partition:x"), do("count:x"),
			}
			out, err := g.hook(t.Context(), "partition", orders, in)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []int32{-1, 7, -5, 479470107 % 12, -1, -1, 1} {
				in[i].Partition = want
				if diff := cmp.Diff(in[i], out[i]); diff != "" {
					t.Errorf("%q (-want +got):\n%s", in[i].Headers, diff)
				}
			}
			failures := map[uint32]string{7: "bad", 8: "unknown instruction: partition:x", 9: "unknown instruction: count:x"}
			if diff := cmp.Diff(failures, g.failures); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTrap has traps, and that the host knows which record it was.
func TestTrap(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			for _, hook := range []string{"on_send", "partition"} {
				for _, how := range []string{"trap", "grow:2000000000"} {
					if hook == "partition" && how != "trap" {
						continue
					}
					g := instantiate(t, wasm, `{}`)
					if _, err := g.hook(t.Context(), hook, orders, []record{do(), do(), do(how), do()}); err == nil || g.progress() != 2 {
						t.Errorf("%s %s: %v, progress %d", hook, how, err, g.progress())
					}
					if last := g.lines[len(g.lines)-1]; how == "trap" && l.dir != "c" && (last.Level != abi.LevelError || !strings.Contains(last.Text, "trap")) {
						t.Errorf("%s: the last line of the log is %v", hook, last) // of a panic, of an abort
					}
				}
			}
			g := instantiate(t, wasm, `{}`)
			if err := g.acknowledge([]ack{{Cookie: 1<<64 - 1}}); err == nil {
				t.Error("on_ack does not trap")
			}
		})
	}
}

func TestLoop(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			for _, hook := range []string{"on_send", "partition"} {
				g := newGuest(t, wasm, true)
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if _, err := g.hook(ctx, hook, orders, []record{do(), do("loop")}); err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
					t.Errorf("%s: %v, context %v", hook, err, ctx.Err())
				}
			}
		})
	}
}

func TestAcknowledge(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			g := instantiate(t, wasm, `{}`)
			g.lines = nil
			err := g.acknowledge([]ack{
				{Cookie: 1<<63 + 1, Topic: "orders", Partition: 3, Offset: 1 << 40, Timestamp: 1_700_000_000_000, KeySize: 4, ValueSize: 0},
				{Topic: "ü", Partition: -1, Error: -1, Offset: -1, Timestamp: -1, Message: `no "good"`, KeySize: -1, ValueSize: -1},
			})
			if err != nil {
				t.Fatal(err)
			}
			want := []line{
				{abi.LevelInfo, `ack topic="orders" partition=3 error=0 offset=1099511627776 timestamp=1700000000000 message="" cookie=9223372036854775809 key_size=4 value_size=0`},
				{abi.LevelInfo, `ack topic="\xc3\xbc" partition=-1 error=-1 offset=-1 timestamp=-1 message="no \x22good\x22" cookie=0 key_size=-1 value_size=-1`},
			}
			if diff := cmp.Diff(want, g.lines); diff != "" || g.progress() != 1 {
				t.Errorf("progress %d, (-want +got):\n%s", g.progress(), diff)
			}
		})
	}
}
