package metrics

import (
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector is the Set as Prometheus sees it: it makes all metrics of the table at each scrape.
type collector struct{ set *Set }

// Describe implements [prometheus.Collector].
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.set.table {
		ch <- m.prom
	}
}

// Collect implements [prometheus.Collector].
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.set
	e := &emitter{ch: ch, table: s.table}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collectProducer(e, s.clock())
	if s.http != nil {
		s.http.collect(e)
	}
	if s.idempotency != nil {
		now := s.idempotency()
		now.collect(e)
	}
	if s.schemas != nil {
		now := s.schemas()
		now.collect(e)
	}
	if s.transactions != nil {
		now := s.transactions()
		now.collect(e)
	}
	s.modules.collect(e, s.clock())
	for name, f := range s.gauges {
		e.emit(name, f())
	}
	if s.version != "" {
		e.emit("sluice_build_info", 1, s.version, runtime.Version())
	}
	e.emit("sluice_config_reload_total", float64(s.reloads[0].Load()), "failed")
	e.emit("sluice_config_reload_total", float64(s.reloads[1].Load()), "done")
	e.emit("sluice_config_last_reload_timestamp_seconds", float64(s.loaded.Load())/float64(time.Second))
}

func (s *Set) collectProducer(e *emitter, now time.Time) {
	s.sample(now)
	for i := range descs {
		d := &descs[i]
		if d.value == nil {
			continue
		}
		for _, series := range s.scopes[d.scope].all() {
			e.emit(d.name, d.value(series, now), series.labels(d.scope)...)
		}
	}
}

// labels are the values of the labels of a scope.
func (s *series) labels(of scope) []string {
	if len(of.labels()) == 0 {
		return nil
	}
	return strings.SplitN(s.label, labelSeparator, len(of.labels()))
}

// metric is a line of the table as Prometheus knows it.
type metric struct {
	*desc
	prom *prometheus.Desc
}

// emitter makes the metrics of one scrape.
type emitter struct {
	ch    chan<- prometheus.Metric
	table map[string]metric
}

func (e *emitter) emit(name string, v float64, labels ...string) {
	m := e.table[name]
	made, err := prometheus.NewConstMetric(m.prom, m.typ.valueType(), v, labels...)
	e.send(m, made, err)
}

func (e *emitter) histogram(name string, count uint64, sum float64, buckets map[float64]uint64, labels ...string) {
	m := e.table[name]
	made, err := prometheus.NewConstHistogram(m.prom, count, sum, buckets, labels...)
	e.send(m, made, err)
}

func (e *emitter) distribution(name string, s span, d *Distribution, labels ...string) {
	count, sum, buckets := s.cumulative(d)
	e.histogram(name, count, sum, buckets, labels...)
}

// send lets a scrape fail, and say why, over a metric that cannot be made, for example for a label that is not UTF-8.
func (e *emitter) send(m metric, made prometheus.Metric, err error) {
	if err != nil {
		made = prometheus.NewInvalidMetric(m.prom, err)
	}
	e.ch <- made
}
