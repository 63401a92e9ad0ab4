package producer

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestBufferPoolBlockTimeout is BufferPoolTest.testBlockTimeout, on a clock of its own: who finds no memory fails after
// max.block.ms, not before and not later, and what comes back meanwhile but is too little makes no difference.
func TestBufferPoolBlockTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10, 0)
		for range 3 {
			b.acquire(claim{bytes: 1}, 0)
		}
		b.acquire(claim{bytes: 7}, 0)
		for i := range time.Duration(3) { // one byte after the other, the last one too late
			time.AfterFunc((i+1)*900*time.Millisecond, func() { b.release(claim{bytes: 1}) }) //nolint:durationcheck // a number of them
		}
		start := time.Now()
		if g := b.acquire(claim{bytes: 3}, 2*time.Second); g != exhausted {
			t.Errorf("acquire = %v, want exhausted", g)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("failed after %v", took)
		}
		time.Sleep(time.Second) //nolint:forbidigo // of the test's own clock
		if g := b.acquire(claim{bytes: 3}, 0); g != granted {
			t.Errorf("acquire = %v with 3 bytes free", g)
		}
		wantUsed(t, b, 10)
	})
}

// TestBufferPoolDelayedAllocation is BufferPoolTest.testDelayedAllocation on a clock of its own: who waits proceeds when the memory
// comes back, at once.
func TestBufferPoolDelayedAllocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(5*1024, 0)
		b.acquire(claim{bytes: 5 * 1024}, 0)
		time.AfterFunc(time.Second, func() { b.release(claim{bytes: 1024}) })
		start := time.Now()
		if g := b.acquire(claim{bytes: 1024}, time.Hour); g != granted {
			t.Errorf("acquire = %v", g)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("proceeded after %v", took)
		}
	})
}

// TestBufferPoolCloseNotifyWaiters is BufferPoolTest.testCloseNotifyWaiters: none of those who wait is forgotten.
func TestBufferPoolCloseNotifyWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(2, 0)
		b.acquire(claim{bytes: 2}, 0)
		results := make(chan grant, 2)
		for range cap(results) {
			go func() { results <- b.acquire(claim{bytes: 2}, time.Hour) }()
		}
		synctest.Wait()
		if b.waiting.Load() != 2 {
			t.Fatalf("%d wait", b.waiting.Load())
		}
		start := time.Now()
		b.close()
		for range cap(results) {
			if g := <-results; g != refused {
				t.Errorf("acquire = %v, want refused", g)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("they were told after %v", took)
		}
		b.release(claim{bytes: 2})
		wantUsed(t, b, 0)
	})
}
