package gateway

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkTransactions is the rate of transactions of two records from 64 connections, with and without sharing Kafka's.
func BenchmarkTransactions(b *testing.B) {
	for _, linger := range []int{0, 1, 5, 20} {
		b.Run(fmt.Sprintf("linger=%d", linger), func(b *testing.B) {
			c := fake(b)
			r := serve(b, c.ListenAddrs(), fmt.Sprintf("[topics.orders]\n[topics.other]\n[transactions]\ntransactional.id.prefix = \"t\"\n"+
				"transaction.max.block.ms = 60000\ntransaction.linger.ms = %d\n", linger))
			body := to("orders", "a") + to("other", "b")
			r.transaction("", body).want(b, 200, "")
			var failed atomic.Int64
			b.SetParallelism(32)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if o, err := r.tryTransaction("", body); err != nil || o.status != 200 {
						failed.Add(1)
					}
				}
			})
			b.StopTimer()
			if failed.Load() > 0 {
				b.Errorf("%d failed", failed.Load())
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "transactions/s")
			b.ReportMetric(float64(b.N)/float64(r.g.transactions.Stats.Ran.Load()), "per_kafka_transaction")
			if err := r.end(); err != nil {
				b.Error(err)
			}
		})
	}
}
