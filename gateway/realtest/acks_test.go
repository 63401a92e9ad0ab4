package realtest_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"sluice/gateway/kafkatest"
)

// ackTables are one topic for each acks. A record that cannot be stored fails soon.
const ackTables = `[producer]
delivery.timeout.ms = 4000
request.timeout.ms = 2000
[topics."none*"]
producer.acks = 0
producer.enable.idempotence = false
[topics."leader*"]
producer.acks = 1
producer.enable.idempotence = false
[topics."all*"]
producer.acks = "all"
`

// All three replicas have to be in sync; then one is killed that leads nothing.
func TestAcksOnTheWire(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	topics := []string{"none", "leader", "all"}
	for _, topic := range topics {
		place(t, c, topic, map[string]string{"min.insync.replicas": "3"}, []int32{2, 3, 1})
	}
	addr := serve(t, settings(t, c, "", ackTables))
	conn := newConnection(t)
	send := func(topic, value string) answer {
		return conn.post(t.Context(), recordsURL(addr, topic, delivered), value)
	}
	stored := func(topic, value string, offset int64) {
		t.Helper()
		a := send(topic, value)
		if a.status != http.StatusOK {
			t.Fatalf("%s to %s: answer %s", value, topic, a)
		}
		got := int64(-1)
		if o := a.parse(t).Offset; o != nil {
			got = *o
		}
		if got != offset {
			t.Errorf("%s to %s: offset %d, want %d (-1 is null): %s", value, topic, got, offset, a)
		}
	}
	const unknown = -1 // with acks=0 the broker tells no offset
	stored("none", "first", unknown)
	stored("leader", "first", 0)
	stored("all", "first", 0)

	c.Kill(1)
	adm := manager(t, c)
	for _, topic := range topics {
		awaitPartitions(t, adm, topic, "two replicas are in sync", func(p kadm.PartitionDetail) bool { return len(p.ISR) == 2 })
	}
	stored("none", "second", unknown)
	stored("leader", "second", 1)
	failed := send("all", "second")
	for tries := 1; failed.status == http.StatusGatewayTimeout && tries < 5; tries++ { // the last attempt was under way when the time was over
		failed = send("all", "second")
	}
	t.Logf("acks=all with 2 of min.insync.replicas = 3: %s after %v", failed, failed.took)
	if failed.status != http.StatusServiceUnavailable {
		t.Fatalf("acks=all with too few replicas: answer %s", failed)
	}

	c.Restart(1)
	for _, topic := range topics {
		awaitPartitions(t, adm, topic, "three replicas are in sync", func(p kadm.PartitionDetail) bool { return len(p.ISR) == 3 })
	}
	if a := send("all", "third"); a.status != http.StatusOK {
		t.Errorf("acks=all with all replicas back: answer %s", a)
	}
	for _, topic := range []string{"none", "leader"} {
		if got := read(t, c, topic, "%s"); !slices.Equal(got, []string{"first", "second"}) {
			t.Errorf("topic %s holds %v", topic, got)
		}
	}
	if got := read(t, c, "all", "%s"); !slices.Equal(got, []string{"first", "third"}) {
		t.Errorf("topic all holds %v, though the second record was answered %s", got, failed)
	}
}

// Who asks for no acknowledgement does not notice that the broker stands still; who asks for the leader's does.
func TestNoAcksDoNotWait(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	for _, topic := range []string{"none-paused", "leader-paused"} {
		place(t, c, topic, nil, []int32{2})
	}
	addr := serve(t, settings(t, c, "", ackTables))
	conn := newConnection(t)
	for _, topic := range []string{"none-paused", "leader-paused"} {
		if a := conn.post(t.Context(), recordsURL(addr, topic, delivered), "before"); a.status != http.StatusOK {
			t.Fatalf("%s: answer %s", topic, a)
		}
	}
	c.Pause(2)
	a := conn.post(t.Context(), recordsURL(addr, "none-paused", delivered), "during")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	b := newConnection(t).post(ctx, recordsURL(addr, "leader-paused", delivered), "during")
	c.Resume(2)
	if a.status != http.StatusOK || a.parse(t).Offset != nil {
		t.Errorf("acks=0 to a paused broker: answer %s", a)
	}
	if b.err == nil || ctx.Err() == nil {
		t.Errorf("acks=1 to a paused broker: answer %s", b)
	}
	if a := conn.post(t.Context(), recordsURL(addr, "leader-paused", delivered), "after"); a.status != http.StatusOK {
		t.Errorf("acks=1 after the pause: answer %s", a)
	}
	if got := read(t, c, "leader-paused", "%s"); !slices.Equal(got, []string{"before", "during", "after"}) {
		t.Errorf("acks=1 stored %v", got)
	}
}
