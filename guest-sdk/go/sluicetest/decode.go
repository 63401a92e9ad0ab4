//go:build !wasip1

package sluicetest

import (
	"bytes"
	"encoding/binary"
	"testing"

	"sluice/guest-sdk/abi"
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/internal/memory"
)

// reader reads what a hook left, as strictly as the host does.
type reader struct {
	tb   testing.TB
	view []byte
}

func (r reader) u32(at int) uint32 { return binary.LittleEndian.Uint32(r.view[at:]) }
func (r reader) i32(at int) int32  { return int32(r.u32(at)) }
func (r reader) u64(at int) uint64 { return binary.LittleEndian.Uint64(r.view[at:]) }

// bytes copies what the address and length at at stand for.
func (r reader) bytes(at int) []byte {
	r.tb.Helper()
	if r.i32(at+4) == abi.Null {
		return nil
	}
	p, ok := memory.Shared.Anywhere(r.u32(at), r.u32(at+4))
	if !ok {
		r.tb.Fatalf("%d bytes at address %d are neither in the input nor in the guest's room", r.u32(at+4), r.u32(at))
	}
	return append([]byte{}, p...)
}

func (r reader) verdict(at int) Verdict {
	r.tb.Helper()
	flags := r.u32(at + abi.RecFlags)
	if flags&^abi.AllFlags != 0 {
		r.tb.Fatalf("flags 0x%x has bits that mean nothing", flags)
	}
	v := Verdict{
		Record: Record{
			Key:       r.bytes(at + abi.RecKey),
			Value:     r.bytes(at + abi.RecValue),
			Headers:   r.headers(at),
			Timestamp: int64(r.u64(at + abi.RecTimestamp)),
			Cookie:    r.u64(at + abi.RecCookie),
		},
		Partition: r.i32(at + abi.RecPartition),
		Dropped:   flags&abi.FlagDrop != 0,
		Changed:   flags,
	}
	if flags&abi.FlagRoute != 0 {
		p, ok := memory.Shared.Anywhere(r.u32(at+abi.RecRoute), r.u32(at+abi.RecRouteLen))
		if !ok {
			r.tb.Fatalf("the route at address %d is not in the guest's room", r.u32(at+abi.RecRoute))
		}
		v.Route = string(p)
	}
	return v
}

func (r reader) headers(at int) []sluice.Header {
	r.tb.Helper()
	n := r.u32(at + abi.RecHeaderCount)
	list, ok := memory.Shared.Anywhere(r.u32(at+abi.RecHeaders), n*abi.KeyValueSize)
	if !ok {
		r.tb.Fatalf("%d headers at address %d are neither in the input nor in the guest's room", n, r.u32(at+abi.RecHeaders))
	}
	if n == 0 {
		return nil
	}
	out := make([]sluice.Header, 0, n)
	kv := reader{tb: r.tb, view: bytes.Clone(list)}
	for i := range int(n) {
		out = append(out, sluice.Header{
			Name:  string(kv.bytes(i*abi.KeyValueSize + abi.KVKey)),
			Value: kv.bytes(i*abi.KeyValueSize + abi.KVValue),
		})
	}
	return out
}
