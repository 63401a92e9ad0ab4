package gateway

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/registry"
)

// uses are the bindings of a topic, in the order in which a record meets them.
func uses(t config.Topic) []guest.Use {
	all := make([]guest.Use, 0, len(t.Interceptors)+1)
	for i, b := range t.Interceptors {
		all = append(all, guest.Use{Binding: b, Topic: t.Name, Kind: guest.Interceptor, Place: i})
	}
	if t.PartitionerModule != nil {
		all = append(all, guest.Use{Binding: *t.PartitionerModule, Topic: t.Name, Kind: guest.Partitioner})
	}
	return all
}

// bindings shows the modules of a topic, as they serve or, before its first record, as they will.
func (s state) bindings(topics *Topics, name string) []admin.Binding {
	var all []admin.Binding
	if e := (*topics.byName.Load())[name]; e != nil {
		for _, b := range e.bounds {
			all = append(all, admin.BoundBinding(b))
		}
		return all
	}
	t, _ := topics.settings(name)
	for _, u := range uses(t) {
		all = append(all, admin.BindingOf(u))
	}
	return all
}

// Bind implements [admin.Gateway].
func (s state) Bind(ctx context.Context, topic string, kind guest.Kind, list []registry.Binding) error {
	if s.g.isStarting() {
		return &admin.StartingError{}
	}
	t, ok := s.g.topics.Load().cfg.Topic(topic)
	if !ok {
		return admin.NoTopic(topic)
	}
	if err := boundByFile(t, kind); err != nil {
		return err
	}
	if err := admin.CheckBindings(kind, list, t); err != nil {
		return err
	}
	for i, b := range list {
		u := guest.Use{Binding: guest.FromRegistry(b), Topic: topic, Kind: kind, Place: i}
		if err := s.g.modules.Check(ctx, u); err != nil {
			return err
		}
	}
	before, err := s.g.registry.Bindings(topic)
	if err != nil && (len(list) > 0 || !errors.Is(err, registry.ErrDamaged)) { // damaged ones may be removed
		return err
	}
	if err == nil && len(list) == 0 && !hasBinding(before, kind) {
		return admin.NotBound(topic, kind)
	}
	if err := s.g.setBindings(topic, kind, list); err != nil {
		return err
	}
	err = s.g.rebind() // may fail for some other topic
	if err == nil {
		err = s.g.serves(topic, kind)
	}
	if err != nil {
		undo := before.Interceptors
		if kind == guest.Partitioner {
			undo = asList(before.Partitioner)
		}
		if undoErr := s.g.setBindings(topic, kind, undo); undoErr != nil {
			return fmt.Errorf("%w; and the bindings before could not be restored: %w", err, undoErr)
		}
		if undoErr := s.g.rebind(); undoErr != nil {
			return fmt.Errorf("%w; and the bindings before are not in use again: %w", err, undoErr)
		}
		return err
	}
	s.g.settle(ctx, topic)
	return nil
}

// hasBinding says whether there is one of that kind.
func hasBinding(b registry.Bindings, kind guest.Kind) bool {
	if kind == guest.Partitioner {
		return b.Partitioner != nil
	}
	return len(b.Interceptors) > 0
}

// serves says why the modules of a kind, which were shown to fit, cannot serve a topic after all.
func (g *Gateway) serves(topic string, kind guest.Kind) error {
	topics := g.topics.Load()
	if err := topics.kept[topic]; err != nil {
		return err
	}
	e := (*topics.byName.Load())[topic]
	if e == nil {
		return nil
	}
	for _, b := range e.bounds {
		if err := b.Broken(); err != nil && b.Kind == kind {
			return err
		}
	}
	return nil
}

func boundByFile(t config.Topic, kind guest.Kind) error {
	for _, u := range uses(t) {
		if u.Kind == kind && u.Binding.File != "" {
			return &admin.FileBoundError{Topic: t.Name, Kind: kind, File: path.Base(u.Binding.File), Line: u.Binding.Line}
		}
	}
	return nil
}

func asList(b *registry.Binding) []registry.Binding {
	if b == nil {
		return nil
	}
	return []registry.Binding{*b}
}

func (g *Gateway) setBindings(topic string, kind guest.Kind, list []registry.Binding) error {
	if kind == guest.Interceptor {
		return g.registry.SetInterceptors(topic, list)
	}
	if len(list) == 0 {
		return g.registry.SetPartitioner(topic, nil)
	}
	return g.registry.SetPartitioner(topic, &list[0])
}

// settle waits until the modules that a topic had before a change are given up, so that whoever unbinds a module can remove it
// next. It does not wait long: records that are under way keep them.
func (g *Gateway) settle(ctx context.Context, topic string) {
	const patience = 5 * time.Second
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var now []*guest.Bound
		if e := (*g.topics.Load().byName.Load())[topic]; e != nil {
			now = e.bounds
		}
		left := func(b *guest.Bound) bool { return b.Topic == topic && !slices.Contains(now, b) }
		if !slices.ContainsFunc(g.modules.Bounds(), left) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// users names who needs a module, or a version of it: what is bound now, and tables of the configuration whose topics come
// with their first record.
func (g *Gateway) users(module, version string) []string {
	all := g.modules.Users(module, version)
	if version != "" {
		return all
	}
	for _, u := range globUses(g.cfg.Load()) {
		if b := u.Binding; b.Module == module && !b.Path {
			all = append(all, fmt.Sprintf("%s of topics %q (%s:%d)", u.Kind, u.Topic, path.Base(b.File), b.Line))
		}
	}
	return all
}
