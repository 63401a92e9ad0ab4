package dlt

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestParsePosition(t *testing.T) {
	if p, err := ParsePosition("3@12"); err != nil || p != (Position{3, 12}) || p.String() != "3@12" {
		t.Errorf("%v %v", p, err)
	}
	for _, bad := range []string{"", "3", "@", "3@", "@3", "-1@2", "1@-2", "3@12@1", "2147483648@0", "x@1"} {
		if p, err := ParsePosition(bad); err == nil {
			t.Errorf("%q is read as %v", bad, p)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2h":                        now.Add(-2 * time.Hour),
		"0s":                        now,
		"2026-01-01T00:00:00Z":      time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-01T01:00:00+01:00": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := ParseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "-2h", "yesterday", "2026-01-01"} {
		if got, err := ParseTime(bad, now); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

func TestTextIsShortAndPrintable(t *testing.T) {
	for _, test := range []struct {
		bytes []byte
		want  string
	}{
		{nil, "-"},
		{[]byte{}, `""`},
		{[]byte("key"), "key"},
		{[]byte("12345678"), "12345678"},
		{[]byte("123456789"), "1234567…"},
		{[]byte("äöüäöüäöü"), "äöüäöüä…"},
		{[]byte("a\x1b\n\tb"), "a···b"},
		{[]byte{0xff, 0}, "0xff00"},
		{[]byte{0xff, 1, 2, 3, 4, 5, 6}, "0xff010…"},
	} {
		if got := bytesText(test.bytes, 8); got != test.want {
			t.Errorf("%q is printed as %q, want %q", test.bytes, got, test.want)
		}
	}
	if got := block([]byte("a\r\n\tb")); got != "a\n\tb\n" {
		t.Errorf("text is printed as %q", got)
	}
	if got := block([]byte("a\x1b")); !strings.HasPrefix(got, "00000000  61 1b") {
		t.Errorf("bytes are printed as %q", got)
	}
}

func TestIdempotencyKeyIsPrintable(t *testing.T) {
	for id, want := range map[string]string{"r-1": `"r-1"`, `a"b\c`: `"a\"b\\c"`, "a\nä": `"a%0a%c3%a4"`} {
		if got := quoted(id); got != want {
			t.Errorf("%q is the key %s, want %s", id, got, want)
		}
	}
}

// TestPartitionIsKeptOrByKey: keys go where Java's producer sends them.
func TestPartitionIsKeptOrByKey(t *testing.T) {
	p := keptOrByKey{}.ForTopic("orders")
	key := []byte("21") // murmur2 makes it -973932308, Java's test vector
	for _, test := range []struct {
		partition int32
		want      int
	}{{0, 0}, {6, 6}, {7, (-973932308 & 0x7fffffff) % 7}, {-1, (-973932308 & 0x7fffffff) % 7}} {
		r := &kgo.Record{Key: key, Partition: test.partition}
		if got := p.Partition(r, 7); got != test.want || !p.RequiresConsistency(r) {
			t.Errorf("partition %d of 7 becomes %d, want %d", test.partition, got, test.want)
		}
	}
	if r := (&kgo.Record{Partition: -1}); p.RequiresConsistency(r) || p.Partition(r, 7) > 6 {
		t.Error("a record without key and partition")
	}
}
