package idempotency

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// SummaryBytes is the size of body for which there is always room: it is set aside for every request in progress.
	SummaryBytes = 1024

	entryOverhead = 512 // Entry, its place in the map, the channel of those that wait
	expireAtOnce  = 16  // entries at most, so that no request pays for all that passed their time since the last one
)

// Limits bound a Table.
type Limits struct {
	Bytes       int64         // idempotency.max.bytes: all entries together
	AnswerBytes int           // idempotency.answer.max.bytes: the largest body that is remembered; SummaryBytes is in any case
	TTL         time.Duration // idempotency.ttl.ms: from the answer on
}

// State says what becomes of a request with a key.
type State uint8

// The states.
const (
	Claimed  State = iota // it is the first: execute it, then Complete or Forget
	Busy                  // the first is in progress
	Answered              // the first has its Answer
	Full                  // requests in progress have all of Limits.Bytes
)

// Stats counts what became of requests. It may be read at any time.
type Stats struct {
	Claimed    atomic.Int64 // executed
	Waited     atomic.Int64 // waited for one in progress
	Full       atomic.Int64 // refused because of Limits.Bytes
	Forgotten  atomic.Int64 // executed, and not worth remembering
	Summarised atomic.Int64 // remembered with less than their whole answer
	Evicted    atomic.Int64 // answers given up before their time
	// Those below are counted by who serves the requests.
	Replayed atomic.Int64 // answered from memory
	Reused   atomic.Int64 // refused: another request had the key
	TimedOut atomic.Int64 // refused after waiting
}

// Table holds the keys in use. Its methods may be called from any goroutine.
type Table struct {
	Stats Stats

	limits         Limits
	mu             sync.Mutex
	entries        map[id]*Entry
	used           int64  // bytes of all entries
	pending        int64  // of them, of those in progress
	inProgress     int    // entries
	oldest, newest *Entry // of those answered, in the order of their answers, which is that of their end
}

// New makes an empty table.
func New(limits Limits) *Table { return &Table{limits: limits, entries: make(map[id]*Entry)} }

// Claim looks a key up. Whoever gets Claimed has to call Complete or Forget, and whoever gets Busy has to call Wait; with
// Full there is no Entry. scope is kept, key is copied.
func (t *Table) Claim(scope string, key []byte, now time.Time) (*Entry, State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now, expireAtOnce)
	if e := t.entries[id{scope, string(key)}]; e != nil {
		if !e.answered {
			return e, e.join()
		}
		if now.Before(e.expires) {
			return e, Answered
		}
		t.remove(e)
	}
	e := &Entry{id: id{scope, string(key)}}
	e.charged = e.id.size() + bodySize(SummaryBytes)
	if !t.makeRoom(e.charged) {
		t.Stats.Full.Add(1)
		return nil, Full
	}
	t.entries[e.id] = e
	t.used += e.charged
	t.pending += e.charged
	t.inProgress++
	t.Stats.Claimed.Add(1)
	return e, Claimed
}

// join makes the caller one that waits. The lock is held.
func (e *Entry) join() State {
	if e.turn == nil {
		e.turn = make(chan struct{}, 1)
	}
	e.waiting++
	return Busy
}

// Wait waits until the key is Answered, or the caller has become the first because what was before it is forgotten, or
// timeout fires: then it stays Busy.
func (t *Table) Wait(e *Entry, timeout <-chan time.Time) State {
	t.Stats.Waited.Add(1)
	mine := true
	select {
	case <-e.turn:
	case <-timeout:
		mine = false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !mine {
		select {
		case <-e.turn: // or nobody might take the token
		default:
			e.waiting--
			return Busy
		}
	}
	e.waiting--
	if e.answered {
		return Answered
	}
	t.Stats.Claimed.Add(1)
	return Claimed
}

// Complete remembers the answer to a key that the caller has Claimed, and lets those that wait have it. The body is copied.
// If that would be more than there is room for it changes nothing and returns false; a body of at most SummaryBytes always has
// room.
func (t *Table) Complete(e *Entry, a Answer, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(a.Body) > SummaryBytes && len(a.Body) > t.limits.AnswerBytes {
		return false
	}
	charge := e.id.size() + bodySize(len(a.Body))
	t.settle(e)
	if !t.makeRoom(charge) {
		t.unsettle(e)
		return false
	}
	a.Body = bytes.Clone(a.Body)
	e.answer, e.answered, e.expires, e.charged = a, true, now.Add(t.limits.TTL), charge
	t.used += charge
	t.append(e)
	if e.turn != nil {
		close(e.turn)
	}
	return true
}

// Forget gives up a key that the caller has Claimed: nothing came of its request. One of those that wait is the first now.
func (t *Table) Forget(e *Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Stats.Forgotten.Add(1)
	if e.waiting > 0 {
		e.turn <- struct{}{} // there is room: whoever is the first has taken the token before
		return
	}
	t.settle(e)
	delete(t.entries, e.id)
}

// settle takes what an entry in progress costs out of the sums.
func (t *Table) settle(e *Entry) {
	t.used -= e.charged
	t.pending -= e.charged
	t.inProgress--
}

func (t *Table) unsettle(e *Entry) {
	t.used += e.charged
	t.pending += e.charged
	t.inProgress++
}

// makeRoom gives answers up, oldest first, until n bytes are free. It gives up none if that would not do.
func (t *Table) makeRoom(n int64) bool {
	if t.pending+n > t.limits.Bytes {
		return false
	}
	for t.used+n > t.limits.Bytes {
		t.remove(t.oldest)
		t.Stats.Evicted.Add(1)
	}
	return true
}

// expire removes up to most entries whose time is over.
func (t *Table) expire(now time.Time, most int) {
	for ; most > 0 && t.oldest != nil && !now.Before(t.oldest.expires); most-- {
		t.remove(t.oldest)
	}
}

// append makes an answered entry the newest.
func (t *Table) append(e *Entry) {
	e.older = t.newest
	if t.newest != nil {
		t.newest.newer = e
	} else {
		t.oldest = e
	}
	t.newest = e
}

// remove takes an answered entry out.
func (t *Table) remove(e *Entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		t.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		t.newest = e.older
	}
	e.older, e.newer = nil, nil
	t.used -= e.charged
	delete(t.entries, e.id)
}

// Size is how many requests are in progress, how many answers are remembered, and how many bytes both take. Answers whose
// time is over are removed first, so that they do not stay for good where no more requests come.
func (t *Table) Size(now time.Time) (inProgress, answers int, used int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now, len(t.entries))
	return t.inProgress, len(t.entries) - t.inProgress, t.used
}

// Bytes is how many bytes all entries take.
func (t *Table) Bytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used
}
