package sluice

import (
	"encoding/binary"
	"testing"

	"sluice/guest-sdk/abi"
	"sluice/guest-sdk/go/internal/host"
	"sluice/guest-sdk/go/internal/memory"
)

// one writes a batch of one record without anything into the input, changed by change.
func one(change func(p []byte, base uint32)) (at, size uint32) {
	const records = abi.HeaderSize + abi.TopicSize
	size = records + abi.RecordSize
	at = memory.Shared.Input(size)
	p, _ := memory.Shared.At(at, size)
	clear(p)
	put := func(where int, v uint32) { binary.LittleEndian.PutUint32(p[where:], v) }
	put(abi.HdrMagic, abi.BatchMagic)
	put(abi.HdrSize, size)
	put(abi.HdrCount, 1)
	put(abi.HdrRecords, at+records)
	put(abi.HdrTopics, at+abi.HeaderSize)
	put(abi.HdrNTopics, 1)
	change(p, at)
	return at, size
}

func word(where int, v uint32) func([]byte, uint32) {
	return func(p []byte, base uint32) { binary.LittleEndian.PutUint32(p[where:], v) }
}

// TestInputThatLies: what the host may not write is refused as a whole, or fails the record.
func TestInputThatLies(t *testing.T) {
	const record = abi.HeaderSize + abi.TopicSize
	headers := func(r *Record) error { r.Headers(); return nil }
	for _, c := range []struct {
		name   string
		change func(p []byte, base uint32)
		code   int32
		failed string
	}{
		{"nothing", func([]byte, uint32) {}, 0, ""},
		{"magic", word(abi.HdrMagic, abi.AcksMagic), -1, ""},
		{"more records than there is room for", word(abi.HdrCount, 3), -1, ""},
		{"a count that wraps", word(abi.HdrCount, 1<<26), -1, ""},
		{"records elsewhere", word(abi.HdrRecords, 8), -1, ""},
		{"topics elsewhere", word(abi.HdrTopics, 8), 0, "panic: " + badInput},
		{"no such topic", word(record+abi.RecTopic, 1), 0, "panic: " + badInput},
		{"key elsewhere", word(record+abi.RecKeyLen, 1<<20), 0, "panic: " + badInput},
		{"value elsewhere", word(record+abi.RecValueLen, 1<<20), 0, "panic: " + badInput},
		{"headers elsewhere", word(record+abi.RecHeaderCount, 1), 0, "panic: " + badInput},
		{"headers that wrap", word(record+abi.RecHeaderCount, 1<<28), 0, "panic: " + badInput},
	} {
		host.Start(0)
		at, size := one(c.change)
		code := EachRecord(at, size, headers)
		if failed := host.Report().Failed[0]; code != c.code || failed != c.failed {
			t.Errorf("%s: result %d, failed for %q; want %d, %q", c.name, code, failed, c.code, c.failed)
		}
	}
	at, size := one(func([]byte, uint32) {})
	for _, c := range [][2]uint32{{at, 8}, {at - 8, size}, {at, 1 << 31}, {0, size}} {
		if code := EachRecord(c[0], c[1], headers); code != -1 {
			t.Errorf("an input of %d bytes at %d is taken", c[1], c[0])
		}
	}
}

func TestNoHook(t *testing.T) {
	at, size := one(func([]byte, uint32) {})
	if code := EachRecord(at, size, nil); code != -1 {
		t.Errorf("on_send without a function returns %d", code)
	}
	if code := EachPartition(at, size, nil); code != -1 {
		t.Errorf("partition without a function returns %d", code)
	}
	if code := EachAck(at, size, nil); code != -1 {
		t.Errorf("on_ack without a function returns %d", code)
	}
}

func TestClose(t *testing.T) {
	host.Start(0)
	called := false
	if code := CloseWith(func() error { called = true; return nil }); code != 0 || !called {
		t.Errorf("result %d, called %v", code, called)
	}
	if code := CloseWith(nil); code != 0 {
		t.Errorf("without a function: result %d", code)
	}
	if code := CloseWith(func() error { return &configError{"no"} }); code != -1 {
		t.Errorf("an error: result %d", code)
	}
	if code := CloseWith(func() error { panic("oh") }); code != -1 { //nolint:forbidigo // what is recovered
		t.Errorf("a panic: result %d", code)
	}
	lines := host.Report().Lines
	if len(lines) != 2 || lines[0].Text != "no" || lines[1].Text != "panic: oh" {
		t.Errorf("lines: %v", lines)
	}
}

// TestProgress: the host learns which record is being worked on before the hook sees it.
func TestProgress(t *testing.T) {
	at, size := one(word(abi.HdrProgress, 77))
	p, _ := memory.Shared.At(at, size)
	EachRecord(at, size, func(*Record) error {
		if got := binary.LittleEndian.Uint32(p[abi.HdrProgress:]); got != 0 {
			t.Errorf("progress says %d", got)
		}
		return nil
	})
}
