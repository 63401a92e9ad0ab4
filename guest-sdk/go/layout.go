package sluice

// These structs are package abi's layout, so that a field is read with one instruction. layout_test.go holds them to it.

type header struct {
	magic, size, count, records, topics, ntopics, flags, progress uint32
}

type topic struct {
	name, nameLen uint32
	partitions    int32
	_             uint32
}

type record struct {
	key                  uint32
	keyLen               int32
	value                uint32
	valueLen             int32
	headers, headerCount uint32
	timestamp            int64
	topic                uint32
	partition            int32
	flags                uint32
	routeLen, route      uint32
	_                    uint32
	cookie               uint64
}

type keyValue struct {
	key, keyLen uint32
	value       uint32
	valueLen    int32
}

type ack struct {
	cookie              uint64
	topic, topicLen     uint32
	partition           int32
	error               int32
	offset, timestamp   int64
	message, messageLen uint32
	keySize, valueSize  int32
	_                   uint64
}
