//go:build linux

package realtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

const (
	spoolSenders    = 8
	spoolPerRequest = 10
)

// spoolSender queues records of one key, counted from 0 through all lives of the gateway.
type spoolSender struct {
	topic   string
	key     int
	next    int
	answers map[int]answer // by the first number of the request
}

func newSpoolSenders(topic string) []*spoolSender {
	all := make([]*spoolSender, spoolSenders)
	for i := range all {
		all[i] = &spoolSender{topic: topic, key: i, answers: make(map[int]answer)}
	}
	return all
}

// send queues records until ctx ends, or the gateway does.
func (s *spoolSender) send(ctx context.Context, t *testing.T, addr string) {
	t.Helper()
	conn := newConnection(t)
	url := recordsURL(addr, s.topic, queued)
	var body strings.Builder
	for ctx.Err() == nil {
		body.Reset()
		first := s.next
		for range spoolPerRequest {
			fmt.Fprintln(&body, s.next)
			s.next++
		}
		a := conn.post(t.Context(), url, body.String(), "Content-Type: application/x-ndjson", "X-Kafka-Key: "+strconv.Itoa(s.key))
		s.answers[first] = a
		if a.status != http.StatusAccepted {
			return
		}
	}
}

// during has all send while f runs.
func sendDuring(t *testing.T, all []*spoolSender, addr string, f func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for _, s := range all {
		wg.Go(func() { s.send(ctx, t, addr) })
	}
	f()
	stop()
	wg.Wait()
}

// accepted is the number of records that were answered 202.
func accepted(all []*spoolSender) (n int) {
	for _, s := range all {
		for _, a := range s.answers {
			if a.status == http.StatusAccepted {
				n += spoolPerRequest
			}
		}
	}
	return n
}

// checkSpooled reads the log: every record that was answered 202 is there, the first time in the order of its key. It returns how
// many are there more than once.
func checkSpooled(t *testing.T, all []*spoolSender, lines []string) (again int) {
	t.Helper()
	last := make([]int, len(all))
	found := make([]map[int]bool, len(all))
	for i := range all {
		last[i], found[i] = -1, make(map[int]bool)
	}
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "\t")
		k, err := strconv.Atoi(key)
		if err != nil {
			t.Fatalf("kcat prints %q: no such record was sent", line)
		}
		n, err := strconv.Atoi(value)
		switch {
		case err != nil || n >= all[k].next:
			t.Fatalf("kcat prints %q: no such record was sent", line)
		case found[k][n]:
			again++
			continue
		case n <= last[k]:
			t.Fatalf("kcat prints %q after %d of this key", line, last[k])
		}
		last[k] = n
		found[k][n] = true
	}
	for k, s := range all {
		for first, a := range s.answers {
			for n := first; n < first+spoolPerRequest; n++ {
				if a.status == http.StatusAccepted && !found[k][n] {
					t.Fatalf("record %d of key %d was answered 202 and is not stored", n, k)
				}
			}
		}
	}
	return again
}

// awaitSpool waits until the topic's spool is empty, by what the metrics say, and ends the gateway in good order.
func awaitSpool(t *testing.T, gw *child, topic string, within time.Duration) {
	t.Helper()
	admin := gw.stdout.await(adminGreeting.FindStringSubmatch)
	for end := time.Now().Add(within); ; wait(t, 50*time.Millisecond) {
		state := fetch(t, "http://"+admin[1]+"/v1/topics/"+topic)
		if strings.Contains(state, `"spool":{"waiting":0,`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the spool is not empty after %v: %s", within, state)
		}
	}
	gw.terminate()
	if status := gw.exit(60 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// awaitStored waits until some records of this life of the gateway are stored.
func awaitStored(t *testing.T, gw *child, topic string) {
	t.Helper()
	admin := gw.stdout.await(adminGreeting.FindStringSubmatch)
	stored := regexp.MustCompile(`"spool":.*"stored":[1-9]`)
	for end := time.Now().Add(60 * time.Second); ; wait(t, 10*time.Millisecond) {
		state := fetch(t, "http://"+admin[1]+"/v1/topics/"+topic)
		if stored.MatchString(state) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nothing is stored: %s", state)
		}
	}
}

// adminGreeting is where the program says that its admin plane listens.
var adminGreeting = regexp.MustCompile(`metrics +http://([^/]+)/`)

func fetch(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func spoolSettings(t *testing.T, c *kafkatest.Cluster, topic string) string {
	t.Helper()
	return settings(t, c, "", "[topics."+topic+"]\n"+fmt.Sprintf("spool.dir = %q\nspool.segment.bytes = 262144\nproducer.linger.ms = 5\n", t.TempDir()))
}

// TestSpoolSurvivesKillsDuringAnOutage: the gateway is killed while no broker answers, and again while it sends what it had.
func TestSpoolSurvivesKillsDuringAnOutage(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("spooled", 4, 3, nil)
	text := spoolSettings(t, c, "spooled")
	all := newSpoolSenders("spooled")
	for round := range 3 {
		for id := 1; id <= 3; id++ {
			c.Pause(id)
		}
		for range 2 {
			gw := startChild(t, text)
			sendDuring(t, all, gw.addr, func() {
				wait(t, 1500*time.Millisecond)
				gw.kill()
			})
		}
		gw := startChild(t, text)
		sendDuring(t, all, gw.addr, func() {
			for id := 1; id <= 3; id++ {
				c.Resume(id)
			}
			wait(t, time.Duration(500+700*round)*time.Millisecond)
			gw.kill()
		})
	}
	for range 3 {
		gw := startChild(t, text)
		sendDuring(t, all, gw.addr, func() {
			awaitStored(t, gw, "spooled")
			gw.kill()
		})
	}
	gw := startChild(t, text)
	awaitSpool(t, gw, "spooled", 120*time.Second)
	again := checkSpooled(t, all, read(t, c, "spooled", `%k\t%s`))
	t.Logf("%d records were accepted in 13 lives, 12 of which ended by SIGKILL; %d are stored more than once", accepted(all), again)
}

// TestSpoolRepeatsNothingWithoutAKill: clean restarts under load, and an outage.
func TestSpoolRepeatsNothingWithoutAKill(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	c.CreateTopic("respooled", 4, 3, nil)
	text := spoolSettings(t, c, "respooled") + "producer.request.timeout.ms = 3000\n"
	all := newSpoolSenders("respooled")
	for range 5 {
		gw := startChild(t, text)
		sendDuring(t, all, gw.addr, func() {
			wait(t, 700*time.Millisecond)
			gw.terminate()
			if status := gw.exit(60 * time.Second); status != 0 {
				t.Errorf("exit status %d", status)
			}
		})
	}
	gw := startChild(t, text)
	sendDuring(t, all, gw.addr, func() {
		wait(t, 700*time.Millisecond)
		for id := 1; id <= 3; id++ {
			c.Pause(id)
		}
		wait(t, 8*time.Second) // longer than request.timeout.ms, so that the client sends again
		for id := 1; id <= 3; id++ {
			c.Resume(id)
		}
	})
	awaitSpool(t, gw, "respooled", 120*time.Second)
	again := checkSpooled(t, all, read(t, c, "respooled", `%k\t%s`))
	t.Logf("%d records were accepted", accepted(all))
	if again > 0 {
		t.Errorf("%d records are stored twice", again)
	}
}
