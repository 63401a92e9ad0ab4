package bench

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// start runs this binary as `sluice <args>`.
func start(t *testing.T, args ...string) *child {
	t.Helper()
	t.Setenv(asSluice, "1")
	c, err := startChild(t.Context(), strings.Join(args, " "), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	return c
}

func firstLine(t *testing.T, c *child) string {
	t.Helper()
	line, err := c.firstLine(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestTheNothingServerAnswersAndStops(t *testing.T) {
	c := start(t, "bench", "__nothing", "--topic", "orders")
	p := plan{
		base: &url.URL{Scheme: "http", Host: firstLine(t, c)}, connections: 4, requests: 100, timeout: time.Minute,
		shape: shape{topic: "orders", dialect: dialectRaw, records: 1, size: 10},
	}
	if r := run(t, p); r.Statuses["200"] != 100 || len(r.Errors) > 0 {
		t.Errorf("statuses %v, errors %v", r.Statuses, r.Errors)
	}
	if err := c.alive(); err != nil {
		t.Error(err)
	}
	c.stop()
	if code := c.cmd.ProcessState.ExitCode(); code != 0 || c.alive() == nil {
		t.Errorf("it ended with status %d; want an orderly end after SIGTERM", code)
	}
}

func TestTheBrokerTakesRecordsAndForgetsThem(t *testing.T) {
	c := start(t, "bench", "__broker", "--topic", "orders", "--partitions", "5")
	address := firstLine(t, c)
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic("orders"),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range int64(3) {
		r, err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte("x"), Partition: 4}).First()
		if err != nil || r.Offset != i {
			t.Fatalf("record %d: offset %d, %v", i, r.Offset, err)
		}
	}
	if _, err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte("x"), Partition: 5}).First(); err == nil {
		t.Error("a sixth partition of five")
	}
	if err := ensureTopic(t.Context(), address, "orders", 5); err != nil {
		t.Errorf("a topic that is there already: %v", err)
	}
	if err := ensureTopic(t.Context(), address, "new", 2); err != nil {
		t.Errorf("a new topic: %v", err)
	}
	c.stop()
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with status %d; want an orderly end after SIGTERM", code)
	}
}

func TestTheTightLoopReports(t *testing.T) {
	broker := start(t, "bench", "__broker")
	k := kafkaOptions{Bootstrap: firstLine(t, broker), BatchSize: 16384, MaxRequestSize: 1 << 20, BufferMemory: 1 << 20}
	for _, acks := range []string{"all", "1", "0"} {
		k.Acks, k.Compression = acks, "lz4"
		c := start(t, append(append([]string{"bench", "__kgo"}, k.args()...),
			"--duration", "200ms", "--warmup", "100ms", "--keys", "10")...)
		out, err := c.rest()
		if err != nil {
			t.Fatal(err)
		}
		var r Tight
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if r.Records == 0 || r.RecordsPerSecond <= 0 || r.Seconds < 0.2 {
			t.Errorf("acks=%s: %+v", acks, r)
		}
	}
}

func TestTheTightLoopSaysWhatFailed(t *testing.T) {
	broker := start(t, "bench", "__broker", "--topic", "orders")
	k := kafkaOptions{Bootstrap: firstLine(t, broker), BatchSize: 16384, MaxRequestSize: 1 << 20, Acks: "all", Compression: "none"}
	c := start(t, append(append([]string{"bench", "__kgo"}, k.args()...), "--topic", "none-such", "--duration", "1500ms")...)
	if _, err := c.rest(); err == nil || !strings.Contains(err.Error(), "UNKNOWN_TOPIC_OR_PARTITION") {
		t.Errorf("error %v; want the broker's", err)
	}
}

func TestAChildThatFailsHasLastWords(t *testing.T) {
	c := start(t, "bench", "__broker", "--partitions", "many")
	if _, err := c.firstLine(time.Minute); err == nil || !strings.Contains(err.Error(), `invalid argument "many"`) {
		t.Errorf("error %v; want what the child wrote to stderr", err)
	}
	if err := c.alive(); err == nil {
		t.Error("it is dead and called alive")
	}
}

func TestTheEndOfTheContextEndsTheChild(t *testing.T) {
	t.Setenv(asSluice, "1")
	ctx, cancel := context.WithCancel(t.Context())
	c, err := startChild(ctx, "broker", "bench", "__broker")
	if err != nil {
		t.Fatal(err)
	}
	firstLine(t, c)
	cancel()
	<-c.done
	c.stop()
}

func TestTheTailIsShort(t *testing.T) {
	var w tail
	for range 100 {
		if n, err := w.Write([]byte(strings.Repeat("x", 1000))); n != 1000 || err != nil {
			t.Fatal(n, err)
		}
	}
	_, _ = w.Write([]byte("last\n"))
	if s := w.String(); len(s) > 4<<10 || !strings.HasSuffix(s, "last") {
		t.Errorf("%d bytes, ending in %q", len(s), s[len(s)-10:])
	}
}
