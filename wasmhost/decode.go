package wasmhost

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/tetratelabs/wazero/api"

	"sluice/guest-sdk/abi"
)

// failure is why a call failed.
type failure struct {
	cause Cause
	text  string
	stack string // of a trap, as far as the module's name section tells
	at    int    // index of the record to suspect, -1 when unknown
	worn  bool   // it was not the first call of the instance, so that another call may have broken it
}

func (f *failure) Error() string { return f.text }

func failf(c Cause, at int, format string, args ...any) *failure {
	return &failure{cause: c, at: at, text: fmt.Sprintf(format, args...)}
}

// reader takes what a guest changed out of its memory. It trusts nothing that stands there. It goes over a batch twice:
// first only checking, so that a record that makes no sense leaves all others as they were.
type reader struct {
	mem      api.Memory
	b        *Batch
	checking bool
	room     int // bytes that may still be taken
	max      int
}

func le32(p []byte, at int) uint32 { return binary.LittleEndian.Uint32(p[at:]) }
func le64(p []byte, at int) uint64 { return binary.LittleEndian.Uint64(p[at:]) }

// bytes copies n bytes at ptr.
func (r *reader) bytes(i int, what string, ptr, n uint32) ([]byte, *failure) {
	view, f := r.view(i, what, ptr, n)
	if f != nil {
		return nil, f
	}
	if r.checking {
		return nil, nil
	}
	out := r.b.Alloc(len(view))
	copy(out, view)
	return out, nil
}

func (r *reader) view(i int, what string, ptr, n uint32) ([]byte, *failure) {
	if int64(n) > int64(r.room) {
		return nil, failf(OutputTooLarge, i, "record %d: with its %s the call returns more than %d bytes (wasm.output.max.bytes, beside twice the input)", i, what, r.max)
	}
	view, ok := r.mem.Read(ptr, n)
	if !ok {
		return nil, failf(BadOutput, i, "record %d: its %s is %d bytes at %d, but memory ends at %d", i, what, n, ptr, r.mem.Size())
	}
	r.room -= int(n)
	return view, nil
}

// nullable copies what the address and length at at of d stand for.
func (r *reader) nullable(i int, what string, d []byte, at int) ([]byte, *failure) {
	n := int32(le32(d, at+4))
	if n == abi.Null {
		return nil, nil
	}
	if n < 0 {
		return nil, failf(BadOutput, i, "record %d: the length of its %s is %d", i, what, n)
	}
	return r.bytes(i, what, le32(d, at), uint32(n))
}

func (r *reader) headers(i int, d []byte) ([]Header, *failure) {
	n, ptr := le32(d, abi.RecHeaderCount), le32(d, abi.RecHeaders)
	if n == 0 {
		return nil, nil
	}
	if int64(n)*abi.KeyValueSize > int64(r.room) {
		return nil, failf(OutputTooLarge, i, "record %d: %d headers are more than a call may return (wasm.output.max.bytes)", i, n)
	}
	table, f := r.view(i, "list of headers", ptr, n*abi.KeyValueSize)
	if f != nil {
		return nil, f
	}
	var out []Header
	if !r.checking {
		out = r.b.Headers(int(n))
	}
	for k := range int(n) {
		kv := table[k*abi.KeyValueSize : (k+1)*abi.KeyValueSize]
		key, f := r.bytes(i, "header", le32(kv, abi.KVKey), le32(kv, abi.KVKeyLen))
		if f != nil {
			return nil, f
		}
		value, f := r.nullable(i, "header", kv, abi.KVValue)
		if f != nil {
			return nil, f
		}
		if r.checking {
			continue
		}
		out[k] = Header{Key: unsafe.String(unsafe.SliceData(key), len(key)), Value: value}
	}
	return out, nil
}

// record takes over what the guest changed in record i, whose descriptor is d.
func (r *reader) record(i int, d []byte, rec *Record) *failure {
	flags := le32(d, abi.RecFlags)
	if flags&^uint32(abi.AllFlags) != 0 {
		return failf(BadOutput, i, "record %d: flags 0x%x has bits that mean nothing", i, flags)
	}
	var f *failure
	if flags&abi.FlagKey != 0 {
		if rec.Key, f = r.nullable(i, "key", d, abi.RecKey); f != nil {
			return f
		}
	}
	if flags&abi.FlagValue != 0 {
		if rec.Value, f = r.nullable(i, "value", d, abi.RecValue); f != nil {
			return f
		}
	}
	if flags&abi.FlagHeaders != 0 {
		if rec.Headers, f = r.headers(i, d); f != nil {
			return f
		}
	}
	if flags&abi.FlagTimestamp != 0 {
		if rec.Timestamp = int64(le64(d, abi.RecTimestamp)); rec.Timestamp < -1 {
			return failf(BadOutput, i, "record %d: timestamp %d is before 1970", i, rec.Timestamp)
		}
	}
	if flags&abi.FlagRoute != 0 {
		if rec.Route, f = r.bytes(i, "route", le32(d, abi.RecRoute), le32(d, abi.RecRouteLen)); f != nil {
			return f
		}
	}
	rec.Changed = flags
	return nil
}

// records takes over what the guest changed in records, whose descriptors stand in view from at on.
func (r *reader) records(view []byte, at int, records []Record, cookies bool) *failure {
	changed := false
	for i := range records {
		d := view[at+i*abi.RecordSize:][:abi.RecordSize]
		if le32(d, abi.RecFlags) == 0 || records[i].Verdict != Passed {
			continue
		}
		changed = true
		var throwaway Record
		if f := r.record(i, d, &throwaway); f != nil {
			return f
		}
	}
	if !changed && !cookies {
		return nil
	}
	r.checking, r.room = false, r.max
	for i := range records {
		d := view[at+i*abi.RecordSize:][:abi.RecordSize]
		if records[i].Verdict != Passed {
			continue
		}
		if cookies {
			records[i].Cookie = le64(d, abi.RecCookie)
		}
		if f := r.record(i, d, &records[i]); f != nil {
			return f
		}
	}
	return nil
}

// partitions takes over the partitions that the guest chose.
func partitions(view []byte, at int, topics []Topic, records []Record) {
	for i := range records {
		r := &records[i]
		if r.Verdict != Passed {
			continue
		}
		p, count := int32(le32(view, at+i*abi.RecordSize+abi.RecPartition)), topics[r.Topic].Partitions
		if p < -1 || p >= count {
			r.Verdict, r.Cause = Failed, InvalidPartition
			r.Reason = fmt.Sprintf("partition %d does not exist: there are %d", p, count)
			continue
		}
		r.Partition = p
	}
}
