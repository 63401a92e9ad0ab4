package realtest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

// The outage is longer than delivery.timeout.ms, so records are given up while they are in flight. What their senders
// were told has to hold all the same, also for what the broker finds in its sockets when it comes back.
func TestAnswersStayTrueAfterDeliveryTimeout(t *testing.T) {
	for name, outage := range map[string]func(c *kafkatest.Cluster, broker int, pass func()){
		"paused": func(c *kafkatest.Cluster, broker int, pass func()) { c.Pause(broker); pass(); c.Resume(broker) },
		"killed": func(c *kafkatest.Cluster, broker int, pass func()) { c.Kill(broker); pass(); c.Restart(broker) },
	} {
		t.Run(name, func(t *testing.T) {
			c := kafkatest.Shared(t, 3)
			topic := "late-" + name
			place(t, c, topic, nil, []int32{3}, []int32{3})
			addr := serve(t, settings(t, c, "", fmt.Sprintf("[topics.%s]\nproducer.delivery.timeout.ms = 3000\nproducer.request.timeout.ms = 1500\n", topic)))
			loads := []*load{
				{topic: topic, ack: delivered, connections: 32, every: 10 * time.Millisecond, size: 100},
				{topic: topic, ack: delivered, connections: 4, every: 10 * time.Millisecond, size: 100_000},
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			for i, l := range loads {
				l.start(t, ctx, fmt.Sprint(i), addr)
			}
			wait(t, time.Second)
			outage(c, 3, func() { wait(t, 6*time.Second) })
			over := time.Now()
			wait(t, 4*time.Second)
			stop()
			sent := merge([]*ledger{loads[0].wait(), loads[1].wait()})
			found := read(t, c, topic, "%k")
			t.Logf("answers by status %v; %d records are stored", sent.statuses(), len(found))
			sent.check(t, found)
			late := sent.selected(func(a answer) bool {
				return a.status == http.StatusGatewayTimeout || a.status == http.StatusServiceUnavailable // as far as they were written
			})
			if len(late) == 0 {
				t.Error("no record met delivery.timeout.ms")
			}
			if again := sent.selected(during(over, time.Now(), http.StatusOK)); len(again) == 0 {
				t.Error("nothing is stored after the outage")
			}
		})
	}
}

// A paused broker has requests in its sockets that were given up and sent again: it gets them twice when it goes on.
func TestRecordsSentAgainAreStoredOnce(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	place(t, c, "again", nil, []int32{3}, []int32{3})
	addr := serve(t, settings(t, c, "", "[topics.again]\nproducer.request.timeout.ms = 1000\n"))
	l := &load{topic: "again", ack: delivered, connections: 64, every: 10 * time.Millisecond, size: 100}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l.start(t, ctx, "again", addr)
	wait(t, time.Second)
	c.Pause(3)
	wait(t, 6*time.Second)
	c.Resume(3)
	wait(t, 2*time.Second)
	stop()
	sent := l.wait()
	found := read(t, c, "again", "%k")
	_, _, longest := quantiles(sent.answers)
	t.Logf("answers by status %v, the longest took %v; %d records are stored", sent.statuses(), longest, len(found))
	if n := sent.statuses(); len(n) != 1 || n[http.StatusOK] == 0 {
		t.Error("not every request was answered 200, though delivery.timeout.ms was not over")
	}
	sent.check(t, found)
}
