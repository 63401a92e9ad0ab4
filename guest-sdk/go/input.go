package sluice

import (
	"unsafe"

	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/memory"
)

// What EachRecord and its kin return.
const (
	done   int32 = 0
	failed int32 = -1
)

// guest is the state of an instance.
type guest struct {
	record Record // the one that a hook sees, used again for the next
	ack    Ack

	configure func(*Config) error
	close     func() error
}

var self guest //nolint:gochecknoglobals // an instance is one guest with one thread, and its exports have no receiver

// input is a batch or acknowledgements, as the host wrote it.
type input struct {
	head *header
	list []byte // the records
}

// overlay is a T at the begin of p, which is 8-aligned and as long as a T.
func overlay[T any](p []byte) *T { return (*T)(unsafe.Pointer(unsafe.SliceData(p))) }

// open checks what the host passed and forgets what the last call gave back.
func open(at, size, magic, recordSize uint32) (input, bool) {
	memory.Shared.Reset()
	p, ok := memory.Shared.At(at, size)
	if !ok || size < abi.HeaderSize {
		return input{}, false
	}
	h := overlay[header](p)
	if h.magic != magic || uint64(h.count)*uint64(recordSize) > uint64(size) {
		return input{}, false
	}
	list, ok := memory.Shared.At(h.records, h.count*recordSize)
	return input{head: h, list: list}, ok
}

// each calls f for every index. Where f panics, failed is told why and the next one is taken.
func (in input) each(f func(i uint32), failed func(i uint32, reason string)) {
	for i := uint32(0); i < in.head.count; i++ {
		i = in.from(i, f, failed)
	}
}

// from calls f from index i on and returns the last index that it called f for. It recovers once for many records, because
// a deferred call for each of them would cost more than what many hooks do.
func (in input) from(i uint32, f func(i uint32), failed func(i uint32, reason string)) (last uint32) {
	defer func() {
		if v := recover(); v != nil {
			last = in.head.progress
			failed(last, "panic: "+panicText(v))
		}
	}()
	for ; i < in.head.count; i++ {
		in.head.progress = i
		f(i)
	}
	return i
}

// view is the n bytes of the input at an address, which does not matter if n is 0. An input that lies fails the record that is being worked on.
func view(at uint32, n uint32) []byte {
	if n == 0 {
		return []byte{}
	}
	p, ok := memory.Shared.At(at, n)
	if !ok {
		panic(badInput) //nolint:forbidigo // the host broke the contract; each recovers it
	}
	return p
}

const badInput = "the host's input points outside itself"

// nullable is view, or nil for null.
func nullable(at uint32, n int32) []byte {
	if n < 0 {
		return nil
	}
	return view(at, uint32(n))
}

// str is view as a string, valid as long as the input.
func str(at, n uint32) string {
	p := view(at, n)
	return unsafe.String(unsafe.SliceData(p), len(p))
}

// panicText is what a panic said, in words.
func panicText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	case interface{ String() string }:
		return v.String()
	default:
		return "a value that is neither an error nor a string"
	}
}
