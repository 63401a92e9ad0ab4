package producer

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// BenchmarkPromise is what runs on kgo's one goroutine per record: it must stay under 100 ns.
func BenchmarkPromise(b *testing.B) {
	c := &Cluster{}
	t := &Topic{cluster: c, name: "orders", budget: newBudget(1<<40, 0)}
	l := newLedger(newBook(), "orders", 0)
	l.given.Store(1 << 40)
	var pool record.Pool
	const n = record.MaxBatchRecords
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batch := pool.Batch()
		for range n {
			batch.Add("orders")
		}
		done := false
		batch.Done = func(*record.Batch) { done = true }
		batch.Start()
		g := c.groups.take(n)
		g.topic, g.batch = t, batch
		for i := range n {
			g.add(&batch.Records[i], i)
		}
		g.left.Store(n)
		slots := g.slots
		for i := range slots {
			slots[i].ledger = l
		}
		b.StartTimer()
		for i := range slots {
			slots[i].promise(&slots[i].Record, nil)
		}
		if !done {
			b.Fatal("the batch did not end")
		}
		batch.Free()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}

// BenchmarkAppend is a batch from Append to its last Ack, against a broker in this process that stores nothing.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100} {
		name := map[int]string{1: "records=1", 100: "records=100"}[n]
		b.Run(name, func(b *testing.B) {
			r := newRig(b, kfake.BlackholeProduce())
			topic := r.topic("orders", func(p *config.Producer) { p.Linger = 0 })
			value := make([]byte, 256)
			slot := make(chan struct{}, 64)
			done := func(batch *record.Batch) { batch.Free(); <-slot }
			b.ReportAllocs()
			for b.Loop() {
				slot <- struct{}{}
				batch := r.pool.Batch()
				for i := range n {
					rec := batch.Add("orders")
					rec.Value, rec.Partition = batch.Copy(value), int32(i%3)
				}
				batch.Done = done
				batch.Start()
				topic.Append(batch)
			}
			for range cap(slot) {
				slot <- struct{}{}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/record")
		})
	}
}

// BenchmarkBudget takes and gives back what two goroutines always find room for.
func BenchmarkBudget(b *testing.B) {
	for name, c := range map[string]claim{"bytes": {bytes: 1}, "bytes and records": {bytes: 1, records: 1}} {
		b.Run(name, func(b *testing.B) {
			budget := newBudget(1<<20, c.records<<20)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if budget.acquire(c, 0) == granted {
						budget.release(c)
					}
				}
			})
		})
	}
}
