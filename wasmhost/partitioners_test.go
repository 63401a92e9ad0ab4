package wasmhost

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sluice/guest-sdk/go/murmur2"
)

// partitioner is a guest that tests and benchmarks build from source.
type partitioner struct {
	name   string
	config string
	needs  string // the compiler
	build  func(out string) *exec.Cmd
	want   func(i int, key []byte) int32 // the partition of record i of partitionBatch
}

// partitioners are a typical one, which hashes the key, and the routers of the SDKs' examples.
func partitioners() []partitioner {
	const regions = `{"regions":{"us-east":0,"us-west":1,"eu":2}}`
	hash := func(_ int, key []byte) int32 { return murmur2.Partition(key, 3) }
	region := func(i int, _ []byte) int32 { return int32(i % 3) }
	halves := func(i int, key []byte) int32 {
		if i%3 == 2 { // of the EU
			return 0
		}
		return 1 + murmur2.Partition(key, 2)
	}
	return []partitioner{
		{"murmur2/c", "", "clang", clang("testdata/partition/murmur2.c"), hash},
		{"murmur2/assemblyscript", "", asc(), ascOf("testdata/partition/murmur2.ts"), hash},
		{"router/c", regions, "clang", clang("../guest-sdk/c/example/router.c"), region},
		{"router/go", "", "go", func(out string) *exec.Cmd {
			c := exec.Command("go", "build", "-buildmode=c-shared", "-ldflags=-s -w", "-o", out, "../guest-sdk/go/example")
			c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
			return c
		}, halves},
		{"router/assemblyscript", regions, asc(), ascOf("../guest-sdk/assemblyscript/example/router.ts"), region},
	}
}

func clang(source string) func(string) *exec.Cmd {
	return func(out string) *exec.Cmd {
		return exec.Command("clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--stack-first", "-o", out, source)
	}
}

// asc is AssemblyScript's compiler, the SDK's own (npm ci in guest-sdk/assemblyscript).
func asc() string { return filepath.FromSlash("../guest-sdk/assemblyscript/node_modules/.bin/asc") }

func ascOf(source string) func(string) *exec.Cmd {
	return func(out string) *exec.Cmd {
		return exec.Command(asc(), source, "-O3", "--runtime", "stub", "-o", out)
	}
}

// typical says that p is no example of an SDK.
func (p *partitioner) typical() bool { return strings.HasPrefix(p.name, "murmur2/") }

// wasm builds p, or skips the test for want of a compiler.
func (p *partitioner) wasm(t testing.TB) []byte {
	t.Helper()
	if _, err := exec.LookPath(p.needs); err != nil {
		transformMissing(t, "no "+p.needs)
	}
	out := filepath.Join(t.TempDir(), "o.wasm")
	return compiledFile(t, p.build(out), out)
}

// guest makes a guest of p on a host of its own.
func (p *partitioner) guest(t testing.TB) *Guest {
	t.Helper()
	r := newRig(t, nil)
	m, err := r.host.Compile(t.Context(), p.wasm(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return r.configure(t, m, func(s *Settings) { s.Config = json.RawMessage(p.config) })
}

// partitionBatch is n records as they come, with keys of some 13 bytes and values of 256.
func partitionBatch(n int) *Batch {
	b := &Batch{Topics: []Topic{{"orders", 3}}}
	value := make([]byte, 256)
	for i := range n {
		key := fmt.Appendf(nil, "%s:%05d", []string{"us-east", "us-west", "eu"}[i%3], i)
		b.Records = append(b.Records, Record{Key: key, Value: value, Timestamp: -1, Partition: -1})
	}
	return b
}

// chosen checks what p made of a batch.
func (p *partitioner) chosen(t testing.TB, b *Batch) {
	t.Helper()
	for i := range b.Records {
		r := &b.Records[i]
		if want := p.want(i, r.Key); r.Verdict != Passed || r.Partition != want {
			t.Fatalf("record %d: partition %d, want %d; verdict %d: %s", i, r.Partition, want, r.Verdict, r.Reason)
		}
	}
}

// TestPartitioners: guests of all languages choose what they should.
func TestPartitioners(t *testing.T) {
	for _, p := range partitioners() {
		if testing.Short() && !p.typical() {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			g, b := p.guest(t), partitionBatch(100)
			b.Records = append(b.Records, Record{Value: []byte("no key"), Timestamp: -1, Partition: -1})
			g.Partition(b)
			last := &b.Records[100]
			if last.Verdict != Passed || last.Partition != -1 {
				t.Errorf("without a key: partition %d, verdict %d: %s", last.Partition, last.Verdict, last.Reason)
			}
			b.Records = b.Records[:100]
			p.chosen(t, b)
		})
	}
}
