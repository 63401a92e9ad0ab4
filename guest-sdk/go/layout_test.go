package sluice

import (
	"testing"
	"unsafe"

	"sluice/guest-sdk/abi"
)

func TestLayoutIsTheABIs(t *testing.T) {
	var (
		h  header
		tp topic
		r  record
		kv keyValue
		a  ack
	)
	for _, c := range []struct {
		name string
		got  uintptr
		want uintptr
	}{
		{"header", unsafe.Sizeof(h), abi.HeaderSize},
		{"header.size", unsafe.Offsetof(h.size), abi.HdrSize},
		{"header.count", unsafe.Offsetof(h.count), abi.HdrCount},
		{"header.records", unsafe.Offsetof(h.records), abi.HdrRecords},
		{"header.topics", unsafe.Offsetof(h.topics), abi.HdrTopics},
		{"header.ntopics", unsafe.Offsetof(h.ntopics), abi.HdrNTopics},
		{"header.flags", unsafe.Offsetof(h.flags), abi.HdrFlags},
		{"header.progress", unsafe.Offsetof(h.progress), abi.HdrProgress},
		{"topic", unsafe.Sizeof(tp), abi.TopicSize},
		{"topic.name", unsafe.Offsetof(tp.name), abi.TopicName},
		{"topic.nameLen", unsafe.Offsetof(tp.nameLen), abi.TopicNameLen},
		{"topic.partitions", unsafe.Offsetof(tp.partitions), abi.TopicPartitions},
		{"record", unsafe.Sizeof(r), abi.RecordSize},
		{"record.key", unsafe.Offsetof(r.key), abi.RecKey},
		{"record.keyLen", unsafe.Offsetof(r.keyLen), abi.RecKeyLen},
		{"record.value", unsafe.Offsetof(r.value), abi.RecValue},
		{"record.valueLen", unsafe.Offsetof(r.valueLen), abi.RecValueLen},
		{"record.headers", unsafe.Offsetof(r.headers), abi.RecHeaders},
		{"record.headerCount", unsafe.Offsetof(r.headerCount), abi.RecHeaderCount},
		{"record.timestamp", unsafe.Offsetof(r.timestamp), abi.RecTimestamp},
		{"record.topic", unsafe.Offsetof(r.topic), abi.RecTopic},
		{"record.partition", unsafe.Offsetof(r.partition), abi.RecPartition},
		{"record.flags", unsafe.Offsetof(r.flags), abi.RecFlags},
		{"record.routeLen", unsafe.Offsetof(r.routeLen), abi.RecRouteLen},
		{"record.route", unsafe.Offsetof(r.route), abi.RecRoute},
		{"record.cookie", unsafe.Offsetof(r.cookie), abi.RecCookie},
		{"keyValue", unsafe.Sizeof(kv), abi.KeyValueSize},
		{"keyValue.key", unsafe.Offsetof(kv.key), abi.KVKey},
		{"keyValue.keyLen", unsafe.Offsetof(kv.keyLen), abi.KVKeyLen},
		{"keyValue.value", unsafe.Offsetof(kv.value), abi.KVValue},
		{"keyValue.valueLen", unsafe.Offsetof(kv.valueLen), abi.KVValueLen},
		{"ack", unsafe.Sizeof(a), abi.AckSize},
		{"ack.cookie", unsafe.Offsetof(a.cookie), abi.AckCookie},
		{"ack.topic", unsafe.Offsetof(a.topic), abi.AckTopic},
		{"ack.topicLen", unsafe.Offsetof(a.topicLen), abi.AckTopicLen},
		{"ack.partition", unsafe.Offsetof(a.partition), abi.AckPartition},
		{"ack.error", unsafe.Offsetof(a.error), abi.AckError},
		{"ack.offset", unsafe.Offsetof(a.offset), abi.AckOffset},
		{"ack.timestamp", unsafe.Offsetof(a.timestamp), abi.AckTimestamp},
		{"ack.message", unsafe.Offsetof(a.message), abi.AckMessage},
		{"ack.messageLen", unsafe.Offsetof(a.messageLen), abi.AckMessageLen},
		{"ack.keySize", unsafe.Offsetof(a.keySize), abi.AckKeySize},
		{"ack.valueSize", unsafe.Offsetof(a.valueSize), abi.AckValueSize},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d (or as large), the ABI says %d", c.name, c.got, c.want)
		}
	}
}
