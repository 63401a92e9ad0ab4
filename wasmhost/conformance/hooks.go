package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/wasmhost"
)

func (g *guest) partition(t *testing.T) {
	made, _ := g.start(t, "")
	keyed := func(key string) wasmhost.Record {
		r := told("mod")
		r.Key = []byte(key)
		return r
	}
	null := told("mod")
	null.Key = nil
	onOther := told("partition:4")
	onOther.Topic = 1
	b := batch(told("noop"), told("partition:2"), told("partition:3"), told("partition:-2"), told("fail:no"), null, onOther,
		keyed("21"), keyed("foobar"), keyed("a-little-bit-long-string"))
	made.Partition(b)
	// Java's murmur2 of the three keys (org.apache.kafka.common.utils.UtilsTest), made positive, modulo 3.
	const foo21, foobar, long = (-973932308 & 0x7fffffff) % 3, (-790332482 & 0x7fffffff) % 3, (-985981536 & 0x7fffffff) % 3
	want := []struct {
		partition int32
		cause     wasmhost.Cause
	}{
		{-1, 0},
		{2, 0},
		{-1, wasmhost.InvalidPartition},
		{-1, wasmhost.InvalidPartition},
		{-1, wasmhost.RecordError},
		{-1, 0},
		{4, 0},
		{foo21, 0},
		{foobar, 0},
		{long, 0},
	}
	for i := range want {
		if r := &b.Records[i]; r.Partition != want[i].partition || r.Cause != want[i].cause {
			t.Errorf("record %d: partition %d, cause %v; want %d, %v", i, r.Partition, r.Cause, want[i].partition, want[i].cause)
		}
	}
}

func (g *guest) onAck(t *testing.T) {
	made, log := g.start(t, "")
	made.OnAck([]wasmhost.Ack{
		{Cookie: 1<<64 - 2, Topic: "orders", Partition: 2, Offset: 1 << 40, Timestamp: 1_700_000_000_000, KeySize: 3, ValueSize: -1},
		{Topic: "other", Partition: -1, Offset: -1, Timestamp: -1, Error: 10, Message: "too \"large\"", KeySize: -1},
	}, 5)
	want := []string{
		`ack topic="orders" partition=2 error=0 offset=1099511627776 timestamp=1700000000000 message="" cookie=18446744073709551614 key_size=3 value_size=-1`,
		`ack topic="other" partition=-1 error=10 offset=-1 timestamp=-1 message="too \x22large\x22" cookie=0 key_size=-1 value_size=0`,
	}
	if diff := cmp.Diff(want, lines(log, "ack ")); diff != "" {
		t.Error("want and got:\n", diff)
	}
	made.OnAck([]wasmhost.Ack{{Cookie: 1<<64 - 1, Topic: "orders"}}, 5)
	errors := &made.Stats.Hooks[wasmhost.OnAck].Errors // a language that recovers calls record_error
	if errors[wasmhost.Trap].Load()+errors[wasmhost.RecordError].Load() != 1 {
		t.Error("a trap in on_ack was not noticed")
	}
	made.OnAck([]wasmhost.Ack{{Topic: "after"}}, 5)
	if got := lines(log, `ack topic="after"`); len(got) != 1 {
		t.Errorf("after a trap in on_ack the next acknowledgement was told %d times", len(got))
	}
}

func (g *guest) configure(t *testing.T) {
	_, log := g.start(t, `{"read":["string:/a/b","string:/none","int:/n","bool:/t","strings:/list","keys:/o","has:/a","has:/none","float:/f"],
		"a":{"b":"x\"y"},"n":-42,"t":true,"list":["p","q"],"o":{"a":1,"b":2},"f":1.5}`)
	want := []string{
		`read string:/a/b = "x\x22y"`, `read string:/none = "fallback"`, `read int:/n = -42`, `read bool:/t = true`,
		`read strings:/list = ["p","q"]`, `read keys:/o = ["a","b"]`, `read has:/a = true`, `read has:/none = false`, `read float:/f = 1500`,
	}
	if diff := cmp.Diff(want, lines(log, "read ")); diff != "" {
		t.Error("want and got:\n", diff)
	}
	if got := lines(log, "configure "); len(got) != 1 || !strings.Contains(got[0], `topic="orders" module="conformance" version="`+g.module.ID+`" host="gw-1"`) {
		t.Errorf("configure was told %q", got)
	}
	for config, reason := range map[string]string{
		`{"refuse":"because"}`:        "because",
		`{"only":["a"],"b":1}`:        "b",
		`{"only":["a"],"a":1}`:        "",
		`{"read":["int:/s"],"s":"x"}`: "?",
	} {
		_, err := g.module.Configure(g.settings(config, wasmhost.NewLog(10)))
		switch {
		case reason == "" && err != nil:
			t.Errorf("%s: %v", config, err)
		case reason != "" && reason != "?" && (err == nil || !strings.Contains(err.Error(), reason)):
			t.Errorf("%s: %v, want a refusal that says %q", config, err, reason)
		}
	}
}
