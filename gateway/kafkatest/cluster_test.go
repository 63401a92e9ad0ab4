package kafkatest_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

func client(t *testing.T, addrs []string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addrs...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// producer writes numbered records to one partition and fails the test on the first that is not acknowledged.
type producer struct {
	t     *testing.T
	cl    *kgo.Client
	topic string
	want  []string
}

func (p *producer) produce(n int) {
	p.t.Helper()
	for range n {
		v := fmt.Sprintf("record-%d", len(p.want))
		r := &kgo.Record{Topic: p.topic, Value: []byte(v)}
		if err := p.cl.ProduceSync(within(p.t, time.Minute), r).FirstErr(); err != nil {
			p.t.Fatalf("%s: %v", v, err)
		}
		p.want = append(p.want, v)
	}
}

func TestBrokersFailAndReturn(t *testing.T) {
	c := kafkatest.Start(t, 3)
	c.CreateTopic("orders", 1, 3, map[string]string{"min.insync.replicas": "2"})
	cl := client(t, c.Bootstrap(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(100*time.Millisecond))
	adm := kadm.NewClient(cl)
	p := &producer{t: t, cl: cl, topic: "orders"}
	p.produce(5)

	first := leader(t, adm, "orders")
	c.Kill(first)
	p.produce(5)
	if now := leader(t, adm, "orders"); now == first {
		t.Fatalf("the killed broker %d still leads", first)
	}
	c.Restart(first)
	awaitISR(t, adm, "orders", 3)

	second := leader(t, adm, "orders")
	c.Pause(second)
	p.produce(5)
	c.Resume(second)
	awaitISR(t, adm, "orders", 3)

	third := leader(t, adm, "orders")
	c.Term(third)
	p.produce(5)
	if !strings.Contains(c.Log(third), "shut down completed") {
		t.Errorf("the log of broker %d does not tell of an orderly stop", third)
	}
	for id := 1; id <= 3; id++ {
		if id != third {
			c.Kill(id)
		}
	}
	c.Restart(1, 2, 3) // one alone would wait for its majority
	p.produce(5)

	got := kafkatest.Kcat(t, "-b", strings.Join(c.Bootstrap(), ","), "-C", "-t", "orders", "-p", "0", "-e", "-q")
	if diff := cmp.Diff(p.want, strings.Fields(got)); diff != "" {
		t.Errorf("kcat reads (-want +got):\n%s", diff)
	}
}

func leader(t *testing.T, adm *kadm.Client, topic string) int {
	t.Helper()
	topics, err := adm.ListTopics(within(t, time.Minute), topic)
	if err != nil {
		t.Fatal(err)
	}
	return int(topics[topic].Partitions[0].Leader)
}

func awaitISR(t *testing.T, adm *kadm.Client, topic string, n int) {
	t.Helper()
	ctx := within(t, time.Minute)
	for poll := time.Tick(100 * time.Millisecond); ; {
		topics, err := adm.ListTopics(ctx, topic)
		if err == nil && len(topics[topic].Partitions[0].ISR) == n {
			return
		}
		select {
		case <-poll:
		case <-ctx.Done():
			t.Fatalf("not %d replicas in sync: %v %v", n, topics, err)
		}
	}
}

func TestStartWithPropertyAndTopicConfig(t *testing.T) {
	c := kafkatest.Start(t, 1, kafkatest.Property("auto.create.topics.enable", "false"))
	c.CreateTopic("small", 2, 1, map[string]string{"max.message.bytes": "2000"})
	adm := kadm.NewClient(client(t, c.Bootstrap()))
	got, err := adm.DescribeTopicConfigs(within(t, time.Minute), "small")
	if err != nil {
		t.Fatal(err)
	}
	if v := configValue(got[0].Configs, "max.message.bytes"); v != "2000" {
		t.Errorf("max.message.bytes = %q, want 2000", v)
	}
	brokers, err := adm.DescribeBrokerConfigs(within(t, time.Minute), 1)
	if err != nil {
		t.Fatal(err)
	}
	if v := configValue(brokers[0].Configs, "auto.create.topics.enable"); v != "false" {
		t.Errorf("auto.create.topics.enable = %q, want false", v)
	}
}

func configValue(configs []kadm.Config, key string) string {
	for _, c := range configs {
		if c.Key == key {
			return c.MaybeValue()
		}
	}
	return ""
}

func TestSharedRunsJavaPrograms(t *testing.T) {
	c := kafkatest.Shared(t, 1)
	c.CreateTopic("shared-a", 1, 1, nil)
	if got := c.RunJava("testdata/Topics.java", c.Bootstrap()[0]); got != "shared-a\n" {
		t.Errorf("Topics.java prints %q", got)
	}
	got := c.RunClass("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", c.Bootstrap()[0], "--list")
	if got != "shared-a\n" {
		t.Errorf("TopicCommand prints %q", got)
	}
}

func TestSharedHeals(t *testing.T) {
	c := kafkatest.Shared(t, 1)
	c.Kill(1)
	again := kafkatest.Shared(t, 1)
	if again.Bootstrap()[0] != c.Bootstrap()[0] {
		t.Errorf("another cluster: %v, %v", again.Bootstrap(), c.Bootstrap())
	}
	again.CreateTopic("shared-b", 1, 1, nil)
}

func TestFake(t *testing.T) {
	addrs := kafkatest.Fake(t)
	if len(addrs) != 3 {
		t.Fatalf("addresses: %v", addrs)
	}
	adm := kadm.NewClient(client(t, addrs))
	if _, err := adm.CreateTopic(within(t, time.Minute), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
}
