package sluice

import (
	"unsafe"

	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/host"
	"sluice/guest-sdk/go/internal/memory"
)

// Record is one record on its way to Kafka. It is valid during the call of the hook that it was given to.
type Record struct {
	raw   *record
	topic *topic
	index uint32

	key, value []byte // as they are now
	headers    []Header
	places     []keyValue // where the headers stand for the host
	loaded     bool       // headers and places hold the record's headers
	changed    bool       // and they differ from the input's
}

// begin makes r the record at index i of in.
func (r *Record) begin(in input, i uint32) {
	raw := overlay[record](in.list[i*abi.RecordSize:])
	if raw.topic >= in.head.ntopics {
		panic(badInput) //nolint:forbidigo // see view
	}
	r.raw, r.index = raw, i
	r.topic = overlay[topic](view(in.head.topics+raw.topic*abi.TopicSize, abi.TopicSize))
	r.key = nullable(raw.key, raw.keyLen)
	r.value = nullable(raw.value, raw.valueLen)
	r.loaded, r.changed = false, false
}

// end writes what only the struct knows into the descriptor.
func (r *Record) end() {
	if r.changed {
		r.putHeaders()
	}
}

// Index is the record's place in its batch.
func (r *Record) Index() int { return int(r.index) }

// Key is the record's key; nil is null.
func (r *Record) Key() []byte { return r.key }

// Value is the record's value; nil is null.
func (r *Record) Value() []byte { return r.value }

// Timestamp is the record's timestamp in Unix milliseconds, -1 if it gets the time at which it is sent.
func (r *Record) Timestamp() int64 { return r.raw.timestamp }

// Topic is the name of the topic that the record came in for.
func (r *Record) Topic() string { return str(r.topic.name, r.topic.nameLen) }

// Partitions is the number of that topic's partitions, 0 if it is not known.
func (r *Record) Partitions() int32 { return r.topic.partitions }

// Partition is the partition that the record came with, -1 if nobody chose one yet.
func (r *Record) Partition() int32 { return r.raw.partition }

// Cookie is 64 bits of the module's own, at first 0. The record's acknowledgement has them, too.
func (r *Record) Cookie() uint64 { return r.raw.cookie }

// SetCookie sets the cookie.
func (r *Record) SetCookie(c uint64) { r.raw.cookie = c }

// SetKey sets the key; nil is null.
func (r *Record) SetKey(key []byte) {
	r.key, r.raw.key, r.raw.keyLen = place(key)
	r.raw.flags |= abi.FlagKey
}

// SetNullKey sets the key to null.
func (r *Record) SetNullKey() { r.SetKey(nil) }

// SetValue sets the value; nil is null.
func (r *Record) SetValue(value []byte) {
	r.value, r.raw.value, r.raw.valueLen = place(value)
	r.raw.flags |= abi.FlagValue
}

// SetNullValue sets the value to null: in a compacted topic that deletes the key.
func (r *Record) SetNullValue() { r.SetValue(nil) }

// SetTimestamp sets the timestamp in Unix milliseconds; -1 is the time at which the record is sent.
func (r *Record) SetTimestamp(ms int64) {
	r.raw.timestamp = ms
	r.raw.flags |= abi.FlagTimestamp
}

// Route sends the record to another topic. Its binding must allow that.
func (r *Record) Route(topic string) {
	_, r.raw.route, _ = place(bytesOf(topic))
	r.raw.routeLen = uint32(len(topic))
	r.raw.flags |= abi.FlagRoute
}

// Drop lets the record end here. Its sender is told that it was dropped.
func (r *Record) Drop() { r.raw.flags |= abi.FlagDrop }

// Fail marks the record failed, for a reason of up to 512 bytes. What else the module changed in it is not used. It is the
// same as to return an error.
func (r *Record) Fail(reason string) { host.RecordError(r.index, reason) }

// Alloc returns n bytes for a key, value or header. They stay as they are until the host's next call, after which they are
// used again: setting them copies nothing, and Go's garbage collector has nothing to do. What stands in them is not defined.
func (r *Record) Alloc(n int) []byte { return memory.Shared.Room(n) }

// place returns where p stands for the host, and p or its copy.
func place(p []byte) (placed []byte, at uint32, n int32) {
	if p == nil {
		return nil, 0, abi.Null
	}
	placed, at = memory.Shared.Place(p)
	return placed, at, int32(len(p))
}

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
