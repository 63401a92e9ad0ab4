package drill

import (
	"context"
	"time"
)

// leads is the broker that leads partition 0 of the steady topic.
func (s *stage) leads(ctx context.Context) (int, error) { return s.observer.leader(ctx, s.steady) }

func (s *stage) restarted(ids ...int) end {
	return func(context.Context) error { return s.restart(ids...) }
}

func (s *stage) resumed(ids ...int) end {
	return func(context.Context) error { return s.resume(ids...) }
}

func leaderKill(ctx context.Context, s *stage) (end, error) {
	id, err := s.leads(ctx)
	if err != nil {
		return nil, err
	}
	return s.restarted(id), s.kill(id)
}

func allKill(_ context.Context, s *stage) (end, error) {
	return s.restarted(1, 2, 3), s.kill(1, 2, 3)
}

// unheard is how long no answer comes: enough that several requests of each partition are stored and unanswered.
const unheard = time.Second

// unheardKill makes the gateway send again what is stored, to brokers that have lost track of it.
func unheardKill(ctx context.Context, s *stage) (end, error) {
	s.weather(weather{holdDown: true})
	err := pause(ctx, unheard)
	if err == nil {
		err = s.kill(1, 2, 3)
	}
	s.resets()
	s.weather(weather{})
	return s.restarted(1, 2, 3), err
}

func rollingRestart(ctx context.Context, s *stage) (end, error) {
	for id := 1; id <= brokers; id++ {
		if err := s.term(id); err != nil {
			return nil, err
		}
		if err := s.restart(id); err != nil {
			return nil, err
		}
		if err := s.observer.awaitInSync(ctx, s.steady, s.brisk); err != nil {
			return nil, err
		}
	}
	return nothing, nil
}

func brokerStop(ctx context.Context, s *stage) (end, error) {
	id, err := s.leads(ctx)
	if err != nil {
		return nil, err
	}
	return s.resumed(id), s.pause(id)
}

func allStop(_ context.Context, s *stage) (end, error) {
	return s.resumed(1, 2, 3), s.pause(1, 2, 3)
}

func isrLost(ctx context.Context, s *stage) (end, error) {
	id, err := s.leads(ctx)
	if err != nil {
		return nil, err
	}
	a, b := id%brokers+1, (id+1)%brokers+1 // the leader itself stays, and cannot replicate
	return s.restarted(a, b), s.kill(a, b)
}

func isrShort(ctx context.Context, s *stage) (end, error) {
	id, err := s.leads(ctx)
	if err != nil {
		return nil, err
	}
	const setting = "min.insync.replicas"
	if err := s.observer.set(ctx, s.brisk, setting, "3"); err != nil {
		return nil, err
	}
	down := id%brokers + 1
	return func(ctx context.Context) error {
		if err := s.restart(down); err != nil {
			return err
		}
		return s.observer.set(ctx, s.brisk, setting, "")
	}, s.kill(down)
}

func controllerChange(ctx context.Context, s *stage) (end, error) {
	id, err := s.observer.controller(ctx)
	if err != nil {
		return nil, err
	}
	return s.restarted(id), s.kill(id)
}
