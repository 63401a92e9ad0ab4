package main

import (
	"math/rand/v2"

	sluice "sluice/guest-sdk/go"
)

// Places in a traceparent: version-traceid-parentid-flags (W3C Trace Context, 3.2).
const (
	traceAt  = 3
	parentAt = 36
	flagsAt  = 53
	size     = 55
)

// trace keeps a trace context that is valid, whatever overwrite says, and starts a new trace otherwise. A tracestate
// belongs to the traceparent beside it and goes when that is replaced.
func (t *tracer) trace(r *sluice.Record) {
	old, there := r.Header(t.traceparent)
	if there && valid(old) {
		return
	}
	if there {
		r.RemoveHeader("tracestate")
	}
	p := r.Alloc(size)
	copy(p, "00-")
	putHex(p[traceAt:], nonZero())
	putHex(p[traceAt+16:], rand.Uint64())
	p[parentAt-1] = '-'
	putHex(p[parentAt:], nonZero())
	copy(p[flagsAt-1:], "-0")
	p[size-1] = t.flags
	r.SetHeader(t.traceparent, p)
}

// nonZero is a random number other than 0: ids of zeros are not valid.
func nonZero() uint64 {
	for {
		if n := rand.Uint64(); n != 0 {
			return n
		}
	}
}

// putHex writes the 16 digits of n.
func putHex(p []byte, n uint64) {
	const digits = "0123456789abcdef"
	p = p[:16]
	for i := range p {
		p[i] = digits[n>>60]
		n <<= 4
	}
}

// valid checks a traceparent as the specification wants it: of a later version only what version 00 knows.
func valid(p []byte) bool {
	if len(p) < size || p[traceAt-1] != '-' || p[parentAt-1] != '-' || p[flagsAt-1] != '-' {
		return false
	}
	version := string(p[:2])
	switch {
	case version == "ff":
		return false
	case version == "00" && len(p) != size, len(p) > size && p[size] != '-':
		return false
	}
	return isHex(p[:2]) && isHex(p[flagsAt:size]) && isID(p[traceAt:parentAt-1]) && isID(p[parentAt:flagsAt-1])
}

func isHex(p []byte) bool {
	for _, c := range p {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isID says whether p is hex and not all zeros.
func isID(p []byte) bool {
	for _, c := range p {
		if c != '0' {
			return isHex(p)
		}
	}
	return false
}
