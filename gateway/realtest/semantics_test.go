package realtest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"sluice/gateway/kafkatest"
)

// wireTables are topics that differ in what the broker is to see of it. Each has a client.id, so that it is seen whose request it is.
const wireTables = `[producer]
linger.ms = 0
[topics.none]
producer.acks = 0
producer.request.timeout.ms = 3000
producer.client.id = "none"
[topics.leader]
producer.acks = 1
producer.request.timeout.ms = 6000
producer.client.id = "leader"
[topics.plain]
producer.enable.idempotence = false
producer.request.timeout.ms = 9000
producer.client.id = "plain"
[topics.all]
producer.client.id = "all"
[topics.one]
producer.enable.idempotence = false
producer.max.in.flight.requests.per.connection = 1
[topics.three]
producer.enable.idempotence = false
producer.max.in.flight.requests.per.connection = 3
[topics.five]
producer.client.id = "five"
[topics.never-again]
producer.retries = 0
[topics.once-again]
producer.retries = 1
producer.enable.idempotence = false
[topics.again]
producer.client.id = "again"
[topics.soon]
producer.request.timeout.ms = 1000
[topics.later]
producer.request.timeout.ms = 120000
[topics.given-up]
producer.request.timeout.ms = 5000
producer.delivery.timeout.ms = 5000
`

// wired is a gateway with wireTables in front of a real broker behind a wire.
type wired struct {
	*testing.T
	*wire
	cluster *kafkatest.Cluster
	http    string
	conn    *connection
}

// TestSeenByTheBroker holds the properties of how records are sent to what a real broker gets.
func TestSeenByTheBroker(t *testing.T) {
	w, c := newWire(t)
	for _, topic := range []string{
		"none", "leader", "plain", "all", "one", "three", "five", "never-again", "once-again", "again", "soon", "later", "given-up",
	} {
		place(t, c, topic, nil, []int32{1})
	}
	text := fmt.Sprintf("shutdown.timeout.ms = 60000\n[kafka]\nbootstrap.servers = [%q]\n[admin]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n%s",
		w.addr(), wireTables)
	addr := serve(t, text)
	for name, test := range map[string]func(wired){
		"acks, request.timeout.ms, client.id and enable.idempotence": seesProperties, "max.in.flight.requests.per.connection": seesMaxInFlight,
		"retries=0": seesNoRetry, "retries=1": seesOneRetry, "retries of idempotent records": seesIdempotentRetries,
		"request.timeout.ms": seesRequestTimeout, "delivery.timeout.ms": seesDeliveryTimeout,
	} {
		t.Run(name, func(t *testing.T) { test(wired{t, w, c, addr, newConnection(t)}) })
	}
}

// send posts values to a topic, one record each, and wants the status.
func (w wired) send(topic, values string, status int) answer {
	w.Helper()
	a := w.conn.post(w.Context(), recordsURL(w.http, topic, delivered), values, "Content-Type: application/x-ndjson")
	if a.status != status {
		w.Fatalf("topic %s: answer %s, want %d", topic, a, status)
	}
	return a
}

// later is send in the background; the answer comes over the channel.
func (w wired) later(topic, value string) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		answers <- newConnection(w).post(w.Context(), recordsURL(w.http, topic, delivered), value)
	}()
	return answers
}

func (w wired) wantLog(topic string, want ...string) {
	w.Helper()
	if got := read(w, w.cluster, topic, "%s"); !slices.Equal(got, want) {
		w.Errorf("topic %s holds %q, want %q", topic, got, want)
	}
}

// acks, request.timeout.ms, client.id and enable.idempotence of each topic are in its requests.
func seesProperties(w wired) {
	want := map[string]struct {
		acks       int16
		timeout    int32 // two thirds of request.timeout.ms; the rest is for the network
		idempotent bool
	}{
		"none": {0, 2000, false}, "leader": {1, 4000, false}, "plain": {-1, 6000, false}, "all": {-1, 20000, true},
	}
	for topic, want := range want {
		w.send(topic, "a\nb\n", http.StatusOK)
		w.send(topic, "c\n", http.StatusOK)
		w.send(topic, "d\n", http.StatusOK)
		seen := w.await(w, topic, "four records", func(p []produced) bool { return recordsIn(p) >= 4 })
		records := int32(0)
		for i, p := range seen {
			if p.acks != want.acks || p.timeout != want.timeout || p.client != topic {
				w.Errorf("%s: request %d has acks %d, timeout_ms %d, client.id %q", topic, i, p.acks, p.timeout, p.client)
			}
			if pid, epoch, seq := seen[0].pid, int16(0), records; want.idempotent {
				if p.pid < 0 || p.pid != pid || p.epoch != epoch || p.seq != seq {
					w.Errorf("%s: request %d has producer %d, epoch %d, sequence %d; want %d, %d, %d", topic, i, p.pid, p.epoch, p.seq, pid, epoch, seq)
				}
			} else if p.pid != -1 || p.epoch != -1 { // the broker looks at no sequence then
				w.Errorf("%s: request %d has producer %d, epoch %d, sequence %d; it is not idempotent", topic, i, p.pid, p.epoch, p.seq)
			}
			records += p.records
		}
		if records != 4 {
			w.Errorf("%s: %d records in %d requests", topic, records, len(seen))
		}
		if want.acks != 0 { // with acks=0 the answer may be there before the record
			w.wantLog(topic, "a", "b", "c", "d")
		}
	}
}

func recordsIn(requests []produced) (records int32) {
	for _, p := range requests {
		records += p.records
	}
	return records
}

// A broker that answers slowly has as many requests as max.in.flight.requests.per.connection says; five of an idempotent producer.
func seesMaxInFlight(w wired) {
	for topic, want := range map[string]int{"one": 1, "three": 3, "five": 5} {
		w.send(topic, "first", http.StatusOK)
		values := []string{"first"}
		release := w.hold(topic)
		var answers []<-chan answer
		for i := range 4 + want {
			values = append(values, fmt.Sprint(i))
			answers = append(answers, w.later(topic, values[len(values)-1]))
			if i < want { // one request each, as long as there may be more
				w.await(w, topic, "another request", func(p []produced) bool { return len(p) == 2+i })
			}
		}
		release()
		for _, a := range answers {
			if a := <-a; a.status != http.StatusOK {
				w.Errorf("%s: answer %s", topic, a)
			}
		}
		most := 0
		for _, p := range w.of(topic) {
			most = max(most, p.inFlight)
		}
		if most != want {
			w.Errorf("%s: the broker had up to %d requests without an answer, want %d", topic, most, want)
		}
		got := read(w, w.cluster, topic, "%s")
		slices.Sort(got[1+want:]) // those came at once, so they have no order
		if !slices.Equal(got, values) {
			w.Errorf("%s holds %q, want %q", topic, got, values)
		}
	}
}

// attempts is the requests with a record whose value starts with "cut".
func (w wired) attempts(topic string) []produced {
	return slices.DeleteFunc(w.of(topic), func(p produced) bool { return !bytes.Contains(p.bytes, []byte("cut")) })
}

// What gets no answer is not sent again: whether it is stored is not known.
func seesNoRetry(w wired) {
	w.cut("never-again", 1)
	w.send("never-again", "cut", http.StatusGatewayTimeout)
	w.send("never-again", "next", http.StatusOK)
	if a := w.attempts("never-again"); len(a) != 1 || !a[0].cut || a[0].code != 0 || a[0].pid != -1 {
		w.Errorf("%d attempts: %+v", len(a), a)
	}
	w.wantLog("never-again", "cut", "next")
}

// Without idempotence what is sent again is stored again.
func seesOneRetry(w wired) {
	w.cut("once-again", 1)
	w.send("once-again", "cut", http.StatusOK)
	w.cut("once-again", 2)
	w.send("once-again", "cut again", http.StatusGatewayTimeout)
	w.send("once-again", "next", http.StatusOK)
	if a := w.attempts("once-again"); len(a) != 4 {
		w.Errorf("%d attempts of 2 records: %+v", len(a), a)
	}
	w.wantLog("once-again", "cut", "cut", "cut again", "cut again", "next")
}

// With it the broker knows that it is the same, by producer, epoch and sequence.
func seesIdempotentRetries(w wired) {
	w.send("again", "first", http.StatusOK)
	w.cut("again", 3)
	w.send("again", "cut", http.StatusOK)
	w.send("again", "next", http.StatusOK)
	a := w.attempts("again")
	if len(a) != 4 {
		w.Errorf("%d attempts: %+v", len(a), a)
	}
	for i, p := range a {
		if p.pid != a[0].pid || p.epoch != a[0].epoch || p.seq != 1 || !p.answered || p.code != 0 || p.cut != (i < 3) {
			w.Errorf("attempt %d: %+v", i, p)
		}
	}
	w.wantLog("again", "first", "cut", "next")
}

// A request without an answer is given up after request.timeout.ms of its topic, with its
// connection, and sent again over another.
func seesRequestTimeout(w wired) {
	for _, topic := range []string{"soon", "later"} {
		w.send(topic, "first", http.StatusOK)
	}
	release := w.hold("soon", "later")
	answers := map[string]<-chan answer{"soon": w.later("soon", "held"), "later": w.later("later", "held")}
	w.await(w, "later", "the request", func(p []produced) bool { return len(p) == 2 })
	seen := w.await(w, "soon", "two more attempts", func(p []produced) bool { return len(p) >= 4 })
	release()
	for topic, a := range answers {
		if a := <-a; a.status != http.StatusOK {
			w.Errorf("%s: answer %s", topic, a)
		}
		w.wantLog(topic, "first", "held")
	}
	for i, p := range seen[1:3] {
		if after := p.broken.Sub(p.at); p.broken.IsZero() || after < 990*time.Millisecond {
			w.Errorf("attempt %d was given up after %v", i, after)
		}
		if next := seen[i+2]; next.conn == p.conn || next.seq != p.seq || next.pid != p.pid || next.epoch != p.epoch {
			w.Errorf("attempt %d: %+v, then %+v", i, p, next)
		}
	}
	if got := w.of("later"); len(got) != 2 || got[1].conn != got[0].conn || !got[1].broken.IsZero() {
		w.Errorf("with 120 s to answer in: %+v", got)
	}
}

// What is given up is not sent again, and those behind it have a new epoch, which the broker
// takes.
func seesDeliveryTimeout(w wired) {
	w.send("given-up", "first", http.StatusOK)
	release := w.hold("given-up")
	a := w.send("given-up", "held", http.StatusGatewayTimeout)
	release()
	if a.took < 5*time.Second {
		w.Errorf("given up after %v", a.took)
	}
	w.send("given-up", "next", http.StatusOK)
	w.send("given-up", "last", http.StatusOK)
	seen := w.of("given-up")
	old, next, last := seen[0], seen[len(seen)-2], seen[len(seen)-1]
	if next.pid != old.pid || next.epoch != old.epoch+1 || next.seq != 0 || last.epoch != next.epoch || last.seq != 1 {
		w.Errorf("after it was given up: %+v, then %+v", next, last)
	}
	for _, p := range seen[len(seen)-2:] {
		if bytes.Contains(p.bytes, []byte("held")) {
			w.Errorf("it was sent again: %+v", p)
		}
	}
	w.wantLog("given-up", "first", "held", "next", "last")
}
