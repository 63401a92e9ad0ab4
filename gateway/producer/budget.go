package producer

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// budget is buffer.memory and buffer.records: what is taken before records are kept and given back once they are acknowledged.
// Who does not find room may wait, first come first served, as in Java's BufferPool.
type budget struct {
	total atomic.Int64
	used  atomic.Int64

	maxRecords  atomic.Int64 // 0: no limit
	usedRecords atomic.Int64 // of claims that say how many
	both        sync.Mutex   // while such a claim is taken: nobody sees half of one

	waiting atomic.Int32 // len(queue), readable without the lock
	mu      sync.Mutex
	queue   list.List   // of *waiter
	closed  atomic.Bool // set under the lock
}

func newBudget(total, maxRecords int64) *budget {
	b := &budget{}
	b.total.Store(total)
	b.maxRecords.Store(maxRecords)
	return b
}

// claim is what somebody wants of a budget.
type claim struct {
	bytes   int64
	records int64 // 0 without buffer.records, so that records cost nothing then
}

type waiter struct {
	claim   claim
	granted bool
	ready   chan struct{}
}

type grant uint8

const (
	granted          grant = iota
	exhausted              // there were too few bytes
	exhaustedRecords       // there were bytes, but too many records
	refused                // the budget was closed
)

// tryAcquire takes c if that is free and nobody waits for it.
func (b *budget) tryAcquire(c claim) bool {
	if b.waiting.Load() > 0 || b.closed.Load() {
		return false
	}
	return b.take(c)
}

// take takes all of c, or nothing, not even for a moment: another claim that has room must not be refused meanwhile.
func (b *budget) take(c claim) bool {
	if c.records == 0 {
		return grab(&b.used, c.bytes, b.total.Load())
	}
	b.both.Lock()
	defer b.both.Unlock()
	if limit := b.maxRecords.Load(); limit > 0 && b.usedRecords.Load()+c.records > limit {
		return false
	}
	if !grab(&b.used, c.bytes, b.total.Load()) {
		return false
	}
	b.usedRecords.Add(c.records)
	return true
}

// grab adds n to used if that stays within limit; with a limit of 0 it always does.
func grab(used *atomic.Int64, n, limit int64) bool {
	for {
		u := used.Load()
		if limit > 0 && u+n > limit {
			return false
		}
		if used.CompareAndSwap(u, u+n) {
			return true
		}
	}
}

// acquire takes c, waiting for at most d.
func (b *budget) acquire(c claim, d time.Duration) grant {
	if b.tryAcquire(c) {
		return granted
	}
	if b.closed.Load() {
		return refused
	}
	if d <= 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.lacking(c)
	}
	w := &waiter{claim: c, ready: make(chan struct{}, 1)}
	b.mu.Lock()
	if b.closed.Load() {
		b.mu.Unlock()
		return refused
	}
	e := b.queue.PushBack(w)
	b.waiting.Add(1)
	b.grantLocked() // memory may have come back before we were counted
	b.mu.Unlock()

	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.ready:
	case <-timer.C:
	}
	return b.settle(e, w)
}

// settle decides under the lock how a wait ended, so that a grant that raced with the timeout is neither lost nor given twice.
func (b *budget) settle(e *list.Element, w *waiter) grant {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.granted {
		return granted
	}
	if b.closed.Load() {
		return refused
	}
	lacking := b.lacking(w.claim)
	b.queue.Remove(e)
	b.waiting.Add(-1)
	b.grantLocked() // a smaller one may stand behind us
	return lacking
}

// lacking is what there is too little of for the first who waits, or for c if nobody does. The lock is held.
func (b *budget) lacking(c claim) grant {
	if e := b.queue.Front(); e != nil {
		c = e.Value.(*waiter).claim //nolint:forcetypeassert // the list holds nothing else
	}
	if limit := b.maxRecords.Load(); c.records > 0 && limit > 0 && b.usedRecords.Load()+c.records > limit {
		return exhaustedRecords
	}
	return exhausted
}

// release gives c back and wakes those who now have room.
func (b *budget) release(c claim) {
	b.used.Add(-c.bytes)
	if c.records > 0 {
		b.usedRecords.Add(-c.records)
	}
	b.grantWaiting()
}

func (b *budget) grantWaiting() {
	if b.waiting.Load() > 0 {
		b.mu.Lock()
		b.grantLocked()
		b.mu.Unlock()
	}
}

func (b *budget) grantLocked() {
	for e := b.queue.Front(); e != nil; e = b.queue.Front() {
		w := e.Value.(*waiter) //nolint:forcetypeassert // the list holds nothing else
		if !b.take(w.claim) {
			return
		}
		w.granted = true
		b.queue.Remove(e)
		b.waiting.Add(-1)
		w.ready <- struct{}{}
	}
}

// resize changes buffer.memory and buffer.records. What was taken stays taken.
func (b *budget) resize(total, maxRecords int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.Store(total)
	b.maxRecords.Store(maxRecords)
	b.grantLocked()
}

// close refuses everybody who waits, and everybody who comes from now on. What was taken can still be given back.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed.Store(true)
	for e := b.queue.Front(); e != nil; e = b.queue.Front() {
		w := b.queue.Remove(e).(*waiter) //nolint:forcetypeassert // the list holds nothing else
		b.waiting.Add(-1)
		w.ready <- struct{}{}
	}
}

func (b *budget) available() int64 { return b.total.Load() - b.used.Load() }
