package gateway

import (
	"context"
	"fmt"
	"time"
)

// readyWait is how long readiness waits for Kafka while a spool takes records anyway: a load balancer that gives a probe a second must
// have its answer.
const readyWait = 300 * time.Millisecond

// ready says why no records are accepted at the moment. If only some are, because Kafka does not answer and their topics have a spool, it is
// nil, and partly says so.
func (g *Gateway) ready() (partly string, err error) {
	if g.isStarting() {
		return "", errStarting()
	}
	ctx := context.Background()
	takes, all := g.topics.Load().takingSpools()
	if takes > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, readyWait)
		defer cancel()
	}
	err = g.cluster.Ready(ctx)
	switch {
	case err == nil:
		return "", nil
	case takes == 0:
		return "", fmt.Errorf("Kafka does not answer: %w", err) //nolint:staticcheck // it is a name
	default:
		return fmt.Sprintf("Kafka does not answer (%v); only records with ack=queued are accepted, by the spools of %d of %d topics", err, takes, all), nil
	}
}

// takingSpools is how many topics have a spool that takes records now, and how many topics there are.
func (s *Topics) takingSpools() (takes, all int) {
	s.each(func(e *topicEntry) {
		all++
		if e.topic.refusal() == nil && e.topic.spool.takes() {
			takes++
		}
	})
	return takes, all
}
