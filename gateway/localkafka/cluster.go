package localkafka

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// portTries is how often a cluster is started anew because a port was taken.
const portTries = 5

// The ports are below the range from which Linux and macOS take the ports of outgoing connections, so that none of those
// takes the port of a broker that is down for a moment.
const firstPort, lastPort = 20000, 32000

// Options changes what Start starts.
type Options struct {
	Properties map[string]string // lines of every broker's server.properties, also ones that Start would set otherwise
	JVM        []string          // flags of every broker's command line; later flags win
	Advertise  []string          // the host:port of each broker that a second listener, for clients, advertises: a proxy's
}

// Cluster is a running Kafka. It may be shared, but only one goroutine at a time may change it.
type Cluster struct {
	Dist    Distribution
	brokers []*Broker // brokers[i] has the id i+1
}

// Start starts a cluster of n brokers with the ids 1 to n, on free loopback ports, with its data in dir.
func Start(dist Distribution, dir string, n int, o Options) (*Cluster, error) {
	for range portTries {
		c, err := try(dist, dir, n, o)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, errPortTaken) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no free ports after %d tries", portTries)
}

func try(dist Distribution, dir string, n int, o Options) (*Cluster, error) {
	c := &Cluster{Dist: dist}
	ports, err := FreePorts(3 * n)
	if err != nil {
		return nil, err
	}
	for i := range n {
		b := &Broker{
			id: i + 1, port: ports[3*i], ctrlPort: ports[3*i+1], clientPort: ports[3*i+2],
			dir: filepath.Join(dir, "broker-"+strconv.Itoa(i+1)), dist: dist, jvm: o.JVM,
		}
		if len(o.Advertise) > 0 {
			b.advertised = o.Advertise[i]
		}
		if err := os.RemoveAll(b.dir); err != nil {
			return nil, err
		}
		c.brokers = append(c.brokers, b)
	}
	id := clusterID()
	err = c.each(c.brokers, func(b *Broker) error { return b.format(id, b.properties(c.brokers, o.Properties)) })
	if err == nil {
		err = c.Run(c.brokers)
	}
	if err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// Brokers are all brokers in the order of their ids.
func (c *Cluster) Brokers() []*Broker { return c.brokers }

// Broker is the one with that id, from 1 on.
func (c *Cluster) Broker(id int) *Broker { return c.brokers[id-1] }

// Bootstrap is the host:port of every broker in the order of their ids, also of those that are down.
func (c *Cluster) Bootstrap() []string {
	addrs := make([]string, len(c.brokers))
	for i, b := range c.brokers {
		addrs[i] = b.Addr()
	}
	return addrs
}

// Run launches the brokers and waits until all of them serve.
func (c *Cluster) Run(brokers []*Broker) error {
	for _, b := range brokers {
		if err := b.launch(); err != nil {
			return err
		}
	}
	return c.each(brokers, (*Broker).wait)
}

// each calls f for every broker at the same time.
func (c *Cluster) each(brokers []*Broker, f func(*Broker) error) error {
	errs := make([]error, len(brokers))
	var wg sync.WaitGroup
	for i, b := range brokers {
		wg.Go(func() { errs[i] = f(b) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Heal brings every broker back to work, whatever was done to it.
func (c *Cluster) Heal() error {
	var dead []*Broker
	for _, b := range c.brokers {
		if !b.Alive() {
			dead = append(dead, b)
		} else if err := b.Resume(); err != nil {
			return err
		}
	}
	return c.Run(dead)
}

// Stop kills all brokers.
func (c *Cluster) Stop() {
	for _, b := range c.brokers {
		if b.proc != nil {
			b.Kill()
		}
	}
}

// clusterID makes a random id as Kafka writes it: 16 bytes in URL-safe base64, not starting with a dash.
func clusterID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, says its documentation
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id)
}

// FreePorts finds n ports that nobody listens on now, none of which an outgoing connection gets.
func FreePorts(n int) ([]int, error) {
	var ports []int
	for range 100 * n {
		port := firstPort + mathrand.IntN(lastPort-firstPort)
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer ln.Close() // held until all are found, so that none comes twice
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("fewer than %d free ports from %d to %d", n, firstPort, lastPort)
}
