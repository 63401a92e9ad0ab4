//go:build unix

package compile

import (
	"bytes"
	"testing"

	"sluice/wasmhost/meter"
)

func mustLimits() meter.Limits { return meter.DefaultLimits() }

// FuzzChild gives bytes to all that read the protocol: the child, the parent and the cache.
func FuzzChild(f *testing.F) {
	req, err := frame(requestKind, request{Version: Version, Limits: mustLimits()}, tiny(1))
	if err != nil {
		f.Fatal(err)
	}
	ok, err := frame(replyKind, reply{Info: &meter.Info{}}, tiny(2))
	if err != nil {
		f.Fatal(err)
	}
	refused, err := frame(replyKind, reply{Problems: []meter.Problem{{Rule: "r"}}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{nil, req, ok, refused, []byte(replyKind), []byte(requestKind + "\xff\xff\xff\xff{}"), ok[:len(ok)-1]} {
		f.Add(b, uint32(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint32) {
		c := &Compiler{}
		p, _, err := c.understand(b)
		if (p == nil) == (err == nil) {
			t.Fatalf("product %v, error %v", p, err)
		}
		var r request
		if body, err := parseFrame(requestKind, b, &r); err == nil && len(body) > len(b) {
			t.Fatalf("a body of %d bytes in %d", len(body), len(b))
		}
		// What is wrapped comes out again, and no longer once a byte of it has changed.
		whole, err := frame(entryKind, entry{}, b)
		if err != nil {
			t.Fatal(err)
		}
		var e entry
		if body, err := parseFrame(entryKind, whole, &e); err != nil || !bytes.Equal(body, b) {
			t.Fatalf("body %q, error %v", body, err)
		}
		whole[int(at)%len(whole)] ^= 0x20
		if _, err := parseFrame(entryKind, whole, &e); err == nil {
			t.Fatal("a change was not noticed")
		}
	})
}
