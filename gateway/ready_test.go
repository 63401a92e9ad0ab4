package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// probe asks a plane whether the gateway is ready.
func probe(t *testing.T, addr string) (status int, body string) {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/readyz") // a test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestReadyWhileSpoolsTakeRecords: without Kafka a gateway is ready as long as the spool of a topic has room.
func TestReadyWhileSpoolsTakeRecords(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), "")+"[topics.other]\n")
	planes := []string{r.g.HTTPAddr(), r.g.AdminAddr()}
	for _, addr := range planes {
		eventually(t, "ready", func() bool { status, body := probe(t, addr); return status == 200 && !strings.Contains(body, "detail") })
	}
	c.Close()
	for _, addr := range planes {
		eventually(t, "ready for what the spool takes", func() bool {
			status, body := probe(t, addr)
			if status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			return strings.Contains(body, "only records with ack=queued are accepted, by the spools of 1 of 2 topics")
		})
	}
	r.queue("orders", "x").want(t, 202, "")
	for range 40 {
		if a := r.queue("orders", strings.Repeat("x", 100_000)); a.status != 202 {
			a.want(t, 503, "spool_full")
			break
		}
	}
	for _, addr := range planes {
		if status, body := probe(t, addr); status != 503 {
			t.Errorf("with a full spool: %d %s", status, body)
		}
	}
}
