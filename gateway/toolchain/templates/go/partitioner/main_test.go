package main

import (
	"testing"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/sluicetest"
)

func TestPartition(t *testing.T) {
	l := new(lanes)
	if err := sluicetest.Configure(t, l.configure, `{"reserved": 2}`); err != nil {
		t.Fatal(err)
	}
	high := []sluice.Header{{Name: "priority", Value: []byte("high")}}
	got := sluicetest.Partition(t, l.partition, sluicetest.Batch{Topic: "orders", Partitions: 6, Records: []sluicetest.Record{
		{Key: []byte("customer-1")},
		{Key: []byte("customer-1"), Headers: high},
		{Headers: high},
	}})
	for i, want := range [][2]int32{{2, 5}, {0, 1}, {sluice.NotMine, sluice.NotMine}} {
		if p := got.Verdicts[i].Partition; p < want[0] || p > want[1] {
			t.Errorf("record %d goes to partition %d, want %d to %d", i, p, want[0], want[1])
		}
	}
}

func TestConfigure(t *testing.T) {
	for _, config := range []string{`{"reserved": 0}`, `{"reserved": "two"}`, `{"reservd": 2}`} {
		if err := sluicetest.Configure(t, new(lanes).configure, config); err == nil {
			t.Errorf("%s was taken", config)
		}
	}
}
