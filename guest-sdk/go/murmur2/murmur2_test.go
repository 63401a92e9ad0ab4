package murmur2_test

import (
	"testing"

	"sluice/guest-sdk/go/murmur2"
)

// The sums are those of Kafka's own UtilsTest.testMurmur2.
func TestSum(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := murmur2.Sum([]byte(key)); got != want {
			t.Errorf("Sum(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestPartition(t *testing.T) {
	for _, c := range []struct {
		key  []byte
		n    int32
		want int32
	}{
		{nil, 5, murmur2.None},
		{[]byte("21"), 0, murmur2.None},
		{[]byte("21"), 1, 0},
		{[]byte("abc"), 10, 7},       // 479470107 mod 10
		{[]byte("21"), 10, 0},        // (-973932308 & 0x7fffffff) = 1173551340
		{[]byte{}, 7, 275646681 % 7}, // murmur2 of nothing
		{[]byte("foobar"), 100, 66},  // (-790332482 & 0x7fffffff) = 1357151166
		{[]byte("foobar"), 1 << 30, 1357151166 % (1 << 30)},
	} {
		if got := murmur2.Partition(c.key, c.n); got != c.want {
			t.Errorf("Partition(%q, %d) = %d, want %d", c.key, c.n, got, c.want)
		}
	}
}

// FuzzSum must not read behind a key.
func FuzzSum(f *testing.F) {
	f.Add([]byte("key"), int32(3))
	f.Fuzz(func(t *testing.T, key []byte, n int32) {
		copied := append(make([]byte, 0, len(key)+8), key...)
		copied = append(copied, 0xff, 0xff)[:len(key)]
		if murmur2.Sum(key) != murmur2.Sum(copied) {
			t.Errorf("the sum of %q depends on what stands behind it", key)
		}
		if p := murmur2.Partition(key, n); n > 0 && key != nil && (p < 0 || p >= n) {
			t.Errorf("Partition(%q, %d) = %d", key, n, p)
		}
	})
}
