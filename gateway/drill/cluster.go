package drill

import (
	"errors"
	"sync"

	"sluice/gateway/localkafka"
)

// brokers is how many a drill has: enough that one may be missing.
const brokers = 3

// cluster is a real Kafka, of which the gateway knows the proxies only. Faults that overlap may ask for what cannot be
// done, like pausing a broker that is down; that is left out.
type cluster struct {
	kafka   *localkafka.Cluster
	proxies []*proxy
	busy    [brokers]sync.Mutex // held while the process of a broker is changed

	mu   sync.Mutex
	back []int64 // when a broker was up again
}

func startCluster(dist localkafka.Distribution, dir string) (*cluster, error) {
	c := &cluster{}
	var advertise []string
	for range brokers {
		p, err := newProxy()
		if err != nil {
			c.close()
			return nil, err
		}
		c.proxies = append(c.proxies, p)
		advertise = append(advertise, p.addr())
	}
	kafka, err := localkafka.Start(dist, dir, brokers, localkafka.Options{
		Advertise: advertise,
		Properties: map[string]string{
			"auto.create.topics.enable":                                   "false", // else a topic that is deleted is back at once
			"transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
		},
	})
	if err != nil {
		c.close()
		return nil, err
	}
	c.kafka = kafka
	for i, b := range kafka.Brokers() {
		c.proxies[i].forwardTo(b.ClientAddr())
	}
	return c, nil
}

func (c *cluster) close() {
	for _, p := range c.proxies {
		p.close()
	}
	if c.kafka != nil {
		c.kafka.Stop()
	}
}

// bootstrap is what the gateway is told.
func (c *cluster) bootstrap() []string {
	addrs := make([]string, len(c.proxies))
	for i, p := range c.proxies {
		addrs[i] = p.addr()
	}
	return addrs
}

func (c *cluster) weather(w weather) {
	for _, p := range c.proxies {
		p.set(w)
	}
}

func (c *cluster) resets() {
	for _, p := range c.proxies {
		p.reset()
	}
}

// try does something to a broker that is up and not being changed.
func (c *cluster) try(id int, do func(*localkafka.Broker) error) error {
	if !c.busy[id-1].TryLock() {
		return nil
	}
	defer c.busy[id-1].Unlock()
	if b := c.kafka.Broker(id); b.Alive() {
		return do(b)
	}
	return nil
}

func (c *cluster) pause(ids ...int) error { return c.each(ids, (*localkafka.Broker).Pause) }

func (c *cluster) resume(ids ...int) error { return c.each(ids, (*localkafka.Broker).Resume) }

func (c *cluster) kill(ids ...int) error {
	return c.each(ids, func(b *localkafka.Broker) error { b.Kill(); return nil })
}

func (c *cluster) each(ids []int, do func(*localkafka.Broker) error) error {
	errs := make([]error, len(ids))
	for i, id := range ids {
		errs[i] = c.try(id, do)
	}
	return errors.Join(errs...)
}

func (c *cluster) term(id int) error { return c.try(id, (*localkafka.Broker).Term) }

// restart starts those of the brokers that are down, all at the same time, because one alone may wait for its majority.
func (c *cluster) restart(ids ...int) error {
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			c.busy[id-1].Lock()
			defer c.busy[id-1].Unlock()
			if b := c.kafka.Broker(id); !b.Alive() {
				errs[i] = c.kafka.Run([]*localkafka.Broker{b})
				c.mu.Lock()
				defer c.mu.Unlock()
				c.back = append(c.back, now())
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// heal undoes whatever was done.
func (c *cluster) heal() error {
	c.weather(weather{})
	all := []int{1, 2, 3}
	return errors.Join(c.resume(all...), c.restart(all...))
}
