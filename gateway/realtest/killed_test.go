package realtest_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

const (
	killSenders    = 32
	killPerRequest = 20
	brokerDownFor  = 10 * time.Second
)

// keyed is what one sender sent: records of one key, counted from 0, in requests of killPerRequest.
type keyed struct {
	answers []answer
}

func TestBrokerKilledUnderLoad(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("killed", 6, 3, map[string]string{"min.insync.replicas": "2"})
	url := recordsURL(serve(t, settings(t, c, "", "[topics.killed]\nproducer.acks = \"all\"\n")), "killed", delivered)
	victim := leader(t, manager(t, c), "killed")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	senders := make([]keyed, killSenders)
	var wg sync.WaitGroup
	for i := range senders {
		conn := newConnection(t)
		wg.Go(func() { senders[i].send(ctx, t, conn, url, i) })
	}
	wait(t, 3*time.Second)
	killedAt := time.Now()
	c.Kill(victim)
	wait(t, brokerDownFor)
	c.Restart(victim)
	back := time.Now()
	wait(t, 3*time.Second)
	stop()
	wg.Wait()

	all := &ledger{}
	for i := range senders {
		all.answers = append(all.answers, senders[i].answers...)
	}
	down := all.selected(func(a answer) bool { return a.at.After(killedAt) && a.at.Before(back) })
	_, _, longest := quantiles(all.answers)
	t.Logf("%d requests of %d records, by status %v; %d while the leader was down for %v; the longest took %v",
		len(all.answers), killPerRequest, all.statuses(), len(down), back.Sub(killedAt).Round(time.Millisecond), longest)
	if len(down) == 0 {
		t.Error("no request was sent while the leader was down")
	}
	// Two replicas are left, which is enough: clients should notice nothing but a delay.
	for _, a := range all.answers {
		if a.status != http.StatusOK {
			t.Errorf("answer %s", a)
			break
		}
	}
	checkKeyed(t, senders, read(t, c, "killed", `%k\t%s`))
}

func (s *keyed) send(ctx context.Context, t *testing.T, conn *connection, url string, key int) {
	t.Helper()
	var body strings.Builder
	for n := 0; ctx.Err() == nil; {
		body.Reset()
		for range killPerRequest {
			fmt.Fprintln(&body, n)
			n++
		}
		s.answers = append(s.answers, conn.post(t.Context(), url, body.String(), "Content-Type: application/x-ndjson",
			"X-Kafka-Key: "+strconv.Itoa(key)))
	}
}

// checkKeyed reads the log: the numbers of a key never go back or come twice, and none is missing that was answered 200.
func checkKeyed(t *testing.T, senders []keyed, lines []string) {
	t.Helper()
	last := make([]int, len(senders))
	found := make([]map[int]bool, len(senders))
	for i := range senders {
		last[i], found[i] = -1, make(map[int]bool)
	}
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "\t")
		k, err := strconv.Atoi(key)
		if err != nil || k >= len(senders) {
			t.Fatalf("kcat prints %q: no such record was sent", line)
		}
		n, err := strconv.Atoi(value)
		if err != nil || n <= last[k] {
			t.Fatalf("kcat prints %q after %d of this key (%v)", line, last[k], err)
		}
		last[k] = n
		found[k][n] = true
	}
	for k, s := range senders {
		for r, a := range s.answers {
			for n := r * killPerRequest; n < (r+1)*killPerRequest; n++ {
				if a.status == http.StatusOK && !found[k][n] {
					t.Fatalf("record %d of key %d was answered 200 and is not stored", n, k)
				}
			}
		}
	}
}

// wait lets time go by under load.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}
