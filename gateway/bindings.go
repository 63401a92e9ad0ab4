package gateway

import (
	"context"
	"errors"
	"strings"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/record"
)

// isGlob says whether a table is for topics that come with their first record.
func isGlob(table string) bool { return strings.Contains(table, "*") }

// settings are those of the configuration, with the bindings that were made by the API where the file has none.
func (s *Topics) settings(name string) (config.Topic, bool) {
	cfg, ok := s.cfg.Topic(name)
	if !ok {
		return cfg, false
	}
	b, err := s.registry.Bindings(name)
	if err != nil {
		s.log.Error("the bindings of a topic cannot be read, its records are refused", "topic", name, "error", err)
		return cfg, true // see damaged
	}
	if cfg.PartitionerModule == nil && b.Partitioner != nil {
		p := guest.FromRegistry(*b.Partitioner)
		if p.Fallback == "" {
			p.Fallback = cfg.Partitioner
		}
		cfg.PartitionerModule, cfg.Partitioner = &p, p.Fallback
	}
	if len(cfg.Interceptors) == 0 {
		for _, i := range b.Interceptors {
			cfg.Interceptors = append(cfg.Interceptors, guest.FromRegistry(i))
		}
	}
	return cfg, true
}

// damaged is why records of a topic are refused: what was bound to it cannot be read, and it may have been what keeps
// records from being stored as they are. It is nil for a topic that is fine.
func (s *Topics) damaged(name string) *record.Error {
	if _, err := s.registry.Bindings(name); err != nil {
		e := record.Errorf(record.NotAvailable, "the bindings of topic %q are damaged; unbind its modules and bind them again", name)
		e.Err = err
		return e
	}
	return nil
}

// bind puts the modules of a topic in their places.
func (s *Topics) bind(ctx context.Context, e *topicEntry, replaces bool) error {
	t := e.topic
	for _, u := range uses(e.cfg) {
		b, err := s.bound(ctx, u, replaces)
		if err != nil {
			return err
		}
		e.bounds = append(e.bounds, b)
		if u.Kind == guest.Partitioner {
			t.fallback, t.partitioner = t.partitioner, b
		} else {
			t.interceptors = append(t.interceptors, b)
		}
	}
	if len(t.interceptors) > 0 {
		t.acks = newAckQueue(t.interceptors, s.log)
	}
	return nil
}

// bound binds a module. What the file binds has to serve; a binding of the API that cannot refuses the records of its topic,
// and no more: it must not keep the gateway, which it was made in, from starting again. Nor must a version that is only tried:
// where no topic is in use that could stay so, the active version serves alone.
func (s *Topics) bound(ctx context.Context, u guest.Use, replaces bool) (*guest.Bound, error) {
	b, err := s.modules.Bind(ctx, u)
	if c, ok := errors.AsType[*guest.CandidateError](err); ok && !replaces && ctx.Err() == nil {
		s.modules.EndCandidate(c)
		b, err = s.modules.Bind(ctx, u)
	}
	if err == nil {
		return b, nil
	}
	switch {
	case u.Binding.File != "":
		return nil, bindingError(u, err)
	case ctx.Err() != nil:
		return nil, err
	}
	return s.modules.Refusing(u, err), nil
}

// orBefore returns the entry of old instead of e, if that serves and e does not: what the API bound may be better than nothing
// or worse, but it is never better than modules that work.
func (s *Topics) orBefore(e *topicEntry, old *Topics) *topicEntry {
	why := e.topic.refusal()
	if why == nil || e.topic.damaged != nil {
		return e
	}
	var before *topicEntry
	if old != nil {
		before = (*old.byName.Load())[e.cfg.Name]
	}
	if before == nil || before.topic.refusal() != nil {
		s.log.Error("records of a topic are refused", "topic", e.cfg.Name, "error", why)
		return e
	}
	s.log.Error("the modules that were bound to a topic cannot be used; those before stay in use", "topic", e.cfg.Name, "error", why)
	s.kept[e.cfg.Name] = why
	e.close()
	s.cluster.Retire(context.Background(), e.out)
	return before
}
