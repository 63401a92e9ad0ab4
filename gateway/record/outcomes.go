package record

import "sync/atomic"

// Outcomes counts records by how they ended.
type Outcomes [numCodes]atomic.Int64

// Ended is how many records ended with c.
func (o *Outcomes) Ended(c Code) int64 { return o[c].Load() }

// Class is what a Code means to the sender, in four words: stored; retriable, not written and worth sending again; unknown,
// may be in the log; final, the same again ends the same.
func (c Code) Class() string {
	switch {
	case c == Stored:
		return "stored"
	case c.Retriable():
		return "retriable"
	case c.OutcomeUnknown(), c == Internal:
		return "unknown"
	default:
		return "final"
	}
}

// CountIn makes every record of b be counted in o when it has its Ack: those that are stored at once, when the last one has.
// Only who sends the batch may call it, before any record can end.
func (b *Batch) CountIn(o *Outcomes) { b.outcomes = o }

// countUnstored counts a record that ends with c.
func (b *Batch) countUnstored(c Code) {
	if b.outcomes == nil || c == Stored {
		return
	}
	b.outcomes[c].Add(1)
	b.unstored.Add(1)
}

// countStored counts those that did not end otherwise.
func (b *Batch) countStored() {
	if b.outcomes == nil {
		return
	}
	if n := len(b.Records) - int(b.unstored.Load()); n > 0 {
		b.outcomes[Stored].Add(int64(n))
	}
}
