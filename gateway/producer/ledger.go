package producer

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// ledger is what is known of the records of one partition that one kgo client was given. Their positions count from 0 in the
// order in which they were given, which is the order in which kgo sends them. The tap notes every write and every answer,
// so that when kgo gives a record up the ledger tells whether it may be in the log.
type ledger struct {
	topic     string
	partition int32
	given     atomic.Int64 // records that kgo was given; only the sender adds
	back      atomic.Int64 // of those, records that came back and were seen to
	held      atomic.Bool  // a batch was refused, and kgo gives up all it has: the sender keeps new records back
	lost      atomic.Bool  // place is not known; set under mu
	book      *book
	life      *life  // of what kgo has of the partition; guarded by book.gate
	cutAt     *place // when it ended; nil if it was not known

	mu      sync.Mutex
	writes  int64   // ever
	open    []write // without an answer
	mayEnd  int64   // positions before it were written, with an answer that does not say that they are not in the log
	mayLast int64   // the same without trust in write.end
	refused int     // records in the batch for whose refusal the partition is held
	foul    int64   // number of the last write before kgo went back
	last    int16   // error code of the last answer
	place   place

	// What follows belongs to the sender.
	fresh   bool     // kgo may not know the topic
	run     *expired // whose records are being judged
	exact   bool     // that the place was known when kgo gave them up
	waiting []*slot  // records that are kept back, in order
	suspect int      // the first of them, each of which may be the one at fault
	chunk   int      // how many suspects may be sent together, 0 if there are none
	found   bool     // that one at fault was found, and none since
	parked  []returned
	asked   chan extent // gets what the leader has of a partition that was cut; nil if nobody has asked
	there   extent      // what it said
}

// write is one batch on the wire.
type write struct {
	no      int64
	end     int64 // position behind its last record; at most last
	last    int64 // records that kgo had been given by then
	records int
}

func (w write) start() int64 { return w.end - int64(w.records) }

// place is where in the positions the next batch starts. kgo sends batches in order, goes back to the first one that is not
// stored when an answer is not good, and numbers those of an idempotent producer. When it gives records up, it skips
// positions without telling: then the place is lost, and a write may hold whatever kgo had been given. It is also lost, if there
// are no numbers, when a connection fails: of the requests that waited for it kgo sends the first one last.
type place struct {
	head  int64 // of the first batch that is not stored: the only one whose answer kgo looks at
	next  int64 // of the next batch, unless kgo goes back
	pid   int64
	epoch int16
	seq   int32 // stands at position seqAt
	seqAt int64
}

func newLedger(b *book, topic string, partition int32) *ledger {
	l := &ledger{book: b, topic: topic, partition: partition, life: newLife(), there: extent{end: -1}}
	l.place.pid = -1
	return l
}

// batch is what the header of a record batch says.
type batch struct {
	pid     int64
	epoch   int16
	seq     int32
	records int
}

// wrote notes that b is about to be written and returns the number of the write.
func (l *ledger) wrote(b batch) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	last := l.given.Load()
	end := last
	if !l.lost.Load() {
		head := l.place.head
		if end = l.place.end(b); end > last || end-int64(b.records) < head { // kgo does something that is not understood
			l.lost.Store(true)
			end = last
		}
	}
	l.open = append(l.open, write{l.writes, end, last, b.records})
	return l.writes
}

// end is the position behind the batch that is about to be written.
func (p *place) end(b batch) int64 {
	start := p.next
	switch {
	case b.pid < 0:
	case b.pid == p.pid && b.epoch == p.epoch:
		start = p.seqAt + int64((b.seq-p.seq)&math.MaxInt32)
	case p.pid < 0:
		start = p.head
		p.pid, p.epoch, p.seq, p.seqAt = b.pid, b.epoch, b.seq, start
	default: // numbered afresh, from the first batch that is not stored
		p.pid, p.epoch, p.seq, p.seqAt = b.pid, b.epoch, 0, p.head
		start = p.head + int64(b.seq)
	}
	p.next = start + int64(b.records)
	return p.next
}

// outcome is what became of a write.
type outcome uint8

const (
	inLog outcome = iota + 1
	notInLog
	perhaps
)

// answered notes what became of a write, and the error code of the answer. It says whether kgo will look at the answer: it
// does so only for the first batch that is not stored. Again says that the batch may be in the log by a write before.
func (l *ledger) answered(no int64, o outcome, code int16) (heeded, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.open {
		if w.no != no {
			continue
		}
		l.open = append(l.open[:i], l.open[i+1:]...)
		heeded, again = l.heeds(w), l.before(w)
		l.settled(w, o)
		break
	}
	if o != inLog {
		l.last, l.foul = code, l.writes
	}
	return heeded, again
}

// heeds says whether kgo will look at the answer to w. Without a place it is known only that kgo does not look at what was under
// way when it went back.
func (l *ledger) heeds(w write) bool {
	if l.lost.Load() {
		return w.no > l.foul
	}
	return w.start() == l.place.head
}

// before says whether a record of w may be in the log by another write.
func (l *ledger) before(w write) bool {
	if l.lost.Load() {
		return l.mayLast > l.back.Load()
	}
	return l.mayEnd > w.start() || slices.ContainsFunc(l.open, func(o write) bool { return o.start() < w.end && w.start() < o.end })
}

func (l *ledger) settled(w write, o outcome) {
	if o != notInLog {
		l.mayEnd, l.mayLast = max(l.mayEnd, w.end), max(l.mayLast, w.last)
	}
	switch {
	case l.lost.Load():
	case o != inLog: // kgo goes back
		l.place.next = l.place.head
	case l.heeds(w):
		l.place.head = w.end
	}
}

// hold keeps further records of the partition back, because a batch of n was refused.
func (l *ledger) hold(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = n
	l.held.Store(true)
}

// takeRefused is how many records the refused batch had, 0 if none was refused since the last call.
func (l *ledger) takeRefused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.refused
	l.refused = 0
	return n
}

// mayHold says whether the record at pos may be in the log. Exact trusts the place of every write.
func (l *ledger) mayHold(pos int64, exact bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.mayLast
	if exact {
		limit = l.mayEnd
	}
	for _, w := range l.open {
		if exact {
			limit = max(limit, w.end)
		} else {
			limit = max(limit, w.last)
		}
	}
	return pos < limit
}

// inFlight says whether a write has no answer.
func (l *ledger) inFlight() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open) > 0
}

// blind says that something was written that could not be understood.
func (l *ledger) blind() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost.Store(true)
	l.mayEnd = l.given.Load()
	l.mayLast = l.mayEnd
}

// lose gives the place up, and says whether it was known.
func (l *ledger) lose() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.lost.Swap(true)
}

// known says that kgo knows the topic now. Until then it only collects the records, and puts them into their partitions one by
// one when it does: some may be sent and given up before others are in the partition, and then the place is lost.
func (l *ledger) known() {
	l.fresh = false
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.foul > 0 {
		l.lost.Store(true)
	}
}

// lastCode is the error code of the last answer that was not good, 0 if there was none.
func (l *ledger) lastCode() int16 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// rest finds the place again, if kgo holds no record of the partition. Only the sender may call it.
func (l *ledger) rest() {
	if l.back.Load() != l.given.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost.Load() && len(l.open) == 0 {
		n := l.given.Load()
		l.lost.Store(false)
		l.place = place{head: n, next: n, pid: -1}
		l.run, l.exact = nil, false
	}
}
