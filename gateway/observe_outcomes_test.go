package gateway

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestEveryOutcomeIsCounted: the metrics tell how every record ended that was sent to a topic, once, by what its sender was told.
func TestEveryOutcomeIsCounted(t *testing.T) {
	c := fake(t, kfake.SeedTopics(3, "dead", "slow", "refused"))
	cfg, _ := guestConfig(t, c, "[topics.orders]\ndead_letter.topic = \"dead\"\ndead_letter.causes = [\"broker\"]\n"+
		"interceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" }, routes = [\"other\"] }]\n"+
		"[topics.other]\n[topics.dead]\n[topics.\"s*\"]\nproducer.delivery.timeout.ms = 1000\nproducer.request.timeout.ms = 500\n"+
		"[topics.refused]\nrate.limit.records = 1\nrate.limit.burst.ms = 1\n[transactions]\ntransactional.id.prefix = \"test\"\n", steer(t))
	r := serveConfig(t, cfg)
	orders := r.url("orders")
	r.post(orders, line("k", "v")+line("k", "v", "a=drop")+line("k", "v", "a=fail")+line("k", "v", "a=route"), envelope)
	r.post(orders+"?ack=queued", line("k", "v"), envelope).want(t, 202, "")
	r.transaction("", `{"topic":"orders","value":"v"}`).want(t, 200, "")
	toOrders := metric("sluice_records_ended_total", "topic", "orders", "code", "stored", "class", "stored")
	eventually(t, "what is only accepted is stored", func() bool { return r.scrapeOf("sluice_records_ended_total")[toOrders] == 4 })
	refused := refuseProduce(c, "orders", kerr.InvalidRecord)
	r.post(orders, "v").letter(t)
	refused.Remove()
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "slow", Err: kerr.NotEnoughReplicasAfterAppend, Count: -1})
	r.post(r.url("slow"), "v").want(t, 504, "delivery_timeout")
	r.post(r.url("refused"), strings.Repeat("v\n", 900), ndjson).want(t, 200, "")
	r.post(r.url("refused"), "v\nw", ndjson).want(t, 429, "rate_limited")

	want := map[string]float64{}
	of := func(topic, code, class string, n float64) {
		want[metric("sluice_records_ended_total", "topic", topic, "code", code, "class", class)] = n
	}
	of("orders", "stored", "stored", 4) // one of them routed to topic other, one in a transaction
	of("orders", "dropped", "final", 1)
	of("orders", "rejected", "final", 1)
	of("orders", "dead_lettered", "final", 1)
	of("dead", "stored", "stored", 1)
	of("s*", "delivery_timeout", "unknown", 1)
	of("refused", "stored", "stored", 900)
	of("refused", "rate_limited", "retriable", 2)
	eventually(t, "the outcomes are "+cmp.Diff(want, r.scrapeOf("sluice_records_ended_total")), func() bool {
		return maps.Equal(r.scrapeOf("sluice_records_ended_total"), want)
	})
}
