package record

// Rescuer takes over records that would end without being stored, to put them somewhere else.
type Rescuer interface {
	// Rescue is asked before record i of b gets ack, under the rules of Batch.Done; refused says that it never was appended, and
	// that its sender is told at once. If it takes the record it copies what it needs of it and returns a function, which is
	// called at once; from then on it gives the record its Ack with Batch.Rescued. nil leaves the record with ack.
	Rescue(b *Batch, i int, ack Ack, refused bool) (took func())
}

// SetRescuer makes r see every record that is not stored. It keeps the records as they are now, see Original; only who sends
// the batch may call it, before anything else sees the batch.
func (b *Batch) SetRescuer(r Rescuer) {
	b.rescuer = r
	b.originals = append(b.originals[:0], b.Records...)
	b.needed.Store(b.open.Load())
}

// SetOriginal makes r what record i was before interceptors changed it. Its bytes must live as long as the batch.
func (b *Batch) SetOriginal(i int, r *Record) { b.originals[i] = *r }

// HasOriginals says whether Original may be asked.
func (b *Batch) HasOriginals() bool { return b.rescuer != nil }

// Original is record i as it was sent, whatever interceptors made of it. Its bytes are there until it has its Ack or was
// rescued.
func (b *Batch) Original(i int) *Record { return &b.originals[i] }

// Rescued gives a record its Ack that the Rescuer took.
func (b *Batch) Rescued(i int, ack Ack) { b.finish(i, ack) }

// rescue asks the Rescuer. A record that it takes is done for everybody else.
func (b *Batch) rescue(i int, ack Ack, refused bool) bool {
	if b.Acks[i].Code.load() != Pending {
		return false // a bug that finish counts
	}
	took := b.rescuer.Rescue(b, i, ack, refused)
	if took == nil {
		return false
	}
	b.Records[i].done = true
	b.unneeded()
	took() // last: the batch may end with it
	return true
}

// unneeded says that the bytes of one more record are not needed. With the last, those that wait for their rescue do not hold
// the memory of all. The record must not have its Ack yet, so that the batch cannot end meanwhile.
func (b *Batch) unneeded() {
	if b.needed.Add(-1) == 0 {
		b.Forget()
	}
}
