package producer

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// Transactions is the pool of transactional Kafka clients of this replica. A transaction has one of them to itself from its
// first record to its end, because a Kafka producer has one transaction at a time.
type Transactions struct {
	cluster *Cluster
	cfg     config.Transactions
	log     *slog.Logger
	tap     *tap
	sizes   sync.Map // max.request.size of topics by name: what a batch may have

	free    chan *txnClient
	clients []*txnClient
	wg      sync.WaitGroup // what goes on after a transaction was answered
	cancel  context.CancelFunc
	ctx     context.Context //nolint:containedctx // ends when the clients are to be closed
	closing chan struct{}   // closed when no transaction is taken any more
	idle    chan struct{}   // closed when the last one has ended then

	fenced  chan struct{} // closed for good when another replica was seen to use the same ids
	trouble atomic.Pointer[record.Error]

	mu      sync.Mutex
	closed  bool
	running int
	group   *txnGroup // that takes transactions now; nil if there is none

	Stats TransactionStats
}

// TransactionStats counts what happened to transactions.
type TransactionStats struct {
	Committed atomic.Int64
	Unknown   atomic.Int64 // the commit was not confirmed
	Fenced    atomic.Int64 // refused, because another replica uses the same ids
	Refused   atomic.Int64 // a record could not be taken, so nothing was sent
	Rejected  atomic.Int64 // aborted: Kafka refused a record
	Failed    atomic.Int64 // aborted: the cluster failed, or took too long
	NoClient  atomic.Int64 // refused: no client was free in time
	Draining  atomic.Int64 // refused: the gateway is shutting down

	Nanos   atomic.Int64 // from having a client to the end, summed over those that had one
	Ran     atomic.Int64 // transactions that had a client
	Waiting atomic.Int64 // for a client, now
	Busy    atomic.Int64 // clients that a transaction has, now
}

// Transactions makes the pool, which opens nothing before Start. It may be called once, and is closed with the cluster.
func (c *Cluster) Transactions(cfg config.Transactions) *Transactions {
	p := &Transactions{
		cluster: c, cfg: cfg, log: c.log, tap: newTap(c.meta), free: make(chan *txnClient, cfg.PoolSize),
		closing: make(chan struct{}), idle: make(chan struct{}), fenced: make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	c.transactions = p
	return p
}

// Start opens all clients, in the background: from then on nothing else can commit with their ids, and what a replica that
// died had begun is aborted. All at once, so that of two replicas with the same ids one gives up all of them.
func (p *Transactions) Start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	for i := range p.cfg.PoolSize {
		c := newTxnClient(p, i)
		p.clients = append(p.clients, c)
		p.wg.Go(func() { p.prepare(c) })
	}
}

// Free is how many clients wait for a transaction, and of how many.
func (p *Transactions) Free() (free, of int) { return len(p.free), p.cfg.PoolSize }

// producer is the properties of the clients.
func (p *Transactions) producer() config.Producer {
	w := clientWide(p.cfg.Producer)
	w.Acks, w.Idempotence, w.Linger = -1, true, 0
	w.ClientID += "-transactions"
	return w
}

// prepare makes c ready, however long it takes, and then lets a transaction have it.
func (p *Transactions) prepare(c *txnClient) {
	pause := backoff(p.cfg.Producer.RetryBackoff, max(p.cfg.Producer.RetryBackoffMax, minRefresh))
	for tries := 1; !p.Fenced(); tries++ {
		err := c.open(p.ctx)
		if err == nil {
			p.trouble.Store(nil)
			p.free <- c
			return
		}
		if p.ctx.Err() != nil {
			return
		}
		p.trouble.Store(classify(err, false))
		if tries == 1 {
			p.log.Warn("a client for transactions cannot be opened; it is tried again", "transactional.id", c.id, "error", err)
		}
		passes(p.ctx, pause(tries))
	}
}

// acquire returns a client that is free within transaction.max.block.ms. It is to be followed by release.
func (p *Transactions) acquire() (*txnClient, *record.Error) {
	if !p.enter() {
		return nil, draining()
	}
	c, err := p.wait()
	if err != nil {
		p.leave()
		return nil, err
	}
	p.Stats.Busy.Add(1)
	return c, nil
}

func (p *Transactions) wait() (*txnClient, *record.Error) {
	p.Stats.Waiting.Add(1)
	defer p.Stats.Waiting.Add(-1)
	timer := time.NewTimer(p.cfg.MaxBlock)
	defer timer.Stop()
	select {
	case <-p.fenced: // before all others
		return nil, p.otherReplica()
	default:
	}
	select { // without a look at the clock: transaction.max.block.ms may be 0
	case c := <-p.free:
		return c, nil
	default:
	}
	select {
	case c := <-p.free:
		return c, nil
	case <-p.fenced:
		return nil, p.otherReplica()
	case <-p.closing:
		return nil, draining()
	case <-timer.C:
		return nil, p.noClient()
	}
}

func (p *Transactions) noClient() *record.Error {
	e := record.Errorf(record.NotAvailable, "none of transactional.id.pool.size = %d clients was free within transaction.max.block.ms = %d",
		p.cfg.PoolSize, p.cfg.MaxBlock.Milliseconds())
	why := p.trouble.Load()
	if why == nil {
		return e
	}
	if why.Code == record.Unauthorized {
		e.Code = why.Code
		e.Message = "the cluster does not let this gateway use the ids of transactional.id.prefix = \"" + p.cfg.IDPrefix + "\""
	} else {
		e.Message += ", as the cluster does not let them begin"
	}
	e.Err = why.Err
	return e
}

// release takes c back from a transaction that has ended; clean says that c has none open and may have the next.
func (p *Transactions) release(c *txnClient, clean bool) {
	p.Stats.Busy.Add(-1)
	if clean {
		p.free <- c
		p.leave()
		return
	}
	p.wg.Go(func() {
		if c.abort() {
			p.free <- c
			p.leave()
			return
		}
		p.leave()
		p.prepare(c)
	})
}

// fence ends the transactions of this replica, as another one has taken their ids over. It must not take them back: the two
// would fence each other without end, and which of them is meant to run is not for them to decide.
func (p *Transactions) fence(id string, cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Fenced() {
		return
	}
	close(p.fenced)
	p.log.Error("another gateway uses the same transactional ids; this one refuses transactions until it is started again",
		"transactional.id", id, "transactional.id.prefix", p.cfg.IDPrefix, "error", cause)
}

// Fenced says whether another replica was seen to use the same ids.
func (p *Transactions) Fenced() bool {
	select {
	case <-p.fenced:
		return true
	default:
		return false
	}
}

func (p *Transactions) otherReplica() *record.Error {
	return record.Errorf(record.Fenced, "another gateway uses transactional.id.prefix = %q too, and has taken over; "+
		"give each its own, and start this one again", p.cfg.IDPrefix)
}

// enter counts a transaction that drain has to wait for; false if there may be no more.
func (p *Transactions) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running++
	return true
}

func (p *Transactions) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running--; p.closed && p.running == 0 {
		close(p.idle)
	}
}

// drain refuses further transactions, and those that wait for a client, and waits until the others have ended, or ctx does.
func (p *Transactions) drain(ctx context.Context) {
	p.refuse()
	select {
	case <-p.idle:
	case <-ctx.Done():
	}
}

func (p *Transactions) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	close(p.closing)
	if p.running == 0 {
		close(p.idle)
	}
}

// close ends all clients. What is open then is aborted by Kafka, or when the replica starts again.
func (p *Transactions) close() {
	p.refuse()
	p.cancel()
	for _, c := range p.clients {
		c.end()
	}
	<-p.idle
	p.wg.Wait()
}
