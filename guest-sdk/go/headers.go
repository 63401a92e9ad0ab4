package sluice

import (
	"unsafe"

	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/memory"
)

// Header is one header of a record. A nil Value is null.
type Header struct {
	Name  string
	Value []byte
}

// Headers is all headers of the record, in their order. It is valid until the next change of a header or the end of the
// call.
func (r *Record) Headers() []Header {
	if !r.loaded {
		r.load()
	}
	return r.headers
}

func (r *Record) load() {
	r.loaded, r.headers, r.places = true, r.headers[:0], r.places[:0]
	n := r.raw.headerCount
	if uint64(n)*abi.KeyValueSize > uint64(^uint32(0)) {
		panic(badInput) //nolint:forbidigo // see view
	}
	list := view(r.raw.headers, n*abi.KeyValueSize)
	for i := range n {
		kv := overlay[keyValue](list[i*abi.KeyValueSize:])
		r.headers = append(r.headers, Header{Name: str(kv.key, kv.keyLen), Value: nullable(kv.value, kv.valueLen)})
		r.places = append(r.places, *kv)
	}
}

// Header is the value of the last header of a name, as Kafka's lastHeader; ok is false if there is none.
func (r *Record) Header(name string) (value []byte, ok bool) {
	h := r.Headers()
	for i := len(h) - 1; i >= 0; i-- { //nolint:modernize // slices.Backward takes nearly twice as long in WebAssembly
		if h[i].Name == name {
			return h[i].Value, true
		}
	}
	return nil, false
}

// SetHeader takes away all headers of a name and adds one at the end; a nil value is null.
func (r *Record) SetHeader(name string, value []byte) {
	r.RemoveHeader(name)
	r.AddHeader(name, value)
}

// AddHeader adds a header at the end; a nil value is null. Headers of the same name stay, as Kafka allows.
func (r *Record) AddHeader(name string, value []byte) {
	if !r.loaded {
		r.load()
	}
	var kv keyValue
	var h Header
	placed, at, n := place(bytesOf(name))
	h.Name, kv.key, kv.keyLen = unsafe.String(unsafe.SliceData(placed), len(name)), at, uint32(n)
	h.Value, kv.value, kv.valueLen = place(value)
	r.headers, r.places = append(r.headers, h), append(r.places, kv)
	r.changed = true
}

// RemoveHeader takes away all headers of a name.
func (r *Record) RemoveHeader(name string) {
	kept := 0
	for i, h := range r.Headers() {
		if h.Name != name {
			r.headers[kept], r.places[kept] = h, r.places[i]
			kept++
		}
	}
	if kept < len(r.headers) {
		r.headers, r.places, r.changed = r.headers[:kept], r.places[:kept], true
	}
}

// putHeaders writes the headers where the host finds them.
func (r *Record) putHeaders() {
	list, at := memory.Shared.Take(len(r.places) * abi.KeyValueSize)
	for i := range r.places {
		*overlay[keyValue](list[i*abi.KeyValueSize:]) = r.places[i]
	}
	r.raw.headers, r.raw.headerCount = at, uint32(len(r.places))
	r.raw.flags |= abi.FlagHeaders
}
