//go:build linux

package realtest_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

const (
	pausedBroker = 1
	pauseFor     = 12 * time.Second
	loadBefore   = 4 * time.Second
	loadAfter    = 3 * time.Second
	pausedRecord = 12 << 10 // bytes of a value
	maxBlock     = 500 * time.Millisecond

	blockedMemory = 48 * mib
	waitsMemory   = 2 * mib
	healthyMemory = 8 * mib
)

// pausedTables are two topics on the broker that will be paused, and one on the others. They share a Kafka client.
var pausedTables = fmt.Sprintf(`[topics.blocked]
producer.buffer.memory = %d
producer.max.block.ms = 0
[topics.waits]
producer.buffer.memory = %d
producer.max.block.ms = %d
[topics.healthy]
producer.buffer.memory = %d
`, blockedMemory, waitsMemory, maxBlock.Milliseconds(), healthyMemory)

// Queued requests fill the buffer however long Kafka is silent, so they show what a full one does; the few delivered ones
// show what becomes of requests that wait for Kafka meanwhile.
func TestPausedBrokerAnswersAtOnce(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	// One replica: with more, the leadership would move on, and nothing would be blocked for long.
	for _, topic := range []string{"blocked", "waits"} {
		place(t, c, topic, nil, []int32{pausedBroker}, []int32{pausedBroker}, []int32{pausedBroker})
	}
	place(t, c, "healthy", map[string]string{"min.insync.replicas": "2"}, []int32{2, 3}, []int32{3, 2})
	gw := startChild(t, settings(t, c, "", pausedTables))

	loads := map[string]*load{
		"blocked":   {topic: "blocked", ack: queued, connections: 64, every: 80 * time.Millisecond, size: pausedRecord},
		"delivered": {topic: "blocked", ack: delivered, connections: 8, every: 80 * time.Millisecond, size: pausedRecord},
		"waits":     {topic: "waits", ack: queued, connections: 8, every: 80 * time.Millisecond, size: pausedRecord},
		"healthy":   {topic: "healthy", ack: delivered, connections: 8, every: 10 * time.Millisecond, size: 256},
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for name, l := range loads {
		l.start(t, ctx, name, gw.addr)
	}
	wait(t, loadBefore)
	before, _ := gw.memory()
	c.Pause(pausedBroker)
	pausedAt := time.Now()
	wait(t, pauseFor)
	during, _ := gw.memory()
	resumedAt := time.Now()
	c.Resume(pausedBroker)
	wait(t, loadAfter)
	stop()
	sent := make(map[string]*ledger)
	for name, l := range loads {
		sent[name] = l.wait()
		t.Logf("%s: answers by status %v", name, sent[name].statuses())
	}
	_, peak := gw.memory()
	gw.terminate()
	if status := gw.exit(90 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}

	const bound = blockedMemory + waitsMemory + healthyMemory + 64*mib
	t.Logf("resident memory: %.1f MiB before the pause, %.1f at its end, %.1f at most; bound %.0f",
		mibs(before), mibs(during), mibs(peak), mibs(bound))
	if peak > bound {
		t.Errorf("resident memory was %.1f MiB, more than all buffer.memory + 64 MiB = %.0f MiB", mibs(peak), mibs(bound))
	}
	checkRefusals(t, sent["blocked"], pausedAt, resumedAt)
	checkWaits(t, sent["waits"], pausedAt, resumedAt)
	checkHealthy(t, sent["healthy"], pausedAt, resumedAt)
	merge([]*ledger{sent["blocked"], sent["delivered"]}).check(t, read(t, c, "blocked", "%k"))
	sent["waits"].check(t, read(t, c, "waits", "%k"))
	sent["healthy"].check(t, read(t, c, "healthy", "%k"))
}

// checkRefusals looks at a topic with max.block.ms = 0.
func checkRefusals(t *testing.T, l *ledger, pausedAt, resumedAt time.Time) {
	t.Helper()
	refused := l.selected(during(pausedAt, resumedAt, http.StatusServiceUnavailable))
	if len(refused) < 100 {
		t.Fatalf("only %d refusals: the buffer was hardly full", len(refused))
	}
	p50, p99, longest := quantiles(refused)
	t.Logf("blocked: %d refusals from %v after the pause on, p50 %v, p99 %v, longest %v", len(refused),
		first(refused).Sub(pausedAt).Round(time.Millisecond), p50, p99, longest)
	if p50 > 100*time.Millisecond {
		t.Errorf("half of the refusals took more than %v, though max.block.ms = 0", p50)
	}
	for _, a := range refused {
		if n, err := strconv.Atoi(a.retryAfter); err != nil || n < 1 || !strings.Contains(string(a.body), `"buffer_full"`) {
			t.Fatalf("a refusal with Retry-After %q: %s", a.retryAfter, a)
		}
	}
	again := l.selected(func(a answer) bool { return a.status == http.StatusAccepted && a.at.After(resumedAt) })
	if len(again) == 0 {
		t.Fatal("nothing is accepted after the pause")
	}
	t.Logf("blocked: accepted again %v after the pause", first(again).Sub(resumedAt).Round(time.Millisecond))
}

func first(answers []answer) time.Time {
	at := answers[0].at
	for _, a := range answers {
		if a.at.Before(at) {
			at = a.at
		}
	}
	return at
}

// checkWaits looks at a topic with max.block.ms = maxBlock.
func checkWaits(t *testing.T, l *ledger, pausedAt, resumedAt time.Time) {
	t.Helper()
	refused := l.selected(during(pausedAt, resumedAt, http.StatusServiceUnavailable))
	p50, p99, longest := quantiles(refused)
	t.Logf("waits: %d refusals, p50 %v, p99 %v, longest %v", len(refused), p50, p99, longest)
	if want := 8 * 10; len(refused) < want { // 8 connections, of some 20 refusals each
		t.Errorf("%d refusals, want at least %d", len(refused), want)
	}
	for _, a := range refused {
		if a.took < maxBlock || a.retryAfter == "" {
			t.Fatalf("refused after %v, Retry-After %q: %s", a.took, a.retryAfter, a)
		}
	}
	if p50 > 4*maxBlock {
		t.Errorf("half of the refusals took more than %v, though max.block.ms = %d", p50, maxBlock.Milliseconds())
	}
}

// checkHealthy compares a topic on other brokers before and during the pause.
func checkHealthy(t *testing.T, l *ledger, pausedAt, resumedAt time.Time) {
	t.Helper()
	const warm = time.Second // of connections and code
	before := l.selected(during(pausedAt.Add(warm-loadBefore), pausedAt, http.StatusOK))
	during := l.selected(during(pausedAt, resumedAt, http.StatusOK))
	rateBefore := float64(len(before)) / (loadBefore - warm).Seconds()
	rateDuring := float64(len(during)) / resumedAt.Sub(pausedAt).Seconds()
	p50Before, p99Before, _ := quantiles(before)
	p50During, p99During, _ := quantiles(during)
	stall := longestGap(during, pausedAt, resumedAt)
	t.Logf("healthy: %.0f/s, p50 %v, p99 %v before the pause; %.0f/s, p50 %v, p99 %v during it, at most %v without an answer",
		rateBefore, p50Before, p99Before, rateDuring, p50During, p99During, stall.Round(time.Millisecond))
	if stall > pauseFor/2 {
		t.Errorf("the healthy topic stood still for %v", stall)
	}
	if rateDuring < rateBefore/2 {
		t.Errorf("the healthy topic stored %.0f/s during the pause, %.0f/s before", rateDuring, rateBefore)
	}
	if n := l.statuses(); len(n) != 1 || n[http.StatusOK] == 0 {
		t.Errorf("the healthy topic's answers by status: %v", maps.Clone(n))
	}
}

// longestGap is the longest time without an answer.
func longestGap(answers []answer, from, to time.Time) time.Duration {
	ends := []time.Time{from, to}
	for _, a := range answers {
		ends = append(ends, a.at.Add(a.took))
	}
	slices.SortFunc(ends, time.Time.Compare)
	longest := time.Duration(0)
	for i := range ends[1:] {
		longest = max(longest, ends[i+1].Sub(ends[i]))
	}
	return longest
}
