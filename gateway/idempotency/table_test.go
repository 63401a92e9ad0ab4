package idempotency

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var epoch = time.Unix(1_800_000_000, 0)

func answerOf(body string) Answer {
	return Answer{Status: 200, ContentType: "text/plain", Body: []byte(body)}
}

// claim wants the key to be in the given state.
func claim(t *testing.T, table *Table, key string, at time.Time, want State) *Entry {
	t.Helper()
	e, got := table.Claim("topic", []byte(key), at)
	if got != want {
		t.Fatalf("key %s is %v, want %v", key, got, want)
	}
	return e
}

func answer(t *testing.T, table *Table, key, body string, at time.Time) {
	t.Helper()
	if !table.Complete(claim(t, table, key, at, Claimed), answerOf(body), at) {
		t.Fatalf("the answer to %s is not taken", key)
	}
}

// wantSize also holds the sums equal to what a walk over the entries comes to.
func wantSize(t *testing.T, table *Table, at time.Time, inProgress, answers int) {
	t.Helper()
	gotProgress, gotAnswers, used := table.Size(at)
	if gotProgress != inProgress || gotAnswers != answers {
		t.Fatalf("%d in progress and %d answers, want %d and %d", gotProgress, gotAnswers, inProgress, answers)
	}
	table.mu.Lock()
	defer table.mu.Unlock()
	var sum, pending int64
	linked := 0
	for e := table.oldest; e != nil; e = e.newer {
		linked++
	}
	for _, e := range table.entries {
		sum += e.charged
		if !e.answered {
			pending += e.charged
		}
	}
	if used != sum || table.pending != pending || linked != answers {
		t.Fatalf("%d bytes, %d pending, %d linked; want %d, %d, %d", used, table.pending, linked, sum, pending, answers)
	}
	if used > table.limits.Bytes {
		t.Fatalf("%d bytes, more than the limit %d", used, table.limits.Bytes)
	}
}

func TestFirstAnswerIsKept(t *testing.T) {
	table := New(Limits{Bytes: 1 << 20, AnswerBytes: 1 << 16, TTL: time.Minute})
	body := []byte("the answer")
	e := claim(t, table, "k", epoch, Claimed)
	if !table.Complete(e, Answer{Status: 207, ContentType: "x", Body: body, Fingerprint: Fingerprint{Size: 7}}, epoch) {
		t.Fatal("not taken")
	}
	body[0] = 'X' // it is the caller's
	for range 2 {
		a := claim(t, table, "k", epoch, Answered).Answer()
		if a.Status != 207 || string(a.Body) != "the answer" || a.ContentType != "x" || a.Fingerprint.Size != 7 {
			t.Fatalf("%+v", a)
		}
	}
	if _, state := table.Claim("other topic", []byte("k"), epoch); state != Claimed {
		t.Error("the key counts in another scope")
	}
	wantSize(t, table, epoch, 1, 1)
}

func TestForgottenKeyIsFree(t *testing.T) {
	table := New(Limits{Bytes: 1 << 20, TTL: time.Minute})
	table.Forget(claim(t, table, "k", epoch, Claimed))
	wantSize(t, table, epoch, 0, 0)
	answer(t, table, "k", "a", epoch)
	if used := table.Bytes(); used != entryOverhead+int64(len("topic")+len("k"))+bodySize(1) {
		t.Errorf("%d bytes", used)
	}
}

func TestAnswersEnd(t *testing.T) {
	table := New(Limits{Bytes: 1 << 30, TTL: time.Minute})
	const n = 3 * expireAtOnce
	for i := range n {
		answer(t, table, fmt.Sprint(i), "a", epoch.Add(time.Duration(i)))
	}
	end := epoch.Add(time.Minute)
	claim(t, table, "0", end.Add(-1), Answered)
	table.Forget(claim(t, table, "0", end, Claimed))
	for i := n - 1; i > 0; i-- { // the newest first, which nobody has removed yet
		claim(t, table, fmt.Sprint(i), end.Add(n), Claimed)
	}
	wantSize(t, table, end.Add(n), n-1, 0)
}

func TestEndedAnswersLeaveWithoutRequests(t *testing.T) {
	table := New(Limits{Bytes: 1 << 30, TTL: time.Minute})
	for i := range 1000 {
		answer(t, table, fmt.Sprint(i), "a", epoch)
	}
	wantSize(t, table, epoch.Add(time.Minute), 0, 0)
	if table.Bytes() != 0 {
		t.Error(table.Bytes(), "bytes are left")
	}
}

func TestOldestAnswersMakeRoom(t *testing.T) {
	id := id{"topic", "0"}
	one := id.size() + bodySize(100)
	table := New(Limits{Bytes: 10*one + id.size() + bodySize(SummaryBytes), TTL: time.Hour})
	for i := range 30 {
		answer(t, table, fmt.Sprint(i%10+10*(i/10)), strings.Repeat("a", 100), epoch)
	}
	_, answers, _ := table.Size(epoch)
	if evicted := int(table.Stats.Evicted.Load()); answers < 9 || answers+evicted != 30 {
		t.Fatalf("%d answers, %d evicted", answers, evicted)
	}
	claim(t, table, "29", epoch, Answered)
	claim(t, table, fmt.Sprint(30-answers), epoch, Answered)
	claim(t, table, fmt.Sprint(30-answers-1), epoch, Claimed)
}

func TestRequestsInProgressAreNotEvicted(t *testing.T) {
	id := id{"topic", "0"}
	table := New(Limits{Bytes: 4 * (id.size() + bodySize(SummaryBytes)), AnswerBytes: 1 << 20, TTL: time.Hour})
	answer(t, table, "a", "answer", epoch)
	var first []*Entry
	for i := range 4 {
		first = append(first, claim(t, table, fmt.Sprint(i), epoch, Claimed))
	}
	if e, state := table.Claim("topic", []byte("4"), epoch); state != Full || e != nil {
		t.Fatal(state, e)
	}
	claim(t, table, "3", epoch, Busy) // who waits needs no room
	if table.Complete(first[0], answerOf(strings.Repeat("x", SummaryBytes+1)), epoch) {
		t.Error("there is no room for more than a summary")
	}
	wantSize(t, table, epoch, 4, 0)
	for i, e := range first {
		if !table.Complete(e, answerOf(strings.Repeat("x", SummaryBytes)), epoch) {
			t.Fatal("a summary has room in any case:", i)
		}
	}
	wantSize(t, table, epoch, 0, 4)
}

func TestFullTableEvictsNothingInVain(t *testing.T) {
	id := id{"topic", "0"}
	table := New(Limits{Bytes: 2*(id.size()+bodySize(SummaryBytes)) + id.size() + 100, AnswerBytes: 1 << 20, TTL: time.Hour})
	answer(t, table, "a", "answer", epoch)
	claim(t, table, "0", epoch, Claimed)
	claim(t, table, "1", epoch, Claimed)
	if _, state := table.Claim("topic", []byte("2"), epoch); state != Full {
		t.Fatal(state)
	}
	claim(t, table, "a", epoch, Answered)
}

func TestAnswerLimit(t *testing.T) {
	table := New(Limits{Bytes: 1 << 20, AnswerBytes: 5000, TTL: time.Hour})
	e := claim(t, table, "k", epoch, Claimed)
	if table.Complete(e, answerOf(strings.Repeat("x", 5001)), epoch) {
		t.Error("an answer over the limit is taken")
	}
	if !table.Complete(e, answerOf(strings.Repeat("x", 5000)), epoch) {
		t.Error("an answer within the limit is not taken")
	}
}

// Several wait, the first ones come to nothing, one is answered: each gets its turn or the answer.
func TestWaitersTakeTurns(t *testing.T) {
	table := New(Limits{Bytes: 1 << 20, TTL: time.Hour})
	const waiters, failures = 20, 7
	e := claim(t, table, "k", epoch, Claimed)
	var entries []*Entry
	for range waiters {
		entries = append(entries, claim(t, table, "k", epoch, Busy))
	}
	var mu sync.Mutex
	turns, answered := 0, 0
	var wg sync.WaitGroup
	for _, e := range entries {
		wg.Go(func() {
			state := table.Wait(e, nil)
			mu.Lock()
			defer mu.Unlock()
			switch state {
			case Claimed:
				if turns++; turns <= failures {
					table.Forget(e)
				} else if !table.Complete(e, answerOf("at last"), epoch) {
					t.Error("not taken")
				}
			case Answered:
				answered++
				if got := string(e.Answer().Body); got != "at last" {
					t.Error(got)
				}
			default:
				t.Error(state)
			}
		})
	}
	table.Forget(e)
	wg.Wait()
	if turns != failures+1 || answered != waiters-failures-1 {
		t.Errorf("%d turns, %d answered", turns, answered)
	}
	wantSize(t, table, epoch, 0, 1)
}

func TestWaitingEnds(t *testing.T) {
	table := New(Limits{Bytes: 1 << 20, TTL: time.Hour})
	now := make(chan time.Time, 1)
	now <- epoch
	first := claim(t, table, "k", epoch, Claimed)
	if got := table.Wait(claim(t, table, "k", epoch, Busy), now); got != Busy {
		t.Fatal(got)
	}
	table.Forget(first) // and nobody is there for the token
	wantSize(t, table, epoch, 0, 0)

	// Whoever gives up while it is its turn takes the turn: nobody else might.
	first = claim(t, table, "k", epoch, Claimed)
	second := claim(t, table, "k", epoch, Busy)
	table.Forget(first)
	for n := 0; ; n++ {
		now <- epoch
		if got := table.Wait(second, now); got != Claimed {
			t.Fatal(got)
		}
		if len(now) == 0 || n > 100 { // the select chose the timeout
			break
		}
		<-now
		claim(t, table, "k", epoch, Busy)
		table.Forget(second)
	}
	table.Forget(second)
	wantSize(t, table, epoch, 0, 0)
}

func TestHammer(t *testing.T) {
	table := New(Limits{Bytes: 40_000, AnswerBytes: 4096, TTL: 3 * time.Millisecond})
	start := time.Now()
	var executing [8]sync.Mutex // one for every key
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			timer := time.NewTimer(time.Hour)
			defer timer.Stop()
			for i := range 2000 {
				k := (g*31 + i*17) % len(executing)
				e, state := table.Claim("topic", fmt.Append(nil, k), time.Now())
				if state == Busy {
					timer.Reset(time.Duration(i%3) * 50 * time.Microsecond)
					state = table.Wait(e, timer.C)
				}
				switch state {
				case Claimed:
					if !executing[k].TryLock() {
						t.Error("two are the first at the same time")
						return
					}
					if i%5 == 0 {
						runtime.Gosched()
					}
					executing[k].Unlock()
					switch {
					case i%3 == 0:
						table.Forget(e)
					case !table.Complete(e, answerOf(strings.Repeat("x", i%3000)), time.Now()):
						if !table.Complete(e, answerOf("short"), time.Now()) {
							t.Error("a summary is not taken")
						}
					}
				case Answered:
					if e.Answer().Status != 200 {
						t.Error(e.Answer())
					}
				case Busy, Full:
				}
			}
		})
	}
	wg.Wait()
	wantSize(t, table, start.Add(time.Hour), 0, 0)
}

// What is charged is not less than what the heap grows by.
func TestChargeIsHonest(t *testing.T) {
	for _, body := range []int{80, 1500, 40_000} {
		table := New(Limits{Bytes: 1 << 40, AnswerBytes: 1 << 20, TTL: time.Hour})
		n := 40_000_000 / (600 + body)
		a := answerOf(strings.Repeat("x", body))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			e, _ := table.Claim("topic", fmt.Appendf(nil, "8e03978e-40d5-43dd-bc93-%012d", i), epoch)
			table.Complete(e, a, epoch)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		used, charged := int64(after.HeapAlloc)-int64(before.HeapAlloc), table.Bytes()
		t.Logf("%d answers of %d bytes: %d bytes each, charged %d", n, body, used/int64(n), charged/int64(n))
		if used > charged {
			t.Errorf("%d answers of %d bytes take %d bytes, charged are %d", n, body, used, charged)
		}
		runtime.KeepAlive(table)
	}
}

func BenchmarkClaimAndComplete(b *testing.B) {
	table := New(Limits{Bytes: 64 << 20, AnswerBytes: 1 << 16, TTL: time.Hour})
	a := answerOf(strings.Repeat("x", 80))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		key := make([]byte, 0, 64)
		for i := 0; pb.Next(); i++ {
			key = fmt.Appendf(key[:0], "%p-%d", pb, i)
			e, state := table.Claim("topic", key, epoch)
			if state == Claimed {
				table.Complete(e, a, epoch)
			}
		}
	})
}
