package wasmhost

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sluice/guest-sdk/abi"
)

// linearMemory is one page of a module's memory.
func linearMemory(t testing.TB) api.Memory {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(ctx) })
	m, err := r.Instantiate(ctx, []byte("\x00asm\x01\x00\x00\x00\x05\x04\x01\x01\x01\x01\x07\x0a\x01\x06memory\x02\x00"))
	if err != nil {
		t.Fatal(err)
	}
	return m.Memory()
}

// counted is a batch that counts the bytes it is asked for.
func counted(records int) (*Batch, *int) {
	n := new(int)
	b := &Batch{Topics: []Topic{{"orders", 3}}, Records: make([]Record, records)}
	b.Alloc = func(size int) []byte { *n += size; return make([]byte, size) }
	b.Headers = func(size int) []Header { return make([]Header, size) }
	return b, n
}

// FuzzDecode lets a guest write what it likes where its answer is read from.
func FuzzDecode(f *testing.F) {
	descriptor := func(flags, key, keyLen, value, valueLen, headers, headerCount uint32) []byte {
		d := make([]byte, abi.RecordSize)
		for at, v := range map[int]uint32{
			abi.RecFlags: flags, abi.RecKey: key, abi.RecKeyLen: keyLen, abi.RecValue: value, abi.RecValueLen: valueLen,
			abi.RecHeaders: headers, abi.RecHeaderCount: headerCount, abi.RecRoute: 0, abi.RecRouteLen: 4,
		} {
			binary.LittleEndian.PutUint32(d[at:], v)
		}
		return d
	}
	f.Add(descriptor(abi.AllFlags, 0, 10, 20, 30, 0, 2), uint16(1000), true)
	f.Add(slices.Concat(descriptor(abi.FlagKey, 65530, 100, 0, 0, 0, 0), descriptor(abi.FlagValue, 0, 0, 5, 0xffffffff, 0, 0)), uint16(50), false)
	f.Add(descriptor(abi.FlagHeaders, 0, 0, 0, 0, 0xfffffff0, 0x10000001), uint16(60000), false)
	f.Add(descriptor(abi.FlagKey|abi.FlagValue, 0xffffffff, 0x7fffffff, 1, 0x80000000, 0, 0), uint16(60000), true)
	f.Add(descriptor(1<<30, 0, 0, 0, 0, 0, 0), uint16(1), true)
	mem := linearMemory(f)
	whole, _ := mem.Read(0, mem.Size())
	f.Fuzz(func(t *testing.T, written []byte, room uint16, cookies bool) {
		clear(whole)
		copy(whole, written)
		n := max(min(len(written)/abi.RecordSize, 4), 1)
		b, taken := counted(n)
		before := slices.Clone(b.Records)
		r := reader{mem: mem, b: b, checking: true, room: int(room), max: int(room)}
		failed := r.records(whole, 0, b.Records, cookies)
		if *taken > int(room) {
			t.Fatalf("%d bytes were taken, and there was room for %d", *taken, room)
		}
		if failed != nil {
			if failed.at < 0 || failed.at >= n || failed.cause != BadOutput && failed.cause != OutputTooLarge {
				t.Fatalf("of %d records: %+v", n, failed)
			}
			if diff := cmp.Diff(before, b.Records); diff != "" || *taken != 0 {
				t.Fatalf("a part was taken all the same (%d bytes):\n%s", *taken, diff)
			}
			return
		}
		kept := fmt.Sprintf("%+v", b.Records)
		for i := range whole { // the next call
			whole[i] ^= 0xff
		}
		if now := fmt.Sprintf("%+v", b.Records); now != kept {
			t.Fatal("what was taken changes with the memory of the guest")
		}
		for i := range b.Records {
			b.Records[i].Changed, b.Records[i].Cookie = 0, 0
		}
		partitions(whole, 0, b.Topics, b.Records)
		for i := range b.Records {
			if p := b.Records[i].Partition; p < -1 || p >= b.Topics[0].Partitions {
				t.Fatalf("partition %d of %d", p, b.Topics[0].Partitions)
			}
		}
	})
}

// FuzzEncode: what a guest is shown, and says it has changed, comes back as it was.
func FuzzEncode(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), "name", []byte(nil), int64(1700000000000), uint8(7))
	f.Add([]byte(nil), []byte{}, "", []byte{0}, int64(-1), uint8(0))
	mem := linearMemory(f)
	whole, _ := mem.Read(0, mem.Size())
	f.Fuzz(func(t *testing.T, key, value []byte, name string, header []byte, timestamp int64, base uint8) {
		b, _ := counted(2)
		timestamp = max(timestamp, -1)
		b.Records[0] = Record{Key: key, Value: value, Headers: []Header{{name, header}, {name, nil}}, Timestamp: timestamp, Partition: -1}
		b.Records[1] = Record{Value: key, Timestamp: -1, Partition: 2}
		want := slices.Clone(b.Records)
		size := inputSize(b.Topics, b.Records)
		if size+int(base) > len(whole) {
			return
		}
		view := whole[base:][:size]
		at := encode(view, uint32(base), b, b.Records)
		for i := range b.Records {
			binary.LittleEndian.PutUint32(view[at+i*abi.RecordSize+abi.RecFlags:], abi.FlagKey|abi.FlagValue|abi.FlagHeaders|abi.FlagTimestamp)
		}
		r := reader{mem: mem, b: b, checking: true, room: size, max: size}
		if failed := r.records(view, at, b.Records, true); failed != nil {
			t.Fatal(failed)
		}
		for i := range want {
			got := &b.Records[i]
			if !same(got.Key, want[i].Key) || !same(got.Value, want[i].Value) || got.Timestamp != want[i].Timestamp || len(got.Headers) != len(want[i].Headers) {
				t.Errorf("record %d is %+v, want %+v", i, got, want[i])
			}
			for k, h := range got.Headers {
				if h.Key != want[i].Headers[k].Key || !same(h.Value, want[i].Headers[k].Value) {
					t.Errorf("record %d, header %d is %+v", i, k, h)
				}
			}
		}
	})
}

// same says whether two values are alike; null is not empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
