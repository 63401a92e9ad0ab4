package sdktest

import (
	"context"
	"encoding/binary"

	"sluice/guest-sdk/abi"
)

// header is one header of a record; a nil value is null.
type header struct {
	Name  string
	Value []byte
}

// record is one record before or after a call; nil is null.
type record struct {
	Key, Value []byte
	Headers    []header
	Timestamp  int64
	Topic      uint32
	Partition  int32
	Cookie     uint64

	Flags uint32 // what the guest changed
	Route string
}

// topic is a topic and its number of partitions.
type topic struct {
	Name       string
	Partitions int32
}

// ack is one acknowledgement.
type ack struct {
	Cookie             uint64
	Topic              string
	Partition, Error   int32
	Offset, Timestamp  int64
	Message            string
	KeySize, ValueSize int32
}

// writer lays an input out: what has a fixed size in front, bytes behind.
type writer struct {
	view  []byte
	base  uint32
	bytes int
}

func (w *writer) u32(at int, v uint32) { binary.LittleEndian.PutUint32(w.view[at:], v) }
func (w *writer) u64(at int, v uint64) { binary.LittleEndian.PutUint64(w.view[at:], v) }

func (w *writer) put(at int, p []byte) {
	w.u32(at, w.base+uint32(w.bytes))
	w.u32(at+4, uint32(len(p)))
	if p == nil {
		w.u32(at, 0)
		w.u32(at+4, 0xffffffff)
	}
	w.bytes += copy(w.view[w.bytes:], p)
}

func (w *writer) header(magic, count, topics uint32) (recordsAt int) {
	recordsAt = abi.HeaderSize + int(topics)*abi.TopicSize
	w.u32(abi.HdrMagic, magic)
	w.u32(abi.HdrSize, uint32(len(w.view)))
	w.u32(abi.HdrCount, count)
	w.u32(abi.HdrRecords, w.base+uint32(recordsAt))
	w.u32(abi.HdrTopics, w.base+abi.HeaderSize)
	w.u32(abi.HdrNTopics, topics)
	w.u32(abi.HdrProgress, 0xffffffff)
	return recordsAt
}

func batchSize(topics []topic, records []record) int {
	n := abi.HeaderSize
	for _, t := range topics {
		n += abi.TopicSize + len(t.Name)
	}
	for _, r := range records {
		n += abi.RecordSize + len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			n += abi.KeyValueSize + len(h.Name) + len(h.Value)
		}
	}
	return n
}

func writeBatch(view []byte, base uint32, topics []topic, records []record) {
	clear(view)
	w := writer{view: view, base: base}
	at := w.header(abi.BatchMagic, uint32(len(records)), uint32(len(topics)))
	headersAt := at + len(records)*abi.RecordSize
	w.bytes = headersAt
	for _, r := range records {
		w.bytes += len(r.Headers) * abi.KeyValueSize
	}
	for i, t := range topics {
		w.put(abi.HeaderSize+i*abi.TopicSize+abi.TopicName, []byte(t.Name))
		w.u32(abi.HeaderSize+i*abi.TopicSize+abi.TopicPartitions, uint32(t.Partitions))
	}
	for _, r := range records {
		w.put(at+abi.RecKey, r.Key)
		w.put(at+abi.RecValue, r.Value)
		w.u32(at+abi.RecHeaders, base+uint32(headersAt))
		w.u32(at+abi.RecHeaderCount, uint32(len(r.Headers)))
		w.u64(at+abi.RecTimestamp, uint64(r.Timestamp))
		w.u32(at+abi.RecTopic, r.Topic)
		w.u32(at+abi.RecPartition, uint32(r.Partition))
		w.u64(at+abi.RecCookie, r.Cookie)
		for _, h := range r.Headers {
			w.put(headersAt+abi.KVKey, []byte(h.Name))
			w.put(headersAt+abi.KVValue, h.Value)
			headersAt += abi.KeyValueSize
		}
		at += abi.RecordSize
	}
}

// hook calls partition or on_send for records and returns what became of them.
func (g *guest) hook(ctx context.Context, name string, topics []topic, records []record) ([]record, error) {
	g.tb.Helper()
	clear(g.failures)
	n := batchSize(topics, records)
	p := g.place(n, func(view []byte, base uint32) { writeBatch(view, base, topics, records) })
	code, err := g.call(ctx, name, p, n)
	if err != nil {
		return nil, err
	}
	if code != 0 {
		g.tb.Fatalf("%s = %d", name, code)
	}
	out := make([]record, len(records))
	for i := range out {
		out[i] = g.record(p + abi.HeaderSize + uint32(len(topics)*abi.TopicSize+i*abi.RecordSize))
	}
	return out, nil
}

// progress is where the guest was when a call ended.
func (g *guest) progress() uint32 { return g.u32(g.arena + abi.HdrProgress) }

func (g *guest) u32(at uint32) uint32 { return binary.LittleEndian.Uint32(g.read(at, 4)) }
func (g *guest) u64(at uint32) uint64 { return binary.LittleEndian.Uint64(g.read(at, 8)) }

func (g *guest) bytes(at uint32) []byte {
	if n := g.u32(at + 4); n != 0xffffffff {
		return g.read(g.u32(at), n)
	}
	return nil
}

func (g *guest) record(at uint32) record {
	r := record{
		Key: g.bytes(at + abi.RecKey), Value: g.bytes(at + abi.RecValue), Timestamp: int64(g.u64(at + abi.RecTimestamp)),
		Topic: g.u32(at + abi.RecTopic), Partition: int32(g.u32(at + abi.RecPartition)), Cookie: g.u64(at + abi.RecCookie),
		Flags: g.u32(at + abi.RecFlags), Route: string(g.read(g.u32(at+abi.RecRoute), g.u32(at+abi.RecRouteLen))),
	}
	for k := range g.u32(at + abi.RecHeaderCount) {
		kv := g.u32(at+abi.RecHeaders) + k*abi.KeyValueSize
		r.Headers = append(r.Headers, header{string(g.bytes(kv + abi.KVKey)), g.bytes(kv + abi.KVValue)})
	}
	return r
}

// acknowledge calls on_ack.
func (g *guest) acknowledge(acks []ack) error {
	g.tb.Helper()
	n := abi.HeaderSize + len(acks)*abi.AckSize
	for _, a := range acks {
		n += len(a.Topic) + len(a.Message)
	}
	p := g.place(n, func(view []byte, base uint32) {
		w := writer{view: view, base: base}
		at := w.header(abi.AcksMagic, uint32(len(acks)), 0)
		w.bytes = at + len(acks)*abi.AckSize
		for _, a := range acks {
			w.u64(at+abi.AckCookie, a.Cookie)
			w.put(at+abi.AckTopic, []byte(a.Topic))
			w.u32(at+abi.AckPartition, uint32(a.Partition))
			w.u32(at+abi.AckError, uint32(a.Error))
			w.u64(at+abi.AckOffset, uint64(a.Offset))
			w.u64(at+abi.AckTimestamp, uint64(a.Timestamp))
			w.put(at+abi.AckMessage, []byte(a.Message))
			w.u32(at+abi.AckKeySize, uint32(a.KeySize))
			w.u32(at+abi.AckValueSize, uint32(a.ValueSize))
			at += abi.AckSize
		}
	})
	code, err := g.call(context.Background(), "on_ack", p, n)
	if err == nil && code != 0 {
		g.tb.Fatalf("on_ack = %d", code)
	}
	return err
}
