//go:build linux

package realtest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

func transactionsURL(addr string) string { return "http://" + addr + "/v1/transactions" }

// pairOf is a transaction that stores a value in both topics.
func pairOf(a, b, value string) string {
	return fmt.Sprintf("{\"topic\":%q,\"value\":%q}\n{\"topic\":%q,\"value\":%q}\n", a, value, b, value)
}

func (c *connection) transaction(ctx context.Context, addr, body string) answer {
	return c.post(ctx, transactionsURL(addr), body, "Content-Type: "+envelopes)
}

// committed is what readers of committed records see of a topic, sorted.
func committed(t testing.TB, c *kafkatest.Cluster, topic string) []string {
	t.Helper()
	out := kafkatest.Kcat(t, "-b", strings.Join(c.Bootstrap(), ","), "-C", "-t", topic, "-o", "beginning", "-e", "-q",
		"-X", "isolation.level=read_committed", "-f", `%s\n`)
	values := strings.Fields(out)
	slices.Sort(values)
	return values
}

func wantStatus(t testing.TB, a answer, status int, code string) {
	t.Helper()
	if a.err != nil || a.status != status || a.parse(t).Code != code {
		t.Fatalf("answer %s, want %d %q", a, status, code)
	}
}

// Commit, abort and fencing are what Kafka makes of them.
func TestTransactionsOnKafka(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("txn-a", 3, 3, nil)
	c.CreateTopic("txn-b", 3, 3, nil)
	c.CreateTopic("txn-tight", 1, 3, map[string]string{"max.message.bytes": "2000"})
	text := settings(t, c, "", "[topics.\"txn-*\"]\n[transactions]\ntransactional.id.prefix = \"on-kafka\"\ntransactional.id.pool.size = 1\ntransaction.max.block.ms = 60000\n")
	older, conn := serve(t, text), newConnection(t)
	send := func(addr, body string) answer { return conn.transaction(t.Context(), addr, body) }

	wantStatus(t, send(older, pairOf("txn-a", "txn-b", "first")), http.StatusOK, "")
	large := fmt.Sprintf("{\"topic\":\"txn-tight\",\"value\":%q}\n", strings.Repeat("x", 5000))
	wantStatus(t, send(older, pairOf("txn-a", "txn-b", "never")+large), http.StatusRequestEntityTooLarge, "record_too_large")
	wantStatus(t, send(older, pairOf("txn-a", "txn-b", "second")), http.StatusOK, "")

	newer := serve(t, text)
	wantStatus(t, send(newer, pairOf("txn-a", "txn-b", "third")), http.StatusOK, "")
	for range 3 {
		wantStatus(t, send(older, pairOf("txn-a", "txn-b", "never")), http.StatusConflict, "producer_fenced")
		wantStatus(t, send(newer, pairOf("txn-a", "txn-b", "more")), http.StatusOK, "")
	}
	for _, topic := range []string{"txn-a", "txn-b"} {
		if got := committed(t, c, topic); !slices.Equal(got, []string{"first", "more", "more", "more", "second", "third"}) {
			t.Errorf("committed in %s: %q", topic, got)
		}
	}
}

// TestKilledGatewayLeavesNoPart kills a gateway whose clients are all in a transaction. When it starts again each transaction is
// there as a whole or not at all, readers see what comes after it, and whatever was answered 200 is there.
func TestKilledGatewayLeavesNoPart(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("part-a", 2, 3, nil)
	c.CreateTopic("part-b", 2, 3, nil)
	text := settings(t, c, "", "[topics.\"part-*\"]\n[transactions]\ntransactional.id.prefix = \"killed\"\ntransaction.max.block.ms = 60000\n")
	gateway := startChild(t, text)

	const senders, before = 6, 40
	var wg sync.WaitGroup
	var mu sync.Mutex
	var stored []string
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	enough := make(chan struct{})
	for i := range senders {
		conn := newConnection(t)
		wg.Go(func() {
			for n := 0; ; n++ {
				value := fmt.Sprintf("%d-%d", i, n)
				if a := conn.transaction(ctx, gateway.addr, pairOf("part-a", "part-b", value)); a.status != http.StatusOK {
					return
				}
				mu.Lock()
				if stored = append(stored, value); len(stored) == before {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-ctx.Done():
		t.Fatal("transactions are not answered")
	}
	if err := gateway.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-gateway.done
	wg.Wait()

	again := startChild(t, text)
	start := time.Now()
	wantStatus(t, newConnection(t).transaction(t.Context(), again.addr, pairOf("part-a", "part-b", "next")), http.StatusOK, "")
	t.Logf("%d transactions before the kill; the first after it took %v", len(stored), time.Since(start).Round(time.Millisecond))
	stored = append(stored, "next")
	a, b := committed(t, c, "part-a"), committed(t, c, "part-b")
	if !slices.Equal(a, b) {
		t.Errorf("a part of a transaction is seen: %q and %q", a, b)
	}
	if all := slices.Compact(slices.Clone(a)); len(all) != len(a) {
		t.Errorf("something is stored twice: %q", a)
	}
	for _, value := range stored {
		if !slices.Contains(a, value) {
			t.Errorf("%s was answered 200 and is not seen", value)
		}
	}
	again.terminate()
	if status := again.exit(time.Minute); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
