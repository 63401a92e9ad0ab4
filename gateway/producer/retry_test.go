package producer

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// The tests of this file have the names of Kafka's, of SenderTest and RecordAccumulatorTest: what is sent again, and what is not.

// attempts makes the fake cluster refuse the first n produce requests for now, and returns when each of all came.
func (r *rig) attempts(n int) func() []time.Time {
	var mu sync.Mutex
	var at []time.Time
	r.answerWith(func(i int) (int16, int64) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		if i < n {
			return kerr.NotEnoughReplicas.Code, -1
		}
		return 0, 0
	})
	return func() []time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
}

// Other than in Java the first retry may come sooner: it waits for fresh metadata, of which there was none within
// retry.backoff.ms.
func TestSenderShouldRetryWithBackoffOnRetriableError(t *testing.T) {
	r := newRig(t)
	const pause = 300 * time.Millisecond
	topic := r.topic("orders", func(p *config.Producer) { p.RetryBackoff = pause })
	attempts := r.attempts(4)
	var s sent
	began := time.Now()
	s.append(r, topic, 0, "a")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Fatalf("failed: %v", failed)
	}
	at := attempts()
	if len(at) != 5 {
		t.Fatalf("%d attempts", len(at))
	}
	for i := 2; i < len(at); i++ { // from the beginning: on a busy machine one may come late, and the next in time
		if took, least := at[i].Sub(began), time.Duration(i-1)*pause*9/10; took < least {
			t.Errorf("attempt %d came after %v, and not before %v", i, took, least)
		}
	}
}

// Without retries a record that is refused for now fails at once (KafkaProducer: retries=0).
func TestNoRetries(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { p.Retries, p.Idempotence = 0, false })
	attempts := r.attempts(1)
	var s sent
	s.append(r, topic, 0, "refused")
	_, failed := s.outcome(t)
	if a := failed["refused"]; a.Code != record.NotAvailable || !strings.Contains(a.Detail.Message, "NOT_ENOUGH_REPLICAS") || len(attempts()) != 1 {
		t.Errorf("%v %v after %d attempts", a.Code, a.Detail, len(attempts()))
	}
	s = sent{}
	s.append(r, topic, 0, "next")
	s.outcome(t)
	r.wantLog("orders", 0, []string{"next"})
	r.freeOfDebt(topic)
}

// A broker that lost what it knew of the producer answers that a sequence is out of order: the epoch grows, and the batch is
// stored.
func TestEpochBumpOnOutOfOrderSequenceForNextBatch(t *testing.T) {
	for _, err := range []*kerr.Error{kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID} {
		t.Run(err.Message, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", nil)
			var s sent
			s.append(r, topic, 0, "first")
			s.outcome(t)
			w := r.witness() // sees what the answer below leaves to the cluster
			r.answerWith(func(n int) (int16, int64) {
				if n == 0 {
					return err.Code, -1
				}
				return 0, 0
			})
			s.append(r, topic, 0, "second")
			s.append(r, topic, 0, "third")
			if _, failed := s.outcome(t); len(failed) > 0 {
				t.Fatalf("failed: %v", failed)
			}
			if b := w.last(t); b.epoch != 1 {
				t.Errorf("the last batch is %+v", b)
			}
			r.wantLog("orders", 0, []string{"first", "second", "third"})
		})
	}
}

// Topics of one client with different delivery.timeout.ms: the one that is over sooner is over sooner.
func TestSoonToExpireBatchesArePickedUpForExpiry(t *testing.T) {
	r := newRig(t)
	soon, later := r.topic("orders", hurried), r.topic("other", func(p *config.Producer) { hurried(p); p.DeliveryTimeout = time.Minute })
	if soon.client != later.client {
		t.Fatal("two clients: the test shows nothing")
	}
	silent := make(chan struct{})
	r.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		select {
		case <-silent:
			return nil, nil, false
		default:
			return nil, nil, true
		}
	})
	var first, second sent
	second.append(r, later, 0, "later")
	first.append(r, soon, 0, "soon")
	if _, failed := first.outcome(t); !failed["soon"].Code.OutcomeUnknown() {
		t.Errorf("failed: %v", failed)
	}
	if a, done := second.batches[0].Outcome(0); done {
		t.Errorf("the other one has its answer already: %v %v", a.Code, a.Detail)
	}
	close(silent)
	if stored, failed := second.outcome(t); len(stored) != 1 {
		t.Errorf("failed: %v", failed)
	}
	r.freeOfDebt(soon, later)
}

// The longest delivery.timeout.ms that there is does not overflow.
func TestExpiredBatchSingleMaxValue(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { p.DeliveryTimeout = 2147483647 * time.Millisecond })
	attempts := r.attempts(2)
	var s sent
	s.append(r, topic, 0, "a")
	if stored, failed := s.outcome(t); len(stored) != 1 || len(attempts()) != 3 {
		t.Errorf("failed: %v after %d attempts", failed, len(attempts()))
	}
}

// Flush does not wait for linger.ms.
func TestFlush(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { p.Linger = time.Minute })
	var s sent
	for i := range int32(3) {
		s.append(r, topic, i, numbered("v", 10)...)
	}
	if _, done := s.batches[0].Outcome(0); done {
		t.Error("sent already: the test shows nothing")
	}
	if err := r.cluster.Flush(t.Context()); err != nil || r.cluster.Open() != 0 {
		t.Errorf("%v, %d records are open", err, r.cluster.Open())
	}
	if stored, failed := s.outcome(t); len(stored) != 30 {
		t.Errorf("failed: %v", failed)
	}
}

// A request is no larger than max.request.size, but for a margin, whatever waits for other partitions of its broker.
func TestPartialDrain(t *testing.T) {
	r := newRig(t)
	const limit = 200_000
	topic := r.topic("orders", func(p *config.Producer) { p.MaxRequestSize, p.Linger = limit, time.Minute })
	w := r.witness()
	var s sent
	for i := range int32(3) {
		s.append(r, topic, i, strings.Repeat("x", limit*3/4))
	}
	if err := r.cluster.Flush(t.Context()); err != nil { // all at once
		t.Fatal(err)
	}
	if stored, failed := s.outcome(t); len(stored) != 3 {
		t.Fatalf("failed: %v", failed)
	}
	requests, batches := w.seen()
	if len(requests) != 3 || len(batches) != 3 {
		t.Errorf("%d requests with %d batches", len(requests), len(batches))
	}
}

// The first attempts for a topic that has just been created meet a broker that does not know it yet
// (KafkaProducerTest.testTopicRefreshInMetadata).
func TestTopicRefreshInMetadata(t *testing.T) {
	r := newRig(t)
	left := 3
	r.fake.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		m := req.(*kmsg.MetadataRequest)
		if len(m.Topics) != 1 || left == 0 {
			return nil, nil, false
		}
		left--
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.ErrorCode = m.Topics[0].Topic, kerr.LeaderNotAvailable.Code
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
	p, failure := r.topic("orders", func(p *config.Producer) { p.MaxBlock = time.Minute }).Partitions()
	if failure != nil || p.Count != 3 {
		t.Fatalf("%+v, %v", p, failure)
	}
	if left != 0 {
		t.Errorf("%d of the errors were not seen", left)
	}
}
