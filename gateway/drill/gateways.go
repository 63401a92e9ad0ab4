package drill

import (
	"context"
	"errors"
	"time"
)

// gatewayAway is how long the gateway is away: long enough that senders notice.
const gatewayAway = 500 * time.Millisecond

func gatewayTerm(ctx context.Context, s *stage) (end, error) {
	s.termGateway()
	return nothing, s.returns(ctx)
}

func gatewayKill(ctx context.Context, s *stage) (end, error) {
	s.killGateway()
	return nothing, s.returns(ctx)
}

func (s *stage) returns(ctx context.Context) error {
	return errors.Join(pause(ctx, gatewayAway), s.gateway.start(ctx))
}
