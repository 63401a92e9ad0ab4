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
	b := newBudget(64<<10, 0)
	if g := b.acquire(claim{bytes: 1024}, 0); g != granted {
		t.Fatalf("acquire = %v", g)
	}
	wantUsed(t, b, 1024)
	b.release(claim{bytes: 1024})
	wantUsed(t, b, 0)
	if b.available() != b.total.Load() {
		t.Fatalf("available = %d", b.available())
	}
}

func TestBudgetRejectsAtOnceWithoutMaxBlock(t *testing.T) {
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 100}, 0)
	if g := b.acquire(claim{bytes: 1}, 0); g != exhausted {
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
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 100}, 0)
	got := make(chan grant)
	go func() { got <- b.acquire(claim{bytes: 60}, time.Minute) }()
	waitFor(t, b, 1)
	b.release(claim{bytes: 59})
	if b.waiting.Load() != 1 {
		t.Fatal("granted with too little room")
	}
	b.release(claim{bytes: 1})
	if g := <-got; g != granted {
		t.Fatalf("acquire = %v", g)
	}
	wantUsed(t, b, 100)
}

func TestBudgetBlockTimeoutLeaksNothing(t *testing.T) {
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 100}, 0)
	start := time.Now()
	if g := b.acquire(claim{bytes: 10}, 30*time.Millisecond); g != exhausted {
		t.Fatalf("acquire = %v, want exhausted", g)
	}
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Fatalf("gave up after %v, before max.block.ms", took)
	}
	if b.waiting.Load() != 0 || b.queue.Len() != 0 {
		t.Fatal("the waiter is still in line")
	}
	b.release(claim{bytes: 100})
	wantUsed(t, b, 0)
}

func TestBudgetIsFirstComeFirstServed(t *testing.T) {
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 100}, 0)
	order := make(chan int, 3)
	var wg sync.WaitGroup
	for i, n := range []int64{90, 5, 5} { // the small ones may not overtake the large one
		wg.Go(func() {
			if b.acquire(claim{bytes: n}, time.Minute) == granted {
				order <- i
			}
		})
		waitFor(t, b, int32(i+1))
	}
	b.release(claim{bytes: 10})
	if b.waiting.Load() != 3 {
		t.Fatal("a small request overtook a large one")
	}
	b.release(claim{bytes: 80})
	waitFor(t, b, 2)
	if first := <-order; first != 0 {
		t.Fatalf("number %d was served first", first)
	}
	b.release(claim{bytes: 10})
	wg.Wait()
}

// TestBudgetTakesAllOrNothing: a claim of records that cannot be granted takes nothing, and nothing for a moment: who asks for what is free
// gets it.
func TestBudgetTakesAllOrNothing(t *testing.T) {
	b := newBudget(100, 10)
	if g := b.acquire(claim{bytes: 1, records: 7}, 0); g != granted {
		t.Fatalf("acquire = %v", g)
	}
	waits := make(chan grant)
	go func() { waits <- b.acquire(claim{bytes: 1, records: 7}, time.Minute) }()
	waitFor(t, b, 1)
	if n := b.usedRecords.Load(); n != 7 {
		t.Fatalf("%d records are taken while 7 wait for 7", n)
	}
	b.release(claim{bytes: 1, records: 7})
	if g := <-waits; g != granted || b.usedRecords.Load() != 7 {
		t.Fatalf("acquire = %v, %d records are taken", g, b.usedRecords.Load())
	}
	b.release(claim{bytes: 1, records: 7})

	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				b.acquire(claim{bytes: 200, records: 10}, 0) // there are never so many bytes
			}
		}
	})
	refused := 0
	for range 200_000 {
		if b.acquire(claim{bytes: 1, records: 1}, 0) == granted {
			b.release(claim{bytes: 1, records: 1})
		} else {
			refused++
		}
	}
	close(stop)
	wg.Wait()
	if refused > 0 {
		t.Errorf("%d claims were refused, and all was free", refused)
	}
}

func TestBudgetTimeoutLetsTheNextPass(t *testing.T) {
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 50}, 0)
	big := make(chan grant)
	go func() { big <- b.acquire(claim{bytes: 90}, 50*time.Millisecond) }()
	waitFor(t, b, 1)
	small := make(chan grant)
	go func() { small <- b.acquire(claim{bytes: 50}, time.Minute) }()
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
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 100}, 0)
	got := make(chan grant)
	go func() { got <- b.acquire(claim{bytes: 1}, time.Minute) }()
	waitFor(t, b, 1)
	b.close()
	if g := <-got; g != refused {
		t.Fatalf("waiter: %v, want refused", g)
	}
	b.release(claim{bytes: 100})
	if g := b.acquire(claim{bytes: 1}, time.Minute); g != refused {
		t.Fatalf("after close: %v, want refused", g)
	}
	wantUsed(t, b, 0)
}

func TestBudgetResize(t *testing.T) {
	b := newBudget(100, 0)
	b.acquire(claim{bytes: 100}, 0)
	got := make(chan grant)
	go func() { got <- b.acquire(claim{bytes: 50}, time.Minute) }()
	waitFor(t, b, 1)
	b.resize(150, 0)
	if g := <-got; g != granted {
		t.Fatalf("acquire = %v", g)
	}
	b.resize(10, 0)
	b.release(claim{bytes: 141})
	if g := b.acquire(claim{bytes: 2}, 0); g != exhausted {
		t.Fatalf("acquire = %v over a budget that shrank", g)
	}
	wantUsed(t, b, 9)
}

func TestBudgetLargeAvailableMemory(t *testing.T) {
	b := newBudget(20<<30, 0)
	for range 10 {
		if g := b.acquire(claim{bytes: 2 << 30}, 0); g != granted {
			t.Fatalf("acquire = %v", g)
		}
	}
	if g := b.acquire(claim{bytes: 1}, 0); g != exhausted {
		t.Fatalf("acquire = %v, want exhausted", g)
	}
}

func TestBudgetStressfulSituation(t *testing.T) {
	const workers, rounds, total = 10, 5000, 1 << 16
	b := newBudget(total/2, 0)
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
				if b.acquire(claim{bytes: n}, wait) != granted {
					continue
				}
				if u := b.used.Load(); u > b.total.Load() {
					t.Errorf("used %d of %d", u, b.total.Load())
				}
				b.release(claim{bytes: n})
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
	var d DrainRate
	start := time.Now()
	d.RetryAfter(1, 0, start)
	if got := d.RetryAfter(10000, 1000, start.Add(time.Second)); got != 20*time.Second { // 0.5*0 + 0.5*1000 B/s
		t.Fatalf("retryAfter = %v", got)
	}
	if got := d.RetryAfter(1, 1000, start.Add(time.Second)); got != time.Second {
		t.Fatalf("retryAfter = %v, want the least", got)
	}
	if got := d.RetryAfter(1, 1000, start.Add(20*time.Second)); got != 19*time.Second {
		t.Fatalf("retryAfter = %v, want the length of the standstill", got)
	}
	if got := d.RetryAfter(1, 1000, start.Add(time.Hour)); got != maxRetryAfter {
		t.Fatalf("retryAfter = %v, want the most", got)
	}
}

// records is a claim that counts records, too.
func records(n, bytes int64) claim { return claim{bytes: bytes, records: n} }

func TestBudgetOfRecords(t *testing.T) {
	b := newBudget(100, 10)
	if g := b.acquire(records(8, 10), 0); g != granted {
		t.Fatalf("acquire = %v", g)
	}
	if g := b.acquire(records(3, 10), 0); g != exhaustedRecords {
		t.Fatalf("acquire = %v, want too many records", g)
	}
	if g := b.acquire(records(2, 91), 0); g != exhausted {
		t.Fatalf("acquire = %v, want too few bytes", g)
	}
	if n := b.usedRecords.Load(); n != 8 {
		t.Fatalf("what was refused holds %d records", n-8)
	}
	order := make(chan int, 2)
	var wg sync.WaitGroup
	for i, c := range []claim{records(3, 10), records(1, 10)} { // the second has room, and may not overtake the first
		wg.Go(func() {
			if b.acquire(c, time.Minute) == granted {
				order <- i
			}
		})
		waitFor(t, b, int32(i+1))
	}
	if g := b.acquire(records(1, 1), time.Millisecond); g != exhaustedRecords {
		t.Fatalf("acquire = %v, want what the first in line waits for", g)
	}
	b.release(records(1, 10))
	if first := <-order; first != 0 {
		t.Fatalf("number %d was served first", first)
	}
	b.resize(100, 0) // no limit any more
	wg.Wait()
	if g := b.acquire(records(1000, 1), 0); g != granted {
		t.Fatalf("acquire = %v without a limit", g)
	}
	b.release(records(1000, 1))
	b.release(records(7+3+1, 20))
	wantUsed(t, b, 0)
	if n := b.usedRecords.Load(); n != 0 {
		t.Fatalf("%d records are left", n)
	}
}

// TestBudgetOfRecordsUnderStress: whoever finds too little of one thing must not leave those asleep who found too little of it
// meanwhile.
func TestBudgetOfRecordsUnderStress(t *testing.T) {
	b := newBudget(1000, 100)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 2))
			for range 3000 {
				c := records(1+r.Int64N(60), 1+r.Int64N(600))
				wait := time.Duration(r.IntN(2)) * time.Minute
				if g := b.acquire(c, wait); g != granted {
					if wait > 0 {
						t.Errorf("acquire = %v after a minute", g)
					}
					continue
				}
				if u, n := b.used.Load(), b.usedRecords.Load(); u > 1000 || n > 100 {
					t.Errorf("%d bytes and %d records are used", u, n)
				}
				b.release(c)
			}
		})
	}
	wg.Wait()
	wantUsed(t, b, 0)
	if b.usedRecords.Load() != 0 || b.waiting.Load() != 0 {
		t.Fatal("something is left")
	}
}
