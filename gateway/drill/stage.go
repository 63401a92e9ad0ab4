package drill

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sluice/gateway/drill/check"
)

// stage is what faults act on, and what the checker has to know of them.
type stage struct {
	*cluster
	observer *observer
	gateway  *gateway
	prefix   string // of all names
	guarded  bool   // the fussy topic has a module that refuses records
	shared   bool   // transactions share one of Kafka's
	topics
	clocks wrongClocks

	mu    sync.Mutex
	kills []int64
	stops []int64 // of the gateway in order, but without Kafka
	wiped map[string]check.Span
	grown map[string]bool
	drain []check.Finding // stops of the gateway that were not in order
}

func (s *stage) killGateway() {
	s.gateway.kill()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills = append(s.kills, now())
}

// termGateway stops the gateway in order. That it cannot is a finding.
func (s *stage) termGateway() {
	began := time.Now()
	err := s.gateway.term()
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(began) >= shutdownTimeout {
		s.stops = append(s.stops, now())
	}
	if err == nil {
		return
	}
	s.kills = append(s.kills, now()) // it may have left something behind, and said so
	s.drain = append(s.drain, check.Finding{Rule: "drain", Detail: "SIGTERM: " + err.Error()})
}

// restarts is when brokers were up again.
func (s *stage) restarts() []int64 {
	if s.cluster == nil {
		return nil
	}
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	return slices.Clone(s.cluster.back)
}

// wipe notes that a topic is deleted now; the function returned notes that it is back.
func (s *stage) wipe(topic string) (back func()) {
	from := now()
	note := func(to int64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wiped[topic] = check.Span{From: from, To: to}
	}
	note(1<<63 - 1)
	return func() { note(now()) }
}

func (s *stage) growing(topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grown[topic] = true
}

// heal brings back everything that a round needs.
func (s *stage) heal(ctx context.Context) error {
	var errs []error
	if s.cluster != nil {
		errs = append(errs, s.cluster.heal())
	}
	return errors.Join(append(errs, s.gateway.start(ctx), s.observer.awaitInSync(ctx, s.all()...))...)
}
