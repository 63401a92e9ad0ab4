package drill

import (
	"context"
	"sync"
	"time"
)

func (s *stage) cleared(reset bool) end {
	return func(context.Context) error {
		if reset {
			s.resets()
		}
		s.weather(weather{})
		return nil
	}
}

func netReset(ctx context.Context, s *stage) (end, error) {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(300 * time.Millisecond); ; {
			select {
			case <-tick.C:
				s.resets()
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	})
	return func(context.Context) error { stop(); wg.Wait(); return nil }, nil
}

func netClosed(_ context.Context, s *stage) (end, error) {
	s.weather(weather{shut: true})
	s.resets()
	return s.cleared(false), nil
}

func netLatency(_ context.Context, s *stage) (end, error) {
	s.weather(weather{latency: 150 * time.Millisecond})
	return s.cleared(false), nil
}

func netSlow(_ context.Context, s *stage) (end, error) {
	s.weather(weather{rate: 20_000})
	return s.cleared(false), nil
}

func netHalfOpen(_ context.Context, s *stage) (end, error) {
	s.weather(weather{holdDown: true})
	return s.cleared(true), nil
}

func netBlackhole(_ context.Context, s *stage) (end, error) {
	s.weather(weather{holdUp: true, holdDown: true})
	return s.cleared(false), nil
}
