package murmur2

// None is the partition of a null key: sluice.NotMine.
const None int32 = -1

// Partition is where Kafka's default partitioner puts a key among n partitions; None if the key is null or n < 1.
func Partition(key []byte, n int32) int32 {
	if key == nil || n < 1 {
		return None
	}
	return Sum(key) & 0x7fffffff % n
}

// Sum is Kafka's murmur2 of a key.
func Sum(key []byte) int32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := seed ^ uint32(len(key))
	for len(key) >= 4 {
		k := uint32(key[0]) | uint32(key[1])<<8 | uint32(key[2])<<16 | uint32(key[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h = h*m ^ k
		key = key[4:]
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return int32(h)
}
