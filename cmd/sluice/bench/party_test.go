package bench

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/gateway/config"
)

func TestSluiceUnderstandsItsConfiguration(t *testing.T) {
	s := sluiceSettings{
		topic: "my.topic", listen: "127.0.0.1:1234", admin: "127.0.0.1:1235", maxBlockMs: 0, maxConnections: 77,
		kafka: kafkaOptions{
			Bootstrap: "127.0.0.1:9092,127.0.0.1:9093", LingerMs: 7, BatchSize: 1000, MaxRequestSize: 2000, Compression: "lz4",
			Acks: "all", Idempotence: true, BufferMemory: 5 << 20, TopicSettings: []string{`partitioner = "crc32"`},
		},
	}
	file := filepath.Join(t.TempDir(), "sluice.toml")
	if err := os.WriteFile(file, s.toml(), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.toml())
	}
	if len(cfg.Kafka.Bootstrap) != 2 || cfg.HTTP.Listen != s.listen || cfg.Admin.Listen != s.admin || cfg.HTTP.MaxConnections != 77 {
		t.Errorf("kafka %+v, http %+v, admin %+v", cfg.Kafka, cfg.HTTP, cfg.Admin)
	}
	topic, found := cfg.Topic("my.topic")
	if !found {
		t.Fatalf("the topic is not configured:\n%s", s.toml())
	}
	p := topic.Producer
	if p.Acks != -1 || !p.Idempotence || p.Linger != 7*time.Millisecond || p.BatchSize != 1000 || p.MaxRequestSize != 2000 ||
		p.Compression.Type != "lz4" || p.BufferMemory != 5<<20 || p.MaxBlock != 0 || topic.Partitioner != "crc32" {
		t.Errorf("topic %+v", topic)
	}
}

func TestPartyStopsAllItStarted(t *testing.T) {
	t.Setenv(asSluice, "1")
	p, err := newParty(&options{load: loadOptions{shape: shape{topic: "t"}}, kafka: kafkaOptions{Partitions: 1, startTimeout: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if err := p.broker(t.Context()); err != nil || !strings.HasPrefix(p.kafka.Bootstrap, "127.0.0.1:") {
		t.Fatalf("broker at %q, %v", p.kafka.Bootstrap, err)
	}
	if _, _, err := p.nothing(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.alive(); err != nil {
		t.Error(err)
	}
	p.stop()
	for _, c := range p.children {
		if c.alive() == nil {
			t.Errorf("%s is still there", c.name)
		}
	}
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Errorf("the directory of the configuration is still there: %v", err)
	}
}

func TestAServerThatIsNotReadyIsQuoted(t *testing.T) {
	c := start(t, "bench", "__broker")
	firstLine(t, c)
	ports, err := freePorts(2)
	if err != nil || ports[0] == ports[1] {
		t.Fatal(ports, err)
	}
	if err := c.ready(t.Context(), "http://"+ports[0], 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "not ready after 50ms") {
		t.Errorf("error %v; want that it is not ready", err)
	}
	c.stop()
	if err := c.ready(t.Context(), "http://"+ports[0], time.Minute); err == nil || strings.Contains(err.Error(), "not ready") {
		t.Errorf("error %v; want at once that it has ended", err)
	}
}

func TestIdleConnectionsStayOpen(t *testing.T) {
	onLinux(t)
	c := start(t, "bench", "__nothing")
	b := &bench{options: options{idle: 200, load: loadOptions{shape: shape{topic: "t", dialect: dialectRaw, records: 1, size: 10}}}}
	base := &url.URL{Scheme: "http", Host: firstLine(t, c)}
	conns := make([]*conn, b.idle)
	if err := openAll(t.Context(), conns, base.Host, newRequest(base, b.load.shape)); err != nil {
		t.Fatal(err)
	}
	for i, c := range conns {
		if c.nc == nil {
			t.Fatalf("connection %d is not open", i)
		}
	}
	closeAll(conns)
	report, err := b.measureIdle(t.Context(), base, c.account())
	if err != nil {
		t.Fatal(err)
	}
	if report.Connections != 200 || report.Before <= 0 || report.After <= 0 {
		t.Errorf("report %+v", report)
	}
}

func TestManyConnectionsUseManyAddresses(t *testing.T) {
	f := func(address string, i int, want string) {
		t.Helper()
		got := ""
		if a := sourceOf(address, i); a != nil {
			got = a.String()
		}
		if got != want {
			t.Errorf("sourceOf(%s, %d) = %q, want %q", address, i, got, want)
		}
	}
	f("127.0.0.1:80", 0, "")
	f("127.0.0.1:80", 19_999, "")
	f("127.0.0.1:80", 20_000, "127.0.0.2:0")
	f("127.0.0.1:80", 999_999, "127.0.0.50:0")
	f("10.0.0.1:80", 999_999, "")
	f("[::1]:80", 999_999, "")
}
