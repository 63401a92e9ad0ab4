package embedded_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/kafkatest"
)

// BenchmarkProduceSync is one acknowledged record at a time: what keeping records costs, and what an fsync of every
// batch would add.
func BenchmarkProduceSync(b *testing.B) {
	for _, c := range []struct {
		name string
		opts []kfake.Opt
	}{
		{"memory", nil},
		{"disk", []kfake.Opt{kfake.DataDir(b.TempDir())}},
		{"disk+fsync", []kfake.Opt{kfake.DataDir(b.TempDir()), kfake.SyncWrites()}},
	} {
		b.Run(c.name, func(b *testing.B) {
			addrs := kafkatest.Fake(b, append(c.opts, kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))...)
			cl := client(b, addrs[0], kgo.ProducerLinger(0))
			value := make([]byte, 256)
			b.ReportAllocs()
			for b.Loop() {
				if err := cl.ProduceSync(b.Context(), &kgo.Record{Topic: "orders", Value: value}).FirstErr(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
