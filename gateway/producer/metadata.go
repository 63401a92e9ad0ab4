package producer

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/record"
)

const (
	// minRefresh bounds how often metadata is asked for, whoever asks.
	minRefresh = 100 * time.Millisecond
	// growthCheck is how often a client is asked whether it has seen new partitions yet.
	growthCheck = 20 * time.Millisecond
	// readyAge is how old an answer of the cluster may be to count for readiness.
	readyAge = time.Second
	// metadataTimeout bounds one metadata request; the next attempt follows.
	metadataTimeout = 3 * time.Second
	// absentAge is how long a topic that the cluster does not have is refused without asking again.
	absentAge = 250 * time.Millisecond
)

// metadata keeps the partition counts and leaders of the topics in use. One goroutine asks the cluster: every
// metadata.max.age.ms, and when somebody needs to know now.
type metadata struct {
	kgo      *kgo.Client
	adm      *kadm.Client
	log      *slog.Logger
	maxAge   time.Duration
	create   bool // auto.create.topics
	requests chan lookup
	poke     chan struct{}
	fresh    func(*Topic) // is called when the partitions of a topic were not known before

	// state is how the last request ended, for readiness.
	state atomic.Pointer[answered]

	// absent is the topics that the cluster did not have when it was asked lately, and when that was. Whoever asks again soon has
	// that answer: a request cannot wait for minRefresh each time that it meets a topic that is not there.
	absent atomic.Pointer[map[string]time.Time]

	// What follows belongs to run.
	known   map[*Topic]struct{}
	last    time.Time
	growing map[*Topic]growth
}

// answered is how a request to the cluster ended.
type answered struct {
	at  time.Time
	err error
}

// lookup asks for one topic's metadata now; for no topic, whether the cluster answers at all.
type lookup struct {
	topic *Topic
	reply chan *record.Error
}

// growth is a partition count that is published once the topic's client knows it, so that it refuses no new partition.
type growth struct {
	parts *record.Partitions
	reply []chan *record.Error
}

func newMetadata(k *kgo.Client, maxAge time.Duration, create bool, log *slog.Logger) *metadata {
	m := &metadata{
		kgo: k, adm: kadm.NewClient(k), log: log, maxAge: maxAge, create: create,
		requests: make(chan lookup), poke: make(chan struct{}, 1),
		fresh: func(*Topic) {}, known: make(map[*Topic]struct{}), growing: make(map[*Topic]growth),
	}
	m.state.Store(&answered{err: errors.New("the cluster was not reached yet")})
	m.absent.Store(&map[string]time.Time{})
	return m
}

// suspect says that what is known may be out of date. It never blocks.
func (m *metadata) suspect() {
	select {
	case m.poke <- struct{}{}:
	default:
	}
}

// reachable is nil if the cluster answers. It asks, unless it did so within readyAge.
func (m *metadata) reachable(ctx context.Context) error {
	if time.Since(m.state.Load().at) < readyAge {
		return m.state.Load().err
	}
	return m.reach(ctx)
}

// reach asks the cluster, and is nil if it answers.
func (m *metadata) reach(ctx context.Context) error {
	if err, ok := m.request(ctx, nil, nil); ok {
		if err != nil {
			return err
		}
		return nil
	}
	if err := m.state.Load().err; err != nil {
		return err
	}
	return errors.New("the cluster does not answer")
}

// lookup asks for t now and waits until deadline. It returns nil once t.parts is fresh.
func (m *metadata) lookup(ctx context.Context, t *Topic) *record.Error {
	if at, is := (*m.absent.Load())[t.name]; is && time.Since(at) < absentAge {
		return absentTopic(t.name)
	}
	err, ok := m.request(ctx, t, t.closed)
	switch {
	case ok:
		return err
	case ctx.Err() == nil:
		return draining()
	default:
		return m.unreachable(t)
	}
}

// request asks the goroutine for t and waits for its answer. It is false when ctx or closed ended before there was one.
func (m *metadata) request(ctx context.Context, t *Topic, closed <-chan struct{}) (*record.Error, bool) {
	l := lookup{t, make(chan *record.Error, 1)}
	requests := m.requests
	for {
		select {
		case requests <- l:
			requests = nil // asked once
		case err := <-l.reply:
			return err, true
		case <-ctx.Done():
			return nil, false
		case <-closed:
			return nil, false
		}
	}
}

func (m *metadata) unreachable(t *Topic) *record.Error {
	e := record.Errorf(record.NotAvailable, "the cluster did not tell the partitions of topic %q within %d ms: max.block.ms, but at least %d ms", t.name,
		t.metadataWait().Milliseconds(), metadataWait.Milliseconds())
	e.Err = m.state.Load().err
	return e
}

func (m *metadata) run(ctx context.Context) {
	age := time.NewTicker(m.maxAge)
	defer age.Stop()
	check := time.NewTicker(growthCheck)
	defer check.Stop()
	m.refresh(ctx, nil)
	for {
		var growing <-chan time.Time
		if len(m.growing) > 0 {
			growing = check.C
		}
		select {
		case <-ctx.Done():
			return
		case <-age.C:
			m.refresh(ctx, nil)
		case <-m.poke:
			m.refresh(ctx, nil)
		case l := <-m.requests:
			m.refresh(ctx, []lookup{l})
		case <-growing:
			m.publishGrown()
		}
	}
}

// gather adds the requests that wait by now, so that one question to the cluster answers all, whatever it was asked for.
func (m *metadata) gather(asked []lookup) []lookup {
	for {
		select {
		case l := <-m.requests:
			asked = append(asked, l)
		default:
			return asked
		}
	}
}

func (m *metadata) refresh(ctx context.Context, asked []lookup) {
	if wait := minRefresh - time.Since(m.last); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	asked = m.gather(asked)
	names := m.names(asked)
	found, err := m.ask(ctx, names)
	m.last = time.Now()
	m.state.Store(&answered{m.last, err})
	if err != nil {
		m.log.Debug("cannot refresh metadata", "error", err)
		for _, l := range asked {
			e := record.Errorf(record.NotAvailable, "the cluster does not answer")
			e.Err = err
			l.reply <- e
		}
		return
	}
	m.noteAbsent(names, found)
	replies := make(map[*Topic][]chan *record.Error)
	for _, l := range asked {
		replies[l.topic] = append(replies[l.topic], l.reply)
	}
	answer(replies[nil], nil)
	delete(replies, nil)
	for t := range m.known {
		m.learn(ctx, t, found, replies[t])
		delete(replies, t)
	}
	for t, r := range replies { // a topic that a reload replaced
		m.learn(ctx, t, found, r)
	}
	m.publishGrown()
}

// noteAbsent publishes which topics the cluster does not have, unless they are to be created.
func (m *metadata) noteAbsent(names []string, found map[string]kmsg.MetadataResponseTopic) {
	if m.create {
		return
	}
	absent := make(map[string]time.Time)
	for name, at := range *m.absent.Load() {
		if m.last.Sub(at) < absentAge {
			absent[name] = at
		}
	}
	for _, name := range names {
		if d, there := found[name]; there && !errors.Is(kerr.ErrorForCode(d.ErrorCode), kerr.UnknownTopicOrPartition) {
			delete(absent, name)
		} else {
			absent[name] = m.last
		}
	}
	m.absent.Store(&absent)
}

func absentTopic(name string) *record.Error {
	return record.Errorf(record.UnknownTopic, "the cluster does not have topic %q", name)
}

// names is every topic to ask for. A topic that a reload replaced is asked for only as long as somebody waits for it.
func (m *metadata) names(asked []lookup) []string {
	names := make(map[string]struct{}, len(m.known)+len(asked))
	for _, l := range asked {
		if l.topic == nil {
			continue
		}
		names[l.topic.name] = struct{}{}
		if !l.topic.retired.Load() {
			m.known[l.topic] = struct{}{}
		}
	}
	for t := range m.known {
		if t.retired.Load() {
			delete(m.known, t)
			delete(m.growing, t)
			continue
		}
		names[t.name] = struct{}{}
	}
	return slices.Collect(maps.Keys(names))
}

// ask asks the cluster itself. kadm and kgo would answer from their cache, which says nothing about now.
func (m *metadata) ask(ctx context.Context, names []string) (map[string]kmsg.MetadataResponseTopic, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = make([]kmsg.MetadataRequestTopic, len(names)) // empty, not nil: nil asks for every topic there is
	for i := range names {
		req.Topics[i] = kmsg.NewMetadataRequestTopic()
		req.Topics[i].Topic = &names[i]
	}
	resp, err := req.RequestWith(ctx, m.kgo)
	if err != nil {
		return nil, err
	}
	found := make(map[string]kmsg.MetadataResponseTopic, len(resp.Topics))
	for _, t := range resp.Topics {
		if t.Topic != nil {
			found[*t.Topic] = t
		}
	}
	return found, nil
}

// learn publishes what the cluster said of t, and answers those who asked.
func (m *metadata) learn(ctx context.Context, t *Topic, found map[string]kmsg.MetadataResponseTopic, replies []chan *record.Error) {
	d, there := found[t.name]
	failure := kerr.ErrorForCode(d.ErrorCode)
	if !there || errors.Is(failure, kerr.UnknownTopicOrPartition) {
		delete(m.known, t)
		t.parts.Store(nil)
		if len(replies) > 0 { // nobody asks: a topic that an operator deleted stays deleted
			answer(replies, m.missing(ctx, t))
		}
		return
	}
	if failure != nil && !kerr.IsRetriable(failure) {
		answer(replies, classify(failure, false))
		return
	}
	parts := partitionsOf(t, d)
	if parts.Count == 0 {
		answer(replies, record.Errorf(record.NotAvailable, "topic %q has no partitions yet", t.name))
		return
	}
	if old := t.parts.Load(); old != nil && old.Count < parts.Count {
		t.client.kgo.Load().ForceMetadataRefresh()
		replies = append(replies, m.growing[t].reply...)
		m.growing[t] = growth{parts, replies}
		return
	}
	if t.parts.Swap(parts) == nil {
		m.fresh(t)
	}
	answer(replies, nil)
}

// missing creates a topic that the cluster does not have, if that is allowed; the caller asks again.
func (m *metadata) missing(ctx context.Context, t *Topic) *record.Error {
	if !m.create {
		return absentTopic(t.name)
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	_, err := m.adm.CreateTopic(ctx, -1, -1, nil, t.name)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		if errors.Is(err, kerr.InvalidTopicException) {
			return classify(err, false)
		}
		e := record.Errorf(record.NotAvailable, "topic %q cannot be created", t.name)
		e.Err = err
		return e
	}
	m.log.Info("topic created", "topic", t.name)
	return record.Errorf(record.NotAvailable, "topic %q was just created", t.name)
}

func answer(replies []chan *record.Error, err *record.Error) {
	for _, r := range replies {
		r <- err
	}
}

func partitionsOf(t *Topic, d kmsg.MetadataResponseTopic) *record.Partitions {
	p := &record.Partitions{Topic: t.name, Count: int32(len(d.Partitions))}
	for _, part := range d.Partitions {
		if part.Leader >= 0 && part.ErrorCode == 0 {
			p.Available = append(p.Available, part.Partition)
		}
	}
	slices.Sort(p.Available)
	p.Load = t.load.grow(p.Count)
	return p
}

// publishGrown publishes the counts that the topic's client has seen by now.
func (m *metadata) publishGrown() {
	for t, g := range m.growing {
		if !seen(t.client.kgo.Load(), t.name, g.parts.Count-1) {
			t.client.kgo.Load().ForceMetadataRefresh()
			continue
		}
		t.parts.Store(g.parts)
		answer(g.reply, nil)
		delete(m.growing, t)
	}
}

// seen says whether k would accept a record for the partition. A client that never produced to the topic will load it
// afresh, so it would.
func seen(k *kgo.Client, topic string, partition int32) bool {
	leader, _, err := k.PartitionLeader(topic, 0)
	if leader == -1 && err == nil {
		return true
	}
	leader, _, err = k.PartitionLeader(topic, partition)
	return leader >= 0 || err != nil
}
