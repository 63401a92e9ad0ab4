//go:build !wasip1

package sluicetest

import (
	"encoding/binary"

	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/memory"
)

// writer puts an input together: descriptors first, the bytes that they point to behind them.
type writer struct {
	view []byte
	base uint32
	end  uint32 // where the next bytes go
}

// newWriter makes room for an input with n descriptors of size bytes, and bytes for everything else.
func newWriter(fixed, bytes int) writer {
	size := uint32(fixed + bytes)
	base := memory.Shared.Input(size)
	view, _ := memory.Shared.At(base, size)
	clear(view)
	return writer{view: view, base: base, end: uint32(fixed)}
}

func (w *writer) u32(at int, v uint32) { binary.LittleEndian.PutUint32(w.view[at:], v) }
func (w *writer) i32(at int, v int32)  { w.u32(at, uint32(v)) }
func (w *writer) u64(at int, v uint64) { binary.LittleEndian.PutUint64(w.view[at:], v) }

// text writes address and length of s at at.
func (w *writer) text(at int, s string) {
	w.u32(at, w.base+w.end)
	w.u32(at+4, uint32(len(s)))
	w.end += uint32(copy(w.view[w.end:], s))
}

// bytes writes address and length of p, which may be null, at at.
func (w *writer) bytes(at int, p []byte) {
	if p == nil {
		w.i32(at+4, abi.Null)
		return
	}
	w.u32(at, w.base+w.end)
	w.u32(at+4, uint32(len(p)))
	w.end += uint32(copy(w.view[w.end:], p))
}

func (w *writer) header(magic uint32, count, recordsAt int) {
	w.u32(abi.HdrMagic, magic)
	w.u32(abi.HdrSize, uint32(len(w.view)))
	w.u32(abi.HdrCount, uint32(count))
	w.u32(abi.HdrRecords, w.base+uint32(recordsAt))
}

const recordsAt = abi.HeaderSize + abi.TopicSize

// write puts a batch into the guest's input and returns where.
func (b *Batch) write() writer {
	bytes, headers := len(b.Topic), 0
	for i := range b.Records {
		r := &b.Records[i]
		bytes += len(r.Key) + len(r.Value)
		headers += len(r.Headers)
		for _, h := range r.Headers {
			bytes += len(h.Name) + len(h.Value)
		}
	}
	headersAt := recordsAt + len(b.Records)*abi.RecordSize
	w := newWriter(headersAt+headers*abi.KeyValueSize, bytes)
	w.header(abi.BatchMagic, len(b.Records), recordsAt)
	w.u32(abi.HdrTopics, w.base+abi.HeaderSize)
	w.u32(abi.HdrNTopics, 1)
	w.text(abi.HeaderSize+abi.TopicName, b.Topic)
	w.i32(abi.HeaderSize+abi.TopicPartitions, b.Partitions)
	for i := range b.Records {
		headersAt = w.record(recordsAt+i*abi.RecordSize, headersAt, &b.Records[i])
	}
	return w
}

// record writes one descriptor at at, its headers at headersAt, and returns where the next headers go.
func (w *writer) record(at, headersAt int, r *Record) int {
	w.bytes(at+abi.RecKey, r.Key)
	w.bytes(at+abi.RecValue, r.Value)
	w.u32(at+abi.RecHeaders, w.base+uint32(headersAt))
	w.u32(at+abi.RecHeaderCount, uint32(len(r.Headers)))
	w.u64(at+abi.RecTimestamp, uint64(r.Timestamp))
	w.i32(at+abi.RecPartition, -1)
	w.u64(at+abi.RecCookie, r.Cookie)
	for _, h := range r.Headers {
		w.text(headersAt+abi.KVKey, h.Name)
		w.bytes(headersAt+abi.KVValue, h.Value)
		headersAt += abi.KeyValueSize
	}
	return headersAt
}

// writeAcks puts acknowledgements into the guest's input.
func writeAcks(acks []Ack) writer {
	bytes := 0
	for i := range acks {
		bytes += len(acks[i].Topic) + len(acks[i].Message)
	}
	w := newWriter(abi.HeaderSize+len(acks)*abi.AckSize, bytes)
	w.header(abi.AcksMagic, len(acks), abi.HeaderSize)
	for i := range acks {
		a, at := &acks[i], abi.HeaderSize+i*abi.AckSize
		w.u64(at+abi.AckCookie, a.Cookie)
		w.text(at+abi.AckTopic, a.Topic)
		w.i32(at+abi.AckPartition, a.Partition)
		w.i32(at+abi.AckError, a.Error)
		w.u64(at+abi.AckOffset, uint64(a.Offset))
		w.u64(at+abi.AckTimestamp, uint64(a.Timestamp))
		w.text(at+abi.AckMessage, a.Message)
		w.i32(at+abi.AckKeySize, a.KeySize)
		w.i32(at+abi.AckValueSize, a.ValueSize)
	}
	return w
}
