package meter_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// work is what is timed of each guest.
var work = []struct {
	name, f string
	args    []uint64 // after the arena's address, if that is wanted
	arena   bool
}{
	{"murmur2-16", "murmur2", []uint64{16}, true},
	{"murmur2-256", "murmur2", []uint64{256}, true},
	{"batch-100x16", "batch", []uint64{16, 100}, true},
	{"fields", "fields", []uint64{uint64(len(sample))}, true},
	{"fib-16", "fib", []uint64{16}, false},
	{"sieve-4096", "sieve", []uint64{4096}, false},
}

// BenchmarkCall times guests without a limit, metered, and with wazero's own limit. The three take turns, and the least
// time of each counts, so that what else the machine does drops out: x-metered and x-wazero are ratios to unmetered.
func BenchmarkCall(b *testing.B) {
	for _, g := range guests {
		b.Run(g.name, func(b *testing.B) {
			wasm := g.wasm(b)
			plain := wazero.NewRuntimeConfigCompiler()
			r := host(b, plain)
			withDone := host(b, plain.WithCloseOnContextDone(true))
			modes := []*instance{start(b, r, wasm), start(b, r, rewrite(b, wasm)), start(b, withDone, wasm)}
			_ = []*instance{start(b, host(b, plain.WithCloseOnContextDone(true)), wasm)}
			for _, w := range work {
				b.Run(w.name, func(b *testing.B) {
					calls := make([]*timed, len(modes))
					for i, m := range modes {
						calls[i] = newTimed(b, m, w.f, w.args, w.arena)
					}
					for b.Loop() {
						for _, c := range calls {
							c.round(b)
						}
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(calls[0].ns(), "ns-unmetered")
					b.ReportMetric(calls[1].ns(), "ns-metered")
					b.ReportMetric(calls[1].ns()/calls[0].ns(), "x-metered")
					b.ReportMetric(calls[2].ns()/calls[0].ns(), "x-wazero")
					b.ReportMetric(float64(calls[1].used), "units")
				})
			}
		})
	}
}

// timed is a call that is timed in rounds.
type timed struct {
	i     *instance
	f     api.Function
	args  []uint64
	stack []uint64
	n     int // calls a round
	best  time.Duration
	used  int64
}

const roundTime = 300 * time.Microsecond

func newTimed(b *testing.B, i *instance, name string, args []uint64, arena bool) *timed {
	b.Helper()
	if arena {
		args = append([]uint64{i.fill(b)}, args...)
	}
	c := &timed{i: i, f: i.ExportedFunction(name), args: args, stack: make([]uint64, len(args)), n: 1, best: time.Hour}
	for c.best = 0; c.best < roundTime; c.n *= 2 {
		c.best = time.Hour
		c.round(b)
	}
	c.n, c.best = max(c.n/4, 1), time.Hour
	return c
}

func (c *timed) ns() float64 { return float64(c.best) / float64(c.n) }

func (c *timed) round(b *testing.B) {
	b.Helper()
	begin := time.Now()
	for range c.n {
		copy(c.stack, c.args)
		c.i.give(100_000_000)
		if err := c.f.CallWithStack(context.Background(), c.stack); err != nil {
			b.Fatal(err)
		}
	}
	c.best = min(c.best, time.Since(begin))
	if c.i.fuel != nil {
		c.used = 100_000_000 - c.i.left()
	}
}

// BenchmarkRewrite times the rewriter itself.
func BenchmarkRewrite(b *testing.B) {
	for _, g := range guests {
		b.Run(g.name, func(b *testing.B) {
			wasm := g.wasm(b)
			b.SetBytes(int64(len(wasm)))
			b.ReportAllocs()
			for b.Loop() {
				rewrite(b, wasm)
			}
		})
	}
}

// BenchmarkCompile times what the additions cost the compiler.
func BenchmarkCompile(b *testing.B) {
	for _, g := range guests {
		for _, metered := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/metered=%v", g.name, metered), func(b *testing.B) {
				wasm := g.wasm(b)
				if metered {
					wasm = rewrite(b, wasm)
				}
				for b.Loop() {
					r := host(b, wazero.NewRuntimeConfigCompiler())
					_, err := r.CompileModule(context.Background(), wasm)
					must(b, err)
					must(b, r.Close(context.Background()))
				}
			})
		}
	}
}
