package realtest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/kafkatest"
)

func TestRestartOfClusterGrowth(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	const before, after = 2, 6
	c.CreateTopic("grown", before, 3, nil)
	// One gateway asks for metadata only when it is forced to, the other every second.
	asked := recordsURL(serve(t, settings(t, c, "metadata.max.age.ms = 3600000", "[topics.grown]\n")), "grown", delivered)
	polling := recordsURL(serve(t, settings(t, c, "metadata.max.age.ms = 1000", "[topics.grown]\n")), "grown", delivered)
	conn := newConnection(t)
	const newest = "X-Kafka-Partition: 5"
	if a := conn.post(t.Context(), asked, "x", newest); a.status != http.StatusNotFound || a.parse(t).Code != "unknown_partition" {
		t.Fatalf("partition 5 of 2: answer %s", a)
	}
	refused := time.Now()
	keys := make([]string, 50)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%d", i)
	}
	old := askJava(t, c, before, strings.Join(keys, "\n"))
	if got := partitionsOf(t, conn, polling, keys); !slices.Equal(got, chosenOf(old, keys)) {
		t.Fatalf("partitions of %d: %v, want %v", before, got, old)
	}
	grow(t, c, "grown", after)
	wait(t, 300*time.Millisecond-time.Since(refused)) // a partition that is not there is asked for 4 times a second at most

	start := time.Now()
	a := conn.post(t.Context(), asked, "x", newest)
	if a.status != http.StatusOK || *a.parse(t).Partition != 5 {
		t.Fatalf("partition 5 of 6: answer %s", a)
	}
	t.Logf("the first record for a new partition took %v", time.Since(start))
	want := chosenOf(askJava(t, c, after, strings.Join(keys, "\n")), keys)
	if got := partitionsOf(t, conn, asked, keys); !slices.Equal(got, want) {
		t.Errorf("after the refresh keyed records go to %v, want %v", got, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for poll := time.Tick(50 * time.Millisecond); ; {
		got := partitionsOf(t, conn, polling, keys)
		if slices.Equal(got, want) {
			break
		}
		select {
		case <-poll:
		case <-ctx.Done():
			t.Fatalf("with metadata.max.age.ms = 1000 keyed records still go to %v, want %v", got, want)
		}
	}
}

func chosenOf(chosen map[string]int32, keys []string) []int32 {
	var all []int32
	for _, k := range keys {
		all = append(all, chosen[k])
	}
	return all
}

// partitionsOf stores a record for each key and returns where they went.
func partitionsOf(t *testing.T, conn *connection, url string, keys []string) []int32 {
	t.Helper()
	var body strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&body, "{\"key\":%q,\"value\":\"x\"}\n", k)
	}
	a := conn.post(t.Context(), url, body.String(), "Content-Type: "+envelopes)
	if a.status != http.StatusOK {
		t.Fatalf("answer %s", a)
	}
	var all []int32
	for _, r := range a.parse(t).Records {
		all = append(all, r.Partition)
	}
	return all
}

// grow adds partitions to a topic and waits until every broker knows them, whichever the gateway will ask.
func grow(t *testing.T, c *kafkatest.Cluster, topic string, partitions int) {
	t.Helper()
	adm := manager(t, c)
	resp, err := adm.UpdatePartitions(t.Context(), partitions, topic)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	for id := range c.Bootstrap() {
		awaitKnown(t, c, id+1, topic, partitions)
	}
	awaitPartitions(t, adm, topic, "all replicas are in sync", func(p kadm.PartitionDetail) bool {
		return len(p.ISR) == len(p.Replicas)
	})
}

// awaitKnown waits until one broker tells of n partitions that have leaders.
func awaitKnown(t *testing.T, c *kafkatest.Cluster, broker int, topic string, n int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	for poll := time.Tick(20 * time.Millisecond); ; {
		resp, err := cl.Broker(broker).RetriableRequest(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		led := 0
		for _, p := range resp.(*kmsg.MetadataResponse).Topics[0].Partitions {
			if p.Leader >= 0 {
				led++
			}
		}
		if led == n {
			return
		}
		<-poll
	}
}
