package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/sluicetest"
)

func configured(t *testing.T, config string) *auditor {
	t.Helper()
	a := new(auditor)
	if err := sluicetest.Configure(t, a.configure, config); err != nil {
		t.Fatal(err)
	}
	return a
}

// acked is an acknowledgement ms milliseconds after the record was sent. sluicetest's clock says 0 in on_ack.
func acked(ms int64) sluicetest.Ack {
	return sluicetest.Ack{Topic: "orders", Partition: 3, Cookie: uint64(-ms)}
}

func failed(code int32, message string) sluicetest.Ack {
	k := acked(3)
	k.Error, k.Message, k.Partition = code, message, -1
	return k
}

func TestCookieIsTheTime(t *testing.T) {
	a := configured(t, `{}`)
	got := sluicetest.OnSend(t, a.onSend, sluicetest.Batch{Now: 1700000000123, Records: []sluicetest.Record{{Key: []byte("k")}}}).Verdicts[0]
	if got.Cookie != 1700000000123 || got.Changed != 0 {
		t.Errorf("cookie %d, changed 0x%x", got.Cookie, got.Changed)
	}
}

func TestCounters(t *testing.T) {
	a := configured(t, `{"buckets_ms":[0,10,100]}`)
	got := sluicetest.OnAck(t, a.onAck,
		acked(1), acked(10), acked(11), acked(100), acked(101), acked(-5), sluicetest.Ack{},
		failed(10, "too large"), failed(10, "too large"), failed(-1, "gone"),
	)
	want := map[string]int64{
		"stored": 7, "failed": 3, "failed_code_10": 2, "failed_no_code": 1,
		"latency_to_0_ms": 1, "latency_to_10_ms": 5, "latency_to_100_ms": 2, "latency_above_100_ms": 1, "latency_unknown": 1,
	}
	if diff := cmp.Diff(want, got.Counters); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
	if len(got.Lines) != 0 {
		t.Errorf("lines: %v", got.Lines)
	}
}

func TestLog(t *testing.T) {
	a := configured(t, `{"log_every":3}`)
	got := sluicetest.OnAck(t, a.onAck,
		acked(2), acked(4), acked(9),
		acked(1), failed(10, "too large"), acked(2),
		sluicetest.Ack{}, sluicetest.Ack{}, sluicetest.Ack{},
		acked(1), acked(1),
	)
	want := []sluicetest.Line{
		{Level: abi.LevelInfo, Text: "3 records: 3 stored, 0 failed; latency 5 ms on average, 9 ms at most"},
		{Level: abi.LevelWarn, Text: "3 records: 2 stored, 1 failed; latency 2 ms on average, 3 ms at most; the last failure: orders--1: error 10: too large"},
		{Level: abi.LevelInfo, Text: "3 records: 3 stored, 0 failed"},
	}
	if diff := cmp.Diff(want, got.Lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestNoLog(t *testing.T) {
	a := configured(t, `{"log_every":0}`)
	if got := sluicetest.OnAck(t, a.onAck, acked(1), acked(1)); len(got.Lines) != 0 || got.Counters["stored"] != 2 {
		t.Errorf("lines %v, counters %v", got.Lines, got.Counters)
	}
}

// TestCounterNames: the host takes [a-z0-9_]{1,48} only, and 64 of them.
func TestCounterNames(t *testing.T) {
	a := configured(t, `{}`)
	names := []string{a.slow}
	for _, b := range a.buckets {
		names = append(names, b.counter)
	}
	for _, n := range names {
		for _, c := range n {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' || len(n) > 48 {
				t.Errorf("name %q", n)
			}
		}
	}
}

func TestConfigErrors(t *testing.T) {
	const rule = ` must be a list of 1 to 30 ascending numbers of milliseconds, such as [10, 100, 1000]`
	for config, want := range map[string]string{
		`{"log_every":-1}`:     `config /log_every: -1 must be 0 (never) or more`,
		`{"log_every":"x"}`:    `config /log_every: "x" must be an integer of at most 64 bits`,
		`{"buckets_ms":[]}`:    `config /buckets_ms: []` + rule,
		`{"buckets_ms":[5,5]}`: `config /buckets_ms: [5,5]` + rule,
		`{"buckets_ms":[-1]}`:  `config /buckets_ms: [-1]` + rule,
		`{"buckets_ms":["5"]}`: `config /buckets_ms: ["5"]` + rule,
		`{"buckets_ms":5}`:     `config /buckets_ms: 5` + rule,
		`{"every":5}`:          `config: unknown key "every", known are log_every, buckets_ms`,
	} {
		err := sluicetest.Configure(t, new(auditor).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
