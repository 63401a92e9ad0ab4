package gateway

import (
	"time"

	"sluice/gateway/ingest"
	"sluice/gateway/producer"
	"sluice/gateway/record"
)

// transactions is the way of records that are stored together or not at all: that of topic.go but for step 4, which waits until
// all of them have come so far. It is [ingest.Transactions].
type transactions struct {
	route routeFunc
	pool  *producer.Transactions
	wait  time.Duration
}

// openTransactions sets up what a configuration with a transactional.id.prefix asks for.
func (g *Gateway) openTransactions() {
	if cfg := g.cfg.Load().Transactions; cfg.Enabled() {
		g.transactions = g.cluster.Transactions(cfg)
		g.ingest.Transactions = transactions{g.route, g.transactions, cfg.MaxBlock + 2*cfg.Timeout + awaitGrace}
	}
}

// Begin implements [ingest.Transactions].
func (t transactions) Begin() ingest.Transaction {
	return &transaction{route: t.route, records: t.pool.New(), topics: make(map[string]*Topic)}
}

// AwaitTimeout implements [ingest.Transactions].
func (t transactions) AwaitTimeout() time.Duration { return t.wait }

// transaction is the records of one request, and the topics that they go through.
type transaction struct {
	route   routeFunc
	records *producer.Transaction
	topics  map[string]*Topic
	held    []*Topic // those that a reload must not close yet
}

// Topic implements [ingest.Transaction].
func (x *transaction) Topic(name []byte) (ingest.Topic, *record.Error) {
	if t := x.topics[string(name)]; t != nil {
		return t, nil
	}
	t, err := x.topic(string(name))
	if err != nil {
		return nil, err
	}
	return t, nil
}

// topic returns the topic of that name with the same steps, but for what step 4 appends to.
func (x *transaction) topic(name string) (*Topic, *record.Error) {
	if t := x.topics[name]; t != nil {
		return t, nil
	}
	t, err := x.hold(name)
	if err != nil {
		return nil, err
	}
	out, ok := t.out.(*producer.Topic)
	if !ok {
		return nil, record.Errorf(record.Internal, "topic %q takes no transactions", name)
	}
	within := &Topic{
		cfg: t.cfg, interceptors: t.interceptors, serializer: t.serializer, partitioner: t.partitioner, fallback: t.fallback,
		out: x.records.Topic(out), route: x.topic, acks: t.acks, limits: t.limits, ended: t.ended, damaged: t.damaged,
		// Without a spool: nobody has an answer before Kafka has the records. Without letters: a record that cannot be stored ends the transaction, so that none has to be put elsewhere.
	}
	x.topics[name] = within
	return within, nil
}

// hold finds a topic and keeps it open until release.
func (x *transaction) hold(name string) (*Topic, *record.Error) {
	for {
		t, err := x.route(name)
		if err != nil {
			return nil, err
		}
		t.under.Add(1)
		if t.successor.Load() == nil {
			x.held = append(x.held, t)
			return t, nil
		}
		t.under.Add(-1) // a reload replaced it just now, and route finds what took its place
	}
}

func (x *transaction) release() {
	for _, t := range x.held {
		t.under.Add(-1)
	}
	x.held = nil
}

// Memory implements [ingest.Transaction].
func (x *transaction) Memory() int { return int(x.records.Memory()) }

// Commit implements [ingest.Transaction].
func (x *transaction) Commit() (b *record.Batch, i int, err *record.Error) {
	x.release()
	return x.records.Commit()
}

// Abort implements [ingest.Transaction].
func (x *transaction) Abort(err *record.Error) {
	x.release()
	x.records.Abort(err)
}
