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

// Cluster is one Kafka cluster: the clients that produce to it and what is known of its topics.
type Cluster struct {
	log    *slog.Logger
	base   []kgo.Opt
	tls    *tls.Config
	admin  *kgo.Client
	meta   *metadata
	limits *limits
	groups groupPool
	open   atomic.Int64 // records accepted and not yet acknowledged

	transactions *Transactions // nil if there are none

	mu      sync.Mutex
	clients map[clientKey]*client
	wg      sync.WaitGroup
	cancel  context.CancelFunc
	ctx     context.Context //nolint:containedctx // the lifetime of the goroutines that Topic starts later
}

// New connects to nothing yet; it fails only when the settings are impossible.
func New(k config.Kafka, log *slog.Logger) (*Cluster, error) {
	base, tc, err := baseOptions(k, log)
	if err != nil {
		return nil, err
	}
	opts := append([]kgo.Opt{kgo.ClientID("sluice-admin"), kgo.RetryTimeout(metadataTimeout)}, base...)
	if tc != nil {
		opts = append(opts, kgo.DialTLSConfig(tc))
	}
	admin, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	c := &Cluster{log: log, base: base, tls: tc, admin: admin, clients: make(map[clientKey]*client)}
	c.meta = newMetadata(admin, k.MetadataMaxAge, k.AutoCreateTopics, log)
	c.limits = newLimits(admin, log)
	c.meta.fresh = func(t *Topic) { c.limits.ask(t) }
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(func() { c.meta.run(c.ctx) })
	c.wg.Go(func() { c.limits.run(c.ctx) })
	return c, nil
}

// Topic makes the producing side of one topic. It is to be closed with Retire.
func (c *Cluster) Topic(cfg config.Topic) (*Topic, error) { return c.topic(cfg, false) }

func (c *Cluster) topic(cfg config.Topic, patient bool) (*Topic, error) {
	t := &Topic{
		name: cfg.Name, props: cfg.Producer, cluster: c,
		budget: newBudget(cfg.Producer.BufferMemory, cfg.Producer.BufferRecords), closed: make(chan struct{}),
		deliveryTimeout: cfg.Producer.DeliveryTimeout, offsetUnknown: cfg.Producer.Acks == 0,
	}
	t.load.on = cfg.Producer.AdaptivePartitioning && (cfg.Partitioner == "uniform-bytes" || cfg.Partitioner == "murmur2")
	t.load.timed = cfg.Producer.AvailabilityTimeout > 0
	c.mu.Lock()
	defer c.mu.Unlock()
	key := clientKey{clientWide(cfg.Producer), patient}
	cl := c.clients[key]
	if cl == nil {
		var err error
		if cl, err = newClient(key, c.base, c.tls, newTap(c.meta), c.log); err != nil {
			return nil, err
		}
		c.clients[key] = cl
		c.wg.Go(cl.run)
	}
	cl.topics++
	t.client = cl
	return t, nil
}

// Retire gives a topic up that gets no more records. Its client is closed with its last topic, once that is flushed or ctx
// ends. It returns the number of records that were given up.
func (c *Cluster) Retire(ctx context.Context, t *Topic) (lost int64) {
	t.retired.Store(true)
	c.mu.Lock()
	t.client.topics--
	last := t.client.topics == 0
	if last {
		delete(c.clients, t.client.key)
	}
	c.mu.Unlock()
	if last {
		return t.client.close(ctx)
	}
	return 0
}

// Ready is nil if the cluster answers until ctx ends, or metadataTimeout; else the reason why not. What it did within readyAge counts.
func (c *Cluster) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	return c.meta.reachable(ctx)
}

// Reach is Ready of this moment: what the cluster did a second ago does not count.
func (c *Cluster) Reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	return c.meta.reach(ctx)
}

// Open is the number of records that were accepted and have no Ack yet.
func (c *Cluster) Open() int64 { return c.open.Load() }

// Client is one Kafka client as metrics see it.
type Client struct {
	ID           string // client.id
	Wire         *WireStats
	Replacements int64 // of the kgo client, because it failed for good
}

// Clients returns the clients in use; all those of transactions are one.
func (c *Cluster) Clients() []Client {
	all := c.all()
	out := make([]Client, len(all))
	for i, cl := range all {
		out[i] = Client{cl.props.ClientID, &cl.tap.Stats, cl.gen.Load()}
	}
	if p := c.transactions; p != nil {
		out = append(out, Client{p.producer().ClientID, &p.tap.Stats, 0})
	}
	return out
}

// Answered is when the cluster answered a metadata request for the last time, and with which error.
func (c *Cluster) Answered() (time.Time, error) {
	s := c.meta.state.Load()
	return s.at, s.err
}

// Flush waits until every accepted record has its Ack, or ctx ends. Nothing may be appended meanwhile.
func (c *Cluster) Flush(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, cl := range c.all() {
		wg.Go(func() { _ = cl.flush(ctx) }) // Open tells what is left
	}
	if c.transactions != nil {
		wg.Go(func() { c.transactions.drain(ctx) })
	}
	wg.Wait()
	return ctx.Err()
}

// Close ends all clients; records without an Ack get one that says that their outcome is unknown.
func (c *Cluster) Close() {
	c.mu.Lock()
	clients := c.clients
	c.clients = make(map[clientKey]*client)
	c.mu.Unlock()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	for _, cl := range clients {
		cl.close(now)
	}
	if c.transactions != nil {
		c.transactions.close()
	}
	c.cancel()
	c.wg.Wait()
	c.admin.Close()
}

func (c *Cluster) all() []*client {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*client, 0, len(c.clients))
	for _, cl := range c.clients {
		all = append(all, cl)
	}
	return all
}
