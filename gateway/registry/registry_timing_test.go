package registry_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/gateway/registry"
)

// megabyte is incompressible bytes, the n-th of the versions that the benchmarks use.
func megabyte(n int) []byte {
	b := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b)
	return b
}

func benchmarked(b *testing.B, folder string, modules, versions int) *registry.Registry {
	b.Helper()
	r := open(b, folder, registry.Options{})
	for i := range modules * versions {
		if _, err := r.Put(fmt.Sprint("m", i%modules), megabyte(i), nil, upload); err != nil {
			b.Fatal(err)
		}
	}
	return r
}

// An upload of 1 MiB with all its syncs, and pruning from the 100th on.
func BenchmarkPut(b *testing.B) {
	r := benchmarked(b, b.TempDir(), 1, 1)
	b.ReportAllocs()
	b.SetBytes(1 << 20)
	wasm := megabyte(0)
	for n := 1; b.Loop(); n++ {
		wasm[n%len(wasm)]++
		if _, err := r.Put("m0", wasm, nil, upload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkActivate(b *testing.B) {
	r := benchmarked(b, b.TempDir(), 1, 2)
	ids := []string{registry.ID(megabyte(0)), registry.ID(megabyte(1))}
	b.ReportAllocs()
	for n := 1; b.Loop(); n++ {
		if err := r.Activate("m0", ids[n%2], ""); err != nil {
			b.Fatal(err)
		}
	}
}

// A start with 20 modules of 5 versions each; 20 of the 100 MiB are read.
func BenchmarkOpen(b *testing.B) {
	folder := b.TempDir()
	shut(b, benchmarked(b, folder, 20, 5))
	b.ReportAllocs()
	for b.Loop() {
		shut(b, open(b, folder, registry.Options{}))
	}
}

func BenchmarkModule(b *testing.B) {
	r := benchmarked(b, "", 20, 5)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Module("m7"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBytes(b *testing.B) {
	r := benchmarked(b, b.TempDir(), 1, 1)
	id := registry.ID(megabyte(0))
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Bytes(id); err != nil {
			b.Fatal(err)
		}
	}
}
