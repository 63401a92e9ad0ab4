package realtest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"sluice/gateway/kafkatest"
)

// TestModulesOnRealKafka: what the modules that come with Sluice decide is what Kafka has.
func TestModulesOnRealKafka(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	const records, each = 5000, 500
	c.CreateTopic("regions", 6, 3, nil)
	c.CreateTopic("sampled", 1, 3, nil)
	addr := serve(t, settings(t, c, "", `[topics.regions]
partitioner = { module = "region-partitioner", on_error = "strict", config = { "us-east" = 0, "us-west" = [1, 2], "eu" = "3-5" } }
interceptors = [{ module = "trace-headers", on_error = "strict" }]
[topics.sampled]
interceptors = [{ module = "sample", config = { percent = 25 } }]
`))
	conn := newConnection(t)
	regions := map[string]string{"us-east": "0", "us-west": "12", "eu": "345"}
	names := []string{"us-east", "us-west", "eu"}
	for first := 0; first < records; first += each {
		var body strings.Builder
		for i := first; i < first+each; i++ {
			fmt.Fprintf(&body, "{\"key\":\"%s:%d\",\"value\":%d}\n", names[i%3], i%97, i)
		}
		a := conn.post(t.Context(), recordsURL(addr, "regions", delivered), body.String(), "Content-Type: "+envelopes)
		if a.status != http.StatusOK {
			t.Fatalf("answer %s", a)
		}
	}
	lines := read(t, c, "regions", "%p %k %s %h")
	if len(lines) != records {
		t.Fatalf("Kafka has %d records, %d were sent", len(lines), records)
	}
	last := map[string]int{}
	for _, l := range lines {
		f := strings.SplitN(l, " ", 4)
		region, _, _ := strings.Cut(f[1], ":")
		n, err := strconv.Atoi(f[2])
		switch {
		case err != nil || !strings.Contains(regions[region], f[0]):
			t.Fatalf("%q is on the wrong partition", l)
		case !strings.Contains(f[3], "traceparent=00-") || strings.Count(l, "traceparent=") != 1:
			t.Fatalf("%q did not pass trace-headers once", l)
		case last[f[1]] > n:
			t.Fatalf("%q is behind %d of the same key", l, last[f[1]])
		}
		last[f[1]] = n
	}
	sampled(t, c, conn, recordsURL(addr, "sampled", delivered))
}

// sampled: what is answered as dropped is not there, and everything else is.
func sampled(t *testing.T, c *kafkatest.Cluster, conn *connection, url string) {
	t.Helper()
	const n = 1000
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, "{\"key\":\"k%d\",\"value\":%d}\n", i, i)
	}
	a := conn.post(t.Context(), url, body.String(), "Content-Type: "+envelopes)
	if a.status != http.StatusMultiStatus {
		t.Fatalf("answer %s", a)
	}
	dropped := strings.Count(string(a.body), `"dropped":true`)
	if got := len(read(t, c, "sampled", "%k")); got != n-dropped || dropped < n/2 || dropped == n {
		t.Errorf("Kafka has %d of %d records, %d were answered as dropped", got, n, dropped)
	}
}
