package wasmhost

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sluice/wasmhost/meter"
)

// BenchmarkPartition is a whole call of a partitioner, host side included, per record.
func BenchmarkPartition(b *testing.B) {
	for _, p := range partitioners() {
		for _, size := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/batch=%d", p.name, size), func(b *testing.B) {
				g, batch := p.guest(b), partitionBatch(size)
				b.ReportAllocs()
				for b.Loop() {
					for i := range batch.Records {
						batch.Records[i].Partition = -1
					}
					g.Partition(batch)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/record")
				p.chosen(b, batch)
			})
		}
	}
}

// BenchmarkPartitionMetering times the guest's part of the same call: without a limit, metered, and with wazero's own
// limit. They take turns, and the least time of each counts, so that what else the machine does drops out.
func BenchmarkPartitionMetering(b *testing.B) {
	for _, p := range partitioners() {
		if !p.typical() {
			continue
		}
		b.Run(p.name, func(b *testing.B) {
			wasm := p.wasm(b)
			metered, _, err := meter.Rewrite(wasm, meter.DefaultLimits())
			if err != nil {
				b.Fatal(err)
			}
			plain := wazero.NewRuntimeConfigCompiler()
			runs := []*bareRun{newBareRun(b, plain, wasm), newBareRun(b, plain, metered), newBareRun(b, plain.WithCloseOnContextDone(true), wasm)}
			for b.Loop() {
				for _, r := range runs {
					r.round(b)
				}
			}
			unmetered, ours, theirs := runs[0].ns(), runs[1].ns(), runs[2].ns()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(unmetered, "ns/record-unmetered")
			b.ReportMetric(ours, "ns/record-metered")
			b.ReportMetric(ours/unmetered, "x-metered")
			b.ReportMetric(theirs/unmetered, "x-wazero")
			b.ReportMetric((ours-unmetered)/(theirs-unmetered), "of-wazero's-overhead")
		})
	}
}

// bareRun is a partitioner in a runtime without a host around it, and a batch in its memory.
type bareRun struct {
	partition    api.Function
	fuel, budget api.MutableGlobal
	at, size     uint32
	ctx          context.Context //nolint:containedctx // of all its calls
	best         time.Duration
}

const bareRecords, bareCalls = 100, 20

func newBareRun(b *testing.B, config wazero.RuntimeConfig, wasm []byte) *bareRun {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context()) // one that can end, as wazero's limit wants
	r := wazero.NewRuntimeWithConfig(ctx, config)
	b.Cleanup(func() {
		_ = r.Close(context.Background())
		cancel()
	})
	if err := (&Host{runtime: r}).instantiateImports(ctx); err != nil {
		b.Fatal(err)
	}
	m, err := r.InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig())
	if err != nil {
		b.Fatal(err)
	}
	run := &bareRun{partition: m.ExportedFunction("partition"), ctx: ctx, best: time.Hour}
	run.fuel, _ = m.ExportedGlobal(meter.FuelExport).(api.MutableGlobal)
	run.budget, _ = m.ExportedGlobal(meter.BudgetExport).(api.MutableGlobal)
	batch := partitionBatch(bareRecords)
	run.size = uint32(inputSize(batch.Topics, batch.Records))
	at, err := m.ExportedFunction("sluice_alloc").Call(ctx, uint64(run.size))
	if err != nil {
		b.Fatal(err)
	}
	run.at = uint32(at[0])
	view, ok := m.Memory().Read(run.at, run.size)
	if !ok {
		b.Fatal("the batch does not fit")
	}
	encode(view, run.at, batch, batch.Records)
	return run
}

func (r *bareRun) round(b *testing.B) {
	b.Helper()
	var stack [2]uint64
	begin := time.Now()
	for range bareCalls {
		if r.fuel != nil {
			r.fuel.Set(meter.Slice)
			r.budget.Set(100 * meter.Slice)
		}
		stack[0], stack[1] = uint64(r.at), uint64(r.size)
		if err := r.partition.CallWithStack(r.ctx, stack[:]); err != nil || stack[0] != 0 {
			b.Fatal(stack[0], err)
		}
	}
	r.best = min(r.best, time.Since(begin))
}

func (r *bareRun) ns() float64 { return float64(r.best) / bareCalls / bareRecords }
