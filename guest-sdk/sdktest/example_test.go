package sdktest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
)

var orders = []topic{{"orders", 12}}

func TestRouter(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, "example/router")
			g := instantiate(t, wasm, `{"regions":{"eu":3,"us":7,"a/p~":1,"":9,"bad":"x"}}`)
			want := map[string]int32{"eu:1": 3, "us:2": 7, "eu": 3, "eux:1": -1, "a/p~:1": 1, ":x": 9, "bad:1": -1, "e": -1, "us:a:b": 7}
			keys := make([]string, 0, len(want))
			var records []record
			for key := range want {
				keys = append(keys, key)
				records = append(records, record{Key: []byte(key), Partition: -1})
			}
			records = append(records, record{Partition: -1}) // a null key, which is not the region ""
			out, err := g.hook(t.Context(), "partition", orders, records)
			if err != nil {
				t.Fatal(err)
			}
			if p := out[len(keys)].Partition; p != -1 {
				t.Errorf("null key: partition %d, want -1", p)
			}
			for i, key := range keys {
				if out[i].Partition != want[key] {
					t.Errorf("key %q: partition %d, want %d", key, out[i].Partition, want[key])
				}
			}
		})
	}
}

func TestRouterRefuses(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, "example/router")
			for config, reason := range map[string]string{`{}`: "/regions", `{"regions":{},"x":1}`: `unknown key "x"`} {
				g := newGuest(t, wasm, false)
				if code := g.configure(`{"topic":"t","config":` + config + `}`); code >= 0 {
					t.Errorf("configure with %s = %d", config, code)
				}
				if n := len(g.lines); n == 0 || g.lines[n-1].Level != abi.LevelError || !strings.Contains(g.lines[n-1].Text, reason) {
					t.Errorf("%s: log %v, want %q", config, g.lines, reason)
				}
			}
		})
	}
}

func TestStamp(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, "example/stamp")
			g := instantiate(t, wasm, `{}`)
			mine := header{"gateway", []byte("gw-1")}
			in := []record{
				{Key: []byte("k"), Value: []byte("v"), Timestamp: 5, Partition: -1},
				{Headers: []header{{"a", nil}, {"gateway", []byte("x")}, {"b", []byte("")}, {"gateway", nil}}, Partition: 2, Cookie: 9},
			}
			want := append([]record{}, in...)
			want[0].Headers = []header{mine}
			want[1].Headers = []header{{"a", nil}, {"b", []byte("")}, mine}
			want[0].Flags, want[1].Flags = abi.FlagHeaders, abi.FlagHeaders
			for range 3 {
				got, err := g.hook(t.Context(), "on_send", orders, in)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// TestGrowingInput has ever larger batches, so that the arena moves, and many headers, so that room for output grows.
func TestGrowingInput(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, "example/stamp")
			g := instantiate(t, wasm, `{}`)
			for _, n := range []int{1, 500, 3, 1024, 10} {
				records := make([]record, n)
				for i := range records {
					records[i].Value = []byte(strings.Repeat(fmt.Sprint(i, " "), n/2))
					for k := range i % 7 {
						records[i].Headers = append(records[i].Headers, header{fmt.Sprint("h", k), []byte("v")})
					}
				}
				got, err := g.hook(t.Context(), "on_send", orders, records)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					want := append(append([]header{}, records[i].Headers...), header{"gateway", []byte("gw-1")})
					if diff := cmp.Diff(want, got[i].Headers); diff != "" {
						t.Fatalf("%d records, record %d (-want +got):\n%s", n, i, diff)
					}
					if !bytes.Equal(records[i].Value, got[i].Value) {
						t.Fatalf("%d records: the value of record %d changed", n, i)
					}
				}
			}
		})
	}
}

// TestSteadyMemory holds that memory stops growing: input and output are used again from call to call.
func TestSteadyMemory(t *testing.T) {
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, "conformance/conformance")
			g := instantiate(t, wasm, `{}`)
			records := make([]record, 100)
			for i := range records {
				records[i] = record{Value: []byte("some value"), Headers: []header{{"do", []byte("echo")}, {"do", []byte("set-header:a=b")}}}
			}
			var after [2]uint32
			for round := range after {
				for range 200 {
					if _, err := g.hook(t.Context(), "on_send", orders, records); err != nil {
						t.Fatal(err)
					}
				}
				after[round] = g.memory().Size()
			}
			if after[0] != after[1] {
				t.Errorf("memory is %d bytes after 200 calls and %d after 400", after[0], after[1])
			}
		})
	}
}
