package producer

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// The tests of this file have the names of Kafka's: of SenderTest, RecordAccumulatorTest and KafkaProducerTest.

func (r *rig) wantLog(topic string, p int32, want []string) {
	r.t.Helper()
	if got := r.values(topic, p, len(want)); !slices.Equal(got, want) || r.highWatermark(topic, p) != int64(len(want)) {
		r.t.Errorf("%d records are stored: %v\nwant %v", r.highWatermark(topic, p), got, want)
	}
}

// The partition moves to another broker while records are under way.
func TestSendInOrder(t *testing.T) {
	r := newRig(t, kfake.NumBrokers(2))
	topic := r.topic("orders", nil)
	var s sent
	values := numbered("v", 300)
	for i := 0; i < len(values); i += 10 {
		s.append(r, topic, 0, values[i:i+10]...)
		if i%50 == 0 {
			if err := r.fake.MoveTopicPartition("orders", 0, int32(i/50%2)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	r.wantLog("orders", 0, values)
}

func TestProducerBatchRetriesWhenPartitionLeaderChanges(t *testing.T) {
	r := newRig(t, kfake.NumBrokers(2))
	topic := r.topic("orders", nil)
	var s sent
	s.append(r, topic, 0, "before")
	s.outcome(t)
	if err := r.fake.MoveTopicPartition("orders", 0, 1-r.fake.LeaderFor("orders", 0)); err != nil {
		t.Fatal(err)
	}
	s.append(r, topic, 0, "after")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	if topic.client.tap.Stats.Retries.Load() == 0 {
		t.Error("nothing was sent to the old leader: the test shows nothing")
	}
	r.wantLog("orders", 0, []string{"before", "after"})
}

// Who is told that a record expired may send the next one.
func TestAppendInExpiryCallback(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", hurried)
	answer := true
	var mu sync.Mutex
	r.answerWith(func(int) (int16, int64) {
		mu.Lock()
		defer mu.Unlock()
		if answer {
			return kerr.NotEnoughReplicas.Code, -1
		}
		return 0, 0
	})
	next, nextDone := r.batch("orders", 0, "next")
	b, _ := r.batch("orders", 0, "expires")
	b.Done = func(*record.Batch) {
		mu.Lock()
		answer = false
		mu.Unlock()
		topic.Append(next)
	}
	topic.Append(b)
	wait(t, nextDone)
	if b.Acks[0].Code != record.NotAvailable || next.Acks[0].Code != record.Stored {
		t.Errorf("%v, then %v", b.Acks[0].Code, next.Acks[0].Code)
	}
	r.wantLog("orders", 0, []string{"next"})
}

func TestIdempotenceWithMultipleInflights(t *testing.T) {
	r := newRig(t)
	w := r.witness()
	topic := r.topic("orders", nil)
	var s sent
	s.append(r, topic, 0, "first")
	s.outcome(t)
	values := append([]string{"first"}, numbered("v", 5)...)
	for _, v := range values[1:] {
		n := topic.client.tap.Stats.Batches.Load()
		s.append(r, topic, 0, v)
		for topic.client.tap.Stats.Batches.Load() == n {
			time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
		}
	}
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	r.wantLog("orders", 0, values)
	_, batches := w.seen()
	for i, b := range batches {
		if b.seq != int32(i) || b.pid != batches[0].pid || b.epoch != batches[0].epoch {
			t.Errorf("batch %d: %+v", i, b)
		}
	}
}

// The first of several requests in flight is refused for now; those behind it are out of sequence.
func TestIdempotenceWithMultipleInflightsRetriedInOrder(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	var s sent
	s.append(r, topic, 0, "first")
	s.outcome(t)
	gate := make(chan struct{})
	once := true
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		if !once {
			return nil, nil, false
		}
		once = false
		r.fake.SleepControl(func() { <-gate })
		return answerAll(req.(*kmsg.ProduceRequest), func([]byte) int16 { return kerr.NotLeaderForPartition.Code }), nil, true
	})
	values := append([]string{"first"}, numbered("v", 4)...)
	for i, v := range values[1:] {
		s.append(r, topic, 0, v)
		for topic.client.tap.Stats.InFlight.Load() < int64(i+1) {
			time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
		}
	}
	close(gate)
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	r.wantLog("orders", 0, values)
}

// The broker says that it has the batch already: it is stored, and nobody knows where.
func TestCorrectHandlingOfDuplicateSequenceError(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	r.answerWith(func(int) (int16, int64) { return kerr.DuplicateSequenceNumber.Code, -1 })
	b, done := r.batch("orders", 0, "a", "b")
	topic.Append(b)
	wait(t, done)
	for _, a := range b.Acks {
		if a.Code != record.Stored || a.Offset != record.NoOffset {
			t.Errorf("%v %v, offset %d", a.Code, a.Detail, a.Offset)
		}
	}
}

func TestExpiredBatchDoesNotRetry(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", hurried)
	gate := make(chan struct{})
	values := make(chan string, 100)
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		for _, v := range []string{"expires", "next"} {
			if strings.Contains(string(req.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records), v) {
				values <- v
			}
		}
		select {
		case <-gate:
			return nil, nil, false
		default:
			return nil, nil, true // never answered
		}
	})
	var s sent
	s.append(r, topic, 0, "expires")
	_, failed := s.outcome(t)
	if a := failed["expires"]; a.Code != record.DeliveryTimeout {
		t.Fatalf("%v %v", a.Code, a.Detail)
	}
	close(gate)
	for len(values) > 0 {
		<-values
	}
	s = sent{}
	s.append(r, topic, 0, "next")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	for len(values) > 0 {
		if v := <-values; v != "next" {
			t.Errorf("%s was sent again", v)
		}
	}
	r.wantLog("orders", 0, []string{"next"})
}

func TestTooLargeBatchesAreSafelyRemoved(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	r.refuse("huge", kerr.MessageTooLarge)
	var s sent
	s.append(r, topic, 0, "huge")
	s.append(r, topic, 1, "elsewhere")
	_, failed := s.outcome(t)
	if len(failed) != 1 || failed["huge"].Code != record.RecordTooLarge {
		t.Fatalf("failed: %v", failed)
	}
	s.append(r, topic, 0, "next")
	s.outcome(t)
	r.wantLog("orders", 0, []string{"next"})
	r.freeOfDebt(topic)
}

// A batch that is too large only as a whole is split (RecordAccumulatorTest.testSplitAndReenqueue).
func TestSplitAndReenqueue(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		if len(p.Topics[0].Partitions[0].Records) < 1000 {
			return nil, nil, false
		}
		return answerAll(p, func([]byte) int16 { return kerr.MessageTooLarge.Code }), nil, true
	})
	var s sent
	values := numbered(strings.Repeat("x", 100), 100)
	s.append(r, topic, 0, values...)
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	r.wantLog("orders", 0, values)
}

// A batch that was never sent leaves no gap in the sequence, so the epoch stays.
func TestExpiryOfUnsentBatchesShouldNotCauseUnresolvedSequences(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	silent := true
	r.fake.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		return nil, nil, silent // without a producer id nothing is sent
	})
	w := r.witness()
	topic := r.topic("orders", hurried)
	var s sent
	s.append(r, topic, 0, "unsent")
	_, failed := s.outcome(t)
	if a := failed["unsent"]; a.Code != record.NotAvailable {
		t.Errorf("%v %v", a.Code, a.Detail)
	}
	mu.Lock()
	silent = false
	mu.Unlock()
	s = sent{}
	s.append(r, topic, 0, "next")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	if b := w.last(t); b.epoch != 0 || b.seq != 0 {
		t.Errorf("the next batch is %+v", b)
	}
	r.wantLog("orders", 0, []string{"next"})
}

func (w *witness) last(t testing.TB) batch {
	t.Helper()
	_, batches := w.seen()
	if len(batches) == 0 {
		t.Fatal("no batch was sent")
	}
	return batches[len(batches)-1]
}

// A batch that was sent and got no answer may be there: the next one has a new epoch, else the broker would take it for a
// duplicate.
func TestExpiryOfAllSentBatchesShouldCauseUnresolvedSequences(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", hurried)
	var s sent
	s.append(r, topic, 0, "first")
	s.outcome(t)
	var mu sync.Mutex
	silent := true
	r.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		return nil, nil, silent
	})
	s = sent{}
	s.append(r, topic, 0, "sent")
	_, failed := s.outcome(t)
	if a := failed["sent"]; a.Code != record.DeliveryTimeout {
		t.Fatalf("%v %v", a.Code, a.Detail)
	}
	mu.Lock()
	silent = false
	mu.Unlock()
	w := r.witness()
	s = sent{}
	s.append(r, topic, 0, "next")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	if b := w.last(t); b.epoch == 0 || b.seq != 0 {
		t.Errorf("the next batch is %+v", b)
	}
	r.wantLog("orders", 0, []string{"first", "next"})
}

func TestWhenFirstBatchExpireNoSendSecondBatchIfGuaranteeOrder(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { hurried(p); p.Idempotence, p.MaxInFlight = false, 1 })
	arrived := make(chan string, 100)
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		arrived <- string(req.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records)
		return nil, nil, true // never answered
	})
	var s sent
	s.append(r, topic, 0, "one")
	first := <-arrived
	s.append(r, topic, 0, "two")
	_, failed := s.outcome(t)
	if len(failed) != 2 || !failed["one"].Code.OutcomeUnknown() || !strings.Contains(first, "one") {
		t.Errorf("failed: %v", failed)
	}
	for len(arrived) > 0 {
		if strings.Contains(<-arrived, "two") {
			t.Error("the second was sent before the first was answered")
		}
	}
}

func TestClusterAuthorizationExceptionInProduceRequest(t *testing.T) {
	for err, want := range map[*kerr.Error]record.Code{
		kerr.ClusterAuthorizationFailed: record.Unauthorized, kerr.TopicAuthorizationFailed: record.Unauthorized,
		kerr.UnsupportedForMessageFormat: record.InvalidRecord, kerr.InvalidTopicException: record.Invalid,
		kerr.UnsupportedCompressionType: record.InvalidRecord, kerr.UnknownServerError: record.Unknown,
	} {
		t.Run(err.Message, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", nil)
			f := r.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 1})
			var s sent
			s.append(r, topic, 0, "a")
			_, failed := s.outcome(t)
			if a := failed["a"]; a.Code != want {
				t.Errorf("%v %v", a.Code, a.Detail)
			}
			if f.Hits() != 1 {
				t.Errorf("%d attempts", f.Hits())
			}
			s = sent{}
			s.append(r, topic, 0, "b")
			if stored, failed := s.outcome(t); len(stored) != 1 && err != kerr.ClusterAuthorizationFailed {
				t.Errorf("then: %v", failed)
			}
			r.freeOfDebt(topic)
		})
	}
}

// A record larger than batch.size is sent, alone or not (RecordAccumulatorTest.testAppendLarge).
func TestAppendLarge(t *testing.T) {
	for _, c := range []string{"none", "zstd"} {
		r := newRig(t)
		topic := r.topic("orders", func(p *config.Producer) { p.BatchSize, p.Compression.Type = 512, c })
		var s sent
		values := []string{"small", strings.Repeat("large", 2000), "small again"}
		s.append(r, topic, 0, values...)
		if _, failed := s.outcome(t); len(failed) > 0 {
			t.Fatalf("failed: %v", failed)
		}
		r.wantLog("orders", 0, values)
	}
}

// What is appended within linger.ms goes in one batch.
func TestLinger(t *testing.T) {
	r := newRig(t)
	w := r.witness()
	topic := r.topic("orders", func(p *config.Producer) { p.Linger = 300 * time.Millisecond })
	var s sent
	start := time.Now()
	s.append(r, topic, 0, "a")
	s.append(r, topic, 0, "b")
	s.outcome(t)
	if took := time.Since(start); took < 250*time.Millisecond {
		t.Errorf("sent after %v", took)
	}
	if requests, batches := w.seen(); len(requests) != 1 || batches[0].records != 2 {
		t.Errorf("%d requests, %+v", len(requests), batches)
	}
}

// A batch ends at max.request.size (RecordAccumulatorTest.testFull).
func TestFull(t *testing.T) {
	r := newRig(t)
	w := r.witness()
	topic := r.topic("orders", func(p *config.Producer) { p.MaxRequestSize = 2000 })
	var s sent
	values := numbered(strings.Repeat("x", 150), 60)
	s.append(r, topic, 0, values...)
	s.outcome(t)
	requests, _ := w.seen()
	for _, p := range requests {
		if n := len(p.Topics[0].Partitions[0].Records); n > 2000 {
			t.Errorf("a batch of %d bytes", n)
		}
	}
	if len(requests) < 6 {
		t.Errorf("%d requests for %d records", len(requests), len(values))
	}
	r.wantLog("orders", 0, values)
}

func TestFlushCompleteSendOfInflightBatches(t *testing.T) {
	r := newRig(t)
	release := r.hold()
	defer release()
	topic := r.topic("orders", nil)
	var s sent
	for _, v := range numbered("v", 50) {
		s.append(r, topic, 0, v)
	}
	flushed := make(chan error, 1)
	go func() { flushed <- r.cluster.Flush(context.Background()) }()
	select {
	case err := <-flushed:
		t.Error("flushed before an answer came", err)
	case <-time.After(50 * time.Millisecond):
	}
	release()
	if err := <-flushed; err != nil || r.cluster.Open() != 0 {
		t.Errorf("%v, %d records are open", err, r.cluster.Open())
	}
	s.outcome(t)
}

// Flush waits for records that are sent again without the one at fault, too.
func TestFlushWaitsForIsolation(t *testing.T) {
	for name, end := range map[string]func(*rig, *Topic){
		"flush":  func(r *rig, _ *Topic) { _ = r.cluster.Flush(r.t.Context()) },
		"retire": func(r *rig, topic *Topic) { r.cluster.Retire(r.t.Context(), topic) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", nil)
			r.refuse("poison", kerr.InvalidRecord)
			values := numbered("v", 64)
			values[40] = "poison"
			var s sent
			s.append(r, topic, 0, values...)
			end(r, topic)
			if r.cluster.Open() != 0 {
				t.Errorf("%d records are open", r.cluster.Open())
			}
			stored, failed := s.outcome(t)
			if len(stored) != 63 || failed["poison"].Code != record.InvalidRecord {
				t.Errorf("%d are stored, failed: %v", len(stored), failed)
			}
			r.wantLog("orders", 0, stored)
		})
	}
}

// A forced close answers every record once (RecordAccumulatorTest.testAbortIncompleteBatches).
func TestAbortIncompleteBatches(t *testing.T) {
	r := newRig(t)
	release := r.hold()
	defer release()
	topic := r.topic("orders", nil)
	var s sent
	for i := range 100 {
		s.append(r, topic, int32(i%3), numbered("v", 5)...)
	}
	r.cluster.Close()
	if stored, _ := s.outcome(t); len(stored) > 0 {
		t.Errorf("stored %v", stored)
	}
	r.freeOfDebt(topic)
}

func TestCloseShouldBeIdempotent(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	topic.Close()
	topic.Close()
	r.cluster.Close()
	r.cluster.Close()
}
