package main

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"sluice/wasmhost"
)

// mutator changes records at random, the same way for the same seed.
type mutator struct{ *rand.Rand }

func newMutator(seed, stream uint64) mutator { return mutator{rand.New(rand.NewPCG(seed, stream))} }

const (
	maxMutations = 4
	maxMutated   = 64 << 10 // bytes of a key, value or header
)

// record is one of the samples with a few changes.
func (m mutator) record(samples []wasmhost.Record) wasmhost.Record {
	r := samples[m.IntN(len(samples))]
	r.Headers = slices.Clone(r.Headers)
	for range 1 + m.IntN(maxMutations) {
		switch m.IntN(8) {
		case 0:
			r.Key = m.bytes(r.Key)
		case 1:
			r.Timestamp = []int64{-1, 0, 1, 1 << 40, 9_223_372_036_854}[m.IntN(5)] // the last is the latest that Kafka holds
		case 2, 3:
			r.Headers = m.headers(r.Headers)
		default:
			r.Value = m.bytes(r.Value)
		}
	}
	return r
}

func (m mutator) headers(h []wasmhost.Header) []wasmhost.Header {
	if len(h) == 0 || m.IntN(3) == 0 {
		name := []string{"", "a", "traceparent", "schema", "\x00", "ä"}[m.IntN(6)]
		return slices.Insert(h, m.IntN(len(h)+1), wasmhost.Header{Key: name, Value: m.bytes(nil)})
	}
	i := m.IntN(len(h))
	switch m.IntN(5) {
	case 0:
		return slices.Delete(h, i, i+1)
	case 1:
		return append(h, h[i]) // the same name twice
	case 2:
		h[i].Value = nil
	case 3:
		for range 100 {
			h = append(h, h[i])
		}
	default:
		h[i].Value = m.bytes(h[i].Value)
	}
	return h
}

// pieces are what parsers stumble over.
func pieces() []string {
	return []string{
		"null", "true", "{}", "[]", `""`, `"`, `\`, `\u0000`, `\ud800`, ":", ",", "{", "}", "[", "]", "0", "-1", "-", "1e999", "1.5", "18446744073709551616", "-9223372036854775809",
		"\x00", "\xff\xfe", "\xc3", "\xed\xa0\x80", "\r\n", " ", "\t", "ä", "😀", `{"a":`, `[[[[[[[[[[[[[[[[`, "%s%n", "../", "'",
	}
}

// bytes is b with one change; b stays as it is.
func (m mutator) bytes(b []byte) []byte {
	all := pieces()
	piece := all[m.IntN(len(all))]
	from := m.IntN(len(b) + 1)
	to := from + m.IntN(len(b)-from+1)
	switch m.IntN(9) {
	case 0:
		return nil
	case 1:
		return []byte{}
	case 2:
		return []byte(piece)
	case 3:
		return slices.Delete(bytes.Clone(b), from, to)
	case 4: // a part twice
		return slices.Concat(b[:to], b[from:])[:min(len(b)+to-from, maxMutated)]
	case 5:
		return slices.Concat(b[:from], []byte(piece), b[to:])
	case 6:
		if len(b) == 0 {
			return []byte(piece)
		}
		c := bytes.Clone(b)
		c[m.IntN(len(c))] ^= 1 << m.IntN(8)
		return c
	case 7: // much of the same
		return bytes.Repeat([]byte(piece), 1+m.IntN(maxMutated/len(piece)))
	default:
		return slices.Concat(b[:from], []byte(piece), b[from:])
	}
}
