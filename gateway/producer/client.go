package producer

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
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
	props  config.Producer // client-wide
	base   []kgo.Opt
	tls    *tls.Config
	log    *slog.Logger
	tap    *tap
	acc    *accumulator
	kgo    atomic.Pointer[kgo.Client]
	topics int // that use it; guarded by Cluster.mu

	flushes chan chan struct{}
	stop    chan struct{}
	done    chan struct{}

	// What follows belongs to the sender, but for gen and retired.
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

func newClient(p config.Producer, base []kgo.Opt, tc *tls.Config, t *tap, log *slog.Logger) (*client, error) {
	c := &client{
		props: p, base: base, tls: tc, log: log, tap: t,
		acc: newAccumulator(), flushes: make(chan chan struct{}),
		fatal: make(chan fatal, 1), purge: make(chan string, 1), purged: make(map[string]time.Time),
		stop: make(chan struct{}), done: make(chan struct{}),
		times: make(map[time.Duration]*deadlines),
	}
	k, err := c.open()
	if err != nil {
		return nil, err
	}
	c.kgo.Store(k)
	return c, nil
}

func (c *client) open() (*kgo.Client, error) {
	opts := append([]kgo.Opt{}, c.base...)
	opts = append(opts, produceOptions(c.props)...)
	opts = append(opts, kgo.Dialer(newDialer(c.props, c.tls, c.tap.wrap).dial), kgo.WithHooks(c.tap))
	k, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client %q: %w", c.props.ClientID, err)
	}
	return k, nil
}

// run is the sender: it hands what was appended to kgo. It alone calls Produce, so kgo's locks are uncontended, and it
// never blocks, because kgo's buffer has no limit of its own.
func (c *client) run() {
	defer close(c.done)
	for {
		c.sendAll()
		select {
		case <-c.acc.wake:
		case f := <-c.fatal:
			c.replace(f)
		case topic := <-c.purge:
			c.forget(topic)
		case reply := <-c.flushes:
			c.sendAll()
			close(reply)
		case <-c.stop:
			if g := c.acc.close(); g != nil {
				c.sendList(g)
			}
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
	ctx := d.context(now)
	g.gen = c.gen.Load()
	slots := g.slots
	for i := range slots {
		if slots[i].Timestamp.IsZero() {
			slots[i].Timestamp = now // kgo would read the clock for every record
		}
		k.Produce(ctx, &slots[i].Record, slots[i].promise)
	}
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
	c.kgo.Load().PurgeTopicsFromProducing(topic)
}

// replace puts a fresh kgo client in the place of the one that failed. The old one may finish what it has.
func (c *client) replace(f fatal) {
	if f.gen != c.gen.Load() || time.Since(c.replaced) < replaceInterval {
		return
	}
	old := c.kgo.Load()
	k, err := c.open()
	if err != nil {
		c.log.Error("cannot replace the kafka client", "client.id", c.props.ClientID, "cause", f.cause, "error", err)
		return
	}
	c.replaced = time.Now()
	c.gen.Add(1)
	c.kgo.Store(k)
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
	return c.kgo.Load().Flush(ctx)
}

// close ends the sender, waits until what it handed over has its Acks or ctx ends, and closes the kgo client. What has no Ack
// by then gets one that says the outcome is unknown. Nothing can be appended once the sender has ended, so a record that
// came at the last moment is either turned back or flushed.
func (c *client) close(ctx context.Context) (lost int64) {
	close(c.stop)
	<-c.done
	k := c.kgo.Load()
	_ = k.Flush(ctx) // what is left fails at Close, with its own Ack
	lost = k.BufferedProduceRecords()
	k.Close()
	c.retired.Wait()
	return lost
}
