package wasmhost

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// transformDir has the sources of the transforms, and a go.mod of its own that requires Redpanda's SDK.
const transformDir = "testdata/transform"

// transformTest is a host for transforms.
type transformTest struct {
	host *Host
}

func newTransformTest(t testing.TB, change func(*Limits)) *transformTest {
	t.Helper()
	l := DefaultLimits()
	l.Instances, l.BreakerFailures = 1, 1000
	l.CallTimeout, l.AcquireTimeout, l.InitTimeout = time.Second, time.Minute, time.Minute // for slow machines
	if change != nil {
		change(&l)
	}
	h, err := New(Options{Limits: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if n := h.Memory(); n != 0 {
			t.Errorf("%d bytes of memory are still charged", n)
		}
	})
	return &transformTest{host: h}
}

func (tt *transformTest) compile(t testing.TB, wasm []byte) *Module {
	t.Helper()
	m, err := tt.host.Compile(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return m
}

// guest configures m, with routes to anything but "forbidden".
func (tt *transformTest) guest(t testing.TB, m *Module, config string) (*Guest, *Log) {
	t.Helper()
	log := NewLog(100)
	g, err := m.Configure(Settings{
		Topic: "orders", Name: "deeds", Version: m.ID, Config: json.RawMessage(config), Log: log,
		Routes:       []string{"audit", "eu.*", "orders", "other"},
		RouteAllowed: func(topic []byte) bool { return string(topic) != "forbidden" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g, log
}

// The timestamp of records that have one, and the time of a batch.
const transformTime, batchTime = 1_700_000_000_000, 1_800_000_000_000

func transformBatch(records ...Record) *Batch {
	b := &Batch{
		Topics: []Topic{{"orders", 3}}, Records: records, Now: batchTime,
		Alloc:   func(n int) []byte { return make([]byte, n) },
		Headers: func(n int) []Header { return make([]Header, n) },
	}
	return b
}

// keyed is records with these keys, value "v" and a header.
func keyed(keys ...string) []Record {
	var records []Record
	for _, k := range keys {
		records = append(records, Record{
			Key: []byte(k), Value: []byte("v"), Headers: []Header{{"h", []byte("1")}}, Timestamp: transformTime, Partition: -1,
		})
	}
	return records
}

// reasons is what went wrong with records, without what a guest printed.
func reasons(records []Record) []string {
	var all []string
	for i := range records {
		text, _, _ := strings.Cut(records[i].Reason, " (it said")
		all = append(all, text)
	}
	return all
}

var transformSDK = sync.OnceValues(func() ([]byte, error) {
	c := exec.Command("go", "mod", "download")
	c.Dir, c.Env = transformDir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	return c.CombinedOutput()
})

// goTransform builds a transform with Redpanda's SDK, which comes from the module proxy.
func goTransform(t testing.TB, name string) []byte {
	t.Helper()
	if text, err := transformSDK(); err != nil {
		transformMissing(t, "Redpanda's SDK for transforms cannot be fetched: "+firstLine(text))
	}
	out := filepath.Join(t.TempDir(), name+".wasm")
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "./"+name)
	c.Dir = transformDir
	c.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off", "GOFLAGS=-mod=readonly")
	return compiledFile(t, c, out)
}

// cTransform builds a transform, or another guest, in C.
func cTransform(t testing.TB, name string) []byte {
	t.Helper()
	if _, err := exec.LookPath("clang"); err != nil {
		transformMissing(t, "no clang: apt-get install clang lld")
	}
	out := filepath.Join(t.TempDir(), name+".wasm")
	return compiledFile(t, exec.Command("clang", "--target=wasm32", "-O2", "-nostdlib", "-fno-builtin", "-Wl,--no-entry",
		"-Wl,--stack-first", "-o", out, filepath.Join(transformDir, name+".c")), out)
}

func compiledFile(t testing.TB, c *exec.Cmd, out string) []byte {
	t.Helper()
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", c, err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// watTransform assembles text.
func watTransform(t testing.TB, text string) []byte {
	t.Helper()
	if _, err := exec.LookPath("wat2wasm"); err != nil {
		transformMissing(t, "no wat2wasm: apt-get install wabt")
	}
	in := filepath.Join(t.TempDir(), "in.wat")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return compiledFile(t, exec.Command("wat2wasm", "-o", in+".wasm", in), in+".wasm")
}

// transformMissing ends a test that needs something this machine does not have: it skips, or fails with
// SLUICE_REQUIRE_ALL=1.
func transformMissing(t testing.TB, text string) {
	t.Helper()
	if os.Getenv("SLUICE_REQUIRE_ALL") == "1" {
		t.Fatal("SLUICE_REQUIRE_ALL=1, but " + text)
	}
	t.Skip(text)
}

func firstLine(text []byte) string {
	return slices.Collect(strings.Lines(string(text) + "\n"))[0]
}
