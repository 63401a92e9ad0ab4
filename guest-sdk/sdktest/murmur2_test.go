package sdktest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const hasher = "../sdktest/testdata/murmur2"

// TestMurmur2 has what Kafka's own tests of the hash expect.
func TestMurmur2(t *testing.T) {
	vectors := map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107,
	}
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, hasher)
			g := newGuest(t, wasm, false)
			const partitions = 1<<31 - 1 // so that nearly all of the hash shows
			for key, hash := range vectors {
				out, err := g.hook(t.Context(), "partition", []topic{{"t", partitions}}, []record{{Key: []byte(key), Partition: -1}})
				if err != nil {
					t.Fatal(err)
				}
				if want := (hash & 0x7fffffff) % partitions; out[0].Partition != want {
					t.Errorf("key %q: %d, want %d", key, out[0].Partition, want)
				}
			}
		})
	}
}

// TestMurmur2LikeKgo compares keys of all lengths with an implementation that is not ours.
func TestMurmur2LikeKgo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	records := []record{{Partition: -1}, {Key: []byte{}, Partition: -1}}
	for n := range 300 {
		key := make([]byte, n%75)
		for i := range key {
			key[i] = byte(random.Uint32())
		}
		records = append(records, record{Key: key, Partition: -1})
	}
	theirs := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, hasher)
			out, err := newGuest(t, wasm, false).hook(t.Context(), "partition", []topic{{"t", 1009}}, records)
			if err != nil {
				t.Fatal(err)
			}
			if out[0].Partition != -1 {
				t.Errorf("a null key gets partition %d", out[0].Partition)
			}
			for i, r := range records[1:] {
				if want := theirs.Partition(&kgo.Record{Key: r.Key}, 1009); int(out[i+1].Partition) != want {
					t.Errorf("key %x: %d, want %d", r.Key, out[i+1].Partition, want)
				}
			}
		})
	}
}

// TestUnknownPartitions holds that a hash without partitions has no opinion, and does not divide by 0.
func TestUnknownPartitions(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, hasher)
			out, err := newGuest(t, wasm, false).hook(t.Context(), "partition", []topic{{"t", 0}}, []record{{Key: []byte("k")}})
			if err != nil || out[0].Partition != -1 {
				t.Errorf("%v, %v", out, err)
			}
		})
	}
}

// BenchmarkPartition is one call with a batch of 100 records; ns/record is what counts.
func BenchmarkPartition(b *testing.B) {
	const count = 100
	records := make([]record, count)
	for i := range records {
		records[i] = record{Key: []byte(fmt.Sprintf("customer-%06d-", i)), Value: []byte("v"), Partition: -1}
	}
	topics := []topic{{"orders", 12}}
	for _, l := range languages {
		b.Run(l.dir, func(b *testing.B) {
			g := newGuest(b, build(b, l, hasher), false)
			n := batchSize(topics, records)
			p := g.place(n, func(view []byte, base uint32) { writeBatch(view, base, topics, records) })
			f, stack, ctx := g.mod.ExportedFunction("partition"), make([]uint64, 2), b.Context()
			best := time.Hour // of a call: the mean says more about who else uses the machine
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				stack[0], stack[1] = uint64(p), uint64(n)
				if err := f.CallWithStack(ctx, stack); err != nil {
					b.Fatal(err)
				}
				best = min(best, time.Since(start))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/record")
			b.ReportMetric(float64(best.Nanoseconds())/count, "best-ns/record")
		})
	}
}
