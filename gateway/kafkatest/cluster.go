package kafkatest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/localkafka"
)

const (
	startTimeout = 2 * time.Minute // of topics, on a busy machine
	pollInterval = 50 * time.Millisecond
)

// Cluster is a real Apache Kafka in KRaft mode, on free loopback ports. Its methods fail the test they were made for, so
// they belong to that test's goroutine. Brokers have the ids 1 to n.
type Cluster struct {
	t      testing.TB
	nodes  *localkafka.Cluster
	client []kgo.Opt
}

type options struct {
	nodes  localkafka.Options
	client []kgo.Opt
}

// Option changes what Start starts.
type Option func(*options)

// Property sets a line of every broker's server.properties, also one that Start would set otherwise.
func Property(key, value string) Option {
	return func(o *options) { o.nodes.Properties[key] = value }
}

// JVM adds flags to the command line of every broker; later flags win. Throughput is measured with
// JVM("-XX:TieredStopAtLevel=4"): brokers otherwise use the fast-starting compiler only.
func JVM(flags ...string) Option {
	return func(o *options) { o.nodes.JVM = append(o.nodes.JVM, flags...) }
}

// ClientOpts says how CreateTopic connects, for a cluster whose listener was given another security protocol.
func ClientOpts(opts ...kgo.Opt) Option {
	return func(o *options) { o.client = append(o.client, opts...) }
}

// Advertise tells clients to come by way of addrs, one for each broker: a proxy that leads to ClientAddr. Clients of Bootstrap are
// not told.
func Advertise(addrs ...string) Option {
	return func(o *options) { o.nodes.Advertise = addrs }
}

// Start starts a Kafka of 1 or more brokers that lives as long as the test, with its data in t.TempDir().
func Start(t testing.TB, brokers int, opts ...Option) *Cluster {
	t.Helper()
	dist := Distribution(t)
	o := options{nodes: localkafka.Options{Properties: map[string]string{}}}
	for _, opt := range opts {
		opt(&o)
	}
	dir := t.TempDir() // before Cleanup: the brokers have to be gone when it is removed
	nodes, err := localkafka.Start(dist, dir, brokers, o.nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nodes.Stop)
	return &Cluster{t, nodes, o.client}
}

// Distribution is the Kafka of this machine. Without one it ends the test as Missing does, and it skips under -short, which is
// for tests that need only Go.
func Distribution(t testing.TB) localkafka.Distribution {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves the real Kafka out")
	}
	dist, err := findDistribution()
	if err != nil {
		Missing(t, "%v", err)
	}
	return dist
}

// Bootstrap is the host:port of every broker, in the order of their ids, also of those that are down.
func (c *Cluster) Bootstrap() []string { return c.nodes.Bootstrap() }

// ClientAddr is where what Advertise names for a broker has to lead to.
func (c *Cluster) ClientAddr(id int) string { return c.broker(id).ClientAddr() }

// Pause stops a broker's process where it stands (SIGSTOP): its connections stay open and nothing answers.
func (c *Cluster) Pause(id int) {
	c.t.Helper()
	c.check(c.up(id).Pause())
}

// Resume lets a paused broker go on.
func (c *Cluster) Resume(id int) {
	c.t.Helper()
	c.check(c.up(id).Resume())
}

// Kill ends a broker at once (SIGKILL).
func (c *Cluster) Kill(id int) {
	c.t.Helper()
	c.up(id).Kill()
}

// Term ends a broker in order (SIGTERM): it hands its leaderships over first.
func (c *Cluster) Term(id int) {
	c.t.Helper()
	c.check(c.up(id).Term())
}

// Restart starts brokers that are down, on the data they had, and waits until they serve. To get a cluster back that
// lost its majority, restart enough of them in one call.
func (c *Cluster) Restart(ids ...int) {
	c.t.Helper()
	var down []*localkafka.Broker
	for _, id := range ids {
		b := c.broker(id)
		if b.Alive() {
			c.t.Fatalf("broker %d is up", id)
		}
		down = append(down, b)
	}
	c.check(c.nodes.Run(down))
}

// Log is everything a broker has written to its log.
func (c *Cluster) Log(id int) string {
	c.t.Helper()
	return string(c.broker(id).Log())
}

// CreateTopic creates a topic and waits until every partition has all its replicas in sync.
// A partition count or replication of -1 takes the brokers' default; configs may be nil.
func (c *Cluster) CreateTopic(name string, partitions, replication int, configs map[string]string) {
	c.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.Bootstrap()...)}, c.client...)...)
	c.check(err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), startTimeout)
	defer cancel()
	values := make(map[string]*string, len(configs))
	for k, v := range configs {
		values[k] = &v
	}
	adm := kadm.NewClient(cl)
	_, err = adm.CreateTopic(ctx, int32(partitions), int16(replication), values, name)
	c.check(err)
	c.check(awaitInSync(ctx, adm, name))
}

func awaitInSync(ctx context.Context, adm *kadm.Client, topic string) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("topic "+topic+" did not get in sync"), ctx.Err())
		case <-poll.C:
			topics, err := adm.ListTopics(ctx, topic)
			if err == nil && inSync(topics[topic]) {
				return nil
			}
		}
	}
}

func inSync(t kadm.TopicDetail) bool {
	for _, p := range t.Partitions {
		if p.Err != nil || p.Leader < 0 || len(p.ISR) != len(p.Replicas) {
			return false
		}
	}
	return t.Err == nil && len(t.Partitions) > 0
}

func (c *Cluster) broker(id int) *localkafka.Broker {
	c.t.Helper()
	if id < 1 || id > len(c.nodes.Brokers()) {
		c.t.Fatalf("no broker %d: there are 1 to %d", id, len(c.nodes.Brokers()))
	}
	return c.nodes.Broker(id)
}

func (c *Cluster) up(id int) *localkafka.Broker {
	c.t.Helper()
	b := c.broker(id)
	if !b.Alive() {
		c.t.Fatalf("broker %d is down:\n%s", id, b.Tail())
	}
	return b
}

func (c *Cluster) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
