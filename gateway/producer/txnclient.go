package producer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// txnClient is one transactional id of the pool. It outlives its kgo client, which is replaced when its state is in doubt: a
// new one takes the id over, and so ends whatever the old one left open.
type txnClient struct {
	pool *Transactions
	id   string

	commits, aborts atomic.Int64 // requests that were written, ever; see txnConn

	mu    sync.Mutex
	kgo   *kgo.Client // nil before it is opened, and at the end
	ended bool
}

func newTxnClient(p *Transactions, slot int) *txnClient {
	return &txnClient{pool: p, id: p.cfg.IDPrefix + "-" + strconv.Itoa(slot)}
}

// open replaces the kgo client and waits until the cluster has made it the one with this id.
func (c *txnClient) open(ctx context.Context) error {
	c.swap(nil)
	p := c.pool
	w := p.producer()
	none := newBook() // what is in the log is for the end of the transaction to say, not for a ledger
	wrap := func(conn net.Conn) net.Conn { return txnConn{p.tap.wrap(conn, none), c} }
	opts := append([]kgo.Opt{}, p.cluster.base...)
	opts = append(opts, sendOptions(w)...)
	opts = append(opts, p.options(c)...)
	opts = append(opts, kgo.Dialer(newDialer(w, p.cluster.tls, wrap).dial), kgo.WithHooks(p.tap))
	k, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("kafka client %q: %w", c.id, err)
	}
	ctx, cancel := context.WithTimeout(ctx, w.RequestTimeout)
	defer cancel()
	if _, _, err := k.ProducerID(ctx); err != nil {
		k.Close()
		return err
	}
	if !c.swap(k) {
		k.Close()
		return kgo.ErrClientClosed
	}
	return nil
}

// options is what clients of transactions have beside those of all clients.
func (p *Transactions) options(c *txnClient) []kgo.Opt {
	largest := int32(min(max(int64(p.cfg.Producer.MaxRequestSize), p.cfg.MaxBytes, 512), 1<<30-64<<10))
	return []kgo.Opt{
		kgo.TransactionalID(c.id),
		kgo.TransactionTimeout(p.cfg.Timeout),
		kgo.RetryTimeout(p.cfg.Timeout), // of EndTxn: later it could only be told that the time is over
		kgo.RequestRetries(math.MaxInt),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 {
			if n, ok := p.sizes.Load(topic); ok {
				return min(n.(int32), largest) //nolint:forcetypeassert // room stores nothing else
			}
			return largest
		}),
		kgo.BrokerMaxWriteBytes(largest + 64<<10),
	}
}

// swap closes the kgo client and puts k in its place; false if c has ended.
func (c *txnClient) swap(k *kgo.Client) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kgo != nil {
		c.kgo.Close()
	}
	if c.ended {
		k = nil
	}
	c.kgo = k
	return !c.ended
}

// end closes the kgo client for good. A transaction that has it sees its records fail.
func (c *txnClient) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.kgo != nil {
		c.kgo.Close()
	}
}

// kill closes the kgo client, whose state is in doubt. It must not come back before a new one has taken its place.
func (c *txnClient) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kgo != nil {
		c.kgo.Close()
	}
	c.kgo = nil
}

func (c *txnClient) client() *kgo.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kgo
}

// abort ends what a transaction left open. It is false if the kgo client is of no more use: also if kgo sent no abort, because it
// took the transaction for one without records.
func (c *txnClient) abort() bool {
	k := c.client()
	if k == nil {
		return false
	}
	before := c.aborts.Load()
	err := k.EndTransaction(context.Background(), kgo.TryAbort)
	return err == nil && c.aborts.Load() > before
}

// tookOver says whether err is how Kafka tells a producer that another has its id, or that its transaction took too long.
func tookOver(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
}

// aborts says whether err is that of a transaction which Kafka has aborted, or will not commit.
func aborts(err error) bool {
	for _, e := range []error{
		kerr.TransactionAbortable, kerr.OperationNotAttempted, kerr.InvalidTxnState, kerr.InvalidProducerIDMapping,
		kerr.UnknownProducerID, kerr.OutOfOrderSequenceNumber, kerr.UnknownTopicID,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// verdict says why a transaction that was begun at the given time, and is certainly not committed, was not.
func (c *txnClient) verdict(err error, begun time.Time) *record.Error {
	took := time.Since(begun)
	if errors.Is(err, kerr.UnknownTopicID) {
		c.kill() // it would ask for a topic that was deleted and created again by its old id, for ever (KIP-516)
	}
	switch {
	case tookOver(err) && took < c.pool.cfg.Timeout:
		c.pool.fence(c.id, err)
		e := c.pool.otherReplica()
		e.Err = err
		return e
	case tookOver(err): // Kafka says the same to one whose time is over, and this is likelier
		return c.late(err)
	case aborts(err):
		return &record.Error{Code: record.Aborted, Message: "Kafka aborted the transaction", Err: err}
	}
	e := classify(err, false)
	if e.Code.OutcomeUnknown() || e.Code == record.NotAvailable { // of the record, but its transaction is not committed
		e = &record.Error{Code: record.Aborted, Message: "Kafka did not take the transaction", Err: err}
	}
	return e
}

func (c *txnClient) late(err error) *record.Error {
	return &record.Error{
		Code: record.Aborted, Err: err,
		Message: "the transaction was not complete within transaction.timeout.ms = " + strconv.FormatInt(c.pool.cfg.Timeout.Milliseconds(), 10),
	}
}
