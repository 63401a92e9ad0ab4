package gateway

import (
	"errors"
	"io"
	"slices"
	"time"

	"sluice/gateway/record"
	"sluice/gateway/spool"
)

const (
	minSpoolPause = 50 * time.Millisecond
	maxSpoolPause = 5 * time.Second
	// commitInterval is how often the position is written while records are being stored: what a kill repeats.
	commitInterval = 20 * time.Millisecond
	// headTries is how often the first record is sent that fails in a way that may pass or not.
	headTries = 10
)

// flight is a batch of spooled records that is under way.
type flight struct {
	spool    *topicSpool
	batch    *record.Batch
	seqs     []uint64
	accepted int64 // when the first was
}

// peeked is an entry that was read and not sent yet.
type peeked struct {
	seq     uint64
	payload []byte // nil if there is none
	entry   entry
}

// tries is how often the entry that is next has failed.
type tries struct {
	seq   uint64
	count int
}

// run sends the records of the spool until it is halted, and then waits for those that are under way.
func (q *topicSpool) run() {
	defer close(q.ended)
	defer q.reader.Close()
	for !q.isHalted() {
		q.takeBack()
		q.commit(false)
		q.tellDrained()
		switch {
		case q.behind && len(q.open) == 0:
			q.rewind()
			continue
		case !q.behind && q.isRenewed() && len(q.open) > 0: // those under way stay in front
		case !q.behind && q.sendNext():
			continue
		case q.isOver():
			close(q.halted)
			q.commit(true)
			return
		}
		q.rest()
	}
	close(q.halted)
	for q.takeBack(); len(q.open) > 0; q.takeBack() {
		<-q.wake
	}
	q.commit(true)
}

// isHeld says whether the record has to wait for those of another spool of the topic.
func (q *topicSpool) isHeld(seq uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.barriers = slices.DeleteFunc(q.barriers, func(b spoolBarrier) bool { return b.passed() })
	q.held = slices.ContainsFunc(q.barriers, func(b spoolBarrier) bool { return b.at <= seq })
	return q.held
}

func (q *topicSpool) isHalted() bool {
	select {
	case <-q.halt:
		return true
	default:
		return false
	}
}

// isOver says whether the spool is empty and is not to be used any more.
func (q *topicSpool) isOver() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closing || !q.empty() {
		return false
	}
	q.sealed = true
	return q.disk.Seal() && q.empty()
}

// isRenewed says whether the producer settings have changed. If nothing is under way they are taken over.
func (q *topicSpool) isRenewed() bool {
	q.mu.Lock()
	if q.renewed == nil || len(q.open) > 0 || q.stopped {
		defer q.mu.Unlock()
		return q.renewed != nil
	}
	q.renewed.Learn(q.out.Load())
	old := q.out.Swap(q.renewed)
	q.renewed = nil
	q.mu.Unlock()
	q.retire(old)
	return false
}

// empty says whether nothing waits or is under way.
func (q *topicSpool) empty() bool {
	records, _ := q.waiting()
	return records == 0 && len(q.open) == 0
}

// rest waits until there is something to do.
func (q *topicSpool) rest() {
	if q.behind && len(q.open) == 0 {
		return
	}
	var later <-chan time.Time
	if q.dirty || q.held {
		timer := time.NewTimer(commitInterval)
		defer timer.Stop()
		later = timer.C
	}
	select {
	case <-q.wake:
	case <-q.disk.Ready():
	case <-q.halt:
	case <-later:
	}
}

// sendNext sends the next batch. It is false if there is none.
func (q *topicSpool) sendNext() bool {
	t := q.topic.Load()
	for next := t.successor.Load(); next != nil && !next.removed; next = t.successor.Load() {
		t = next
	}
	if err := t.refusal(); err != nil {
		q.failed(err)
		return false
	}
	f, original := q.read(t)
	if f == nil {
		return false
	}
	if len(q.open) == 0 {
		q.Stats.oldest.Store(f.accepted)
	}
	q.open = append(q.open, f)
	b := f.batch
	b.Replayed, b.Done = true, f.done
	b.LastTry = q.tries.seq == f.seqs[0] && q.tries.count == headTries-1
	b.Hold()
	b.Start()
	q.adopt(t, b, original)
	t.under.Add(1)
	out := q.out.Load()
	if t.partition(b, out) && !out.Append(b) {
		out.Refuse(b, record.Errorf(record.NotAvailable, "the settings of topic %q are being changed", q.name))
	}
	t.under.Add(-1)
	b.Free()
	return true
}

// adopt makes b a batch of the topic that its records were sent to: its interceptors and dead letters see what becomes of them.
func (q *topicSpool) adopt(t *Topic, b *record.Batch, original []*record.Record) {
	if b.Home != q.name {
		home, err := q.route(b.Home)
		if err != nil {
			return // that topic is gone
		}
		t = home
	}
	b.CountIn(t.ended)
	if t.letters != nil {
		b.SetRescuer(t.letters)
		for i, r := range original {
			if r != nil {
				b.SetOriginal(i, r)
			}
		}
	}
	if t.acks == nil {
		return
	}
	t.acks.watch(b)
	for _, i := range t.interceptors {
		if a, ok := i.(adopter); ok {
			a.Adopt(b)
		}
	}
}

// adopter is an Interceptor that is told of records which it saw before they went into a spool.
type adopter interface{ Adopt(b *record.Batch) }

// read fills a batch with entries that are not done and were sent to one topic. It returns nil if there are none.
func (q *topicSpool) read(t *Topic) (*flight, []*record.Record) {
	b := q.pool.Batch()
	f := &flight{spool: q, batch: b}
	var originals []*record.Record
	for len(b.Records) < record.MaxBatchRecords && b.Memory() < t.BatchMemory() {
		if !q.peek() {
			break
		}
		p := &q.peeked
		if len(f.seqs) == 0 {
			f.accepted, b.Home = p.entry.accepted, string(p.entry.home)
		} else if b.Home != string(p.entry.home) {
			break
		}
		original, err := decodeEntry(b, q.name, p.payload)
		if err != nil {
			q.giveUp(p.seq, p.seq+1, err)
		} else {
			f.seqs = append(f.seqs, p.seq)
			originals = append(originals, original)
		}
		p.payload = nil
	}
	if len(f.seqs) == 0 {
		b.Free()
		return nil, nil
	}
	return f, originals
}

// peek sees to an entry in peeked that is not done. It is false if there is none now.
func (q *topicSpool) peek() bool {
	for q.peeked.payload == nil {
		seq, payload, err := q.reader.Next()
		if damage, ok := errors.AsType[*spool.DamagedError](err); ok {
			q.giveUp(damage.From, damage.To, err)
			continue
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				q.failed(err)
			}
			return false
		}
		if q.track.isDone(seq) {
			continue
		}
		e := entryReader{rest: payload}
		head, err := e.head()
		switch {
		case errors.Is(err, errEntryVersion):
			q.reader.Seek(seq) // it stays until somebody understands it
			q.failed(err)
			return false
		case err != nil:
			q.giveUp(seq, seq+1, err)
		default:
			q.peeked = peeked{seq, payload, head}
		}
	}
	return !q.isHeld(q.peeked.seq)
}

func (q *topicSpool) finish(from, to uint64) {
	q.track.done(from, to)
	q.publish()
	q.dirty = true
}

func (q *topicSpool) publish() {
	q.Stats.done.Store(q.track.count)
	q.Stats.next.Store(q.track.next)
}

// failed notes that the spool cannot go on now.
func (q *topicSpool) failed(err error) {
	q.behind = true
	if n := q.broken.due(time.Now()); n > 0 {
		q.log.Error("the spool waits", "error", err)
	}
}

// done is the Done of a batch of the spool.
func (f *flight) done(*record.Batch) {
	q := f.spool
	q.mu.Lock()
	q.back = append(q.back, f)
	q.mu.Unlock()
	q.awake()
}

func (q *topicSpool) awake() {
	select {
	case q.wake <- struct{}{}:
	default: // it will look
	}
}
