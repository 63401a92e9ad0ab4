package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// sampleInterval is how often Run samples: often enough that a window of 30 s ends within a sixth of its length.
const sampleInterval = 5 * time.Second

// Set is all metrics of one gateway. Its methods may be called from any goroutine.
type Set struct {
	registry *prometheus.Registry
	table    map[string]metric // by name
	clock    func() time.Time

	reloads [2]atomic.Int64 // failed, done
	loaded  atomic.Int64    // Unix nanoseconds

	mu       sync.Mutex
	producer func() Snapshot
	scopes   [numScopes]sampler
	watch    *BufferWatch
	http     *HTTP
	modules  moduleFigures
	gauges   map[string]func() float64
	version  string

	idempotency  func() Idempotency
	schemas      func() Schemas
	transactions func() Transactions
}

// New makes a Set that holds nothing but the figures of the Go runtime, of the process, and of the configuration, which
// counts as loaded now.
func New() *Set { return newSet(time.Now) }

func newSet(clock func() time.Time) *Set {
	s := &Set{
		registry: prometheus.NewRegistry(), table: make(map[string]metric, len(descs)),
		clock: clock, gauges: make(map[string]func() float64),
	}
	for i := range descs {
		s.table[descs[i].name] = metric{&descs[i], descs[i].prometheus()}
	}
	s.loaded.Store(clock().UnixNano())
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{s},
	} {
		_ = s.registry.Register(c) // fails only if the table is wrong, which a test holds it is not
	}
	return s
}

// Handler answers a scrape in Prometheus' text format.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{})
}

// Producer sets where the figures of the producer come from. It is to be called before the producer takes records. snapshot
// is called at every scrape and every 5 s while Run runs, never twice at a time; it must not call the Set.
func (s *Set) Producer(snapshot func() Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.producer = snapshot
	for i := range s.scopes {
		s.scopes[i].at = s.clock()
	}
}

// HTTP shows the counts of the data plane.
func (s *Set) HTTP(h *HTTP) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.http = h
}

// Modules sets where the figures of modules come from. snapshot is called at every scrape, never twice at a time; it must
// not call the Set.
func (s *Set) Modules(snapshot func() Modules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.modules.snapshot = snapshot
}

// Gauge shows what f returns under a name of the table that is a gauge without labels. f is called at every scrape; it must
// not call the Set.
func (s *Set) Gauge(name string, f func() float64) error {
	m := s.table[name]
	if m.desc == nil || m.value != nil || m.typ != gauge || len(m.labelNames()) > 0 {
		return fmt.Errorf("metrics: %q is not a gauge without labels in the table of metrics", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gauges[name] = f
	return nil
}

// Build shows the version of the binary.
func (s *Set) Build(version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = version
}

// Reloaded counts a reload of the configuration; ok says that it is now in force.
func (s *Set) Reloaded(ok bool) {
	s.reloads[int(number(ok))].Add(1)
	if ok {
		s.loaded.Store(s.clock().UnixNano())
	}
}

// WatchBuffers lets Run warn in log when a topic's buffer is nearly full; see BufferWatch.
func (s *Set) WatchBuffers(log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = NewBufferWatch(log)
}

// Run samples the producer until ctx ends.
func (s *Set) Run(ctx context.Context) {
	t := time.NewTicker(sampleInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.tick()
		case <-ctx.Done():
			return
		}
	}
}

func (s *Set) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	topics := s.sample(now)
	if s.watch != nil {
		s.watch.Observe(now, topics)
	}
}

// sample takes one snapshot of the producer. The lock is held.
func (s *Set) sample(now time.Time) []Topic {
	if s.producer == nil {
		return nil
	}
	snap := s.producer()
	s.scopes[ofTopic].sample(now, readings(snap.Topics, (*Topic).reading))
	s.scopes[ofOutcome].sample(now, readings(snap.Outcomes, (*Outcome).reading))
	s.scopes[ofClient].sample(now, readings(snap.Clients, (*Client).reading))
	s.scopes[ofBinding].sample(now, readings(snap.Bindings, (*Binding).reading))
	s.scopes[ofCluster].sample(now, []reading{snap.Cluster.reading()})
	return snap.Topics
}

func readings[T any](entries []T, of func(*T) reading) []reading {
	all := make([]reading, len(entries))
	for i := range entries {
		all[i] = of(&entries[i])
	}
	return all
}
