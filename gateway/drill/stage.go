package drill

import (
	"context"
	"errors"
	"sync"

	"sluice/gateway/drill/check"
)

// stage is what faults act on, and what the checker has to know of them.
type stage struct {
	*cluster
	observer             *observer
	gateway              *gateway
	steady, brisk, frail string // the topics, see the package's comment

	mu    sync.Mutex
	kills []int64
	wiped map[string]check.Span
	grown map[string]bool
	drain []check.Finding // stops of the gateway that were not in order
}

// settings are the topics' tables in the gateway's configuration.
func (s *stage) settings() string {
	return "[producer]\nacks = \"all\"\nmax.block.ms = 0\nrequest.timeout.ms = 3000\n" +
		"[topics." + s.steady + "]\nproducer.delivery.timeout.ms = 60000\nproducer.buffer.memory = 262144\nproducer.max.request.size = 65536\n" +
		"[topics." + s.brisk + "]\nproducer.delivery.timeout.ms = 5000\nproducer.request.timeout.ms = 2000\n" +
		"[topics." + s.frail + "]\nproducer.delivery.timeout.ms = 15000\n"
}

func (s *stage) topics() []string { return []string{s.steady, s.brisk, s.frail} }

// senders are those of a round. Only steady has records that nobody waits for: a broker may refuse what others are sent.
func (s *stage) senders() []sender {
	all := forms(s.steady, true)
	all = append(all, forms(s.brisk, false)...)
	return append(all, forms(s.frail, false)...)
}

func (s *stage) killGateway() {
	s.gateway.kill()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills = append(s.kills, now())
}

// termGateway stops the gateway in order. That it cannot is a finding.
func (s *stage) termGateway() {
	err := s.gateway.term()
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills = append(s.kills, now()) // it may have left something behind, and said so
	s.drain = append(s.drain, check.Finding{Rule: "drain", Detail: "SIGTERM: " + err.Error()})
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
	return errors.Join(append(errs, s.gateway.start(ctx), s.observer.awaitInSync(ctx, s.topics()...))...)
}
