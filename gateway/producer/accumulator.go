package producer

import "sync/atomic"

// accumulator is the queue between the goroutines that append and the one that feeds a client. Its length is bounded by
// the budgets of the topics behind it, so it needs no bound and never blocks. Appending is one compare-and-swap; the
// reader takes everything at once.
type accumulator struct {
	top    atomic.Pointer[group] // newest first
	wake   chan struct{}
	closed group // what top points to once nobody drains any more
}

func newAccumulator() *accumulator { return &accumulator{wake: make(chan struct{}, 1)} }

// push appends g, or is false when the accumulator was closed. Groups that one goroutine pushes are drained in the order
// in which it pushed them.
func (a *accumulator) push(g *group) bool {
	for {
		top := a.top.Load()
		if top == &a.closed {
			return false
		}
		g.next = top
		if a.top.CompareAndSwap(top, g) {
			if top == nil {
				select {
				case a.wake <- struct{}{}:
				default:
				}
			}
			return true
		}
	}
}

// drain takes all groups, oldest first, linked by next; nil if there are none.
func (a *accumulator) drain() *group { return oldestFirst(a.top.Swap(nil)) }

// close takes all groups for the last time.
func (a *accumulator) close() *group { return oldestFirst(a.top.Swap(&a.closed)) }

func oldestFirst(g *group) *group {
	var oldest *group
	for g != nil {
		next := g.next
		g.next, oldest = oldest, g
		g = next
	}
	return oldest
}
