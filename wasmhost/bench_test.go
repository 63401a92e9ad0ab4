package wasmhost

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// languages are the compilers that benchmarks use, and the region router of each SDK.
var languages = []struct {
	name string
	cmd  func(out string) *exec.Cmd
}{
	{"c", func(out string) *exec.Cmd {
		return exec.Command("clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, "../guest-sdk/c/example/router.c")
	}},
	{"go", func(out string) *exec.Cmd {
		c := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "../guest-sdk/go/example")
		c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		return c
	}},
	{"assemblyscript", func(out string) *exec.Cmd {
		c := exec.Command("npx", "--no-install", "asc", "example/router.ts", "-O3", "--runtime", "stub", "-o", out)
		c.Dir = "../guest-sdk/assemblyscript"
		return c
	}},
}

// guestFor builds the router of a language and configures it.
func guestFor(b *testing.B, cmd func(string) *exec.Cmd) *Guest {
	b.Helper()
	out := filepath.Join(b.TempDir(), "o.wasm")
	c := cmd(out)
	if _, err := exec.LookPath(c.Path); err != nil {
		b.Skip("needs ", c.Path)
	}
	if text, err := c.CombinedOutput(); err != nil {
		b.Skipf("%v: %s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		b.Fatal(err)
	}
	h, err := New(Options{Limits: DefaultLimits()})
	if err != nil {
		b.Fatal(err)
	}
	m, err := h.Compile(b.Context(), wasm)
	if err != nil {
		b.Fatal(err)
	}
	g, err := m.Configure(Settings{
		Topic: "orders", Name: "router", Version: m.ID, Log: NewLog(10), Instances: 1,
		Config: json.RawMessage(`{"regions":{"us-east":0,"us-west":1,"eu":2}}`),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		g.Close()
		m.Release()
		_ = h.Close()
	})
	return g
}

// BenchmarkPartition is a whole call of a partitioner, host side included, per record.
func BenchmarkPartition(b *testing.B) {
	for _, l := range languages {
		for _, size := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/batch=%d", l.name, size), func(b *testing.B) {
				g := guestFor(b, l.cmd)
				batch := &Batch{Topics: []Topic{{"orders", 3}}}
				value := make([]byte, 256)
				for i := range size {
					batch.Records = append(batch.Records, Record{Key: fmt.Appendf(nil, "%s:%05d", []string{"us-east", "us-west", "eu"}[i%3], i), Value: value, Timestamp: -1})
				}
				b.ReportAllocs()
				for b.Loop() {
					for i := range batch.Records {
						batch.Records[i].Partition = -1
					}
					g.Partition(batch)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/record")
				for i := range batch.Records {
					if batch.Records[i].Partition != int32(i%3) {
						b.Fatalf("record %d went to %d: %s", i, batch.Records[i].Partition, batch.Records[i].Reason)
					}
				}
			})
		}
	}
}
