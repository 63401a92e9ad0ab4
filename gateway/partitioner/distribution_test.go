package partitioner_test

import (
	"math"
	"testing"

	"sluice/gateway/partitioner"
)

// Every built-in partitioner gives records without a key evenly to its partitions. The chance is seeded, so that the test
// always sees the same; chi-square with 9 degrees of freedom exceeds 27.9 once in a thousand seeds.
func TestKeylessRecordsAreSpreadEvenly(t *testing.T) {
	const partitions, records = 10, 100_000
	for _, name := range partitioner.Names() {
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 1, Rand: seeded(42)})
		count := make([]float64, partitions)
		b := newBatch(1000, 20)
		for range records / 1000 {
			unset(b)
			q.Partition(b, all(partitions))
			for i := range b.Records {
				count[b.Records[i].Partition]++
			}
		}
		chi := 0.0
		for _, n := range count {
			chi += math.Pow(n-records/partitions, 2) / (records / partitions)
		}
		if chi > 27.9 {
			t.Errorf("%s: chi-square %.1f, of counts %v", name, chi, count)
		}
	}
}

// What KIP-794 is about: partitions get the same number of bytes, also when sizes differ wildly.
func TestBytesAreSpreadEvenly(t *testing.T) {
	const partitions, batches = 5, 4000
	for _, name := range []string{partitioner.UniformBytes, partitioner.Sticky} {
		rand := seeded(42)
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 1 << 10, Rand: rand})
		bytes, total := make([]float64, partitions), 0.0
		for range batches {
			b := newBatch(10, 4096)
			for i := range b.Records {
				r := &b.Records[i]
				r.Value = r.Value[:1<<(rand()%13)]
			}
			q.Partition(b, all(partitions))
			for i := range b.Records {
				bytes[b.Records[i].Partition] += float64(b.Records[i].Size())
				total += float64(b.Records[i].Size())
			}
			b.Free()
		}
		for i, n := range bytes {
			if share := n / total * partitions; share < 0.95 || share > 1.05 {
				t.Errorf("%s: partition %d got %.3f of its share of the bytes", name, i, share)
			}
		}
	}
}

// Adaptive chances, with real chance: frequencies as for the queues {5, 0, 3, 0, 1}.
func TestAdaptiveChances(t *testing.T) {
	const records = 42_000
	q := newPartitioner(t, partitioner.UniformBytes, partitioner.Options{BatchSize: 1, Adaptive: true, Rand: seeded(42), Now: at(noon)})
	got := frequencies(q, loaded(5, 0, 3, 0, 1), records)
	chi := 0.0
	for i, w := range []float64{1, 6, 3, 6, 5} {
		want := records * w / 21
		chi += math.Pow(float64(got[i])-want, 2) / want
	}
	if chi > 18.5 { // once in a thousand seeds, with 4 degrees of freedom
		t.Errorf("chi-square %.1f, of counts %v", chi, got)
	}
}
