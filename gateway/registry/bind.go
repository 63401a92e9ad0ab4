package registry

import (
	"errors"
	"slices"
)

// SetPartitioner binds a module to a topic as its partitioner; nil removes the binding. ErrNotFound if there is no such
// module; ErrInvalid names the field and the rule. Of bindings that are damaged nothing can be kept: removing removes all of
// them, and nothing can be added before.
func (r *Registry) SetPartitioner(topic string, b *Binding) error {
	return r.changeBindings(topic, b == nil, func(c *Bindings) {
		c.Partitioner = nil
		if b != nil {
			p := b.given()
			c.Partitioner = &p
		}
	})
}

// SetInterceptors binds modules to a topic as its interceptors, in the order in which they see a record; none removes the
// bindings. Errors are those of SetPartitioner.
func (r *Registry) SetInterceptors(topic string, list []Binding) error {
	return r.changeBindings(topic, len(list) == 0, func(c *Bindings) {
		c.Interceptors = nil
		for i := range list {
			c.Interceptors = append(c.Interceptors, list[i].given())
		}
	})
}

// DeleteBindings removes all bindings of a topic, also when they are damaged.
func (r *Registry) DeleteBindings(topic string) error {
	err := r.lock()
	defer r.mu.Unlock()
	if err != nil {
		return err
	}
	if !slices.Contains(r.state.Load().names(Topics), topic) {
		return nil
	}
	return r.remove(Key{Topics, topic})
}

func (r *Registry) changeBindings(topic string, removes bool, edit func(*Bindings)) error {
	if err := checkTopic("topic", topic); err != nil {
		return err
	}
	err := r.lock()
	defer r.mu.Unlock()
	if err != nil {
		return err
	}
	s := r.state.Load()
	b, err := s.bindings(topic)
	if removes && errors.Is(err, ErrDamaged) {
		return r.remove(Key{Topics, topic})
	}
	if err != nil {
		return err
	}
	c := b.clone()
	edit(c)
	if err := r.checkBound(s, c); err != nil {
		return err
	}
	k := Key{Topics, topic}
	switch {
	case !c.empty():
		c.Revision = s.revision + 1
		return r.save(k, c)
	case !b.empty():
		return r.remove(k)
	default:
		return nil
	}
}

// checkBound applies the rules that check cannot know: limits that may be changed, and which modules there are.
func (r *Registry) checkBound(s *state, b *Bindings) error {
	if err := b.check(); err != nil {
		return errorf(ErrInvalid, "topic %s: %w", b.Topic, err)
	}
	all := b.Interceptors
	if b.Partitioner != nil {
		all = append([]Binding{*b.Partitioner}, all...)
	}
	for i := range all {
		if n := len(all[i].Config); n > r.opts.MaxConfigBytes {
			return errorf(ErrInvalid, "topic %s: the config of module %s has %d bytes, wasm.config.max.bytes = %d",
				b.Topic, all[i].Module, n, r.opts.MaxConfigBytes)
		}
		if _, err := s.module(all[i].Module); err != nil {
			return err
		}
	}
	return nil
}
