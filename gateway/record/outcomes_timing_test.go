package record

import (
	"fmt"
	"testing"
)

// BenchmarkComplete is what counting costs the goroutine that answers for all records of a client.
func BenchmarkComplete(b *testing.B) {
	for _, counted := range []bool{false, true} {
		for _, n := range []int{1, 1000} {
			b.Run(fmt.Sprintf("counted=%v/records=%d", counted, n), func(b *testing.B) {
				var p Pool
				var o Outcomes
				for b.Loop() {
					batch := p.Batch()
					for range n {
						batch.Add("t")
					}
					batch.Done = (*Batch).Free
					batch.Start()
					if counted {
						batch.CountIn(&o)
					}
					for i := range n {
						batch.Complete(i, Ack{Code: Stored})
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
				b.ReportAllocs()
			})
		}
	}
}
