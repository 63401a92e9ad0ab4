package gateway

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
)

// serveSpool is serve with topic orders and its spool, which sends few records at a time, and a stop that may take an hour.
func serveSpool(t *testing.T, brokers []string, dir string) *rig {
	t.Helper()
	text := strings.Replace(head(t, brokers), "shutdown.timeout.ms = 10000", "shutdown.timeout.ms = 3600000", 1)
	return serveConfig(t, parse(t, text+spoolTable(dir, "producer.buffer.records = 1024\n")))
}

// TestStopSendsWhatTheSpoolHas: nothing waits after a clean stop with a Kafka that answers.
func TestStopSendsWhatTheSpoolHas(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	r := serveSpool(t, c.ListenAddrs(), dir)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	sent := int64(r.queueNumbered("orders", 100, 0, 40))
	if n := r.spooled("orders"); n != sent {
		t.Fatalf("%d records wait, %d were accepted", n, sent)
	}
	outage.Remove()
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if n := stored(c, "orders"); n != sent {
		t.Errorf("%d records are stored after the stop, %d were accepted", n, sent)
	}
	if strings.Contains(r.logs.String(), "records stay in the spool") {
		t.Error("records stay in the spool")
	}
}

// TestStopDoesNotWaitForWhatKafkaRefuses: what comes back and would come back again stays in the spool, and the stop does not wait.
func TestStopDoesNotWaitForWhatKafkaRefuses(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	r := serveSpool(t, c.ListenAddrs(), dir)
	outage := refuseProduce(c, "orders", kerr.TopicAuthorizationFailed)
	sent := int64(r.queueNumbered("orders", 5, 0, 20))
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if n := stored(c, "orders"); n != 0 || !strings.Contains(r.logs.String(), "records stay in the spool until the next start") {
		t.Fatalf("%d records are stored", n)
	}
	outage.Remove()
	r = serveSpool(t, c.ListenAddrs(), dir)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if n := stored(c, "orders"); n != sent {
		t.Errorf("%d records are stored, %d were accepted", n, sent)
	}
}

// TestStopDoesNotWaitForAKafkaThatIsAway: nothing was sent to it, so there is nothing to wait for.
func TestStopDoesNotWaitForAKafkaThatIsAway(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	brokers := c.ListenAddrs()
	c.Close()
	r := serveSpool(t, brokers, t.TempDir())
	r.queueNumbered("orders", 5, 0, 20)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.logs.String(), "records stay in the spool until the next start") {
		t.Error("the log does not say what stays")
	}
}
