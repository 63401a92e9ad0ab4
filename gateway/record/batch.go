package record

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// MaxBatchRecords is how many records travel together at most; a bigger request is split.
const MaxBatchRecords = 1024

// Overhead is what one record costs in memory beside its bytes: its Record, its Ack, and what the producer keeps of it
// until it is acknowledged. buffer.memory is charged with it, so that many tiny records cannot overshoot the budget.
const Overhead = 512

// Pool makes batches and keeps their memory for the next ones. The zero value is ready.
type Pool struct {
	slabs   slabPool
	batches sync.Pool
	live    atomic.Int64
}

// Live is the number of batches that were made and have not ended.
func (p *Pool) Live() int64 { return p.live.Load() }

// Batch is the records of one request that travel together. It is filled by one goroutine; once it is sent, each record
// is completed exactly once, by any goroutine.
type Batch struct {
	Records []Record
	Acks    []Ack // Acks[i] is the outcome of Records[i], valid once Done was called

	// Done is called once, by whoever completes the last record. It must not block and must not take long (100 ns):
	// it runs where a Kafka client waits for it. The Acks are valid until Free.
	Done func(*Batch)
	// Ended, if not nil, is called before Done by the owner of the batch's topic, under the same rule.
	Ended func(*Batch)

	// Failed is the records that were refused with Fail, in order. Only the goroutine that sends the batch may touch it.
	Failed []Refusal

	// Unattended says that nobody waits for the Acks: the sender had its answer when the records were accepted.
	Unattended bool

	// Verbatim says that the records are to be written as they are: they are copies of what was sent elsewhere.
	Verbatim bool
	// Home is the topic that the batch was sent to, whose interceptors saw it; set when it has interceptors or a spool.
	Home string

	// Replayed says that the records come out of a spool: they were accepted long ago, and nobody is told that they are refused.
	Replayed bool
	// LastTry says of a replayed batch that its first record is not sent again if it is refused for what may pass.
	LastTry bool

	// Notes is what interceptors keep of the batch from OnSend to OnAck, by their place in the topic's list. They are given
	// back when the batch ends.
	Notes []Note

	next   *Batch // what StandIn appends to
	stands branch // if this is one

	pool    *Pool
	arena   arena
	headers []Header
	refs    atomic.Int32 // owners that have not called Free yet
	open    atomic.Int32 // records without an Ack
	twice   atomic.Int32

	outcomes *Outcomes // where its records are counted; nil if nowhere
	unstored atomic.Int32

	rescuer   Rescuer // nil if there is none
	originals []Record
	needed    atomic.Int32 // records whose bytes somebody may want; counted only with a rescuer
	forgotten bool
}

// Refusal says that the record at Index of its batch was not sent, and why.
type Refusal struct {
	Index int
	Err   *Error
}

// Note is what one interceptor keeps of a batch.
type Note interface{ Free() }

// SetNote keeps n as the note of the interceptor at place i. Only the goroutine that sends the batch may call it.
func (b *Batch) SetNote(i int, n Note) {
	for len(b.Notes) <= i {
		b.Notes = append(b.Notes, nil)
	}
	b.Notes[i] = n
}

// Note is the note of the interceptor at place i; nil if it has none.
func (b *Batch) Note(i int) Note {
	if i >= len(b.Notes) {
		return nil
	}
	return b.Notes[i]
}

// Batch returns an empty batch with one owner. Every owner must give it back with Free.
func (p *Pool) Batch() *Batch {
	p.live.Add(1)
	b, ok := p.batches.Get().(*Batch)
	if !ok {
		b = &Batch{pool: p}
	}
	b.refs.Store(1)
	return b
}

// Hold makes one more owner: the batch ends with the last Free. It may only be called by who owns the batch.
func (b *Batch) Hold() { b.refs.Add(1) }

// Alloc returns n bytes of the batch's own memory, not zeroed; they stay where they are until the batch ends.
func (b *Batch) Alloc(n int) []byte { return b.arena.alloc(&b.pool.slabs, n) }

// Reserve makes sure that the next n bytes handed out come from one piece of memory.
func (b *Batch) Reserve(n int) { b.arena.reserve(&b.pool.slabs, n) }

// Copy copies p into the batch's memory. The copy of an empty p is empty, not nil.
func (b *Batch) Copy(p []byte) []byte {
	c := b.Alloc(len(p))
	copy(c, p)
	return c
}

// CopyString copies p into the batch's memory and returns it as a string that lives as long as the batch.
func (b *Batch) CopyString(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	c := b.Copy(p)
	return unsafe.String(&c[0], len(c))
}

// NewHeaders returns room for n headers, to be filled by the caller.
func (b *Batch) NewHeaders(n int) []Header {
	if n == 0 {
		return nil
	}
	l := len(b.headers)
	if cap(b.headers)-l < n {
		// Records that were added before keep pointing into the old array.
		b.headers = make([]Header, 0, max(2*cap(b.headers), n, 8))
		l = 0
	}
	b.headers = b.headers[:l+n]
	return b.headers[l : l+n : l+n]
}

// Add appends a record for topic with everything else unset and returns it. The pointer is valid until the next Add.
func (b *Batch) Add(topic string) *Record {
	b.Records = append(b.Records, Record{Topic: topic, Partition: NoPartition, Timestamp: NoTimestamp})
	return &b.Records[len(b.Records)-1]
}

// Memory is what the batch holds until it ends, in bytes: whole slabs, and Overhead for every record.
func (b *Batch) Memory() int { return b.arena.held + len(b.Records)*Overhead }

// Start makes the batch ready to be completed. No record may be added afterwards.
func (b *Batch) Start() {
	n := len(b.Records)
	if cap(b.Acks) < n {
		b.Acks = make([]Ack, n, max(n, 2*cap(b.Acks)))
	}
	b.Acks = b.Acks[:n] // all zero: Free left it so
	b.open.Store(int32(n))
}

// Complete gives record i its Ack, unless the Rescuer takes it. Only the first Ack of a record counts; a second one is a bug
// that Twice shows.
func (b *Batch) Complete(i int, ack Ack) { b.complete(i, ack, false) }

func (b *Batch) complete(i int, ack Ack, refused bool) (rescued bool) {
	if b.rescuer != nil {
		if ack.Code != Stored && b.rescue(i, ack, refused) {
			return true
		}
		b.unneeded()
	}
	b.finish(i, ack)
	return false
}

func (b *Batch) finish(i int, ack Ack) {
	a := &b.Acks[i]
	if a.Code.load() != Pending {
		b.twice.Add(1)
		return
	}
	if r := &b.Records[i]; !r.done { // a rescued one is, and who sends the batch may be looking
		r.done = true
	}
	a.Offset, a.Timestamp, a.Partition, a.Detail = ack.Offset, ack.Timestamp, ack.Partition, ack.Detail
	b.countUnstored(ack.Code)
	a.Code.store(ack.Code) // last, so that Outcome sees a whole Ack
	if b.open.Add(-1) == 0 {
		b.end()
	}
}

// Fail completes record i with err, and notes it in Failed. It is for what happens to a record before it is handed on,
// and may only be called by the goroutine that sends the batch, which must own the batch until it has read Failed.
func (b *Batch) Fail(i int, err *Error) { b.fail(i, err, true) }

// Foretell is Fail with what would happen to the record if it was sent: a Rescuer may take it as if it had been.
func (b *Batch) Foretell(i int, err *Error) {
	b.fail(i, err, false)
}

func (b *Batch) fail(i int, err *Error, refused bool) {
	b.Failed = append(b.Failed, Refusal{Index: i, Err: err}) // before: the batch may end with it
	if b.complete(i, err.Failed(b.Records[i].Partition), refused) {
		b.Failed = b.Failed[:len(b.Failed)-1]
	}
}

// Outcome is the Ack of record i, if it has one yet. Other than Acks it may be asked while the batch is under way.
func (b *Batch) Outcome(i int) (Ack, bool) {
	if b.Acks[i].Code.load() == Pending {
		return Ack{}, false
	}
	return b.Acks[i], true
}

// Twice is how many Acks came for records that already had one. It is always 0 unless there is a bug.
func (b *Batch) Twice() int { return int(b.twice.Load()) }

// Open is the number of records that have no Ack yet.
func (b *Batch) Open() int { return int(b.open.Load()) }

func (b *Batch) end() {
	b.countStored()
	if b.Ended != nil {
		b.Ended(b)
	}
	b.Done(b)
}

// Free gives up one owner's share of the batch; that owner may use nothing of it afterwards. The last one gives the
// batch and its memory back.
func (b *Batch) Free() {
	if b.refs.Add(-1) != 0 {
		return
	}
	for i, n := range b.Notes {
		if n != nil {
			n.Free()
		}
		b.Notes[i] = nil
	}
	b.Notes = b.Notes[:0]
	b.next, b.stands.of, b.stands.parents = nil, nil, b.stands.parents[:0]
	b.ReleaseBytes()
	clear(b.Records)
	b.Records = b.Records[:0]
	clear(b.Acks)
	b.Acks = b.Acks[:0]
	clear(b.Failed)
	b.Failed = b.Failed[:0]
	clear(b.originals)
	b.originals = b.originals[:0]
	b.Done, b.Ended, b.rescuer, b.Unattended, b.Replayed, b.LastTry, b.Verbatim, b.Home, b.forgotten = nil, nil, nil, false, false, false, false, "", false
	b.outcomes = nil
	b.unstored.Store(0)
	b.twice.Store(0)
	b.pool.live.Add(-1)
	b.pool.batches.Put(b)
}

// ReleaseBytes gives the memory of keys, values and headers back before the batch itself; the Acks stay valid.
func (b *Batch) ReleaseBytes() {
	b.arena.release(&b.pool.slabs)
	clear(b.headers)
	b.headers = b.headers[:0]
}

// Forget gives the memory of keys, values and headers back and keeps only their sizes.
func (b *Batch) Forget() {
	if b.forgotten {
		return
	}
	b.forgotten = true
	for i := range b.Records {
		r := &b.Records[i]
		r.KeySize, r.ValueSize = size(r.Key), size(r.Value)
		r.Key, r.Value, r.Headers = nil, nil, nil
	}
	b.ReleaseBytes()
}

func size(p []byte) int32 {
	if p == nil {
		return -1
	}
	return int32(len(p))
}
