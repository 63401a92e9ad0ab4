package deadletter

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

func TestLetterIsReadAsWritten(t *testing.T) {
	want := Letter{
		ID: "r-1", Topic: "orders", Partition: 7, Offset: record.NoOffset, Timestamp: 1700000000123, Cause: CauseInterceptor, Code: "rejected",
		Module: "redact", Exception: "sluice.module.redact", Message: "no field /card", Unknown: true,
	}
	own := []record.Header{{Key: "a", Value: []byte("1")}, {Key: "null"}}
	headers := want.AppendHeaders(nil, own)
	if diff := cmp.Diff(own, headers[:2]); diff != "" {
		t.Error("the record's own headers are not first:\n", diff)
	}
	got, ok := Parse(headers)
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Error(ok, diff)
	}
}

// TestDeadLetterOfADeadLetter: what was replayed and failed again says why it failed now, and only that.
func TestDeadLetterOfADeadLetter(t *testing.T) {
	first := Letter{ID: "r-1", Topic: "orders", Partition: 1, Exception: "a.B", Message: "first", Module: "redact"}
	second := Letter{ID: "r-2", Topic: "orders", Partition: 1, Exception: "a.C", Message: "second"}
	headers := second.AppendHeaders(nil, first.AppendHeaders(nil, []record.Header{{Key: "a"}}))
	n := 0
	for _, h := range headers {
		if h.Key == ExceptionMessage {
			n++
		}
	}
	got, ok := Parse(headers)
	if !ok || n != 1 || got.ID != "r-2" || got.Message != "second" || got.Module != "" {
		t.Errorf("%d messages, %+v", n, got)
	}
	if mine := slices.DeleteFunc(slices.Clone(headers), func(h record.Header) bool { return IsOurs(h.Key) }); len(mine) != 1 {
		t.Errorf("the record's own headers are %v", mine)
	}
}

func TestParse(t *testing.T) {
	if _, ok := Parse([]record.Header{{Key: ExceptionMessage, Value: []byte("x")}}); ok {
		t.Error("a record without its topic is taken for a dead letter")
	}
	for _, test := range []struct {
		value string
		want  int32
	}{{"\x00\x00\x00\x05", 5}, {"\x00\x00\x00\x00\x00\x00\x00\x05", 5}, {"12", 12}, {"", -1}, {"x", -1}, {"\xff\xff\xff\xff", -1}} {
		got, ok := Parse([]record.Header{{Key: OriginalTopic, Value: []byte("t")}, {Key: OriginalPartition, Value: []byte(test.value)}})
		if !ok || got.Partition != test.want {
			t.Errorf("partition %q is read as %d, want %d", test.value, got.Partition, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(OriginalPartition, []byte{0, 0, 0, 1})
	f.Add(Outcome, []byte("unknown"))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		l, ok := Parse([]record.Header{{Key: OriginalTopic, Value: []byte("t")}, {Key: key, Value: value}})
		if ok != (l.Topic != "") {
			t.Errorf("%q = %q: %+v", key, value, l)
		}
		again, ok := Parse(l.AppendHeaders(nil, nil))
		if again.Offset != l.Offset || again.Partition != l.Partition || ok != (l.Topic != "") {
			t.Errorf("%+v is read as %+v", l, again)
		}
	})
}
