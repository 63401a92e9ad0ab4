package ingest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

// later completes records on another goroutine, in an order of its own, one by one.
type later struct {
	mu      sync.Mutex
	batches []*record.Batch
}

func (l *later) send(_ *memTopic, b *record.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = append(l.batches, b)
}

func (l *later) taken() []*record.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*record.Batch(nil), l.batches...)
}

func TestAcksComeLater(t *testing.T) {
	var l later
	topic := testTopic()
	topic.batchMemory = 1 // four batches of one record
	topic.send = l.send
	r := newRig(t, testConfig(), topic)
	go func() {
		eventually(t, func() bool { return len(l.taken()) == 4 }, func() string { return "not all batches were sent" })
		all := l.taken()
		for i, b := range slices.Backward(all) {
			b.Complete(0, record.Ack{Offset: int64(10 + i), Partition: int32(i), Timestamp: 5, Code: record.Stored})
		}
	}()
	got := r.post(recordsPath, "a\nb\nc\nd\n", ndjsonType)
	want := `{"topic":"orders","records":[{"partition":0,"offset":10},{"partition":1,"offset":11},{"partition":2,"offset":12},` +
		`{"partition":3,"offset":13}]}`
	if diff := cmp.Diff(want, got.body); diff != "" || got.status != 200 {
		t.Error(got.status, diff)
	}
}

func TestRecordFails(t *testing.T) {
	topic := testTopic()
	r := newRig(t, testConfig(), topic)
	for _, code := range record.Codes()[1:] {
		if code == record.Dropped || code == record.DeadLettered { // no errors: TestModuleAndOneRecord, TestDeadLetteredIsNoError
			continue
		}
		cause := &record.Error{Code: code, Message: "the reason", RetryAfter: 3 * time.Second, Err: errors.New("hidden")}
		for name, send := range map[string]func(*memTopic, *record.Batch){
			"at once": func(_ *memTopic, b *record.Batch) { b.Fail(0, cause) },
			"later":   func(_ *memTopic, b *record.Batch) { go b.Complete(0, cause.Failed(2)) },
		} {
			topic.send = send
			got := r.post(recordsPath, "v")
			p := checkProblem(t, got, status(code), code.String(), "the reason")
			if p.Retryable != code.Retriable() || strings.Contains(got.body, "hidden") {
				t.Errorf("%v %s: %s", code, name, got.body)
			}
			if (status(code) == 503 || status(code) == 429) && got.header.Get("Retry-After") != "3" {
				t.Errorf("%v: %v", code, got.header)
			}
		}
	}
}

func TestAckWithoutDetail(t *testing.T) {
	topic := testTopic()
	topic.send = func(_ *memTopic, b *record.Batch) { b.Complete(0, record.Ack{Code: record.Rejected}) }
	r := newRig(t, testConfig(), topic)
	checkProblem(t, r.post(recordsPath, "v"), 422, "rejected", "")
}

func TestNoAckInTime(t *testing.T) {
	var l later
	topic := testTopic()
	topic.await = 20 * time.Millisecond
	topic.send = l.send
	r := newRig(t, testConfig(), topic)
	p := checkProblem(t, r.post(recordsPath, "v"), 504, "outcome_unknown", "no acknowledgement within 20 ms")
	if p.Retryable {
		t.Error("an unknown outcome must not be called retryable")
	}
	if live := r.pool.Live(); live != 1 {
		t.Errorf("%d batches are live while one is under way", live)
	}
	// What was told stays told; the late acks end the batch and nothing else.
	l.taken()[0].Complete(0, record.Ack{Code: record.Stored})
	r.settled()
	topic.send = nil
	for range 10 { // the request's memory is used again
		if got := r.post(recordsPath, "v"); got.status != 200 {
			t.Fatal(got)
		}
	}
}

func TestSomeAcksInTime(t *testing.T) {
	var l later
	topic := testTopic()
	topic.await = 50 * time.Millisecond
	topic.send = func(topic *memTopic, b *record.Batch) {
		for i := range b.Records {
			if string(b.Records[i].Value) != "never" {
				b.Complete(i, record.Ack{Offset: 7, Timestamp: 1, Code: record.Stored})
			}
		}
		l.send(topic, b)
	}
	r := newRig(t, testConfig(), topic)
	got := r.post(recordsPath, "a\nnever\nb\n", ndjsonType)
	if got.status != 207 || strings.Count(got.body, `"offset":7`) != 2 || strings.Count(got.body, "outcome_unknown") != 1 {
		t.Error(got)
	}
	l.taken()[0].Complete(1, record.Ack{Code: record.Stored})
	checkProblem(t, r.post(recordsPath, "never\nnever\n", ndjsonType), 504, "outcome_unknown", "may or may not")
	l.taken()[1].Complete(0, record.Ack{Code: record.Stored})
	l.taken()[1].Complete(1, record.Ack{Code: record.Stored})
	r.settled()
}

func TestQueuedDoesNotWait(t *testing.T) {
	var l later
	topic := testTopic()
	topic.send = l.send
	r := newRig(t, testConfig(), topic)
	got := r.post(recordsPath+"?ack=queued", "v")
	if want := `{"topic":"orders","accepted":1}`; got.status != 202 || got.body != want {
		t.Error(got)
	}
	got = r.post(recordsPath+"?ack=queued", "a\nb\n", ndjsonType)
	if want := `{"topic":"orders","accepted":2}`; got.status != 202 || got.body != want {
		t.Error(got)
	}
	if live := r.pool.Live(); live != 2 {
		t.Errorf("%d batches are live while two are under way", live)
	}
	for _, b := range l.taken() {
		for i, n := 0, len(b.Records); i < n; i++ {
			b.Complete(i, record.Ack{Code: record.Stored})
		}
	}
}

func TestQueuedAndRefusedAtOnce(t *testing.T) {
	topic := testTopic()
	topic.send = func(_ *memTopic, b *record.Batch) {
		b.Fail(0, record.Errorf(record.BufferFull, "buffer.memory = 1 is full"))
	}
	r := newRig(t, testConfig(), topic)
	checkProblem(t, r.post(recordsPath+"?ack=queued", "v"), 503, "buffer_full", "buffer.memory = 1")
}

// Acks of many requests come from other goroutines while the requests end in every way there is.
func TestHammer(t *testing.T) {
	topic := testTopic()
	topic.batchMemory = 4 << 10
	topic.await = 2 * time.Millisecond
	var acks sync.WaitGroup
	topic.send = func(_ *memTopic, b *record.Batch) {
		n := len(b.Records)
		acks.Go(func() {
			timer := time.NewTimer(time.Duration(n%4) * time.Millisecond)
			<-timer.C
			for i := range n {
				b.Complete(i, record.Ack{Offset: 1, Timestamp: 1, Code: record.Stored})
			}
		})
	}
	r := newRig(t, testConfig(), topic)
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			for i := range 30 {
				path := recordsPath
				if (i+c)%3 == 0 {
					path += "?ack=queued"
				}
				got := r.post(path, strings.Repeat("record\n", 1+(i*c)%60), ndjsonType)
				switch got.status {
				case 200, 202, 207, 504:
				default:
					t.Error(got)
				}
			}
		})
	}
	clients.Wait()
	acks.Wait()
	r.settled()
}
