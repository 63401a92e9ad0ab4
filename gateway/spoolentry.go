package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"sluice/gateway/record"
)

// entryVersion is the first byte of an entry of the spool. What follows: when it was accepted, the topic that it was sent to, the
// record, and, behind a byte of 1, what the record was before interceptors changed it. A byte of 0 says that there is no such.
//
// A record is its timestamp, its partition, key, value, the number of its headers, and their names and values. Numbers are
// varints; bytes stand behind their length and one, 0 is null.
const entryVersion = 1

var (
	errEntryVersion = errors.New("the entry was written by a newer version of Sluice")
	errEntry        = errors.New("the entry is not one of a record")
)

// entry is what a spool keeps of a record, beside the record itself.
type entry struct {
	accepted int64  // milliseconds since the Unix epoch
	home     []byte // the topic that it was sent to
}

// appendEntry appends the entry of record i of b.
func appendEntry(dst []byte, b *record.Batch, i int, accepted int64) []byte {
	dst = append(dst, entryVersion)
	dst = binary.AppendVarint(dst, accepted)
	dst = appendNullable(dst, []byte(b.Home))
	r := &b.Records[i]
	dst = appendRecord(dst, r, accepted)
	of, k := b.Origin(i)
	if !of.HasOriginals() || sameContent(of.Original(k), r) {
		return append(dst, 0)
	}
	return appendRecord(append(dst, 1), of.Original(k), accepted)
}

func appendRecord(dst []byte, r *record.Record, accepted int64) []byte {
	at, partition := r.Timestamp, record.NoPartition
	if at == record.NoTimestamp {
		at = accepted
	}
	if r.Explicit {
		partition = r.Partition
	}
	dst = binary.AppendVarint(dst, at)
	dst = binary.AppendVarint(dst, int64(partition))
	dst = appendNullable(dst, r.Key)
	dst = appendNullable(dst, r.Value)
	dst = binary.AppendUvarint(dst, uint64(len(r.Headers)))
	for k := range r.Headers {
		h := &r.Headers[k]
		dst = binary.AppendUvarint(dst, uint64(len(h.Key))+1)
		dst = append(dst, h.Key...)
		dst = appendNullable(dst, h.Value)
	}
	return dst
}

func appendNullable(dst, p []byte) []byte {
	if p == nil {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(p))+1)
	return append(dst, p...)
}

// sameContent says whether two records hold the same.
func sameContent(a, b *record.Record) bool {
	same := func(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) }
	return same(a.Key, b.Key) && same(a.Value, b.Value) && a.Timestamp == b.Timestamp && a.Explicit == b.Explicit &&
		slices.EqualFunc(a.Headers, b.Headers, func(x, y record.Header) bool { return x.Key == y.Key && same(x.Value, y.Value) })
}

// entryReader takes an entry apart.
type entryReader struct {
	rest []byte
	bad  bool
}

func (e *entryReader) number() int64 {
	n, k := binary.Varint(e.rest)
	e.skip(k)
	return n
}

func (e *entryReader) skip(k int) {
	if k <= 0 {
		e.bad, e.rest = true, nil
		return
	}
	e.rest = e.rest[k:]
}

func (e *entryReader) length() uint64 {
	n, k := binary.Uvarint(e.rest)
	e.skip(k)
	return n
}

func (e *entryReader) nullable() []byte {
	n := e.length()
	if n == 0 || e.bad {
		return nil
	}
	if n--; n > uint64(len(e.rest)) {
		e.bad, e.rest = true, nil
		return nil
	}
	p := e.rest[:n:n]
	e.rest = e.rest[n:]
	return p
}

// head reads what stands before the record.
func (e *entryReader) head() (entry, error) {
	if len(e.rest) == 0 {
		return entry{}, errEntry
	}
	if e.rest[0] != entryVersion {
		return entry{}, errEntryVersion
	}
	e.rest = e.rest[1:]
	h := entry{accepted: e.number(), home: e.nullable()}
	if e.bad {
		return entry{}, errEntry
	}
	return h, nil
}

// record reads a record whose bytes are copied into b.
func (e *entryReader) record(b *record.Batch, r *record.Record) error {
	r.Timestamp = e.number()
	partition := e.number()
	r.Key, r.Value = copied(b, e.nullable()), copied(b, e.nullable())
	n := e.length()
	if e.bad || partition < -1 || partition > math.MaxInt32 || n > uint64(len(e.rest)) {
		return errEntry
	}
	r.Partition, r.Explicit = int32(partition), partition >= 0
	r.Headers = b.NewHeaders(int(n))
	for i := range r.Headers {
		r.Headers[i] = record.Header{Key: b.CopyString(e.nullable()), Value: copied(b, e.nullable())}
	}
	if e.bad {
		return errEntry
	}
	return nil
}

func copied(b *record.Batch, p []byte) []byte {
	if p == nil {
		return nil
	}
	return b.Copy(p)
}

// decodeEntry adds the record of an entry to b, for the given topic. original is what it was before interceptors changed it; nil
// if it is the same.
func decodeEntry(b *record.Batch, topic string, p []byte) (original *record.Record, err error) {
	e := entryReader{rest: p}
	if _, err := e.head(); err != nil {
		return nil, err
	}
	r := b.Add(topic)
	err = e.record(b, r)
	if err == nil && len(e.rest) == 0 {
		err = errEntry
	}
	if err == nil && e.rest[0] == 1 {
		original = &record.Record{Topic: topic}
		e.rest = e.rest[1:]
		err = e.record(b, original)
	} else if err == nil {
		e.rest = e.rest[1:]
	}
	if err == nil && len(e.rest) > 0 {
		err = errEntry
	}
	if err != nil {
		b.Records = b.Records[:len(b.Records)-1]
		return nil, err
	}
	return original, nil
}
