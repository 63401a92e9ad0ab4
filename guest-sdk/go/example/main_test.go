package main

import (
	"fmt"
	"testing"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/sluicetest"
)

func TestChoose(t *testing.T) {
	used := map[int32]bool{}
	for i := range 100 {
		got := sluicetest.Partition(t, choose, sluicetest.Batch{Topic: "orders", Partitions: 7, Records: []sluicetest.Record{
			{Key: fmt.Appendf(nil, "eu:%d", i)},
			{Key: fmt.Appendf(nil, "us:%d", i)},
		}})
		eu, us := got.Verdicts[0].Partition, got.Verdicts[1].Partition
		if eu < 0 || eu > 2 || us < 3 || us > 6 {
			t.Errorf("order %d: EU in partition %d, US in %d", i, eu, us)
		}
		used[eu], used[us] = true, true
	}
	if len(used) != 7 {
		t.Errorf("%d of 7 partitions are used", len(used))
	}
}

func TestNotMine(t *testing.T) {
	for partitions, key := range map[int32][]byte{1: []byte("eu:1"), 0: []byte("eu:1"), 8: nil} {
		got := sluicetest.Partition(t, choose, sluicetest.Batch{Partitions: partitions, Records: []sluicetest.Record{{Key: key}}})
		if p := got.Verdicts[0].Partition; p != sluice.NotMine {
			t.Errorf("%d partitions, key %q: partition %d", partitions, key, p)
		}
	}
}
