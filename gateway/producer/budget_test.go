package producer

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// The names follow Kafka's BufferPoolTest.

func wantUsed(t *testing.T, b *budget, used int64) {
	t.Helper()
	if got := b.used.Load(); got != used {
		t.Fatalf("used = %d, want %d", got, used)
	}
}

func TestBudgetSimple(t *testing.T) {
	b := newBudget(64 << 10)
	if g := b.acquire(1024, 0); g != granted {
		t.Fatalf("acquire = %v", g)
	}
	wantUsed(t, b, 1024)
	b.release(1024)
	wantUsed(t, b, 0)
	if b.available() != b.total.Load() {
		t.Fatalf("available = %d", b.available())
	}
}

func TestBudgetRejectsAtOnceWithoutMaxBlock(t *testing.T) {
	b := newBudget(100)
	b.acquire(100, 0)
	if g := b.acquire(1, 0); g != exhausted {
		t.Fatalf("acquire = %v, want exhausted", g)
	}
	wantUsed(t, b, 100)
}

// waitFor blocks until n waiters stand in line.
func waitFor(t *testing.T, b *budget, n int32) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for b.waiting.Load() != n {
		if time.Now().After(deadline) {
			t.Fatalf("%d wait, want %d", b.waiting.Load(), n)
		}
		time.Sleep(100 * time.Microsecond) //nolint:forbidigo // polls a counter that no channel announces
	}
}

func TestBudgetDelayedAllocation(t *testing.T) {
	b := newBudget(100)
	b.acquire(100, 0)
	got := make(chan grant)
	go func() { got <- b.acquire(60, time.Minute) }()
	waitFor(t, b, 1)
	b.release(59)
	if b.waiting.Load() != 1 {
		t.Fatal("granted with too little room")
	}
	b.release(1)
	if g := <-got; g != granted {
		t.Fatalf("acquire = %v", g)
	}
	wantUsed(t, b, 100)
}

func TestBudgetBlockTimeoutLeaksNothing(t *testing.T) {
	b := newBudget(100)
	b.acquire(100, 0)
	start := time.Now()
	if g := b.acquire(10, 30*time.Millisecond); g != exhausted {
		t.Fatalf("acquire = %v, want exhausted", g)
	}
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Fatalf("gave up after %v, before max.block.ms", took)
	}
	if b.waiting.Load() != 0 || b.queue.Len() != 0 {
		t.Fatal("the waiter is still in line")
	}
	b.release(100)
	wantUsed(t, b, 0)
}

func TestBudgetIsFirstComeFirstServed(t *testing.T) {
	b := newBudget(100)
	b.acquire(100, 0)
	order := make(chan int, 3)
	var wg sync.WaitGroup
	for i, n := range []int64{90, 5, 5} { // the small ones may not overtake the large one
		wg.Go(func() {
			if b.acquire(n, time.Minute) == granted {
				order <- i
			}
		})
		waitFor(t, b, int32(i+1))
	}
	b.release(10)
	if b.waiting.Load() != 3 {
		t.Fatal("a small request overtook a large one")
	}
	b.release(80)
	waitFor(t, b, 2)
	if first := <-order; first != 0 {
		t.Fatalf("number %d was served first", first)
	}
	b.release(10)
	wg.Wait()
}

func TestBudgetTimeoutLetsTheNextPass(t *testing.T) {
	b := newBudget(100)
	b.acquire(50, 0)
	big := make(chan grant)
	go func() { big <- b.acquire(90, 50*time.Millisecond) }()
	waitFor(t, b, 1)
	small := make(chan grant)
	go func() { small <- b.acquire(50, time.Minute) }()
	waitFor(t, b, 2)
	if g := <-big; g != exhausted {
		t.Fatalf("large: %v", g)
	}
	if g := <-small; g != granted {
		t.Fatalf("small: %v", g)
	}
	wantUsed(t, b, 100)
}

func TestBudgetCloseRefusesWaiters(t *testing.T) {
	b := newBudget(100)
	b.acquire(100, 0)
	got := make(chan grant)
	go func() { got <- b.acquire(1, time.Minute) }()
	waitFor(t, b, 1)
	b.close()
	if g := <-got; g != refused {
		t.Fatalf("waiter: %v, want refused", g)
	}
	b.release(100)
	if g := b.acquire(1, time.Minute); g != refused {
		t.Fatalf("after close: %v, want refused", g)
	}
	wantUsed(t, b, 0)
}

func TestBudgetResize(t *testing.T) {
	b := newBudget(100)
	b.acquire(100, 0)
	got := make(chan grant)
	go func() { got <- b.acquire(50, time.Minute) }()
	waitFor(t, b, 1)
	b.resize(150)
	if g := <-got; g != granted {
		t.Fatalf("acquire = %v", g)
	}
	b.resize(10)
	b.release(141)
	if g := b.acquire(2, 0); g != exhausted {
		t.Fatalf("acquire = %v over a budget that shrank", g)
	}
	wantUsed(t, b, 9)
}

func TestBudgetLargeAvailableMemory(t *testing.T) {
	b := newBudget(20 << 30)
	for range 10 {
		if g := b.acquire(2<<30, 0); g != granted {
			t.Fatalf("acquire = %v", g)
		}
	}
	if g := b.acquire(1, 0); g != exhausted {
		t.Fatalf("acquire = %v, want exhausted", g)
	}
}

func TestBudgetStressfulSituation(t *testing.T) {
	const workers, rounds, total = 10, 5000, 1 << 16
	b := newBudget(total / 2)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for range rounds {
				n := 1 + r.Int64N(total/workers)
				wait := time.Minute
				if r.IntN(10) == 0 {
					wait = time.Duration(r.IntN(50)) * time.Microsecond
				}
				if b.acquire(n, wait) != granted {
					continue
				}
				if u := b.used.Load(); u > b.total.Load() {
					t.Errorf("used %d of %d", u, b.total.Load())
				}
				b.release(n)
			}
		})
	}
	wg.Wait()
	wantUsed(t, b, 0)
	if b.waiting.Load() != 0 || b.queue.Len() != 0 {
		t.Fatal("somebody is still in line")
	}
}

func TestRetryAfterFollowsTheDrain(t *testing.T) {
	var d drainRate
	start := time.Now()
	d.retryAfter(1, start)
	d.released.Add(1000)
	if got := d.retryAfter(10000, start.Add(time.Second)); got != 20*time.Second { // 0.5*0 + 0.5*1000 B/s
		t.Fatalf("retryAfter = %v", got)
	}
	if got := d.retryAfter(1, start.Add(time.Second)); got != time.Second {
		t.Fatalf("retryAfter = %v, want the least", got)
	}
	if got := d.retryAfter(1, start.Add(20*time.Second)); got != 19*time.Second {
		t.Fatalf("retryAfter = %v, want the length of the standstill", got)
	}
	if got := d.retryAfter(1, start.Add(time.Hour)); got != maxRetryAfter {
		t.Fatalf("retryAfter = %v, want the most", got)
	}
}
