//go:build !race

package sluice_test

import (
	"testing"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/sluicetest"
)

// Nothing is allocated per record: what is allocated by sluicetest does not depend on what the hook does.
func TestNoAllocationPerRecord(t *testing.T) {
	b := sluicetest.Batch{Topic: "orders", Partitions: 3, Records: make([]sluicetest.Record, 50)}
	for i := range b.Records {
		b.Records[i] = input()
	}
	value, name := make([]byte, 500), "name"
	all := func(r *sluice.Record) error {
		r.SetKey(r.Value()[:2])
		r.SetValue(value)
		r.SetHeader(name, value[:7])
		r.SetHeader("a", append(r.Alloc(5)[:0], "12345"...))
		r.Route(r.Topic())
		r.SetCookie(uint64(r.Index()))
		return nil
	}
	run := sluicetest.Prepare(t, b)
	if n := testing.AllocsPerRun(100, func() { run(all) }); n != 0 {
		t.Errorf("a batch of 50 records allocates %v times", n)
	}
}

func BenchmarkOnSend(b *testing.B) {
	batch := sluicetest.Batch{Topic: "orders", Records: make([]sluicetest.Record, 100)}
	for i := range batch.Records {
		batch.Records[i] = input()
	}
	run := sluicetest.Prepare(b, batch)
	b.ReportAllocs()
	for b.Loop() {
		run(func(r *sluice.Record) error { r.SetHeader("x", r.Key()); return nil })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/record")
}
