package producer

import (
	"time"

	"sluice/gateway/record"
)

// txnGroup is transactions that share one of Kafka's. The first of them leads: it waits transaction.linger.ms for others, and
// for a client, and runs them all.
type txnGroup struct {
	members []*Transaction
	records int
	memory  int64

	ended chan struct{} // closed when run is set, or err
	run   *txnRun
	err   *record.Error // why there was no run
}

// together is x in one transaction with others.
func (x *Transaction) together() (b *record.Batch, i int, err *record.Error) {
	g, leads := x.pool.join(x)
	if leads {
		g.lead(x.pool)
	}
	<-g.ended
	switch {
	case g.err != nil:
		x.turnAway(g.err)
		return nil, 0, g.err
	case len(g.members) > 1 && g.run.aborted(): // perhaps because of another one
		return x.alone()
	default:
		return x.end(g.run)
	}
}

// aborted says that nothing is stored, and that it may be because of one of the records.
func (r *txnRun) aborted() bool { return r.err != nil && !r.unknown && r.err.Code != record.Fenced }

// join puts x into the group that takes transactions now. If there is none that has room x leads the next.
func (p *Transactions) join(x *Transaction) (g *txnGroup, leads bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g = p.group
	if g == nil || g.records+x.records > p.cfg.MaxRecords || g.memory+x.memory > p.cfg.MaxBytes {
		g, leads = &txnGroup{ended: make(chan struct{})}, true
		p.group = g
	}
	g.members = append(g.members, x)
	g.records += x.records
	g.memory += x.memory
	return g, leads
}

// seal lets no more transactions into the group.
func (p *Transactions) seal(g *txnGroup) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group == g {
		p.group = nil
	}
}

// lead runs the group. Others join until there is a client: the busier the clients, the more share the next.
func (g *txnGroup) lead(p *Transactions) {
	defer close(g.ended)
	timer := time.NewTimer(p.cfg.Linger)
	select {
	case <-timer.C:
	case <-p.closing:
	}
	timer.Stop()
	c, err := p.acquire()
	p.seal(g)
	if err != nil {
		g.err = err
		return
	}
	all := &Transaction{pool: p, records: g.records, memory: g.memory}
	for _, x := range g.members {
		all.chunks = append(all.chunks, x.chunks...)
	}
	g.run = all.on(c)
}
