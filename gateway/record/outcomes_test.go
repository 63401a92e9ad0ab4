package record

import "testing"

// TestOutcomes: every record is counted once, by the code that its sender is told.
func TestOutcomes(t *testing.T) {
	var p Pool
	var counted Outcomes
	for range 2 { // the second batch is the first one's memory
		b := p.Batch()
		for range 5 {
			b.Add("t").Value = b.Copy([]byte("v"))
		}
		b.Done = (*Batch).Free
		b.Start()
		b.CountIn(&counted)
		b.SetRescuer(&keeper{wants: map[int]bool{3: true}})
		b.StandIn(1).Value = b.Branch().Copy([]byte("one"))
		b.StandIn(1).Value = b.Branch().Copy([]byte("of two"))
		branch := b.TakeBranch()
		b.Fail(0, Errorf(BufferFull, "full"))
		b.Complete(2, Ack{Code: Stored})
		b.Complete(3, Errorf(InvalidRecord, "broken").Failed(0))
		b.Complete(4, Ack{Code: Stored})
		branch.Complete(0, Ack{Code: Stored})
		branch.Complete(1, Ack{Code: Stored})
		b.Rescued(3, Ack{Code: DeadLettered})
	}
	for code, want := range map[Code]int64{Stored: 6, BufferFull: 2, DeadLettered: 2} {
		if got := counted.Ended(code); got != want {
			t.Errorf("%d ended as %v, want %d", got, code, want)
		}
	}
	b := p.Batch()
	b.Add("t")
	b.Done = (*Batch).Free
	b.Start()
	b.Complete(0, Ack{Code: Stored})
	all := int64(0)
	for _, c := range Codes() {
		all += counted.Ended(c)
	}
	if all != 10 || p.Live() != 0 {
		t.Errorf("%d were counted, %d batches live", all, p.Live())
	}
}

// TestClasses: the class of a code says the same as its other marks.
func TestClasses(t *testing.T) {
	for _, c := range Codes() {
		class := c.Class()
		if (class == "stored") != (c == Stored) || (class == "retriable") != c.Retriable() || c.OutcomeUnknown() && class != "unknown" {
			t.Errorf("%v is %s", c, class)
		}
	}
}
