//go:build unix

package compile

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// BenchmarkCompile compiles from nothing: a guest of Go's, of about 1.8 MB, and the smallest, which shows what a child costs.
func BenchmarkCompile(b *testing.B) {
	inChild, here := Options{Command: children(b, "__compile")}, Options{}
	goGuest := mustGuest(b)
	for _, bb := range []struct {
		name string
		o    Options
		wasm []byte
	}{
		{"go/child", inChild, goGuest},
		{"go/here", here, goGuest},
		{"tiny/child", inChild, tiny(1)},
		{"tiny/here", here, tiny(1)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			before := processorTime(b)
			for b.Loop() {
				bb.o.Dir = b.TempDir()
				mustCompile(b, open(b, bb.o), bb.wasm)
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkSecondStart is what a start costs when everything is in the cache: to open it, to find the module in it, and to
// have the runtime load its machine code.
func BenchmarkSecondStart(b *testing.B) {
	wasm := mustGuest(b)
	o := Options{Dir: b.TempDir()}
	mustCompile(b, open(b, o), wasm)
	b.Run("New", func(b *testing.B) {
		for b.Loop() {
			open(b, o)
		}
	})
	b.Run("Compile", func(b *testing.B) {
		c := open(b, o)
		for b.Loop() {
			if !mustCompile(b, c, wasm).Cached {
				b.Fatal("not cached")
			}
		}
	})
	b.Run("CompileModule", func(b *testing.B) {
		ctx := context.Background()
		for b.Loop() {
			c := open(b, o)
			metered := mustCompile(b, c, wasm).Metered
			rt := wazero.NewRuntimeWithConfig(ctx, c.RuntimeConfig())
			if _, err := rt.CompileModule(ctx, metered); err != nil {
				b.Fatal(err)
			}
			if err := rt.Close(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// processorTime is what this process and its children have used, which on a busy machine says more than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var sum int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var used syscall.Rusage
		if err := syscall.Getrusage(who, &used); err != nil {
			b.Fatal(err)
		}
		sum += used.Utime.Nano() + used.Stime.Nano()
	}
	return time.Duration(sum)
}
