package partitioner_test

import (
	"hash/crc32"
	"hash/fnv"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/partitioner"
	"sluice/gateway/record"
)

// Java: UtilsTest.testMurmur2.
func TestMurmur2Vectors(t *testing.T) {
	tests := []struct {
		key  string
		want int32
	}{
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	}
	q := newPartitioner(t, partitioner.Murmur2, partitioner.Options{BatchSize: 1})
	for _, tt := range tests {
		if got := int32(partitioner.Hash([]byte(tt.key))); got != tt.want {
			t.Errorf("Hash(%q) = %d, want %d", tt.key, got, tt.want)
		}
		for _, n := range []int32{2, 3, 6, 1000, 1<<31 - 1} {
			if got, want := one(q, some(n, 0), []byte(tt.key)), tt.want&0x7fffffff%n; got != want {
				t.Errorf("%q goes to partition %d of %d, want %d", tt.key, got, n, want)
			}
		}
	}
}

// librdkafka's own expectations (tests/0048-partitioner.c): the hash of each key, or random.
func TestLibrdkafkaVectors(t *testing.T) {
	const anywhere = -1
	keys := []struct {
		key            []byte
		crc32, murmur2 int64
	}{
		{nil, anywhere, anywhere},
		{[]byte{}, anywhere, 0x106e08d9},
		{[]byte("23456"), 0xb1b451d7, 0x058d780f},
		{[]byte("this is another string with more length to it perhaps"), 0xb0150df7, 0x4f7703da},
		{[]byte("hejsan"), 0xd077037e, 0x5ec19395},
	}
	for _, n := range []int32{7, 17} {
		for _, k := range keys {
			for name, hash := range map[string]int64{partitioner.CRC32: k.crc32, partitioner.Murmur2: k.murmur2} {
				q := newPartitioner(t, name, partitioner.Options{BatchSize: 1})
				seen := make(map[int32]bool)
				for range 100 {
					seen[one(q, all(n), k.key)] = true
				}
				switch {
				case hash == anywhere && len(seen) < 2:
					t.Errorf("%s: key %v always goes to one partition of %d: %v", name, k.key, n, seen)
				case hash != anywhere && (len(seen) != 1 || !seen[int32(hash%int64(n))]):
					t.Errorf("%s: key %q goes to %v of %d, want only %d", name, k.key, seen, n, hash%int64(n))
				}
			}
		}
	}
}

// The first is from Sarama's TestHashPartitionerMinInt32: its hash is the smallest int32, which has no positive counterpart.
// The others are from the FNV authors' own list.
func TestFNV1aVectors(t *testing.T) {
	q := newPartitioner(t, partitioner.FNV1a, partitioner.Options{})
	for _, tt := range []struct {
		key  string
		hash uint32
	}{
		{"1468509572224", 1 << 31},
		{"", 0x811c9dc5}, // an empty key is a key
		{"a", 0xe40c292c},
		{"foobar", 0xbf9cf968},
		{"foob", 0x3f5076ef},
	} {
		for _, n := range []int32{2, 3, 50, 100, 1<<31 - 1} {
			want := int64(int32(tt.hash)) % int64(n)
			want = max(want, -want)
			if got := one(q, some(n, 0), []byte(tt.key)); int64(got) != want {
				t.Errorf("%q goes to partition %d of %d, want %d", tt.key, got, n, want)
			}
		}
	}
	seen := make(map[int32]bool)
	for range 100 {
		seen[one(q, all(3), nil)] = true
	}
	if len(seen) != 3 {
		t.Errorf("records without a key went to %v, want all 3 partitions", seen)
	}
}

// Java: DefaultPartitionerTest.testKeyPartitionIsStable. Here also with fewer leaders, as in its metadata.
func TestKeyPartitionIsStable(t *testing.T) {
	for _, name := range []string{
		partitioner.Murmur2, partitioner.UniformBytes, partitioner.Sticky, partitioner.CRC32, partitioner.FNV1a,
	} {
		q := newPartitioner(t, name, partitioner.Options{BatchSize: 1})
		want := one(q, all(3), []byte("key"))
		for _, p := range []*record.Partitions{all(3), some(3, 0, 2), some(3, 1), some(3)} {
			if got := one(q, p, []byte("key")); got != want {
				t.Errorf("%s: with leaders for %v the key goes to %d, before to %d", name, p.Available, got, want)
			}
		}
	}
}

// check compares the three hashes with implementations that are not ours.
func check(t *testing.T, key []byte, n int32) {
	t.Helper()
	q := func(name string) int32 {
		return one(newPartitioner(t, name, partitioner.Options{BatchSize: 1}), some(n, n-1), key)
	}
	r := &kgo.Record{Key: key}
	if want := int32(kgo.StickyKeyPartitioner(nil).ForTopic(topic).Partition(r, int(n))); q(partitioner.Murmur2) != want {
		t.Errorf("murmur2 of %x: partition %d of %d, kgo says %d", key, q(partitioner.Murmur2), n, want)
	}
	sarama := kgo.SaramaCompatHasher(func(b []byte) uint32 {
		h := fnv.New32a()
		_, _ = h.Write(b)
		return h.Sum32()
	})
	if want := int32(sarama(key, int(n))); q(partitioner.FNV1a) != want {
		t.Errorf("fnv1a of %x: partition %d of %d, kgo says %d", key, q(partitioner.FNV1a), n, want)
	}
	want := int32(uint64(crc32.ChecksumIEEE(key)) % uint64(n))
	if len(key) == 0 {
		want = n - 1 // the only one available
	}
	if got := q(partitioner.CRC32); got != want {
		t.Errorf("crc32 of %x: partition %d of %d, want %d", key, got, n, want)
	}
	hasher := kgo.KafkaHasher(partitioner.Hash)
	if got, want := q(partitioner.Murmur2), int32(hasher(key, int(n))); got != want {
		t.Errorf("murmur2 of %x: partition %d of %d, but Hash in kgo's KafkaHasher says %d", key, got, n, want)
	}
}

func TestHashesAgainstOthers(t *testing.T) {
	next := seeded(7)
	for length := range 200 {
		key := make([]byte, length)
		for i := range key {
			key[i] = byte(next())
		}
		for _, n := range []int32{1, 2, 3, 12, 100, 4096} {
			check(t, key, n)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(""), uint16(3))
	f.Add([]byte("foobar"), uint16(6))
	f.Add([]byte("1468509572224"), uint16(50))
	f.Add([]byte{0xff, 0x80, 0, 0xc3, 0x28}, uint16(1))
	f.Fuzz(func(t *testing.T, key []byte, n uint16) {
		if key == nil {
			key = []byte{} // null is no key, and goes anywhere
		}
		check(t, key, int32(n)+1)
	})
}
