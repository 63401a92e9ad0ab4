package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// party is the children of one run, and how to start them. Its methods are used by one goroutine.
type party struct {
	load     loadOptions
	kafka    kafkaOptions
	children []*child
	dir      string // for Sluice's configuration
}

// newParty prepares a run; stop must be called at its end.
func newParty(o *options) (*party, error) {
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return nil, err
	}
	p := &party{load: o.load, kafka: o.kafka, dir: dir}
	p.kafka.BufferMemory = o.kafka.memory()
	p.kafka.BrokerRate = max(o.kafka.BrokerRate, 0)
	return p, nil
}

// stop ends all children, the last one first, so that no one loses what it depends on.
func (p *party) stop() {
	for _, c := range slices.Backward(p.children) {
		c.stop()
	}
	_ = os.RemoveAll(p.dir) // a directory left behind in the temporary directory does no harm
}

// alive is nil while all children run.
func (p *party) alive() error {
	for _, c := range p.children {
		if err := c.alive(); err != nil {
			return err
		}
	}
	return nil
}

func (p *party) start(ctx context.Context, name string, args ...string) (*child, error) {
	c, err := startChild(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	p.children = append(p.children, c)
	return c, nil
}

// broker makes sure that there is a broker with the topic: the given one, or a child that stores nothing.
func (p *party) broker(ctx context.Context) error {
	topic := p.load.shape.topic
	if p.kafka.Bootstrap != "" {
		return ensureTopic(ctx, p.kafka.Bootstrap, topic, p.kafka.Partitions)
	}
	c, err := p.start(ctx, "broker", "bench", "__broker", "--topic", topic,
		"--partitions", strconv.Itoa(p.kafka.Partitions), "--rate", strconv.FormatInt(p.kafka.BrokerRate, 10))
	if err != nil {
		return err
	}
	p.kafka.Bootstrap, err = c.firstLine(p.kafka.startTimeout)
	return err
}

// nothing starts the do-nothing server.
func (p *party) nothing(ctx context.Context) (*url.URL, account, error) {
	c, err := p.start(ctx, "do-nothing server", "bench", "__nothing", "--topic", p.load.shape.topic)
	if err != nil {
		return nil, nil, err
	}
	address, err := c.firstLine(p.kafka.startTimeout)
	return &url.URL{Scheme: "http", Host: address}, c.account(), err
}

// sluice starts `sluice serve` against the broker and waits until it is ready.
func (p *party) sluice(ctx context.Context, s sluiceSettings) (*url.URL, account, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, nil, err
	}
	s.topic, s.kafka, s.listen, s.admin, s.dir = p.load.shape.topic, p.kafka, ports[0], ports[1], p.dir
	file := filepath.Join(p.dir, "sluice.toml")
	if err := os.WriteFile(file, s.toml(), 0o600); err != nil {
		return nil, nil, err
	}
	c, err := p.start(ctx, "sluice serve", "serve", "--config", file)
	if err != nil {
		return nil, nil, err
	}
	base := &url.URL{Scheme: "http", Host: s.listen}
	return base, c.account(), c.ready(ctx, base.String()+"/readyz", p.kafka.startTimeout)
}

// tight runs the loop on kgo to its end.
func (p *party) tight(ctx context.Context) ([]byte, error) {
	l := p.load
	args := append([]string{"bench", "__kgo"}, p.kafka.args()...)
	args = append(args, "--topic", l.shape.topic, "--size", strconv.Itoa(l.shape.size), "--keys", strconv.Itoa(l.shape.keys),
		"--duration", l.duration.String(), "--warmup", l.warmup.String())
	c, err := startChild(ctx, "kgo in a tight loop", args...)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	return c.rest()
}

// args are the settings as flags, for a child.
func (o *kafkaOptions) args() []string {
	return []string{
		"--bootstrap-servers", o.Bootstrap, "--linger-ms", strconv.Itoa(o.LingerMs),
		"--batch-size", strconv.Itoa(o.BatchSize), "--max-request-size", strconv.Itoa(o.MaxRequestSize),
		"--compression", o.Compression, "--acks", o.Acks, "--buffer-memory", strconv.FormatInt(o.memory(), 10),
	}
}

// ready waits until url answers 200.
func (c *child) ready(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := http.Client{Timeout: time.Second}
	last := "no answer"
	for pause := newPause(); ; {
		if err := c.alive(); err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				client.CloseIdleConnections()
				return nil
			}
			last = resp.Status
		}
		if !pause.sleep(ctx, 20*time.Millisecond) {
			return fmt.Errorf("%s is not ready after %v: %s answers %s; its last words:\n%s", c.name, timeout, url, last, c.stderr)
		}
	}
}

// freePorts finds loopback addresses that nobody listens on. Somebody else may take one before it is used; then the
// server that wanted it says so.
func freePorts(n int) ([]string, error) {
	var addrs []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // only at the end, so that all of them differ
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs, nil
}

// sluiceSettings are what a Sluice started here is configured with.
type sluiceSettings struct {
	topic          string
	kafka          kafkaOptions
	listen, admin  string
	dir            string // for what it keeps
	maxBlockMs     int
	maxConnections int
}

// toml is the configuration file. It names every setting that matters for speed, so that no default can change a comparison.
func (s sluiceSettings) toml() []byte {
	k := s.kafka
	servers := make([]string, 0, 1)
	for server := range strings.SplitSeq(k.Bootstrap, ",") {
		servers = append(servers, strconv.Quote(server))
	}
	b := fmt.Appendf(nil, "[kafka]\nbootstrap.servers = [%s]\n\n", strings.Join(servers, ", "))
	b = fmt.Appendf(b, "[http]\nlisten = %q\n", s.listen)
	if s.maxConnections > 0 {
		b = fmt.Appendf(b, "max.connections = %d\n", s.maxConnections)
	}
	b = fmt.Appendf(b, "\n[admin]\nlisten = %q\n", s.admin)
	b = fmt.Appendf(b, "\n[wasm]\nregistry.dir = %q\ncache.dir = %q\n\n[producer]\n", filepath.Join(s.dir, "modules"), filepath.Join(s.dir, "wasm-cache"))
	b = fmt.Appendf(b, "acks = %q\nenable.idempotence = %t\nlinger.ms = %d\nbatch.size = %d\nmax.request.size = %d\n",
		k.Acks, k.Idempotence, k.LingerMs, k.BatchSize, k.MaxRequestSize)
	b = fmt.Appendf(b, "compression.type = %q\nbuffer.memory = %d\nmax.block.ms = %d\n\n[topics.%q]\n",
		k.Compression, k.memory(), s.maxBlockMs, s.topic)
	for _, line := range k.TopicSettings {
		b = fmt.Appendf(b, "%s\n", line)
	}
	return b
}
