package producer

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// budget is buffer.memory: bytes that are taken before a record is kept and given back once it is acknowledged.
// Who does not find room may wait, first come first served, as in Java's BufferPool.
type budget struct {
	total atomic.Int64
	used  atomic.Int64

	waiting atomic.Int32 // len(queue), readable without the lock
	mu      sync.Mutex
	queue   list.List   // of *waiter
	closed  atomic.Bool // set under the lock
}

func newBudget(total int64) *budget {
	b := &budget{}
	b.total.Store(total)
	return b
}

type waiter struct {
	n       int64
	granted bool
	ready   chan struct{}
}

type grant uint8

const (
	granted grant = iota
	exhausted
	refused // the budget was closed
)

// tryAcquire takes n bytes if they are free and nobody waits for them.
func (b *budget) tryAcquire(n int64) bool {
	if b.waiting.Load() > 0 || b.closed.Load() {
		return false
	}
	return b.take(n)
}

func (b *budget) take(n int64) bool {
	for {
		u := b.used.Load()
		if u+n > b.total.Load() {
			return false
		}
		if b.used.CompareAndSwap(u, u+n) {
			return true
		}
	}
}

// acquire takes n bytes, waiting for at most d.
func (b *budget) acquire(n int64, d time.Duration) grant {
	if b.tryAcquire(n) {
		return granted
	}
	if b.closed.Load() {
		return refused
	}
	if d <= 0 {
		return exhausted
	}
	w := &waiter{n: n, ready: make(chan struct{}, 1)}
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
	b.queue.Remove(e)
	b.waiting.Add(-1)
	b.grantLocked() // a smaller one may stand behind us
	return exhausted
}

// release gives n bytes back and wakes those who now have room.
func (b *budget) release(n int64) {
	b.used.Add(-n)
	if b.waiting.Load() > 0 {
		b.mu.Lock()
		b.grantLocked()
		b.mu.Unlock()
	}
}

func (b *budget) grantLocked() {
	for e := b.queue.Front(); e != nil; e = b.queue.Front() {
		w := e.Value.(*waiter) //nolint:forcetypeassert // the list holds nothing else
		if !b.take(w.n) {
			return
		}
		w.granted = true
		b.queue.Remove(e)
		b.waiting.Add(-1)
		w.ready <- struct{}{}
	}
}

// resize changes buffer.memory. What was taken stays taken.
func (b *budget) resize(total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.Store(total)
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
