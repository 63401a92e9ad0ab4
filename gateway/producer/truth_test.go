package producer

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// hurried gives records up after a second.
func hurried(p *config.Producer) {
	p.DeliveryTimeout, p.RequestTimeout, p.Linger = time.Second, 600*time.Millisecond, time.Millisecond
}

// answerWith makes the fake cluster answer produce requests: the nth, from 0, with what f returns. It stores nothing, but
// for a code of 0.
func (r *rig) answerWith(f func(n int) (code int16, offset int64)) {
	n := 0
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		code, offset := f(n)
		n++
		if code == 0 {
			return nil, nil, false
		}
		resp := answerAll(req.(*kmsg.ProduceRequest), func([]byte) int16 { return code })
		for i := range resp.Topics {
			for j := range resp.Topics[i].Partitions {
				resp.Topics[i].Partitions[j].BaseOffset = offset
			}
		}
		return resp, nil, true
	})
}

// meet makes kgo know the topic, by a record in its last partition.
func (r *rig) meet(topic *Topic) {
	r.t.Helper()
	var s sent
	s.append(r, topic, 2, "hello")
	if _, failed := s.outcome(r.t); len(failed) > 0 {
		r.t.Fatalf("failed: %v", failed)
	}
}

// TestTheEndOfDeliveryTimeoutIsTrue: 503 says that a record is not in the log, and 504 that it may be.
func TestTheEndOfDeliveryTimeoutIsTrue(t *testing.T) {
	always := func(err *kerr.Error, offset int64) func(int) (int16, int64) {
		return func(int) (int16, int64) { return err.Code, offset }
	}
	first := func(err, then *kerr.Error) func(int) (int16, int64) {
		return func(n int) (int16, int64) {
			if n == 0 {
				return err.Code, -1
			}
			return then.Code, -1
		}
	}
	for name, c := range map[string]struct {
		answer func(int) (int16, int64)
		acks   int
		want   record.Code
	}{
		"too few replicas":                  {always(kerr.NotEnoughReplicas, -1), -1, record.NotAvailable},
		"too few replicas, acks=1":          {always(kerr.NotEnoughReplicas, -1), 1, record.NotAvailable},
		"too few replicas after the append": {always(kerr.NotEnoughReplicasAfterAppend, 0), -1, record.DeliveryTimeout},
		"timed out at the broker":           {always(kerr.RequestTimedOut, 0), -1, record.DeliveryTimeout},
		"once appended":                     {first(kerr.NotEnoughReplicasAfterAppend, kerr.NotEnoughReplicas), -1, record.DeliveryTimeout},
		"not the leader":                    {always(kerr.NotLeaderForPartition, -1), -1, record.NotAvailable},
		"no leader any more":                {always(kerr.NotLeaderForPartition, 0), -1, record.DeliveryTimeout},
		"not the leader, acks=1":            {always(kerr.NotLeaderForPartition, 0), 1, record.NotAvailable},
		"disk":                              {always(kerr.KafkaStorageError, -1), -1, record.DeliveryTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A try that is under way at the end, as one always may be, makes the outcome truly unknown.
			var got []record.Code
			for len(got) < 5 && !slices.Contains(got, c.want) {
				got = append(got, endOfDelivery(t, c.answer, c.acks))
			}
			last := len(got) - 1
			if got[last] != c.want || slices.ContainsFunc(got[:last], func(code record.Code) bool { return code != record.DeliveryTimeout }) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// endOfDelivery is what records end with that are always answered so.
func endOfDelivery(t *testing.T, answer func(int) (int16, int64), acks int) record.Code {
	t.Helper()
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { hurried(p); p.Acks, p.Idempotence = acks, acks == -1 })
	r.meet(topic) // else the second record would wait for kgo to know the topic
	r.answerWith(answer)
	var s sent
	s.append(r, topic, 0, "a", "b")
	_, failed := s.outcome(t)
	if len(failed) != 2 || r.highWatermark("orders", 0) != 0 || failed["a"].Code != failed["b"].Code {
		t.Fatalf("%d failed, %d stored: %v, %v", len(failed), r.highWatermark("orders", 0), failed["a"].Detail, failed["b"].Detail)
	}
	r.freeOfDebt(topic)
	return failed["a"].Code
}

func TestTheBrokersLastAnswerIsTold(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", hurried)
	r.answerWith(func(int) (int16, int64) { return kerr.NotEnoughReplicas.Code, -1 })
	var s sent
	s.append(r, topic, 0, "a")
	_, failed := s.outcome(t)
	if e := failed["a"].Detail; e == nil || !strings.Contains(e.Error(), "NOT_ENOUGH_REPLICAS") {
		t.Errorf("%v", e)
	}
}

// TestUnansweredAndBehind: what was written and got no answer may be in the log; what was appended behind it was never sent.
func TestUnansweredAndBehind(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"given up by then": 600 * time.Millisecond, "still in flight": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			topic := r.topic("orders", func(p *config.Producer) { hurried(p); p.RequestTimeout = timeout })
			r.meet(topic)
			arrived := make(chan struct{}, 100)
			r.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				r.fake.KeepControl()
				arrived <- struct{}{}
				return nil, nil, true // never answered
			})
			var written, behind sent
			written.append(r, topic, 0, "a", "b")
			wait(t, arrived)
			behind.append(r, topic, 0, "c", "d")
			written.want(t, record.DeliveryTimeout)
			behind.want(t, record.NotAvailable)
			r.freeOfDebt(topic)
		})
	}
}

// TestUnforeseenErrorsAreTold: an error that says nothing of the batch leaves open whether it was written; what was appended behind
// it and given up with it was never sent.
func TestUnforeseenErrorsAreTold(t *testing.T) {
	for _, err := range []*kerr.Error{kerr.UnknownServerError, kerr.InvalidRequest} {
		t.Run(err.Message, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", func(p *config.Producer) { p.MaxInFlight, p.Linger = 1, time.Millisecond })
			r.meet(topic) // else "a" goes ahead alone
			arrived, answer := make(chan struct{}, 1), make(chan struct{})
			r.answerWith(func(n int) (int16, int64) {
				if n > 0 {
					return 0, 0
				}
				arrived <- struct{}{}
				<-answer
				return err.Code, -1
			})
			var written, behind, later sent
			written.append(r, topic, 0, "a", "b")
			wait(t, arrived)
			behind.append(r, topic, 0, "c")
			for start := time.Now(); topic.client.kgo.Load().BufferedProduceRecords() != 3; runtime.Gosched() {
				if time.Since(start) > 30*time.Second {
					t.Fatal("the record was not given to kgo")
				}
			}
			close(answer)
			written.want(t, record.Unknown)
			behind.want(t, record.BrokerError)
			later.append(r, topic, 0, "d")
			if _, failed := later.outcome(t); len(failed) > 0 {
				t.Errorf("later: %v", failed)
			}
			r.wantLog("orders", 0, []string{"d"})
			r.freeOfDebt(topic)
		})
	}
}

// want waits until all records have failed with code.
func (s *sent) want(t testing.TB, code record.Code) {
	t.Helper()
	stored, failed := s.outcome(t)
	if len(stored) > 0 {
		t.Errorf("stored: %v", stored)
	}
	for v, a := range failed {
		if a.Code != code {
			t.Errorf("%s: %v %v, want %v", v, a.Code, a.Detail, code)
		}
	}
}

func TestNeverConnectedIsNotStored(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", hurried)
	if _, err := topic.Partitions(); err != nil {
		t.Fatal(err)
	}
	r.fake.Close()
	var s sent
	s.append(r, topic, 0, "a")
	_, failed := s.outcome(t)
	if a := failed["a"]; a.Code != record.NotAvailable || !a.Code.Retriable() {
		t.Errorf("%v %v", a.Code, a.Detail)
	}
}

// TestGivenUpAtTheEndIsTrue: when the gateway has no more time, what was not written is not stored.
func TestGivenUpAtTheEndIsTrue(t *testing.T) {
	r := newRig(t)
	release := r.hold()
	defer release()
	topic := r.topic("orders", func(p *config.Producer) { p.Linger = time.Millisecond })
	var written, behind sent
	written.append(r, topic, 0, "a")
	for topic.client.tap.Stats.Requests.Load() == 0 {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
	behind.append(r, topic, 0, "b")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if lost := r.cluster.Retire(ctx, topic); lost != 2 {
		t.Errorf("%d records were given up", lost)
	}
	_, failed := written.outcome(t)
	if a := failed["a"]; !a.Code.OutcomeUnknown() {
		t.Errorf("a was written: %v %v", a.Code, a.Detail)
	}
	_, failed = behind.outcome(t)
	if a := failed["b"]; a.Code != record.NotAvailable {
		t.Errorf("b was not: %v %v", a.Code, a.Detail)
	}
}

// TestEncodedButNotWritten: while a batch is between its encoding and its write, nobody can say that a record is not sent.
func TestEncodedButNotWritten(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", hurried)
	r.answerWith(func(int) (int16, int64) { return kerr.NotEnoughReplicas.Code, -1 })
	topic.client.book.encoded.Add(1) // and never written
	var s sent
	s.append(r, topic, 0, "a")
	s.want(t, record.DeliveryTimeout)
}
