package record

import "testing"

// keeper is a Rescuer that takes records by their index.
type keeper struct {
	wants map[int]bool
	took  []int
	bytes []string // of the originals
}

func (k *keeper) Rescue(b *Batch, i int, _ Ack, refused bool) func() {
	if !k.wants[i] || refused {
		return nil
	}
	k.bytes = append(k.bytes, string(b.Original(i).Value))
	return func() { k.took = append(k.took, i) }
}

func TestRescue(t *testing.T) {
	var p Pool
	b := p.Batch()
	for range 4 {
		b.Add("t").Value = b.Copy([]byte("as sent"))
	}
	ended := false
	b.Done = func(*Batch) { ended = true }
	b.Start()
	k := &keeper{wants: map[int]bool{0: true, 1: true, 2: true}}
	b.SetRescuer(k)
	b.Records[1].Value = b.Copy([]byte("as changed"))

	broken := Errorf(InvalidRecord, "broken")
	b.Fail(0, broken) // refused: the keeper does not want it
	b.Complete(1, broken.Failed(0))
	b.Complete(2, Ack{Code: Stored, Offset: 7})
	if b.Records[1].Value == nil {
		t.Error("the bytes of record 3 are gone while it is under way")
	}
	b.Complete(3, broken.Failed(0))
	if len(k.took) != 1 || k.took[0] != 1 || k.bytes[0] != "as sent" {
		t.Fatalf("took %v %q", k.took, k.bytes)
	}
	if ended || b.Open() != 1 || !b.Records[1].Done() {
		t.Fatalf("ended %v, %d open", ended, b.Open())
	}
	if r := &b.Records[1]; r.Value != nil || r.ValueSize != int32(len("as changed")) {
		t.Errorf("who waits for its rescue still holds the memory of all: %+v", r)
	}
	if _, ok := b.Outcome(1); ok {
		t.Error("it has an Ack before it was rescued")
	}
	b.Rescued(1, Ack{Code: DeadLettered})
	if !ended || b.Twice() != 0 || len(b.Failed) != 1 {
		t.Fatalf("ended %v, twice %d, failed %v", ended, b.Twice(), b.Failed)
	}
	for i, want := range []Code{InvalidRecord, DeadLettered, Stored, InvalidRecord} {
		if got := b.Acks[i].Code; got != want {
			t.Errorf("record %d ended as %v, want %v", i, got, want)
		}
	}
	b.Free()
	if p.Live() != 0 {
		t.Error("the batch was not given back")
	}
}

// TestRescueOfStandIns: a record that was multiplied is rescued once, as it was sent.
func TestRescueOfStandIns(t *testing.T) {
	var p Pool
	b := filled(&p, 1)
	ended := false
	b.Done = func(*Batch) { ended = true }
	b.Start()
	k := &keeper{wants: map[int]bool{0: true}}
	b.SetRescuer(k)
	for range 3 {
		b.StandIn(0).Value = b.Branch().Copy([]byte("stand-in"))
	}
	branch := b.TakeBranch()
	branch.Complete(0, Ack{Code: Stored})
	branch.Fail(1, Errorf(Rejected, "broken"))
	branch.Fail(2, Errorf(Rejected, "broken"))
	if ended || len(k.took) != 1 {
		t.Fatalf("ended %v, took %v", ended, k.took)
	}
	b.Rescued(0, Ack{Code: DeadLettered})
	b.Free()
	if !ended || p.Live() != 0 {
		t.Fatalf("ended %v, %d live", ended, p.Live())
	}
}
