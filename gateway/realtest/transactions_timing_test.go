//go:build linux

package realtest_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"sluice/gateway/kafkatest"
)

// BenchmarkTransactionsOnKafka is the rate of transactions of two records from 64 connections, with and without sharing Kafka's.
func BenchmarkTransactionsOnKafka(b *testing.B) {
	c := kafkatest.Shared(b, 3)
	c.CreateTopic("rate-a", 3, 3, nil)
	c.CreateTopic("rate-b", 3, 3, nil)
	for _, linger := range []int{0, 5} {
		addr := serve(b, settings(b, c, "", fmt.Sprintf("[topics.\"rate-*\"]\n[transactions]\ntransactional.id.prefix = \"rate-%d\"\n"+
			"transaction.max.block.ms = 60000\ntransaction.linger.ms = %d\n", linger, linger)))
		b.Run(fmt.Sprintf("linger=%d", linger), func(b *testing.B) {
			var failed atomic.Int64
			b.SetParallelism(32)
			b.RunParallel(func(p *testing.PB) {
				conn := newConnection(b)
				for p.Next() {
					if conn.transaction(b.Context(), addr, pairOf("rate-a", "rate-b", "v")).status != http.StatusOK {
						failed.Add(1)
					}
				}
			})
			if failed.Load() > 0 {
				b.Errorf("%d failed", failed.Load())
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "transactions/s")
		})
	}
}
