package deadletter

import (
	"testing"

	"sluice/gateway/record"
)

func TestMarkIsReadAsWritten(t *testing.T) {
	id, to, ok := ParseMark(Mark("r-1", Place("orders", 2, 17)))
	if !ok || id != "r-1" || to != "orders-2@17" {
		t.Errorf("%v %q %q", ok, id, to)
	}
	if to := Place("orders", 2, -1); to != "orders-2" {
		t.Errorf("without an offset: %q", to)
	}
}

func TestLetterIsNoMark(t *testing.T) {
	l := Letter{ID: "r-2", Topic: "orders"}
	if _, _, ok := ParseMark(l.AppendHeaders(Mark("r-1", "x"), nil)); ok {
		t.Error("a letter whose record had the header of a mark is taken for one")
	}
	if _, _, ok := ParseMark([]record.Header{{Key: ReplayedTo, Value: []byte("x")}}); ok {
		t.Error("a mark without an id")
	}
}
