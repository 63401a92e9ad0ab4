package main

import (
	"testing"

	"sluice/guest-sdk/go/sluicetest"
)

func TestOnSend(t *testing.T) {
	s := new(stamp)
	if err := sluicetest.Configure(t, s.configure, `{"source": "web"}`); err != nil {
		t.Fatal(err)
	}
	got := sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Topic: "orders", Records: []sluicetest.Record{
		{Value: []byte("1")},
		{},
	}})
	first, second := got.Verdicts[0], got.Verdicts[1]
	if len(first.Headers) != 1 || first.Headers[0].Name != "source" || string(first.Headers[0].Value) != "web" {
		t.Errorf("headers %v, want source: web", first.Headers)
	}
	if second.Failed == "" {
		t.Error("a record without a value was not refused")
	}
	if got.Counters["stamped"] != 1 {
		t.Errorf("%d records were counted, want 1", got.Counters["stamped"])
	}
}
