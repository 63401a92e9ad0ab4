package drill

import "context"

const partitions = 3

func topicRecreate(ctx context.Context, s *stage) (end, error) {
	back := s.wipe(s.frail)
	if err := s.observer.delete(ctx, s.frail); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := s.observer.create(ctx, s.frail, partitions); err != nil {
			return err
		}
		back()
		return nil
	}, nil
}

func partitionsAdd(ctx context.Context, s *stage) (end, error) {
	s.growing(s.brisk)
	return nothing, s.observer.grow(ctx, s.brisk, partitions)
}

func messageShrink(ctx context.Context, s *stage) (end, error) {
	const setting = "max.message.bytes"
	return func(ctx context.Context) error { return s.observer.set(ctx, s.frail, setting, "") },
		s.observer.set(ctx, s.frail, setting, "2000")
}
