package wasmhost

import (
	"encoding/binary"
	"math"

	"sluice/guest-sdk/abi"
)

// inputSize is what encode needs for records, in bytes; it may exceed what a guest can address.
func inputSize(topics []Topic, records []Record) int {
	n := abi.HeaderSize + len(topics)*abi.TopicSize + len(records)*abi.RecordSize
	for i := range topics {
		n += len(topics[i].Name)
	}
	for i := range records {
		r := &records[i]
		n += len(r.Key) + len(r.Value) + len(r.Headers)*abi.KeyValueSize
		for k := range r.Headers {
			n += len(r.Headers[k].Key) + len(r.Headers[k].Value)
		}
	}
	return n
}

// writer puts an input into a view of linear memory that begins at base: descriptors first, bytes behind them.
type writer struct {
	view  []byte
	base  uint32
	bytes int // where the next key, value or name goes
}

func (w *writer) u32(at int, v uint32) { binary.LittleEndian.PutUint32(w.view[at:], v) }
func (w *writer) i32(at int, v int32)  { binary.LittleEndian.PutUint32(w.view[at:], uint32(v)) }
func (w *writer) u64(at int, v uint64) { binary.LittleEndian.PutUint64(w.view[at:], v) }

// put copies p behind what is there and returns its address.
func (w *writer) put(p []byte) uint32 {
	at := w.bytes
	w.bytes += copy(w.view[at:], p)
	return w.base + uint32(at)
}

func (w *writer) putString(s string) uint32 {
	at := w.bytes
	w.bytes += copy(w.view[at:], s)
	return w.base + uint32(at)
}

// nullable writes address and length of p at at.
func (w *writer) nullable(at int, p []byte) {
	if p == nil {
		w.u32(at, 0)
		w.i32(at+4, abi.Null)
		return
	}
	w.u32(at, w.put(p))
	w.i32(at+4, int32(len(p)))
}

func (w *writer) header(magic uint32, count, records, topics, ntopics int, flags uint32) {
	w.u32(abi.HdrMagic, magic)
	w.u32(abi.HdrSize, uint32(len(w.view)))
	w.u32(abi.HdrCount, uint32(count))
	w.u32(abi.HdrRecords, w.base+uint32(records))
	w.u32(abi.HdrTopics, w.base+uint32(topics))
	w.u32(abi.HdrNTopics, uint32(ntopics))
	w.u32(abi.HdrFlags, flags)
	w.u32(abi.HdrProgress, math.MaxUint32)
}

// encode writes records into view, which is inputSize long and stands at base in linear memory. It returns where the
// records begin in view.
func encode(view []byte, base uint32, b *Batch, records []Record) int {
	topicsAt := abi.HeaderSize
	recordsAt := topicsAt + len(b.Topics)*abi.TopicSize
	headersAt := recordsAt + len(records)*abi.RecordSize
	w := writer{view: view, base: base, bytes: headersAt}
	for i := range records {
		w.bytes += len(records[i].Headers) * abi.KeyValueSize
	}
	var flags uint32
	if b.DryRun {
		flags = abi.DryRun
	}
	w.header(abi.BatchMagic, len(records), recordsAt, topicsAt, len(b.Topics), flags)
	for i := range b.Topics {
		at := topicsAt + i*abi.TopicSize
		w.u32(at+abi.TopicName, w.putString(b.Topics[i].Name))
		w.u32(at+abi.TopicNameLen, uint32(len(b.Topics[i].Name)))
		w.i32(at+abi.TopicPartitions, b.Topics[i].Partitions)
		w.u32(at+abi.TopicReserved, 0)
	}
	for i := range records {
		headersAt = w.record(recordsAt+i*abi.RecordSize, headersAt, &records[i])
	}
	return recordsAt
}

// record writes one record at at, its headers at headersAt, and returns where the next headers go.
func (w *writer) record(at, headersAt int, r *Record) int {
	d := w.view[at : at+abi.RecordSize]
	clear(d)
	w.nullable(at+abi.RecKey, r.Key)
	w.nullable(at+abi.RecValue, r.Value)
	w.u32(at+abi.RecHeaders, w.base+uint32(headersAt))
	w.u32(at+abi.RecHeaderCount, uint32(len(r.Headers)))
	w.u64(at+abi.RecTimestamp, uint64(r.Timestamp))
	w.u32(at+abi.RecTopic, r.Topic)
	w.i32(at+abi.RecPartition, r.Partition)
	w.u64(at+abi.RecCookie, r.Cookie)
	for k := range r.Headers {
		h := &r.Headers[k]
		w.u32(headersAt+abi.KVKey, w.putString(h.Key))
		w.u32(headersAt+abi.KVKeyLen, uint32(len(h.Key)))
		w.nullable(headersAt+abi.KVValue, h.Value)
		headersAt += abi.KeyValueSize
	}
	return headersAt
}

func acksSize(acks []Ack) int {
	n := abi.HeaderSize + len(acks)*abi.AckSize
	for i := range acks {
		n += len(acks[i].Topic) + len(acks[i].Message)
	}
	return n
}

// encodeAcks writes acks into view, which is acksSize long and stands at base.
func encodeAcks(view []byte, base uint32, acks []Ack) {
	recordsAt := abi.HeaderSize
	w := writer{view: view, base: base, bytes: recordsAt + len(acks)*abi.AckSize}
	w.header(abi.AcksMagic, len(acks), recordsAt, recordsAt, 0, 0)
	for i := range acks {
		a, at := &acks[i], recordsAt+i*abi.AckSize
		w.u64(at+abi.AckCookie, a.Cookie)
		w.u32(at+abi.AckTopic, w.putString(a.Topic))
		w.u32(at+abi.AckTopicLen, uint32(len(a.Topic)))
		w.i32(at+abi.AckPartition, a.Partition)
		w.i32(at+abi.AckError, a.Error)
		w.u64(at+abi.AckOffset, uint64(a.Offset))
		w.u64(at+abi.AckTimestamp, uint64(a.Timestamp))
		w.u32(at+abi.AckMessage, w.putString(a.Message))
		w.u32(at+abi.AckMessageLen, uint32(len(a.Message)))
		w.i32(at+abi.AckKeySize, a.KeySize)
		w.i32(at+abi.AckValueSize, a.ValueSize)
		w.u64(at+abi.AckReserved, 0)
	}
}
