package sluice_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/sluicetest"
)

func text(s string) []byte { return []byte(s) }

// input is a record with something everywhere.
func input() sluicetest.Record {
	return sluicetest.Record{
		Key: text("k"), Value: text("value"), Timestamp: 1700000000000, Cookie: 5,
		Headers: []sluice.Header{{Name: "a", Value: text("1")}, {Name: "b", Value: nil}, {Name: "a", Value: text("2")}},
	}
}

func TestRecordShowsWhatTheHostWrote(t *testing.T) {
	calls := 0
	sluicetest.OnSend(t, func(r *sluice.Record) error {
		calls++
		if r.Index() == 0 {
			if r.Key() != nil || r.Value() != nil || len(r.Headers()) != 0 {
				t.Errorf("null key, null value, no headers: got %v, %v, %v", r.Key(), r.Value(), r.Headers())
			}
			return nil
		}
		if string(r.Key()) != "k" || string(r.Value()) != "value" || r.Timestamp() != 1700000000000 || r.Cookie() != 5 {
			t.Errorf("got key %q, value %q, timestamp %d, cookie %d", r.Key(), r.Value(), r.Timestamp(), r.Cookie())
		}
		if r.Topic() != "orders" || r.Partitions() != 6 || r.Index() != 1 || sluice.NowMS() != 42 {
			t.Errorf("got topic %q, partitions %d, index %d, now %d", r.Topic(), r.Partitions(), r.Index(), sluice.NowMS())
		}
		if diff := cmp.Diff(input().Headers, r.Headers()); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if v, there := r.Header("a"); string(v) != "2" || !there {
			t.Errorf("Header(a) = %q, %v; want the last one, as Kafka's lastHeader", v, there)
		}
		if v, there := r.Header("b"); v != nil || !there {
			t.Errorf("Header(b) = %q, %v; want null, true", v, there)
		}
		if _, there := r.Header("c"); there {
			t.Error("Header(c) is there")
		}
		return nil
	}, sluicetest.Batch{Topic: "orders", Partitions: 6, Now: 42, Records: []sluicetest.Record{{}, input()}})
	if calls != 2 {
		t.Errorf("the hook was called %d times, want 2", calls)
	}
}

func TestRecordChanges(t *testing.T) {
	same := func() sluicetest.Verdict { return sluicetest.Verdict{Record: input(), Partition: -1} }
	for _, c := range []struct {
		name   string
		change func(r *sluice.Record)
		want   func(v *sluicetest.Verdict)
	}{
		{"nothing", func(*sluice.Record) {}, func(*sluicetest.Verdict) {}},
		{"key", func(r *sluice.Record) { r.SetKey(text("new")) }, func(v *sluicetest.Verdict) { v.Key, v.Changed = text("new"), abi.FlagKey }},
		{"empty key", func(r *sluice.Record) { r.SetKey([]byte{}) }, func(v *sluicetest.Verdict) { v.Key, v.Changed = []byte{}, abi.FlagKey }},
		{"null key", func(r *sluice.Record) { r.SetNullKey() }, func(v *sluicetest.Verdict) { v.Key, v.Changed = nil, abi.FlagKey }},
		{"key from value", func(r *sluice.Record) { r.SetKey(r.Value()[1:3]) }, func(v *sluicetest.Verdict) { v.Key, v.Changed = text("al"), abi.FlagKey }},
		{"value", func(r *sluice.Record) { r.SetValue(text("new")) }, func(v *sluicetest.Verdict) { v.Value, v.Changed = text("new"), abi.FlagValue }},
		{"null value", func(r *sluice.Record) { r.SetNullValue() }, func(v *sluicetest.Verdict) { v.Value, v.Changed = nil, abi.FlagValue }},
		{"value in room", func(r *sluice.Record) { r.SetValue(append(r.Alloc(3)[:0], "abc"...)) }, func(v *sluicetest.Verdict) { v.Value, v.Changed = text("abc"), abi.FlagValue }},
		{"large value", func(r *sluice.Record) { r.SetValue(bytes.Repeat(text("x"), 66<<10)) }, func(v *sluicetest.Verdict) { v.Value, v.Changed = bytes.Repeat(text("x"), 66<<10), abi.FlagValue }},
		{"set header", func(r *sluice.Record) { r.SetHeader("a", text("3")) }, func(v *sluicetest.Verdict) {
			v.Headers, v.Changed = []sluice.Header{{Name: "b"}, {Name: "a", Value: text("3")}}, abi.FlagHeaders
		}},
		{"add header", func(r *sluice.Record) { r.AddHeader("b", text("")) }, func(v *sluicetest.Verdict) {
			v.Headers, v.Changed = append(v.Headers, sluice.Header{Name: "b", Value: []byte{}}), abi.FlagHeaders
		}},
		{"remove header", func(r *sluice.Record) { r.RemoveHeader("a") }, func(v *sluicetest.Verdict) {
			v.Headers, v.Changed = []sluice.Header{{Name: "b"}}, abi.FlagHeaders
		}},
		{"remove all headers", func(r *sluice.Record) { r.RemoveHeader("a"); r.RemoveHeader("b") }, func(v *sluicetest.Verdict) { v.Headers, v.Changed = nil, abi.FlagHeaders }},
		{"remove no header", func(r *sluice.Record) { r.RemoveHeader("c") }, func(*sluicetest.Verdict) {}},
		{"timestamp", func(r *sluice.Record) { r.SetTimestamp(-1) }, func(v *sluicetest.Verdict) { v.Timestamp, v.Changed = -1, abi.FlagTimestamp }},
		{"route", func(r *sluice.Record) { r.Route("other") }, func(v *sluicetest.Verdict) { v.Route, v.Changed = "other", abi.FlagRoute }},
		{"drop", func(r *sluice.Record) { r.Drop() }, func(v *sluicetest.Verdict) { v.Dropped, v.Changed = true, abi.FlagDrop }},
		{"cookie", func(r *sluice.Record) { r.SetCookie(1 << 63) }, func(v *sluicetest.Verdict) { v.Cookie = 1 << 63 }},
		{"fail", func(r *sluice.Record) { r.Fail("no") }, func(v *sluicetest.Verdict) { v.Failed = "no" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := same()
			c.want(&want)
			got := sluicetest.OnSend(t, func(r *sluice.Record) error { c.change(r); return nil },
				sluicetest.Batch{Topic: "orders", Records: []sluicetest.Record{input(), input()}})
			if diff := cmp.Diff([]sluicetest.Verdict{want, want}, got.Verdicts); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadingAfterSetting(t *testing.T) {
	got := sluicetest.OnSend(t, func(r *sluice.Record) error {
		r.SetKey(text("k2"))
		r.SetValue(text("v2"))
		r.SetHeader("a", text("3"))
		r.SetTimestamp(7)
		r.SetCookie(8)
		if v, _ := r.Header("a"); string(r.Key())+string(r.Value())+string(v) != "k2v23" || r.Timestamp() != 7 || r.Cookie() != 8 {
			return errors.New("what was set does not show")
		}
		return nil
	}, sluicetest.Batch{Records: []sluicetest.Record{input()}})
	if got.Verdicts[0].Failed != "" {
		t.Error(got.Verdicts[0].Failed)
	}
}

func TestABufferMayBeUsedAgain(t *testing.T) {
	buf := make([]byte, 0, 64)
	got := sluicetest.OnSend(t, func(r *sluice.Record) error {
		buf = append(buf[:0], r.Value()...)
		buf = append(buf, '!')
		r.SetValue(buf)
		r.SetKey(buf)
		r.SetHeader("h", buf)
		return nil
	}, sluicetest.Batch{Records: []sluicetest.Record{{Value: text("one")}, {Value: text("two")}, {Value: text("three")}}})
	for i, want := range []string{"one!", "two!", "three!"} {
		v := got.Verdicts[i]
		if string(v.Value) != want || string(v.Key) != want || string(v.Headers[0].Value) != want {
			t.Errorf("record %d: value %q, key %q, header %q; want all %q", i, v.Value, v.Key, v.Headers[0].Value, want)
		}
	}
}

// give gives up with v.
func give(v any) error {
	panic(v) //nolint:forbidigo // what hooks do that the SDK recovers
}

func TestOneRecordFailsAlone(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		name string
		hook func(r *sluice.Record) error
		want string
	}{
		{"error", func(*sluice.Record) error { return errors.New("no such customer") }, "no such customer"},
		{"long error", func(*sluice.Record) error { return errors.New(long) }, long[:abi.MaxReason]},
		{"panic with a string", func(*sluice.Record) error { return give("oh") }, "panic: oh"},
		{"panic with an error", func(*sluice.Record) error { return give(errors.New("oh")) }, "panic: oh"},
		{"panic with a number", func(*sluice.Record) error { return give(1) }, "panic: a value that is neither an error nor a string"},
		{"index out of range", func(r *sluice.Record) error { _ = r.Key()[r.Index()+100]; return nil }, "panic: runtime error: index out of range [102] with length 1"},
		{"nil pointer", func(*sluice.Record) error { var p *sluice.Record; p.Drop(); return nil }, "panic: runtime error: invalid memory address or nil pointer dereference"},
	} {
		t.Run(c.name, func(t *testing.T) {
			records := []sluicetest.Record{input(), input(), input(), input()}
			got := sluicetest.OnSend(t, func(r *sluice.Record) error {
				if r.Index() == 2 {
					return c.hook(r)
				}
				r.SetValue(text("seen"))
				return nil
			}, sluicetest.Batch{Records: records})
			for i, v := range got.Verdicts {
				switch {
				case i == 2 && v.Failed != c.want:
					t.Errorf("failed for %q, want %q", v.Failed, c.want)
				case i != 2 && (v.Failed != "" || string(v.Value) != "seen"):
					t.Errorf("record %d: failed %q, value %q; want it to pass", i, v.Failed, v.Value)
				}
			}
		})
	}
}

func TestEveryRecordPanics(t *testing.T) {
	records := make([]sluicetest.Record, 100)
	got := sluicetest.Partition(t, func(*sluice.Record) int32 { _ = give("oh"); return 0 }, sluicetest.Batch{Records: records})
	for i, v := range got.Verdicts {
		if v.Failed != "panic: oh" || v.Partition != sluice.NotMine {
			t.Fatalf("record %d: failed %q, partition %d", i, v.Failed, v.Partition)
		}
	}
}

func TestPartition(t *testing.T) {
	got := sluicetest.Partition(t, func(r *sluice.Record) int32 {
		if r.Key() == nil {
			return sluice.NotMine
		}
		return r.Partitions() - 1
	}, sluicetest.Batch{Partitions: 12, Records: []sluicetest.Record{{}, {Key: text("k")}}})
	if a, b := got.Verdicts[0].Partition, got.Verdicts[1].Partition; a != -1 || b != 11 {
		t.Errorf("partitions %d, %d; want -1, 11", a, b)
	}
}

func TestOnAck(t *testing.T) {
	acks := []sluicetest.Ack{
		{Topic: "orders", Partition: 3, Offset: 17, Timestamp: 99, KeySize: 4, ValueSize: -1, Cookie: 1 << 40},
		{Topic: "orders", Partition: -1, Offset: -1, Timestamp: -1, Error: 10, Message: "too large", KeySize: -1, ValueSize: 7},
	}
	var got []sluicetest.Ack
	result := sluicetest.OnAck(t, func(a *sluice.Ack) {
		got = append(got, sluicetest.Ack{
			Topic: strings.Clone(a.Topic()), Partition: a.Partition(), Offset: a.Offset(), Timestamp: a.Timestamp(),
			Error: a.Error(), Message: strings.Clone(a.Message()), KeySize: int32(a.KeySize()), ValueSize: int32(a.ValueSize()), Cookie: a.Cookie(),
		})
		sluice.CounterAdd("acks", 2)
		sluice.Info("seen")
	}, acks...)
	if diff := cmp.Diff(acks, got); diff != "" {
		t.Errorf("acks (-want +got):\n%s", diff)
	}
	want := sluicetest.Result{Counters: map[string]int64{"acks": 4}, Lines: []sluicetest.Line{{Level: 2, Text: "seen"}, {Level: 2, Text: "seen"}}}
	if diff := cmp.Diff(want, result); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestPanicInOnAck(t *testing.T) {
	seen := 0
	result := sluicetest.OnAck(t, func(a *sluice.Ack) {
		if seen++; a.Cookie() == 2 {
			_ = give("oh")
		}
	}, sluicetest.Ack{Cookie: 1}, sluicetest.Ack{Cookie: 2}, sluicetest.Ack{Cookie: 3})
	want := []sluicetest.Line{{Level: abi.LevelError, Text: "on_ack: panic: oh"}}
	if diff := cmp.Diff(want, result.Lines); diff != "" || seen != 3 {
		t.Errorf("%d acks were seen, want 3; lines (-want +got):\n%s", seen, diff)
	}
}

func TestEmptyBatch(t *testing.T) {
	sluicetest.OnSend(t, func(*sluice.Record) error { t.Error("called"); return nil }, sluicetest.Batch{})
	sluicetest.OnAck(t, func(*sluice.Ack) { t.Error("called") })
}
