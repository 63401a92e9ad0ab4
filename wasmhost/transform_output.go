package wasmhost

import (
	"bytes"
	"unsafe"

	"sluice/guest-sdk/abi"
)

// written is what a transform wrote in one batch. It stays aside until the whole batch went well.
type written struct {
	list  []output
	bytes []byte // copies of payloads and topics
	room  int    // bytes that may still be written
	max   int
}

// output is one record that the guest wrote.
type output struct {
	of             int  // index of the record it was written for
	same           bool // as that record
	payload, topic span
}

// span is a part of written.bytes.
type span struct{ from, to int }

// keptOutput is how many bytes of output an instance keeps room for between batches.
const keptOutput = 256 << 10

// reset begins a batch that may have room bytes of output.
func (o *written) reset(room int) {
	o.list, o.bytes, o.room, o.max = o.list[:0], o.bytes[:0], room, room
	if cap(o.bytes) > keptOutput {
		o.bytes = nil
	}
	if cap(o.list) > keptOutput/int(unsafe.Sizeof(output{})) {
		o.list = nil
	}
}

func (o *written) tooLarge(of int) *failure {
	return failf(OutputTooLarge, of, "record %d: with its output the call returns more than %d bytes (wasm.output.max.bytes, beside twice the input)", of, o.max)
}

// add keeps an output, unless it is too large. A record and a header cost what they cost other guests.
func (o *written) add(of int, payload []byte, same bool, headers int, topic []byte) bool {
	cost := len(payload) + len(topic) + headers*abi.KeyValueSize
	if n := len(o.list); n > 0 && o.list[n-1].of == of {
		cost += abi.RecordSize
	}
	if cost > o.room {
		return false
	}
	o.room -= cost
	out := output{of: of, same: same, topic: o.keep(topic)}
	if !same {
		out.payload = o.keep(payload)
	}
	o.list = append(o.list, out)
	return true
}

func (o *written) keep(p []byte) span {
	from := len(o.bytes)
	o.bytes = append(o.bytes, p...)
	return span{from, len(o.bytes)}
}

// apply makes records, which are part of b, what the guest wrote for each: nothing drops it, the first output replaces
// it, and further ones become extra records of b.
func (o *written) apply(b *Batch, records []Record) {
	first := int32(cap(b.Records) - cap(records)) // where records begin in b: they are a slice of it
	left := o.list
	for i := range records {
		n := 0
		for n < len(left) && left[n].of == i {
			n++
		}
		r := &records[i]
		switch n {
		case 0:
			r.Changed = abi.FlagDrop
		case 1:
			o.patch(b, r, &left[0])
		default:
			before := *r
			o.patch(b, r, &left[0])
			for k := 1; k < n; k++ {
				b.Extra = append(b.Extra, Extra{Of: first + int32(i), Record: before})
				o.patch(b, &b.Extra[len(b.Extra)-1].Record, &left[k])
			}
		}
		left = left[n:]
	}
}

// patch makes r what the guest wrote, and flags what differs.
func (o *written) patch(b *Batch, r *Record, out *output) {
	if out.topic.from < out.topic.to {
		r.Route = o.copy(b, o.bytes[out.topic.from:out.topic.to])
		r.Changed |= abi.FlagRoute
	}
	if out.same {
		return
	}
	p := payloadReader{o.bytes[out.payload.from:out.payload.to]} // which was checked
	if key, _ := p.bytes(); !equal(key, r.Key) {
		r.Key = o.copy(b, key)
		r.Changed |= abi.FlagKey
	}
	if value, _ := p.bytes(); !equal(value, r.Value) {
		r.Value = o.copy(b, value)
		r.Changed |= abi.FlagValue
	}
	if !sameHeaders(p, r.Headers) {
		r.Headers = o.headers(b, p)
		r.Changed |= abi.FlagHeaders
	}
}

// headers copies the headers that p has still to read.
func (o *written) headers(b *Batch, p payloadReader) []Header {
	n, _ := p.number()
	if n == 0 {
		return nil
	}
	headers := b.Headers(int(n))
	for i := range headers {
		key, _ := p.bytes()
		value, _ := p.bytes()
		key = o.copy(b, key)
		headers[i] = Header{Key: unsafe.String(unsafe.SliceData(key), len(key)), Value: o.copy(b, value)}
	}
	return headers
}

// copy makes a copy of p in the memory of the batch.
func (o *written) copy(b *Batch, p []byte) []byte {
	switch {
	case p == nil:
		return nil
	case len(p) == 0:
		return []byte{}
	}
	to := b.Alloc(len(p))
	copy(to, p)
	return to
}

// equal says whether two keys or values are the same; null is not empty.
func equal(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func sameHeaders(p payloadReader, headers []Header) bool {
	if n, _ := p.number(); n != int64(len(headers)) {
		return false
	}
	for i := range headers {
		key, _ := p.bytes()
		value, _ := p.bytes()
		if string(key) != headers[i].Key || !equal(value, headers[i].Value) {
			return false
		}
	}
	return true
}
