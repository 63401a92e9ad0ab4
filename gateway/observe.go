package gateway

import (
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/ingest"
	"sluice/gateway/metrics"
	"sluice/gateway/producer"
	"sluice/gateway/record"
)

// httpObserver counts the requests of the data plane.
type httpObserver struct{ counts *metrics.HTTP }

// Request implements [ingest.Observer].
func (o httpObserver) Request(route ingest.Route, status int, took time.Duration, bytesIn int) {
	o.counts.Observe(int(route), status, took, bytesIn)
}

// snapshot is what the metrics show of the producer now.
func (g *Gateway) snapshot() metrics.Snapshot {
	var s metrics.Snapshot
	batchSize := make(map[any]int64)
	add := func(e *topicEntry) {
		s.Topics = append(s.Topics, topicSnapshot(e))
		s.Outcomes = appendOutcomes(s.Outcomes, e)
		s.Bindings = append(s.Bindings, bindingSnapshots(e)...)
		client := any(e.out.Client())
		batchSize[client] = max(batchSize[client], int64(e.cfg.Producer.BatchSize))
	}
	for _, q := range g.spools.all() {
		s.Topics = append(s.Topics, spoolSnapshot(q), producerSnapshot(q.out.Load(), q.cfg.Load()))
	}
	g.topics.Load().each(add)
	g.eachLeaving(add)
	for _, c := range g.cluster.Clients() {
		w := c.Wire
		s.Clients = append(s.Clients, metrics.Client{
			Source: w, ID: c.ID, BatchSize: batchSize[w],
			Requests: w.Requests.Load(), Batches: w.Batches.Load(), Records: w.Records.Load(), BatchBytes: w.BatchBytes.Load(),
			MaxBatch: w.MaxBatch.Swap(0), Retries: w.Retries.Load(), InFlight: w.InFlight.Load(), Responses: w.Responses.Load(),
			Latency: time.Duration(w.LatencyNanos.Load()), MaxLatency: time.Duration(w.MaxLatency.Swap(0)),
			Throttle: time.Duration(w.ThrottleMs.Load()) * time.Millisecond, MaxThrottle: time.Duration(w.MaxThrottle.Swap(0)) * time.Millisecond,
			Uncompressed: w.Uncompressed.Load(), Compressed: w.Compressed.Load(), Connections: w.Connections.Load(),
			Replacements: c.Replacements,
		})
	}
	at, err := g.cluster.Answered()
	s.Cluster = metrics.Cluster{Open: g.cluster.Open(), Ready: err == nil}
	if !at.IsZero() {
		s.Cluster.MetadataAge = time.Since(at)
	}
	return s
}

// producerSnapshot is what the producing side of a topic counts.
func producerSnapshot(out *producer.Topic, cfg *config.Topic) metrics.Topic {
	st := &out.Stats
	total, free, waiting := out.Budget()
	return metrics.Topic{
		Source: out, Name: cfg.Name, Table: cfg.Table,
		Appended: st.Appended.Load(), Acked: st.Stored(), Failed: st.Failed.Load(),
		Refused: st.Refused.Load(), Exhausted: st.Exhausted.Load(), Bytes: st.Bytes.Load(), MaxRecord: st.MaxRecord.Swap(0),
		Wait: time.Duration(st.WaitNanos.Load()), Queue: time.Duration(st.QueueNanos.Load()), QueueGroups: st.QueueGroups.Load(),
		MaxQueue: time.Duration(st.MaxQueueNano.Swap(0)), BufferTotal: total, BufferAvailable: free, BufferRecords: st.Open(), Waiting: int64(waiting),
	}
}

func spoolSnapshot(q *topicSpool) metrics.Topic {
	d, st := &q.disk.Stats, &q.Stats
	records, bytes := q.waiting()
	cfg := q.cfg.Load()
	return metrics.Topic{
		Source: q, Name: cfg.Name, Table: cfg.Table,
		Spooled: d.Appended.Load(), SpoolRefused: d.Refused.Load(), SpoolStored: st.stored.Load(), SpoolAgain: st.again.Load(), SpoolTwice: st.unknown.Load(),
		SpoolLost: st.refused.Load() + st.lost.Load(), SpoolSyncs: d.Syncs.Load(), SpoolSync: time.Duration(d.SyncNanos.Load()),
		MaxSpoolSync: time.Duration(d.MaxSync.Swap(0)), SpoolWaiting: records, SpoolBytes: bytes, SpoolAge: q.age(time.Now()),
	}
}

func topicSnapshot(e *topicEntry) metrics.Topic {
	t := producerSnapshot(e.out, &e.cfg)
	if e.topic.successor.Load() != nil { // which has the budget now
		t.BufferTotal, t.BufferAvailable, t.Waiting = 0, 0, 0
	}
	if e.topic.acks != nil {
		t.OnAckDropped = e.topic.acks.dropped.Load()
	}
	if l := e.topic.letters; l != nil {
		t.DeadLetters, t.DeadLettersFailed, t.DeadLetterMemory = l.stored.Load(), l.failed.Load(), l.held.Load()
	}
	return t
}

// appendOutcomes appends how the records of a topic ended.
func appendOutcomes(to []metrics.Outcome, e *topicEntry) []metrics.Outcome {
	for _, c := range record.Codes() {
		if n := e.topic.ended.Ended(c); n > 0 {
			to = append(to, metrics.Outcome{Source: e.out, Table: e.cfg.Table, Code: c.String(), Class: c.Class(), Records: n})
		}
	}
	return to
}

// routeNames is the data plane's routes as metrics name them.
func routeNames() []string {
	routes := ingest.Routes()
	names := make([]string, 0, len(routes))
	for _, r := range routes {
		names = append(names, r.String())
	}
	return names
}

// observe builds the metrics and the two HTTP planes.
func (g *Gateway) observe(cfg *config.Config, version string) error {
	counts := metrics.NewHTTP(routeNames())
	g.metrics = metrics.New()
	g.metrics.HTTP(counts)
	g.metrics.Build(version)
	g.metrics.Producer(g.snapshot)
	g.metrics.Modules(g.modulesSnapshot)
	g.metrics.Idempotency(g.idempotencySnapshot)
	g.metrics.Schemas(g.schemasSnapshot)
	g.metrics.WatchBuffers(g.log)
	g.ingest = ingest.New(cfg.HTTP, g, g.pool, httpObserver{counts}, g.log)
	if g.openTransactions(); g.transactions != nil {
		g.metrics.Transactions(g.transactionsSnapshot)
	}
	g.ingest.Ready = g.ready
	g.admin = admin.New(cfg.Admin, g.metrics.Handler(), state{g, version, time.Now()}, g.modules, g.log)
	g.admin.Ready = g.ready
	return g.gauges()
}

func (g *Gateway) gauges() error {
	for name, f := range map[string]func() float64{
		"sluice_http_open_connections":     func() float64 { return float64(g.ingest.Connections()) },
		"sluice_http_receive_memory_bytes": func() float64 { return float64(g.ingest.ReceiveMemory()) },

		"sluice_module_linear_memory_bytes":       func() float64 { return float64(g.host.Memory()) },
		"sluice_module_linear_memory_limit_bytes": func() float64 { return float64(g.host.Limits().MemoryTotal) },
	} {
		if err := g.metrics.Gauge(name, f); err != nil {
			return err
		}
	}
	return nil
}
