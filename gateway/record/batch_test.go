package record

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func filled(p *Pool, n int) *Batch {
	b := p.Batch()
	for i := range n {
		b.Add("t").Value = b.Copy(fmt.Append(nil, "value ", i))
	}
	return b
}

func TestEveryRecordGetsOneAck(t *testing.T) {
	const n = 500
	var p Pool
	for range 20 {
		b := filled(&p, n)
		done := make(chan struct{})
		b.Done = func(*Batch) { close(done) }
		b.Start()
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := g; i < n; i += 4 {
					b.Complete(i, Ack{Offset: int64(i), Code: Stored})
				}
			})
		}
		<-done
		wg.Wait()
		for i := range b.Acks {
			if !b.Acks[i].OK() || b.Acks[i].Offset != int64(i) {
				t.Fatalf("ack %d is %+v", i, b.Acks[i])
			}
		}
		if b.Open() != 0 || b.Twice() != 0 {
			t.Fatalf("open %d, twice %d", b.Open(), b.Twice())
		}
		b.Free()
	}
	if p.Live() != 0 {
		t.Errorf("%d batches are live", p.Live())
	}
}

func TestSecondAckDoesNotCount(t *testing.T) {
	var p Pool
	b := filled(&p, 2)
	b.Done = func(*Batch) {}
	b.Start()
	b.Complete(0, Ack{Code: Stored, Offset: 1})
	b.Complete(0, Ack{Code: Rejected})
	if b.Twice() != 1 || b.Open() != 1 || b.Acks[0].Code != Stored {
		t.Errorf("twice %d, open %d, ack %+v", b.Twice(), b.Open(), b.Acks[0])
	}
	b.Complete(1, Ack{Code: Stored})
	b.Free()
}

func TestFail(t *testing.T) {
	var p Pool
	b := filled(&p, 3)
	b.Hold() // for reading Failed after Done has given the batch back
	b.Done = (*Batch).Free
	b.Start()
	full := Errorf(BufferFull, "buffer.memory is full")
	b.Records[2].Partition = 5
	b.Fail(2, full)
	if !b.Records[2].Done() || b.Records[0].Done() {
		t.Error("exactly the failed record is done")
	}
	b.Complete(1, Ack{Code: Stored})
	b.Fail(0, full)
	if diff := cmp.Diff([]int{2, 0}, []int{b.Failed[0].Index, b.Failed[1].Index}); diff != "" || b.Failed[0].Err != full {
		t.Error(diff, b.Failed)
	}
	want := Ack{Offset: NoOffset, Timestamp: NoTimestamp, Partition: 5, Code: BufferFull, Detail: full}
	if b.Acks[2] != want {
		t.Errorf("ack %+v", b.Acks[2])
	}
	b.Free()
	if p.Live() != 0 {
		t.Errorf("%d batches are live", p.Live())
	}
	if again := p.Batch(); len(again.Failed) != 0 || len(again.Acks) != 0 || len(again.Records) != 0 {
		t.Error("a new batch has something of an old one")
	}
}

func TestOutcomeWhileUnderWay(t *testing.T) {
	const n = 2000
	var p Pool
	b := filled(&p, n)
	done := make(chan struct{})
	b.Done = func(*Batch) { close(done) }
	b.Start()
	if _, ok := b.Outcome(0); ok {
		t.Error("a record without an Ack has an outcome")
	}
	go func() {
		for i := range n {
			b.Complete(i, Ack{Offset: int64(i), Partition: 3, Timestamp: int64(2 * i), Code: Stored})
		}
	}()
	for seen := 0; seen < n; {
		ack, ok := b.Outcome(seen)
		if !ok {
			continue
		}
		if want := (Ack{Offset: int64(seen), Partition: 3, Timestamp: int64(2 * seen), Code: Stored}); ack != want {
			t.Fatalf("half an ack: %+v, want %+v", ack, want)
		}
		seen++
	}
	<-done
	b.Free()
}

func TestBatchEndsWithItsLastOwner(t *testing.T) {
	var p Pool
	b := filled(&p, 1)
	b.Hold()
	b.Hold()
	for want := 1; want >= 0; want-- {
		b.Free()
		if want == 1 && string(b.Records[0].Value) != "value 0" {
			t.Error("the batch ended before its last owner gave it back")
		}
	}
	if p.Live() != 1 {
		t.Errorf("%d batches are live while one owner is left", p.Live())
	}
	b.Free()
	if p.Live() != 0 {
		t.Errorf("%d batches are live", p.Live())
	}
}

func TestBytesStayWhereTheyAre(t *testing.T) {
	var p Pool
	for range 3 { // also in memory that was used before
		b := p.Batch()
		var copies [][]byte
		for i := range 3000 {
			copies = append(copies, b.Copy(bytes.Repeat([]byte{byte(i)}, i%97)))
		}
		for i, c := range copies {
			if want := bytes.Repeat([]byte{byte(i)}, i%97); !bytes.Equal(c, want) || cap(c) != len(c) || c == nil {
				t.Fatalf("copy %d is %v with room for %d", i, c, cap(c))
			}
		}
		b.Free()
	}
}

func TestReserve(t *testing.T) {
	var p Pool
	b := p.Batch()
	b.Alloc(400)
	b.Reserve(1000)
	held := b.Memory()
	first, second := b.Alloc(600), b.Alloc(400)
	if unsafe.Add(unsafe.Pointer(&first[0]), 600) != unsafe.Pointer(&second[0]) {
		t.Error("reserved bytes are not in one piece")
	}
	if b.Memory() != held {
		t.Error("reserved bytes took more memory")
	}
	b.Free()
}

func TestMemory(t *testing.T) {
	var p Pool
	b := p.Batch()
	used := 0
	for range 1000 {
		b.Add("t").Value = b.Alloc(100)
		used += 100
	}
	if held := b.Memory() - 1000*Overhead; held < used || held > 2*used+maxSlabGrowth {
		t.Errorf("%d bytes are held for %d", held, used)
	}
	b.Free()
}

func TestHeadersOfEarlierRecordsStay(t *testing.T) {
	var p Pool
	b := p.Batch()
	var all [][]Header
	for i := range 100 {
		h := b.NewHeaders(i % 5)
		for k := range h {
			h[k] = Header{Key: fmt.Sprint(i, k)}
		}
		all = append(all, h)
	}
	for i, h := range all {
		for k := range h {
			if h[k].Key != fmt.Sprint(i, k) {
				t.Fatalf("header %d of record %d is %q", k, i, h[k].Key)
			}
		}
	}
	b.Free()
}

func TestScratch(t *testing.T) {
	var p Pool
	var zero Scratch
	zero.Free()
	if zero.Bytes() != nil {
		t.Error("a zero Scratch has bytes")
	}
	for _, n := range []int{1, 512, 513, 1 << 20, 1<<20 + 1} {
		s := p.Scratch(n)
		if got := len(s.Bytes()); got < n || got != SlabSize(n) {
			t.Errorf("%d bytes: got %d, SlabSize says %d", n, got, SlabSize(n))
		}
		s.Free()
		s.Free()
		if s.Bytes() != nil {
			t.Error("a freed Scratch has bytes")
		}
	}
}

func TestCodeNames(t *testing.T) {
	seen := map[string]Code{}
	for _, c := range Codes() {
		if other, ok := seen[c.String()]; ok || c.String() == "" {
			t.Errorf("codes %d and %d are both %q", c, other, c.String())
		}
		seen[c.String()] = c
	}
	if s := Code(99).String(); s != "code_99" {
		t.Error(s)
	}
}
