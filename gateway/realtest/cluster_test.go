package realtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/kafkatest"
)

// manager is a client of the test's own for what kafkatest does not offer.
func manager(t testing.TB, c *kafkatest.Cluster) *kadm.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

// place creates a topic whose partition i has the replicas of assignment[i], the leader first, and waits until all of
// them are in sync.
func place(t testing.TB, c *kafkatest.Cluster, topic string, configs map[string]string, assignment ...[]int32) {
	t.Helper()
	spec := kmsg.NewCreateTopicsRequestTopic()
	spec.Topic, spec.NumPartitions, spec.ReplicationFactor = topic, -1, -1
	for i, replicas := range assignment {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), replicas
		spec.ReplicaAssignment = append(spec.ReplicaAssignment, a)
	}
	for k, v := range configs {
		cfg := kmsg.NewCreateTopicsRequestTopicConfig()
		cfg.Name, cfg.Value = k, &v
		spec.Configs = append(spec.Configs, cfg)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, spec)
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	resp, err := req.RequestWith(t.Context(), cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("topic %s: %v", topic, err)
	}
	awaitPartitions(t, manager(t, c), topic, "all replicas are in sync", func(p kadm.PartitionDetail) bool {
		return len(p.ISR) == len(p.Replicas) && p.Leader == p.Replicas[0]
	})
}

// awaitPartitions waits until every partition of the topic is as ok wants it.
func awaitPartitions(t testing.TB, adm *kadm.Client, topic, what string, ok func(kadm.PartitionDetail) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for poll := time.Tick(50 * time.Millisecond); ; {
		topics, err := adm.ListTopics(ctx, topic)
		all := err == nil && len(topics[topic].Partitions) > 0
		for _, p := range topics[topic].Partitions {
			all = all && p.Err == nil && ok(p)
		}
		if all {
			return
		}
		select {
		case <-poll:
		case <-ctx.Done():
			t.Fatalf("topic %s: not within a minute: %s: %+v %v", topic, what, topics, err)
		}
	}
}

// leader is the broker that leads partition 0.
func leader(t testing.TB, adm *kadm.Client, topic string) int {
	t.Helper()
	topics, err := adm.ListTopics(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return int(topics[topic].Partitions[0].Leader)
}

// read prints every record that the topic holds, in kcat's format, those of a partition in the order of their offsets.
func read(t testing.TB, c *kafkatest.Cluster, topic, format string) []string {
	t.Helper()
	out := kafkatest.Kcat(t, "-b", strings.Join(c.Bootstrap(), ","), "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", format+`\n`)
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}
