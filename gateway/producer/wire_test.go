package producer

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// witness is what the fake broker saw of the produce requests, in order.
type witness struct {
	mu       sync.Mutex
	requests []kmsg.ProduceRequest
	batches  []batch
}

func (r *rig) witness() *witness {
	w := &witness{}
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		w.mu.Lock()
		defer w.mu.Unlock()
		p := req.(*kmsg.ProduceRequest)
		w.requests = append(w.requests, *p)
		for _, t := range p.Topics {
			for _, part := range t.Partitions {
				if b, ok := readBatch(part.Records); ok {
					w.batches = append(w.batches, b)
				}
			}
		}
		return nil, nil, false
	})
	return w
}

func (w *witness) seen() (requests []kmsg.ProduceRequest, batches []batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests), slices.Clone(w.batches)
}

// TestPropertiesOnTheWire: acks, enable.idempotence and request.timeout.ms are each topic's own.
func TestPropertiesOnTheWire(t *testing.T) {
	for name, c := range map[string]struct {
		change     func(*config.Producer)
		acks       int16
		idempotent bool
	}{
		"acks=0":                  {func(p *config.Producer) { p.Acks, p.Idempotence = 0, false }, 0, false},
		"acks=1":                  {func(p *config.Producer) { p.Acks, p.Idempotence = 1, false }, 1, false},
		"acks=all":                {func(p *config.Producer) { p.Idempotence = false }, -1, false},
		"acks=all and idempotent": {nil, -1, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.witness()
			var s sent
			topic := r.topic("orders", c.change)
			s.append(r, topic, 0, "a")
			s.outcome(t)
			for r.highWatermark("orders", 0) == 0 { // acks=0 is acknowledged before the broker has it
				time.Sleep(time.Millisecond) //nolint:forbidigo // polls what no channel announces
			}
			requests, batches := w.seen()
			if len(requests) != 1 || requests[0].Acks != c.acks || requests[0].TimeoutMillis != 2000 { // two thirds of request.timeout.ms
				t.Errorf("%d requests, acks %d, timeout %d", len(requests), requests[0].Acks, requests[0].TimeoutMillis)
			}
			if (batches[0].pid >= 0) != c.idempotent {
				t.Errorf("producer id %d", batches[0].pid)
			}
		})
	}
}

func TestMaxInFlight(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*config.Producer)
		want   int64
	}{
		"1":          {func(p *config.Producer) { p.Idempotence, p.MaxInFlight = false, 1 }, 1},
		"3":          {func(p *config.Producer) { p.Idempotence, p.MaxInFlight = false, 3 }, 3},
		"idempotent": {nil, 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", c.change)
			var s sent
			s.append(r, topic, 0, "first")
			s.outcome(t)
			release := r.hold()
			defer release()
			stats := &topic.client.tap.Stats
			for i := range int64(8) {
				s.append(r, topic, 0, "next")
				for stats.InFlight.Load() < min(i+1, c.want) {
					time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
				}
			}
			if n := stats.InFlight.Load(); n != c.want {
				t.Errorf("%d requests are in flight, want %d", n, c.want)
			}
			release()
			if stored, failed := s.outcome(t); len(stored) != 9 {
				t.Errorf("stored %v, failed %v", stored, failed)
			}
		})
	}
}

// Java: SenderTest.testRetries.
func TestRetries(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { p.Retries = 1 })
	attempts, bad := 0, 1
	var mu sync.Mutex
	r.answerWith(func(int) (int16, int64) {
		mu.Lock()
		defer mu.Unlock()
		attempts++
		if bad == 0 {
			return 0, 0
		}
		bad--
		return kerr.NotEnoughReplicas.Code, -1
	})
	var s sent
	s.append(r, topic, 0, "second attempt")
	if stored, failed := s.outcome(t); len(stored) != 1 {
		t.Fatalf("failed: %v", failed)
	}
	mu.Lock()
	attempts, bad = 0, 3
	mu.Unlock()
	s = sent{}
	s.append(r, topic, 0, "never")
	_, failed := s.outcome(t)
	mu.Lock()
	defer mu.Unlock()
	if a := failed["never"]; a.Code != record.NotAvailable || attempts != 2 || !strings.Contains(a.Detail.Message, "NOT_ENOUGH_REPLICAS") {
		t.Errorf("%v %v after %d attempts", a.Code, a.Detail, attempts)
	}
}

// Java: SenderTest.testQuotaMetrics.
func TestQuotaMetrics(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	n := int32(0)
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		if n++; n > 3 {
			return nil, nil, false
		}
		resp := answerAll(req.(*kmsg.ProduceRequest), func([]byte) int16 { return kerr.NotEnoughReplicas.Code })
		resp.ThrottleMillis = 10 * n
		return resp, nil, true
	})
	var s sent
	s.append(r, topic, 0, "a")
	s.outcome(t)
	w := &topic.client.tap.Stats
	if w.ThrottleMs.Load() != 60 || w.MaxThrottle.Load() != 30 || w.Responses.Load() != 4 {
		t.Errorf("throttled %d ms, at most %d, in %d responses", w.ThrottleMs.Load(), w.MaxThrottle.Load(), w.Responses.Load())
	}
}
