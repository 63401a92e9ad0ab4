package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/gateway/partitioner"
	"sluice/gateway/producer"
	"sluice/gateway/record"
)

// Topics is the topic set of one configuration. Literal topics are built with it; those of a glob when they are first
// asked for and the cluster has them.
type Topics struct {
	cluster *producer.Cluster
	log     *slog.Logger
	cfg     *config.Config
	route   routeFunc // through the set that is current then

	byName  atomic.Pointer[map[string]*topicEntry] // never changed, only replaced under mu
	mu      sync.Mutex
	lookups singleflight.Group
	retired atomic.Bool       // a reload replaced it, and its records are all answered
	anchors []*producer.Topic // keep the clients of glob tables, whether or not a topic uses them now
}

// topicEntry is a topic with what has to be closed when it is given up.
type topicEntry struct {
	topic *Topic
	out   *producer.Topic
	cfg   config.Topic
}

// newTopics builds the topics that cfg names, taking over from old what did not change.
func newTopics(cfg *config.Config, old *Topics, c *producer.Cluster, route routeFunc, log *slog.Logger) (*Topics, error) {
	s := &Topics{cluster: c, log: log, cfg: cfg, route: route}
	all := make(map[string]*topicEntry)
	if old != nil {
		for name, e := range *old.byName.Load() {
			if now, ok := cfg.Topic(name); ok && now == e.cfg {
				all[name] = e
			}
		}
	}
	for _, name := range cfg.Literal() {
		if all[name] != nil {
			continue
		}
		t, _ := cfg.Topic(name)
		e, err := s.build(t)
		if err != nil {
			return nil, err
		}
		all[name] = e
	}
	s.byName.Store(&all)
	for _, table := range cfg.Tables() {
		if !strings.Contains(table, "*") {
			continue
		}
		t, _ := cfg.Topic(table)
		a, err := c.Topic(t)
		if err != nil {
			return nil, err
		}
		s.anchors = append(s.anchors, a)
	}
	if old != nil { // last, when nothing can fail any more
		for name, e := range all {
			if before := (*old.byName.Load())[name]; before != nil && before != e {
				e.out.Learn(before.out)
			}
		}
	}
	return s, nil
}

func (s *Topics) build(cfg config.Topic) (*topicEntry, error) {
	out, err := s.cluster.Topic(cfg)
	if err != nil {
		return nil, fmt.Errorf("topic %q: %w", cfg.Name, err)
	}
	t := &Topic{cfg: cfg, out: out, route: s.route}
	p := cfg.Producer
	t.partitioner, err = partitioner.New(cfg.Partitioner, partitioner.Options{
		BatchSize: max(p.BatchSize, 1), IgnoreKeys: p.IgnoreKeys, Adaptive: p.AdaptivePartitioning, AvailabilityTimeout: p.AvailabilityTimeout,
	})
	if err != nil {
		return nil, fmt.Errorf("topic %q: %w", cfg.Name, err)
	}
	return &topicEntry{topic: t, out: out, cfg: cfg}, nil
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
	cfg, ok := s.cfg.Topic(name)
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
	e, err := s.build(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := e.out.Partitions(); err != nil {
		s.cluster.Retire(context.Background(), e.out)
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(*s.byName.Load())
	all[cfg.Name] = e
	s.byName.Store(&all)
	return e.topic, nil
}

func asRecordError(err error) *record.Error {
	if e, ok := errors.AsType[*record.Error](err); ok {
		return e
	}
	return &record.Error{Code: record.Internal, Message: "the topic cannot be set up", Err: err}
}

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
	var gone []*producer.Topic
	grace := time.Duration(0)
	kept := *next.byName.Load()
	for name, e := range *s.byName.Load() {
		now := kept[name]
		if now == e {
			continue
		}
		if now != nil {
			e.topic.successor.Store(now.topic)
		}
		gone = append(gone, e.out)
		grace = max(grace, e.topic.AwaitTimeout())
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for _, t := range append(gone, s.anchors...) {
		if lost := s.cluster.Retire(ctx, t); lost > 0 {
			s.log.Warn("records of a topic whose settings changed have an unknown outcome", "topic", t.Name(), "records", lost)
		}
	}
	s.retired.Store(true)
}

// warm looks up the topics that are known by name, so that the first request need not wait, and creates those that are
// missing if that is allowed.
func (g *Gateway) warm(s *Topics) {
	s.each(func(e *topicEntry) {
		g.background.Go(func() { _, _ = e.out.Partitions() }) // whoever needs it will be told why it failed
	})
}

// each calls f with every topic.
func (s *Topics) each(f func(*topicEntry)) {
	for _, e := range *s.byName.Load() {
		f(e)
	}
}
