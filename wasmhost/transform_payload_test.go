package wasmhost

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
)

// FuzzPayload gives the parser what a guest could: what it accepts can be taken apart and put together again.
func FuzzPayload(f *testing.F) {
	for _, r := range keyed("", "key", strings.Repeat("k", 100)) {
		f.Add(appendPayload(nil, &r))
	}
	f.Add([]byte{1, 1, 0})
	f.Add([]byte("\x01\x01\xfe\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if topic, ok := outputTopic(p); ok && len(topic) > len(p) {
			t.Errorf("topic %q of options %q", topic, p)
		}
		n, ok := checkPayload(p)
		if !ok {
			return
		}
		var w written
		w.reset(1 << 20)
		if !w.add(0, p, false, n, nil) {
			t.Skip("too large")
		}
		b := transformBatch(Record{Key: []byte("k")})
		w.apply(b, b.Records)
		r := b.Records[0]
		again := appendPayload(nil, &r)
		if len(again) != payloadSize(&r) || len(r.Headers) != n {
			t.Fatalf("%d bytes and %d headers, want %d and %d", len(again), len(r.Headers), payloadSize(&r), n)
		}
		if n2, ok := checkPayload(again); !ok || n2 != n {
			t.Fatalf("%q is a payload, but not %q, which is the same", p, again)
		}
		w.reset(1 << 20)
		w.add(0, again, false, n, nil)
		b.Records[0].Changed = 0
		if w.apply(b, b.Records); b.Records[0].Changed != 0 {
			t.Errorf("%q changes what came of it: 0x%x", p, b.Records[0].Changed)
		}
	})
}

func TestPayloadSize(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 8191, 8192, 1 << 20} {
		long := bytes.Repeat([]byte{'x'}, n)
		for _, r := range []Record{
			{},
			{Key: long},
			{Value: long},
			{Key: long, Value: long, Headers: []Header{{string(long), long}, {"", nil}}},
			{Headers: make([]Header, n)},
		} {
			p := appendPayload(nil, &r)
			if payloadSize(&r) != len(p) {
				t.Errorf("n = %d: size %d, want %d", n, payloadSize(&r), len(p))
			}
			if headers, ok := checkPayload(p); !ok || headers != len(r.Headers) {
				t.Errorf("n = %d: %d headers, %v", n, headers, ok)
			}
		}
	}
}

// TestWrittenIsBounded counts what fits: the smallest payload becomes a whole record, and the smallest header a whole one.
func TestWrittenIsBounded(t *testing.T) {
	const room = 100 * abi.RecordSize
	var w written
	w.reset(room)
	for w.add(0, []byte{1, 1, 0}, false, 0, nil) {
	}
	if n := len(w.list); n < 90 || n > 100 {
		t.Errorf("%d outputs in %d bytes, want up to 100", n, room)
	}
	w.reset(room)
	if w.add(0, appendPayload(nil, &Record{Headers: make([]Header, 1000)}), false, 1000, nil) {
		t.Errorf("1000 headers fit into %d bytes", room)
	}
	w.reset(100 * keptOutput)
	w.add(0, make([]byte, 10*keptOutput), false, 0, nil)
	if w.reset(room); cap(w.bytes) > keptOutput {
		t.Errorf("%d bytes are kept", cap(w.bytes))
	}
}

// TestTransformOutputTopics says what a transform is told of routes: no globs, nothing twice, and eight at most.
func TestTransformOutputTopics(t *testing.T) {
	s := Settings{Topic: "in", Routes: []string{"a", "in", "b.*", "*", "a", "c"}}
	if diff := cmp.Diff([]string{"in", "a", "c"}, outputTopics(&s)); diff != "" {
		t.Error(diff)
	}
	for i := range 20 {
		s.Routes = append(s.Routes, fmt.Sprint("t", i))
	}
	if got := outputTopics(&s); len(got) != 8 || got[7] != "t4" {
		t.Errorf("%q, want 8 topics up to t4", got)
	}
}

// BenchmarkTransform is a whole call, host side included, per record of 256 bytes: transforms that write what they read,
// beside native guests that change nothing, or set the value that is there.
func BenchmarkTransform(b *testing.B) {
	headers := []Header{{"h", []byte("1")}}
	for _, c := range []struct {
		name    string
		wasm    func(testing.TB) []byte
		headers []Header
	}{
		{"redpanda-go", func(t testing.TB) []byte { t.Helper(); return goTransform(t, "identity") }, headers},
		{"redpanda-c", func(t testing.TB) []byte { t.Helper(); return cTransform(t, "identity") }, headers},
		{"native-c-noop", func(t testing.TB) []byte { t.Helper(); return cTransform(t, "native") }, nil},
		{"native-c-echo", func(t testing.TB) []byte { t.Helper(); return cTransform(t, "native") }, headers},
	} {
		b.Run(c.name, func(b *testing.B) {
			tt := newTransformTest(b, func(l *Limits) { l.InstanceMaxAge = 1 << 62 })
			g, _ := tt.guest(b, tt.compile(b, c.wasm(b)), "")
			for _, size := range []int{1, 100} {
				b.Run(fmt.Sprint("batch=", size), func(b *testing.B) { benchmarkOnSend(b, g, c.headers, size) })
			}
		})
	}
}

func benchmarkOnSend(b *testing.B, g *Guest, headers []Header, size int) {
	b.Helper()
	batch := transformBatch()
	memory := make([]byte, 2<<20)
	left := memory
	batch.Alloc = func(n int) []byte {
		p := left[:n:n]
		left = left[n:]
		return p
	}
	value := make([]byte, 256)
	for i := range size {
		batch.Records = append(batch.Records, Record{Key: fmt.Appendf(nil, "key:%05d", i), Value: value, Headers: headers, Timestamp: transformTime})
	}
	before := g.Stats.Hooks[OnSend].Fuel.Sum.Load()
	b.ReportAllocs()
	for b.Loop() {
		left = memory
		for i := range batch.Records {
			batch.Records[i].Changed, batch.Records[i].Value = 0, value
		}
		g.OnSend(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/record")
	b.ReportMetric(float64(g.Stats.Hooks[OnSend].Fuel.Sum.Load()-before)/float64(b.N*size), "fuel/record")
	for i := range batch.Records {
		if r := &batch.Records[i]; r.Verdict != Passed || r.Dropped() || !bytes.Equal(r.Value, value) {
			b.Fatalf("record %d: %s", i, r.Reason)
		}
	}
}
