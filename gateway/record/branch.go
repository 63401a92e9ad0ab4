package record

// branch is what a batch needs to stand in for records of another.
type branch struct {
	of      *Batch
	parents []int32 // parents[k] is the record of of that record k stands in for; ascending
}

// StandIn appends a record to a batch of its own that goes on in the place of record i of b, and of all records of b behind
// it that are not Done: an interceptor makes several records of one that way. Calls come in ascending order of i, and have to
// go on to the last record that is not Done, or records of one key would overtake each other. Record i gets the Ack of its
// first stand-in when all have theirs, or that of the first that failed. The pointer is valid until the next StandIn.
//
// Only the goroutine that sends b may call it, and it has to send what TakeBranch returns afterwards.
func (b *Batch) StandIn(i int) *Record {
	if b.next == nil {
		b.next = b.pool.Batch()
		b.next.stands.of = b
		b.next.Done = (*Batch).rejoin
		b.next.Unattended, b.next.Home = b.Unattended, b.Home
	}
	b.Records[i].done = true // its Ack comes from the branch
	b.next.stands.parents = append(b.next.stands.parents, int32(i))
	return b.next.Add(b.Records[i].Topic)
}

// Branch is the batch that StandIn appends to, for its memory. There must have been a StandIn.
func (b *Batch) Branch() *Batch { return b.next }

// TakeBranch returns the batch that StandIn made, started; nil if there is none. Whoever takes it sends it.
func (b *Batch) TakeBranch() *Batch {
	next := b.next
	if next != nil {
		b.next = nil
		next.Start()
	}
	return next
}

// rejoin gives the records that were stood in for their Acks, and ends the branch.
func (b *Batch) rejoin() {
	of, parents := b.stands.of, b.stands.parents
	for k := 0; k < len(parents); {
		parent, ack := parents[k], b.Acks[k]
		for ; k < len(parents) && parents[k] == parent; k++ {
			if ack.accepted() && !b.Acks[k].accepted() {
				ack = b.Acks[k]
			}
		}
		of.Complete(int(parent), ack)
	}
	b.Free()
}

// Origin is the record that record i of b stands in for, through all branches; itself if it does for none.
func (b *Batch) Origin(i int) (of *Batch, index int) {
	for b.stands.of != nil {
		b, i = b.stands.of, int(b.stands.parents[i])
	}
	return b, i
}
