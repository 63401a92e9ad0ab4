package record

import "testing"

func TestBranch(t *testing.T) {
	var p Pool
	b := filled(&p, 4)
	ended := false
	b.Done = func(*Batch) { ended = true }
	b.Start()
	for i := 1; i < 4; i++ {
		for range i {
			b.StandIn(i).Value = b.Branch().Copy([]byte("stand-in"))
		}
	}
	branch := b.TakeBranch()
	if len(branch.Records) != 6 || b.TakeBranch() != nil || b.Records[0].Done() || !b.Records[1].Done() {
		t.Fatalf("a branch of %d records", len(branch.Records))
	}
	b.Complete(0, Ack{Code: Stored, Offset: 100})
	full := Errorf(BufferFull, "full")
	branch.Fail(4, full)
	for _, k := range []int{5, 3, 2, 1, 0} {
		if ended {
			t.Fatal("the batch ended before its branch")
		}
		branch.Complete(k, Ack{Code: Stored, Offset: int64(k)})
	}
	if !ended || b.Twice() != 0 {
		t.Fatalf("ended %v, twice %d", ended, b.Twice())
	}
	for i, offset := range []int64{100, 0, 1} {
		if a := b.Acks[i]; !a.OK() || a.Offset != offset {
			t.Errorf("record %d: %+v, want offset %d", i, a, offset)
		}
	}
	if a := b.Acks[3]; a.Code != BufferFull || a.Detail != full {
		t.Errorf("a record with a stand-in that failed: %+v", a)
	}
	b.Free()
	if p.Live() != 0 {
		t.Errorf("%d batches are live", p.Live())
	}
}
