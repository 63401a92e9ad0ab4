package partitioner_test

import (
	"fmt"
	"testing"

	"sluice/gateway/partitioner"
)

// BenchmarkPartition is one call with records of 256 bytes, of which none or all have a key of 16 bytes.
func BenchmarkPartition(b *testing.B) {
	for _, name := range partitioner.Names() {
		for _, n := range []int{1, 100} {
			for _, keyed := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/records=%d/keyed=%t", name, n, keyed), func(b *testing.B) {
					q := newPartitioner(b, name, partitioner.Options{BatchSize: 16384, Adaptive: true})
					p := loaded(make([]int64, 12)...)
					p.Load[3].Bytes.Store(100_000)
					batch := newBatch(n, 240)
					for i := range batch.Records {
						if keyed {
							batch.Records[i].Key = fmt.Appendf(nil, "customer-%07d", i)
						}
					}
					b.ReportAllocs()
					for b.Loop() {
						unset(batch)
						q.Partition(batch, p)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
				})
			}
		}
	}
}

// BenchmarkContended is the same without keys, from all processors at once, on one partitioner.
func BenchmarkContended(b *testing.B) {
	for _, name := range partitioner.Names() {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/records=%d", name, n), func(b *testing.B) {
				q := newPartitioner(b, name, partitioner.Options{BatchSize: 16384, Adaptive: true})
				p := loaded(make([]int64, 12)...)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					batch := newBatch(n, 256)
					for pb.Next() {
						unset(batch)
						q.Partition(batch, p)
					}
				})
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
			})
		}
	}
}
