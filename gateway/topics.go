package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/gateway/ingest"
	"sluice/gateway/partitioner"
	"sluice/gateway/producer"
	"sluice/gateway/record"
	"sluice/gateway/registry"
	"sluice/gateway/schema"
)

// Topics is the topic set of one configuration. Literal topics are built with it; those of a glob when they are first
// asked for and the cluster has them.
type Topics struct {
	cluster  *producer.Cluster
	modules  *guest.Modules
	registry *registry.Registry
	schemas  *schema.Registry
	log      *slog.Logger
	cfg      *config.Config
	route    routeFunc                // through the set that is current then
	starting bool                     // the first set is being built, and this one stands in for it
	kept     map[string]*record.Error // topics that stay as they were before what the API bound, and why

	pool      *record.Pool // for dead letters
	letterIDs *letterIDs
	spools    *spools

	byName   atomic.Pointer[map[string]*topicEntry] // never changed, only replaced under mu
	mu       sync.Mutex
	left     bool                   // a reload replaced it; guarded by mu
	owed     map[string]*rateLimits // of topics that were in the set before and are not in this one yet; only read
	lookups  singleflight.Group
	notBuilt occasion
	retired  atomic.Bool       // a reload replaced it, and its records are all answered
	anchors  []*producer.Topic // keep the clients of glob tables, whether or not a topic uses them now
}

// topicEntry is a topic with what has to be closed when it is given up.
type topicEntry struct {
	topic  *Topic
	out    *producer.Topic
	bounds []*guest.Bound
	// serializer is that of topic; nil if it has none
	serializer *schema.Serializer
	cfg        config.Topic
}

// learn takes over what is known and owed of the same topic before a reload. Nothing may have been sent to e.
func (e *topicEntry) learn(before *topicEntry) {
	e.out.Learn(before.out)
	e.topic.limits.learn(before.topic.limits, time.Now())
}

// close tells the interceptors what is left to tell and gives the guests up. No batch may be under way any more.
func (e *topicEntry) close() {
	e.topic.close()
	for _, b := range e.bounds {
		b.Close()
	}
}

// noTopics is a set without any: all records are refused until another set takes its place.
func (g *Gateway) noTopics(cfg *config.Config) *Topics {
	s := &Topics{
		cluster: g.cluster, modules: g.modules, registry: g.registry, schemas: g.schemas, log: g.log, cfg: cfg, route: g.route,
		pool: g.pool, letterIDs: g.letterIDs, spools: g.spools, starting: true, kept: map[string]*record.Error{},
	}
	s.byName.Store(&map[string]*topicEntry{})
	return s
}

// newTopics builds the topics that cfg names, taking over from old what did not change.
func (g *Gateway) newTopics(ctx context.Context, cfg *config.Config, old *Topics) (*Topics, error) {
	s := g.noTopics(cfg)
	s.starting = false
	if err := s.fill(ctx, old); err != nil {
		s.abandon(old)
		if old != nil {
			s.spools.settle(old)
		}
		return nil, err
	}
	return s, nil
}

// abandon gives up what was built for a set that is not used.
func (s *Topics) abandon(old *Topics) {
	s.each(func(e *topicEntry) {
		if old == nil || (*old.byName.Load())[e.cfg.Name] != e {
			e.close()
			s.cluster.Retire(context.Background(), e.out)
		}
	})
	for _, a := range s.anchors {
		s.cluster.Retire(context.Background(), a)
	}
}

func (s *Topics) fill(ctx context.Context, old *Topics) error {
	cfg := s.cfg
	all := make(map[string]*topicEntry)
	s.byName.Store(&all)
	if old != nil {
		for name, e := range *old.byName.Load() {
			if now, ok := s.settings(name); ok && now.Equal(e.cfg) && e.topic.refusal() == nil && s.damaged(name) == nil && !e.serializer.Changed() {
				all[name] = e
			}
		}
	}
	if err := s.ownSpools(); err != nil {
		return err
	}
	var failed []error // all of them are told at once
	for _, name := range cfg.Literal() {
		if all[name] != nil {
			continue
		}
		t, _ := s.settings(name)
		e, err := s.build(ctx, t, old != nil && (*old.byName.Load())[name] != nil)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		all[name] = s.orBefore(e, old)
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	for _, table := range cfg.Tables() {
		if !isGlob(table) {
			continue
		}
		t, _ := cfg.Topic(table)
		a, err := s.cluster.Topic(t)
		if err != nil {
			return err
		}
		s.anchors = append(s.anchors, a)
	}
	if old != nil { // last, when nothing can fail any more
		for name, e := range all {
			if before := (*old.byName.Load())[name]; before != nil && before != e {
				e.learn(before)
			}
		}
		s.owe(old)
	}
	return nil
}

// owe keeps what is owed to the limits of topics that are built again only when they are asked for.
func (s *Topics) owe(old *Topics) {
	s.owed = make(map[string]*rateLimits)
	for name, l := range old.owed {
		if l.owes(time.Now()) {
			s.owed[name] = l
		}
	}
	for name, e := range *old.byName.Load() {
		if e.topic.limits != nil {
			s.owed[name] = e.topic.limits
		}
	}
	for name := range *s.byName.Load() {
		delete(s.owed, name)
	}
}

// build sets a topic up. replaces says that there is one in use that it is to replace.
func (s *Topics) build(ctx context.Context, cfg config.Topic, replaces bool) (*topicEntry, error) {
	out, err := s.cluster.Topic(cfg)
	if err != nil {
		return nil, fmt.Errorf("topic %q: %w", cfg.Name, err)
	}
	t := &Topic{cfg: cfg, out: out, route: s.route, damaged: s.damaged(cfg.Name), limits: newRateLimits(cfg.RateLimit), ended: new(record.Outcomes)}
	e := &topicEntry{topic: t, out: out, cfg: cfg}
	p := cfg.Producer
	t.partitioner, err = partitioner.New(cfg.Partitioner, partitioner.Options{
		BatchSize: max(p.BatchSize, 1), IgnoreKeys: p.IgnoreKeys, Adaptive: p.AdaptivePartitioning, AvailabilityTimeout: p.AvailabilityTimeout,
	})
	if err != nil {
		err = fmt.Errorf("topic %q: %w", cfg.Name, err)
	} else {
		err = s.bind(ctx, e, replaces)
	}
	if err == nil {
		err = s.serialize(e)
	}
	if err == nil && cfg.Spool.Dir != "" {
		if t.spool, err = s.spools.open(cfg); err != nil {
			err = fmt.Errorf("topic %q: %w", cfg.Name, &spoolError{err})
		}
	}
	if cfg.DeadLetter.Topic != "" {
		t.letters = newDeadLetters(cfg, s)
		if to, ok := s.settings(cfg.DeadLetter.Topic); ok {
			t.lettersTimeout = to.Producer.MaxBlock + to.Producer.DeliveryTimeout
		}
	}
	if err != nil {
		e.close()
		s.cluster.Retire(context.Background(), out)
		return nil, err
	}
	return e, nil
}

// Topic implements [ingest.Topics].
func (s *Topics) Topic(name []byte) (ingest.Topic, *record.Error) {
	if e := (*s.byName.Load())[string(name)]; e != nil {
		return e.topic, nil
	}
	return s.find(string(name))
}

// find returns the topic, building it if a glob table covers it and the cluster has it.
func (s *Topics) find(name string) (*Topic, *record.Error) {
	if e := (*s.byName.Load())[name]; e != nil {
		return e.topic, nil
	}
	if s.starting {
		return nil, errStarting()
	}
	cfg, ok := s.settings(name)
	if !ok {
		return nil, record.Errorf(record.TopicNotAllowed, "no [topics.*] table of the configuration matches topic %q", name)
	}
	if err := validTopicName(name); err != nil {
		return nil, err
	}
	found, err, _ := s.lookups.Do(name, func() (any, error) { return s.discover(cfg) })
	if err != nil {
		return nil, asRecordError(err)
	}
	return found.(*Topic), nil //nolint:forcetypeassert // discover returns nothing else
}

// discover sets up a topic that a glob table covers. A name that the cluster does not have must not cost memory, whoever
// asks for it.
func (s *Topics) discover(cfg config.Topic) (*Topic, error) {
	if e := (*s.byName.Load())[cfg.Name]; e != nil {
		return e.topic, nil
	}
	e, err := s.build(context.Background(), cfg, false)
	if err != nil {
		if n := s.notBuilt.due(time.Now()); n > 0 {
			s.log.Error("topics cannot be set up, their records are refused", "requests", n, "error", err)
		}
		return nil, err
	}
	if q := e.topic.spool; q == nil || !q.had() {
		if _, err := e.out.Partitions(); err != nil {
			e.close()
			s.cluster.Retire(context.Background(), e.out)
			s.spools.forget(q)
			return nil, err
		}
	}
	if err := e.topic.refusal(); err != nil {
		s.log.Error("records of a topic are refused", "topic", cfg.Name, "error", err)
	}
	e.topic.limits.learn(s.owed[cfg.Name], time.Now())
	if !s.add(e) {
		e.close()
		s.cluster.Retire(context.Background(), e.out)
		t, err := s.route(cfg.Name)
		if err != nil {
			return nil, err
		}
		return t, nil
	}
	if q := e.topic.spool; q != nil {
		s.spools.use(e.topic, q)
	}
	return e.topic, nil
}

// add puts e into s, unless a reload has replaced s: then nobody would ever give e up.
func (s *Topics) add(e *topicEntry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return false
	}
	all := maps.Clone(*s.byName.Load())
	all[e.cfg.Name] = e
	s.byName.Store(&all)
	return true
}

func asRecordError(err error) *record.Error {
	if e, ok := errors.AsType[*record.Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*spoolError](err); ok { // which may be mended while the gateway runs
		return &record.Error{Code: record.NotAvailable, Message: "the spool of the topic cannot be opened", Err: err}
	}
	return &record.Error{Code: record.Internal, Message: "the topic cannot be set up: " + err.Error(), Err: err}
}

// spoolError is why a spool cannot be opened.
type spoolError struct{ err error }

func (e *spoolError) Error() string { return e.err.Error() }
func (e *spoolError) Unwrap() error { return e.err }

// validTopicName is Kafka's rule (org.apache.kafka.common.internals.Topic).
func validTopicName(name string) *record.Error {
	bad := func(rule string) *record.Error {
		return record.Errorf(record.Invalid, "topic name %q: %s", name, rule)
	}
	switch {
	case name == "" || name == "." || name == "..":
		return bad("must not be empty, \".\" or \"..\"")
	case len(name) > 249:
		return bad("must not be longer than 249 characters")
	}
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			continue
		}
		return bad("may hold only letters, digits, '.', '_' and '-'")
	}
	return nil
}

// retire gives up the topics of s that next does not use, once their records are answered: at the latest after the longest
// delivery.timeout.ms, or when ctx ends. Whoever still holds one of them is sent on to its successor.
func (s *Topics) retire(ctx context.Context, next *Topics) {
	s.mu.Lock()
	s.left = true
	s.mu.Unlock()
	var gone []*topicEntry
	grace := time.Duration(0)
	kept := *next.byName.Load()
	for name, e := range *s.byName.Load() {
		now := kept[name]
		if now == e {
			continue
		}
		if now != nil {
			e.topic.successor.Store(now.topic)
		} else {
			e.topic.successor.Store(&Topic{cfg: e.cfg, out: e.out, route: e.topic.route, ended: e.topic.ended, removed: true})
		}
		gone = append(gone, e)
		grace = max(grace, e.topic.AwaitTimeout())
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for _, e := range gone {
		s.retireTopic(ctx, e.out)
		e.topic.leave(ctx)
		e.close()
	}
	for _, a := range s.anchors {
		s.retireTopic(ctx, a)
	}
	s.retired.Store(true)
}

func (s *Topics) retireTopic(ctx context.Context, t *producer.Topic) {
	if lost := s.cluster.Retire(ctx, t); lost > 0 {
		s.log.Warn("records of a topic whose settings changed have an unknown outcome", "topic", t.Name(), "records", lost)
	}
}

// warm looks up the topics that are known by name, so that the first request need not wait, and creates those that are
// missing if that is allowed.
func (g *Gateway) warm(s *Topics) {
	s.each(func(e *topicEntry) {
		g.background.Go(func() { _, _ = e.out.Partitions() }) // whoever needs it will be told why it failed
		e.serializer.Warm()
		if e.topic.letters != nil {
			g.background.Go(e.topic.letters.look)
		}
	})
}

// each calls f with every topic.
func (s *Topics) each(f func(*topicEntry)) {
	for _, e := range *s.byName.Load() {
		f(e)
	}
}
