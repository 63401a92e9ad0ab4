package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

// entryOf makes the entry of a record of its own batch.
func entryOf(pool *record.Pool, home string, r record.Record) []byte {
	b := pool.Batch()
	b.Home = home
	*b.Add(r.Topic) = r
	b.Done = (*record.Batch).Free
	b.Start()
	p := appendEntry(nil, b, 0, 77)
	b.Complete(0, record.Ack{Code: record.Spooled})
	return p
}

func TestEntryIsReadBack(t *testing.T) {
	pool := &record.Pool{}
	for i, want := range []record.Record{
		{Topic: "t", Timestamp: record.NoTimestamp, Partition: record.NoPartition},
		{Topic: "t", Key: []byte{}, Value: []byte{}, Timestamp: 0, Partition: 0, Explicit: true},
		{Topic: "t", Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 300), Timestamp: -5, Partition: 7},
		{Topic: "t", Value: []byte("v"), Timestamp: 1 << 42, Partition: 1 << 20, Explicit: true, Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: ""}, {Key: "c", Value: []byte{}}}},
	} {
		p := entryOf(pool, "home", want)
		b := pool.Batch()
		original, err := decodeEntry(b, "t", p)
		if err != nil || original != nil {
			t.Fatal(original, err)
		}
		if want.Timestamp == record.NoTimestamp {
			want.Timestamp = 77 // when it was accepted
		}
		if !want.Explicit {
			want.Partition = record.NoPartition // it is chosen when the record is sent
		}
		if diff := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", b.Records[0])); diff != "" {
			t.Errorf("record %d: %s", i, diff)
		}
		head, err := (&entryReader{rest: p}).head()
		if err != nil || head.accepted != 77 || string(head.home) != "home" {
			t.Errorf("%+v %v", head, err)
		}
		for cut := range p {
			if _, err := decodeEntry(b, "t", p[:cut]); err == nil {
				t.Errorf("record %d cut at %d of %d bytes is read", i, cut, len(p))
			}
		}
		if len(b.Records) != 1 {
			t.Errorf("records that cannot be read are left in the batch")
		}
		b.Free()
	}
	p := entryOf(pool, "", record.Record{Topic: "t"})
	p[0] = entryVersion + 1
	if _, err := decodeEntry(pool.Batch(), "t", p); !errors.Is(err, errEntryVersion) {
		t.Errorf("a newer version: %v", err)
	}
}

// FuzzEntry: whatever is in an entry, it is an error or a record that makes an entry again which says the same.
func FuzzEntry(f *testing.F) {
	pool := &record.Pool{}
	f.Add(entryOf(pool, "home", record.Record{Topic: "t", Key: []byte("k"), Value: []byte("v"), Headers: []record.Header{{Key: "h"}}}))
	f.Add(entryOf(pool, "", record.Record{Topic: "t", Explicit: true, Partition: 3, Timestamp: 5}))
	f.Add([]byte{1, 2, 0, 2, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, p []byte) {
		b := pool.Batch()
		defer b.Free()
		original, err := decodeEntry(b, "t", p)
		if err != nil {
			if len(b.Records) > 0 {
				t.Fatal("a record that cannot be read is left in the batch")
			}
			return
		}
		again, err := decodeEntry(b, "t", entryOf(pool, "", b.Records[0]))
		if err != nil || again != nil || !sameContent(&b.Records[0], &b.Records[1]) && b.Records[0].Timestamp != record.NoTimestamp {
			t.Fatalf("%+v, then %+v %v", b.Records[0], b.Records[1], err)
		}
		if original != nil && original.Topic != "t" {
			t.Fatalf("original %+v", original)
		}
	})
}

func TestSpoolTrack(t *testing.T) {
	for seed := range uint64(50) {
		track, done, total := &spoolTrack{}, make([]bool, 300), uint64(0)
		x := seed*2654435761 + 1
		for total < 300 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			from := x % 300
			to := min(300, from+x>>20%17)
			track.done(from, to)
			for i := from; i < to; i++ {
				if !done[i] {
					done[i] = true
					total++
				}
			}
			first := uint64(0)
			for first < 300 && done[first] {
				first++
			}
			if track.count != total || track.next != first {
				t.Fatalf("%+v, want %d done and next %d", track, total, first)
			}
			last := track.next
			for _, r := range track.ahead {
				if r.From <= last || r.To <= r.From {
					t.Fatalf("%+v", track.ahead)
				}
				last = r.To
			}
			for i, is := range done {
				if track.isDone(uint64(i)) != is {
					t.Fatalf("entry %d: done %v, want %v", i, !is, is)
				}
			}
		}
	}
}
