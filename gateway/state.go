package gateway

import (
	"time"

	"sluice/gateway/admin"
	"sluice/gateway/producer"
)

// state is the gateway as the admin plane sees it.
type state struct {
	g       *Gateway
	version string
	started time.Time
}

// Status implements [admin.Gateway].
func (s state) Status() admin.Status {
	st := admin.Status{State: admin.OK, Kafka: "ok", Version: s.version, Started: s.started}
	switch {
	case s.g.stopping.Load():
		st.State = admin.Draining
	case s.g.isStarting():
		st.State = admin.Starting
	}
	if _, err := s.g.cluster.Answered(); err != nil {
		st.Kafka = err.Error()
	}
	return st
}

// Topics implements [admin.Gateway].
func (s state) Topics() []admin.TopicState {
	var all []admin.TopicState
	s.g.topics.Load().each(func(e *topicEntry) { all = append(all, topicState(e)) })
	return all
}

// Topic implements [admin.Gateway]. A topic that a glob table covers has settings before its first record.
func (s state) Topic(name string) (admin.TopicState, bool) {
	topics := s.g.topics.Load()
	report, ok := topics.cfg.Explain(name)
	if !ok {
		return admin.TopicState{}, false
	}
	t := admin.TopicState{Name: name, Table: report.Pattern}
	if e := (*topics.byName.Load())[name]; e != nil {
		t = topicState(e)
	}
	t.Settings, t.Bindings = report.Settings, s.bindings(topics, name)
	return t, true
}

func topicState(e *topicEntry) admin.TopicState {
	total, free, waiting := e.out.Budget()
	refused := ""
	if err := e.topic.refusal(); err != nil {
		refused = err.Error()
	}
	return admin.TopicState{
		Refused: refused, Spool: spoolState(e.topic.spool),
		Name: e.cfg.Name, Table: e.cfg.Table, Partitions: e.out.Count(),
		Buffer: admin.Buffer{Total: total, Available: free, Waiting: waiting}, Counters: counters(&e.out.Stats),
	}
}

func counters(st *producer.Stats) admin.Counters {
	return admin.Counters{
		Accepted: st.Appended.Load(), Stored: st.Stored(), Failed: st.Failed.Load(), Refused: st.Refused.Load(),
		Exhausted: st.Exhausted.Load(), Bytes: st.Bytes.Load(),
	}
}

func spoolState(q *topicSpool) *admin.Spool {
	if q == nil {
		return nil
	}
	records, bytes := q.waiting()
	st := &q.Stats
	return &admin.Spool{
		Waiting: records, Bytes: bytes, Max: q.cfg.Load().Spool.MaxBytes, Oldest: q.age(time.Now()).Seconds(),
		Stored: st.stored.Load(), Letters: st.letters.Load(), SentAgain: st.again.Load(), Lost: st.refused.Load() + st.lost.Load(),
	}
}
