package wasmhost

import (
	"encoding/binary"
	"math/bits"
)

// A payload is what Redpanda gives a transform of a record, and takes from it: Kafka's record, version 2, from the key on.
//
//	key length, key, value length, value, number of headers, { key length, key, value length, value }
//
// All numbers are varints in zigzag encoding; a length of -1 is null. A header may have a null key, which Kafka has not:
// it is taken for an empty one.

// payloadReader is what is still to be read of a payload.
type payloadReader struct{ rest []byte }

func (p *payloadReader) number() (int64, bool) {
	v, n := binary.Varint(p.rest)
	if n <= 0 {
		return 0, false
	}
	p.rest = p.rest[n:]
	return v, true
}

// bytes reads a length and as many bytes; nil is null.
func (p *payloadReader) bytes() ([]byte, bool) {
	n, ok := p.number()
	if !ok || n < -1 || n > int64(len(p.rest)) {
		return nil, false
	}
	if n == -1 {
		return nil, true
	}
	out := p.rest[:n:n]
	p.rest = p.rest[n:]
	return out, true
}

// checkPayload says whether p is a payload and nothing else, and how many headers it has.
func checkPayload(p []byte) (headers int, ok bool) {
	r := payloadReader{p}
	for range 2 {
		if _, ok := r.bytes(); !ok {
			return 0, false
		}
	}
	n, ok := r.number()
	if !ok || n < 0 || n > int64(len(r.rest)) { // a header takes two bytes at least
		return 0, false
	}
	for range 2 * n {
		if _, ok := r.bytes(); !ok {
			return 0, false
		}
	}
	return int(n), len(r.rest) == 0
}

// outputTopic reads the options of write_record_with_options: nothing, which gives nil, or 0x01 and the name of a topic.
func outputTopic(options []byte) (topic []byte, ok bool) {
	const setTopic = 0x01
	if len(options) == 0 {
		return nil, true
	}
	r := payloadReader{options[1:]}
	if topic, ok = r.bytes(); !ok || options[0] != setTopic || topic == nil || len(r.rest) != 0 {
		return nil, false
	}
	return topic, true
}

// payloadSize is how long appendPayload makes r.
func payloadSize(r *Record) int {
	n := sizeOf(len(r.Key)) + sizeOf(len(r.Value)) + varintSize(len(r.Headers))
	for i := range r.Headers {
		n += sizeOf(len(r.Headers[i].Key)) + sizeOf(len(r.Headers[i].Value))
	}
	return n
}

// sizeOf is what n bytes and their length take; -1 as a length takes as much as 0.
func sizeOf(n int) int { return varintSize(n) + n }

func varintSize(n int) int { return (bits.Len64(uint64(n)<<1|1) + 6) / 7 }

func appendPayload(to []byte, r *Record) []byte {
	to = appendNullable(to, r.Key)
	to = appendNullable(to, r.Value)
	to = binary.AppendVarint(to, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		to = append(binary.AppendVarint(to, int64(len(h.Key))), h.Key...)
		to = appendNullable(to, h.Value)
	}
	return to
}

func appendNullable(to, p []byte) []byte {
	if p == nil {
		return binary.AppendVarint(to, -1)
	}
	return append(binary.AppendVarint(to, int64(len(p))), p...)
}
