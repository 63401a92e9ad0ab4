package partitioner

import (
	"encoding/binary"
	"hash/crc32"

	"sluice/gateway/record"
)

// murmur2Partition is Java's BuiltInPartitioner.partitionForKey. An empty key is a key; only null is none.
func murmur2Partition(key []byte, n int32) int32 {
	if key == nil {
		return record.NoPartition
	}
	return int32(Hash(key)&0x7fffffff) % n
}

// crc32Partition is librdkafka's rd_kafka_msg_partitioner_consistent_random (rdkafka_msg.c): the unsigned CRC-32 modulo
// the number of partitions. It looks at the key's length only, so that an empty key is none, as null is.
func crc32Partition(key []byte, n int32) int32 {
	if len(key) == 0 {
		return record.NoPartition
	}
	return int32(crc32.ChecksumIEEE(key) % uint32(n))
}

// fnv1aPartition is Sarama's NewHashPartitioner (partitioner.go): the hash as a signed number, modulo the number of
// partitions, and only then without its sign; so the smallest int32 needs no special case. An empty key is a key.
func fnv1aPartition(key []byte, n int32) int32 {
	if key == nil {
		return record.NoPartition
	}
	h := uint32(2166136261)
	for _, c := range key {
		h = (h ^ uint32(c)) * 16777619
	}
	if p := int32(h) % n; p >= 0 {
		return p
	}
	return -(int32(h) % n)
}

// Hash is the murmur2 hash of a key, bit for bit what Java's org.apache.kafka.common.utils.Utils.murmur2 returns.
func Hash(key []byte) uint32 {
	const (
		m    = 0x5bd1e995
		seed = 0x9747b28c
	)
	h := seed ^ uint32(len(key))
	for len(key) >= 4 {
		k := binary.LittleEndian.Uint32(key) * m
		h = h*m ^ (k^k>>24)*m
		key = key[4:]
	}
	if len(key) > 0 {
		for i, c := range key {
			h ^= uint32(c) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
