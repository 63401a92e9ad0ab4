package kafkatest

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

// nodes is a running cluster. It knows no test, because the tests of a package may share it.
type nodes struct {
	dist    distribution
	brokers []*broker // brokers[i] has the id i+1
}

func startNodes(dist distribution, dir string, n int, o options) (*nodes, error) {
	for range portTries {
		c, err := tryNodes(dist, dir, n, o)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, errPortTaken) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no free ports after %d tries", portTries)
}

func tryNodes(dist distribution, dir string, n int, o options) (*nodes, error) {
	c := &nodes{dist: dist}
	ports, err := freePorts(2 * n)
	if err != nil {
		return nil, err
	}
	for i := range n {
		b := &broker{
			id: i + 1, port: ports[2*i], ctrlPort: ports[2*i+1],
			dir: filepath.Join(dir, "broker-"+strconv.Itoa(i+1)), dist: dist, jvm: o.jvm,
		}
		if err := os.RemoveAll(b.dir); err != nil {
			return nil, err
		}
		c.brokers = append(c.brokers, b)
	}
	id := clusterID()
	err = c.each(c.brokers, func(b *broker) error { return b.format(id, b.properties(c.brokers, o.properties)) })
	if err == nil {
		err = c.run(c.brokers)
	}
	if err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// run launches the brokers and waits until all of them serve.
func (c *nodes) run(brokers []*broker) error {
	for _, b := range brokers {
		if err := b.launch(); err != nil {
			return err
		}
	}
	return c.each(brokers, (*broker).wait)
}

// each calls f for every broker at the same time.
func (c *nodes) each(brokers []*broker, f func(*broker) error) error {
	errs := make([]error, len(brokers))
	var wg sync.WaitGroup
	for i, b := range brokers {
		wg.Go(func() { errs[i] = f(b) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// heal brings every broker back to work, whatever a test did to it.
func (c *nodes) heal() error {
	var dead []*broker
	for _, b := range c.brokers {
		if !b.alive() {
			dead = append(dead, b)
		} else if err := b.proc.resume(); err != nil {
			return err
		}
	}
	return c.run(dead)
}

func (c *nodes) stop() {
	for _, b := range c.brokers {
		if b.proc != nil {
			b.proc.kill()
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

// freePorts finds n ports that nobody listens on now.
func freePorts(n int) ([]int, error) {
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
