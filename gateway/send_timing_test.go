package gateway

import (
	"testing"

	"sluice/gateway/config"
	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

// atOnce is a Destination that has stored what it gets.
type atOnce struct{ p record.Partitions }

func (d *atOnce) PartitionsAtLeast(int32) (*record.Partitions, *record.Error) { return &d.p, nil }

func (d *atOnce) Append(b *record.Batch) bool {
	for i := range b.Records {
		b.Complete(i, record.Ack{Code: record.Stored})
	}
	return true
}

func (d *atOnce) Refuse(*record.Batch, *record.Error) {}

// BenchmarkSend is the way of one record through a topic without modules, dead letters, limits and spool.
func BenchmarkSend(b *testing.B) {
	p, err := partitioner.New("murmur2", partitioner.Options{BatchSize: 16384})
	if err != nil {
		b.Fatal(err)
	}
	t := &Topic{cfg: config.Topic{Name: "orders"}, partitioner: p, out: &atOnce{record.Partitions{Topic: "orders", Count: 6, Available: []int32{0, 1, 2, 3, 4, 5}}}}
	pool := &record.Pool{}
	key := []byte("key")
	b.ReportAllocs()
	for b.Loop() {
		batch := pool.Batch()
		r := batch.Add("orders")
		r.Key, r.Value = key, key
		batch.Done = (*record.Batch).Free
		batch.Unattended = true
		batch.Start()
		batch.Hold()
		t.Send(batch)
		batch.Free()
	}
}
