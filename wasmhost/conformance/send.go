package conformance

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// sendCase is what a record is told, and what differs afterwards.
type sendCase struct {
	do   []string
	want func(r *wasmhost.Record)
}

func header(r *wasmhost.Record, key string, value []byte) {
	r.Headers = append(r.Headers, wasmhost.Header{Key: key, Value: value})
}

func sendCases() []sendCase {
	const all = abi.FlagKey | abi.FlagValue | abi.FlagHeaders | abi.FlagTimestamp | abi.FlagRoute
	return []sendCase{
		{[]string{"noop"}, func(*wasmhost.Record) {}},
		{[]string{"set-key:K"}, func(r *wasmhost.Record) { r.Key, r.Changed = []byte("K"), abi.FlagKey }},
		{[]string{"set-key:"}, func(r *wasmhost.Record) { r.Key, r.Changed = []byte{}, abi.FlagKey }},
		{[]string{"null-key"}, func(r *wasmhost.Record) { r.Key, r.Changed = nil, abi.FlagKey }},
		{[]string{"set-value:V:W"}, func(r *wasmhost.Record) { r.Value, r.Changed = []byte("V:W"), abi.FlagValue }},
		{[]string{"set-value:" + strings.Repeat("x", 100_000)}, func(r *wasmhost.Record) {
			r.Value, r.Changed = bytes.Repeat([]byte("x"), 100_000), abi.FlagValue
		}},
		{[]string{"null-value"}, func(r *wasmhost.Record) { r.Value, r.Changed = nil, abi.FlagValue }},
		{[]string{"set-header:a=b"}, func(r *wasmhost.Record) { header(r, "a", []byte("b")); r.Changed = abi.FlagHeaders }},
		{[]string{"set-header:a="}, func(r *wasmhost.Record) { header(r, "a", []byte{}); r.Changed = abi.FlagHeaders }},
		{[]string{"null-header:a"}, func(r *wasmhost.Record) { header(r, "a", nil); r.Changed = abi.FlagHeaders }},
		{[]string{"add-header:a=1", "add-header:a=2"}, func(r *wasmhost.Record) {
			header(r, "a", []byte("1"))
			header(r, "a", []byte("2"))
			r.Changed = abi.FlagHeaders
		}},
		{[]string{"add-header:a=1", "add-header:a=2", "set-header:a=3"}, func(r *wasmhost.Record) {
			header(r, "a", []byte("3"))
			r.Changed = abi.FlagHeaders
		}},
		{[]string{"remove-header:do"}, func(r *wasmhost.Record) { r.Headers, r.Changed = nil, abi.FlagHeaders }},
		{[]string{"set-timestamp:1700000000000"}, func(r *wasmhost.Record) { r.Timestamp, r.Changed = 1_700_000_000_000, abi.FlagTimestamp }},
		{[]string{"route:other"}, func(r *wasmhost.Record) { r.Route, r.Changed = []byte("other"), abi.FlagRoute }},
		{[]string{"drop"}, func(r *wasmhost.Record) { r.Changed = abi.FlagDrop }},
		{[]string{"cookie:18446744073709551614"}, func(r *wasmhost.Record) { r.Cookie = 1<<64 - 2 }},
		{[]string{"now"}, func(r *wasmhost.Record) { r.Value, r.Changed = []byte("1700000000123"), abi.FlagValue }},
		{[]string{"grow:1048576"}, func(r *wasmhost.Record) { r.Value, r.Changed = []byte("256"), abi.FlagValue }},
		{[]string{"set-key:1", "set-value:2", "set-header:3=4", "set-timestamp:5", "route:other"}, func(r *wasmhost.Record) {
			r.Key, r.Value, r.Timestamp, r.Route, r.Changed = []byte("1"), []byte("2"), 5, []byte("other"), all
			header(r, "3", []byte("4"))
		}},
		{[]string{"fail:it is too bad: ü"}, func(r *wasmhost.Record) {
			r.Verdict, r.Cause, r.Reason = wasmhost.Failed, wasmhost.RecordError, "it is too bad: ü"
		}},
		{[]string{"route:denied"}, func(r *wasmhost.Record) {
			r.Verdict, r.Cause, r.Route, r.Changed = wasmhost.Failed, wasmhost.RouteDenied, []byte("denied"), abi.FlagRoute
			r.Reason = `it may not route to topic "denied": its binding's routes do not allow it`
		}},
		{[]string{"who knows"}, func(r *wasmhost.Record) {
			r.Verdict, r.Cause, r.Reason = wasmhost.Failed, wasmhost.RecordError, "unknown instruction: who knows"
		}},
		{[]string{"echo"}, func(r *wasmhost.Record) {
			r.Changed = abi.FlagValue
			r.Value = []byte(`index=0 topic="orders" partitions=3 partition=-1 timestamp=-1 cookie=0 key="k" value="v" headers=["do"="echo"]`)
		}},
	}
}

func (g *guest) onSend(t *testing.T) {
	made, _ := g.start(t, "")
	for _, c := range sendCases() {
		t.Run(name(c.do), func(t *testing.T) {
			want := told(c.do...)
			c.want(&want)
			b := batch(told(c.do...))
			made.OnSend(b)
			if diff := cmp.Diff(want, b.Records[0], cmpopts.IgnoreUnexported(wasmhost.Record{})); diff != "" {
				t.Error("want and got:\n", diff)
			}
		})
	}
	if n := made.Stats.Discarded.Load(); n > 0 {
		t.Errorf("%d instances were discarded, though nothing trapped", n)
	}
	b := batch(wasmhost.Record{
		Topic: 1, Partition: 4, Timestamp: 7, Cookie: 9, Value: []byte{0, '"', 0xff},
		Headers: []wasmhost.Header{{Key: "do", Value: []byte("echo")}, {Key: "null"}, {Key: "", Value: []byte{}}},
	})
	made.OnSend(b)
	want := `index=0 topic="other" partitions=5 partition=4 timestamp=7 cookie=9 key=null value="\x00\x22\xff" headers=["do"="echo","null"=null,""=""]`
	if got := string(b.Records[0].Value); got != want {
		t.Errorf("echo\ngot  %s\nwant %s", got, want)
	}
}

func name(do []string) string {
	n := strings.Join(do, ",")
	return n[:min(len(n), 40)]
}

// failures: whatever becomes of one record, its neighbours do not notice.
func (g *guest) failures(t *testing.T) {
	for do, want := range map[string]wasmhost.Cause{
		"trap": wasmhost.Trap, "loop": wasmhost.OutOfFuel, "grow:2000000000": wasmhost.Trap, "fail:no": wasmhost.RecordError,
	} {
		t.Run(do, func(t *testing.T) {
			made, _ := g.start(t, "")
			b := batch()
			for i := range 20 {
				d := fmt.Sprintf("set-value:%d", i)
				if i == 7 {
					d = do
				}
				b.Records = append(b.Records, told(d))
			}
			made.OnSend(b)
			for i := range b.Records {
				r := &b.Records[i]
				switch {
				case i != 7 && (r.Verdict != wasmhost.Passed || string(r.Value) != strconv.Itoa(i)):
					t.Errorf("record %d beside the one that failed: %v, %v %s, value %q", i, r.Verdict, r.Cause, r.Reason, r.Value)
				case i == 7 && (r.Verdict != wasmhost.Failed || r.Cause != want && want != wasmhost.Trap || string(r.Value) != "v" || r.Changed != 0):
					t.Errorf("the record that failed: %v, cause %v, want %v; value %q: %s", r.Verdict, r.Cause, want, r.Value, r.Reason)
				}
			}
		})
	}
}

// batches: every record of a full batch is seen once, in order, and the memory of a guest does not grow with their number.
func (g *guest) batches(t *testing.T) {
	made, _ := g.start(t, "")
	run := func() {
		b := batch()
		for i := range 1000 {
			b.Records = append(b.Records, told("echo", fmt.Sprint("set-header:n=", i)))
		}
		made.OnSend(b)
		for i := range b.Records {
			r := &b.Records[i]
			if !bytes.HasPrefix(r.Value, fmt.Appendf(nil, "index=%d topic=", i)) || string(r.Headers[2].Value) != strconv.Itoa(i) {
				t.Fatalf("record %d: %v %s: value %q, headers %q", i, r.Verdict, r.Reason, r.Value, r.Headers)
			}
		}
	}
	peak := func() (most int64) {
		for range 50 {
			run()
			most = max(most, made.Stats.Memory.Load())
		}
		return most
	}
	// A language that collects garbage breathes by a few pages; keeping what 50 batches returned would double it.
	if first, then := peak(), peak(); then > first+first/4 {
		t.Errorf("memory grew to %d bytes over 50 batches, and to %d bytes over 50 more", first, then)
	}
	if n := made.Stats.Discarded.Load(); n > 0 {
		t.Errorf("%d instances were discarded", n)
	}
}
