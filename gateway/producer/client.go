package producer

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
)

// replaceInterval is how often a client that failed for good may be replaced, so that a lasting cause does not become a
// storm of new clients.
const replaceInterval = time.Second

// purgeInterval is how often a topic may be loaded afresh.
const purgeInterval = time.Minute

// client is one kgo client with the goroutine that feeds it. It outlives its kgo client: when that one fails for good
// (fenced, cluster authorization), a new one takes its place.
type client struct {
	key    clientKey
	props  config.Producer // client-wide
	base   []kgo.Opt
	tls    *tls.Config
	log    *slog.Logger
	tap    *tap
	acc    *accumulator
	kgo    atomic.Pointer[kgo.Client]
	topics int // that use it; guarded by Cluster.mu

	back  returns       // records that kgo gave up
	mends chan struct{} // wakes the sender to look after them
	kept  atomic.Int64  // records that kgo gave up, or does not get yet

	flushes chan chan struct{}
	stop    chan struct{}
	sent    chan struct{} // closed when nothing can be appended any more, and kgo was given all
	quit    chan struct{}
	done    chan struct{}

	// What follows belongs to the sender, but for gen and retired.
	book     *book
	holding  map[*ledger]struct{} // with records that are kept back
	came     []returned           // records that kgo gave up, to be judged
	unquiet  time.Time            // since when mend finds kgo writing, if it does
	hasty    bool                 // and does not wait for longer: any record may be in the log
	times    map[time.Duration]*deadlines
	fatal    chan fatal
	purge    chan string
	purged   map[string]time.Time
	gen      atomic.Int64 // counts replacements
	replaced time.Time
	retired  sync.WaitGroup
}

// fatal is the end of the kgo client of one generation.
type fatal struct {
	gen   int64
	cause error
}

func newClient(key clientKey, base []kgo.Opt, tc *tls.Config, t *tap, log *slog.Logger) (*client, error) {
	c := &client{
		key: key, props: key.Producer, base: base, tls: tc, log: log, tap: t,
		acc: newAccumulator(), flushes: make(chan chan struct{}),
		fatal: make(chan fatal, 1), purge: make(chan string, 1), purged: make(map[string]time.Time),
		mends: make(chan struct{}, 1), holding: make(map[*ledger]struct{}),
		stop: make(chan struct{}), sent: make(chan struct{}), quit: make(chan struct{}), done: make(chan struct{}),
		times: make(map[time.Duration]*deadlines),
	}
	k, b, err := c.open()
	if err != nil {
		return nil, err
	}
	c.kgo.Store(k)
	c.book = b
	return c, nil
}

// open makes a kgo client, and the book that the tap keeps of it.
func (c *client) open() (*kgo.Client, *book, error) {
	b := newBook()
	b.shuffle = !c.props.Idempotence && c.props.MaxInFlight > 1
	inner, err := kgo.DefaultCompressor(codec(c.props.Compression))
	if err != nil {
		return nil, nil, fmt.Errorf("compression.type = %q: %w", c.props.Compression.Type, err)
	}
	wrap := func(conn net.Conn) net.Conn { return c.tap.wrap(conn, b) }
	opts := append([]kgo.Opt{}, c.base...)
	opts = append(opts, produceOptions(c.props)...)
	opts = append(opts, kgo.Dialer(b.dialer(newDialer(c.props, c.tls, wrap))), kgo.WithHooks(c.tap), kgo.WithCompressor(compressor{inner, b}))
	k, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka client %q: %w", c.props.ClientID, err)
	}
	return k, b, nil
}

// run is the sender: it hands what was appended to kgo, and looks after what kgo gave up. It alone calls Produce, so kgo's
// locks are uncontended, and it never blocks, because kgo's buffer has no limit of its own.
func (c *client) run() {
	defer close(c.done)
	rest := time.Hour
	tick := time.NewTicker(rest)
	defer tick.Stop()
	stop := c.stop
	for {
		if stop != nil {
			c.sendAll()
		}
		if d := c.rest(); d != rest {
			rest = d
			tick.Reset(d)
		}
		select {
		case <-c.acc.wake:
		case <-c.mends:
			c.mend()
		case <-tick.C:
			c.mend()
		case f := <-c.fatal:
			c.replace(f)
		case topic := <-c.purge:
			c.forget(topic)
		case reply := <-c.flushes: // all that was appended before was sent above, or is now
			if stop != nil {
				c.sendAll()
			}
			close(reply)
		case <-stop:
			stop = nil
			if g := c.acc.close(); g != nil {
				c.sendList(g)
			}
			close(c.sent)
		case <-c.quit:
			c.abandon()
			return
		}
	}
}

func (c *client) sendAll() {
	for g := c.acc.drain(); g != nil; g = c.acc.drain() {
		c.sendList(g)
	}
}

func (c *client) sendList(g *group) {
	now := time.Now()
	k := c.kgo.Load()
	g.since = now // one of many is enough, and the clock is not free
	for g != nil {
		next := g.next // g may be used again as soon as its last record is produced
		c.send(k, g, now)
		g = next
	}
}

func (c *client) send(k *kgo.Client, g *group, now time.Time) {
	d := c.times[g.topic.deliveryTimeout]
	if d == nil {
		d = newDeadlines(g.topic.deliveryTimeout)
		c.times[g.topic.deliveryTimeout] = d
	}
	g.until = d.context(now)
	g.gen = c.gen.Load()
	shelf := c.shelf(g.topic)
	slots := g.slots
	c.book.gate.Lock()
	defer c.book.gate.Unlock()
	for i := range slots {
		s := &slots[i]
		if s.Timestamp.IsZero() {
			s.Timestamp = now // kgo would read the clock for every record
		}
		if g.topic.turning.Load() {
			s.fail(errBehind, false)
			continue
		}
		l := shelf.ledger(s.Partition)
		s.ledger = l
		if l.held.Load() {
			c.keep(l, s)
			continue
		}
		if l.fresh || l.lost.Load() {
			c.place(k, l)
		}
		c.give(k, l, s)
	}
}

func (c *client) shelf(t *Topic) *shelf {
	if t.shelved != c.book {
		t.shelf, t.shelved = c.book.shelf(t.name), c.book
	}
	return t.shelf
}

// failed is called from a promise when the kgo client of generation gen said that it will not work again.
func (c *client) failed(gen int64, cause error) {
	select {
	case c.fatal <- fatal{gen, cause}:
	default: // one report is enough
	}
}

// recreated is called from a promise when a topic turned out to have another id: it was deleted and created again.
func (c *client) recreated(topic string) {
	select {
	case c.purge <- topic:
	default: // the next failure asks again
	}
}

// forget makes kgo load a topic afresh; it would refuse to produce to one with a new id for ever (KIP-516).
func (c *client) forget(topic string) {
	if time.Since(c.purged[topic]) < purgeInterval {
		return
	}
	c.purged[topic] = time.Now()
	c.log.Warn("topic was deleted and created again", "topic", topic)
	for _, l := range *c.book.shelf(topic).parts.Load() {
		l.fresh = true
		l.lose() // kgo numbers its batches afresh, without a new epoch
	}
	c.kgo.Load().PurgeTopicsFromProducing(topic)
}

// replace puts a fresh kgo client in the place of the one that failed. The old one may finish what it has.
func (c *client) replace(f fatal) {
	if f.gen != c.gen.Load() || time.Since(c.replaced) < replaceInterval {
		return
	}
	old := c.kgo.Load()
	k, b, err := c.open()
	if err != nil {
		c.log.Error("cannot replace the kafka client", "client.id", c.props.ClientID, "cause", f.cause, "error", err)
		return
	}
	c.replaced = time.Now()
	c.gen.Add(1)
	c.kgo.Store(k)
	c.book = b
	c.move()
	c.log.Warn("kafka client replaced", "client.id", c.props.ClientID, "cause", f.cause)
	c.retired.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.props.RequestTimeout)
		defer cancel()
		_ = old.Flush(ctx) // what cannot be flushed fails at Close, with its own Ack
		old.Close()
	})
}

// flush waits until everything that was appended before has its Ack, or ctx ends.
func (c *client) flush(ctx context.Context) error {
	reply := make(chan struct{})
	select {
	case c.flushes <- reply:
		<-reply
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.settled(ctx)
}

// close refuses new records, waits until what was appended has its Acks or ctx ends, and closes the kgo client. What has no
// Ack by then gets one that says whether it may be stored. It returns how many there were.
func (c *client) close(ctx context.Context) (lost int64) {
	close(c.stop)
	<-c.sent
	_ = c.settled(ctx) // what is left fails below, with its own Ack
	k := c.kgo.Load()
	lost = k.BufferedProduceRecords() + c.kept.Load()
	close(c.quit)
	<-c.done
	k.Close()
	c.retired.Wait()
	return lost
}
