package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/deadletter"
	"sluice/gateway/kafkatest"
)

// numbered puts n letters with the values 0, 1, ... into every partition.
func numbered(r *dltRig, n int) {
	for p := range int32(3) {
		for i := range n {
			rec := sluices(deadletter.Letter{ID: fmt.Sprintf("r-%d-%d", p, i), Partition: p, Offset: -1, Timestamp: 1}, nil, []byte(fmt.Sprint(i)))
			rec.Partition = p
			r.put(rec)
		}
	}
}

// holdFirst keeps the first request of a kind that match wants unanswered until release is called.
func holdFirst(c *kfake.Cluster, key kmsg.Key, match func(kmsg.Request) bool) (held <-chan struct{}, release func()) {
	at, gate := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	c.ControlKey(int16(key), func(q kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if match(q) && once.CompareAndSwap(false, true) {
			close(at)
			c.SleepControl(func() { <-gate })
		}
		return nil, nil, false
	})
	return at, sync.OnceFunc(func() { close(gate) })
}

// TestDltReplayThatIsKilled: whatever a first run had done when it was killed, a second one repeats and loses nothing; and a
// first one that was only slow is told that it was fenced. The first run stands still instead of being killed: no more comes of it.
func TestDltReplayThatIsKilled(t *testing.T) {
	for _, test := range []struct {
		name string
		key  kmsg.Key
		at   func(c *kfake.Cluster) func(kmsg.Request) bool
	}{
		{"before its records are stored", kmsg.Produce, writesTo("orders")},
		{"between records and marks", kmsg.Produce, writesTo("orders.DLT")},
		{"before the transaction is committed", kmsg.EndTxn, func(*kfake.Cluster) func(kmsg.Request) bool { return func(kmsg.Request) bool { return true } }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newDltRig(t)
			numbered(r, 5)
			held, release := holdFirst(r.cluster, test.key, test.at(r.cluster))
			defer release()
			first := make(chan string, 1)
			go func() {
				out, stderr, status := r.dlt("replay", "orders", "--via", "kafka")
				first <- fmt.Sprint(status, out, stderr)
			}()
			wait(t, "the first run gets so far", held)
			if out := r.ok("replay", "orders", "--via", "kafka"); !strings.Contains(out, "15  replayed") {
				t.Error(out)
			}
			const want = "[[0 1 2 3 4] [0 1 2 3 4] [0 1 2 3 4]]"
			if got := r.values("orders"); got != want {
				t.Errorf("orders has %s", got)
			}
			release()
			if got := wait(t, "the first run ends", first); !strings.HasPrefix(got, "1") || !strings.Contains(got, "another replay of this dead-letter topic was started") {
				t.Error(got)
			}
			if got := r.values("orders"); got != want || r.ids("--pending") != "" {
				t.Errorf("orders has %s, pending %s", got, r.ids("--pending"))
			}
		})
	}
}

func writesTo(topic string) func(c *kfake.Cluster) func(kmsg.Request) bool {
	return func(c *kfake.Cluster) func(kmsg.Request) bool {
		id := c.TopicInfo(topic).TopicID
		return func(q kmsg.Request) bool {
			for _, t := range q.(*kmsg.ProduceRequest).Topics {
				if t.TopicID == id || t.Topic == topic {
					return true
				}
			}
			return false
		}
	}
}

// TestDltReplayViaGatewayThatIsKilled: what was not marked is sent again, and the gateway remembers it.
func TestDltReplayViaGatewayThatIsKilled(t *testing.T) {
	r := newDltRig(t)
	numbered(r, 5)
	url, _ := r.serve(dltTables, "")
	held, release := holdFirst(r.cluster, kmsg.Produce, writesTo("orders.DLT")(r.cluster))
	defer release()
	first := make(chan string, 1)
	go func() {
		out, stderr, status := r.dlt("replay", "orders", "--url", url)
		first <- fmt.Sprint(status, out, stderr)
	}()
	wait(t, "the first run writes its first marks", held)
	if out := r.ok("replay", "orders", "--url", url, "--keep-partition=false"); !strings.Contains(out, "15  replayed") {
		t.Error(out)
	}
	release()
	if got := wait(t, "the first run ends", first); !strings.HasPrefix(got, "1") || !strings.Contains(got, "another replay") {
		t.Error(got)
	}
	if n := len(r.committed("orders")); n != 15 || r.ids("--pending") != "" {
		t.Errorf("%d records, pending %s", n, r.ids("--pending"))
	}
}

// TestDltReplayRefused: what is not taken is reported with its reason, is not marked, and does not keep the others.
func TestDltReplayRefused(t *testing.T) {
	stockRefused := func(r *dltRig) {
		for i, topic := range []string{"orders", "nowhere", "orders"} {
			l := sluices(deadletter.Letter{ID: fmt.Sprint("r-", i), Topic: topic, Partition: -1, Offset: -1, Timestamp: 1}, []byte("k"), []byte(fmt.Sprint(i)))
			r.put(l)
		}
		noise := make([]byte, 5_000) // which cannot be compressed
		_, _ = rand.Read(noise)
		r.put(sluices(deadletter.Letter{ID: "r-3", Partition: -1, Offset: -1, Timestamp: 1}, []byte("k"), noise)) // together with the others, the batch is too large for small
		r.put(sluices(deadletter.Letter{ID: "r-4", Partition: -1, Offset: -1, Timestamp: 1}, []byte("k"), []byte("4")))
	}
	for _, via := range []string{"gateway", "kafka"} {
		t.Run(via, func(t *testing.T) {
			r := newDltRig(t)
			stockRefused(r)
			if err := r.cluster.CreateTopic("small", 1, map[string]string{"max.message.bytes": "1000"}); err != nil {
				t.Fatal(err)
			}
			url, _ := r.serve(dltTables+"[topics.small]\n", "")
			out, stderr, status := r.dlt("replay", "orders", "--via", via, "--url", url, "--id", "r-1")
			if status != exitFailed || !strings.Contains(out, "1  refused") || !strings.Contains(stderr, "1 of 1 letter: not replayed") {
				t.Errorf("%d %s%s", status, out, stderr)
			}
			if via == "kafka" != strings.Contains(out, "unknown_topic_or_partition") || via == "gateway" != strings.Contains(out, "topic_not_configured") {
				t.Error(out)
			}
			out, _, status = r.dlt("replay", "orders", "--via", via, "--url", url, "--to", "small")
			if status != exitFailed || !strings.Contains(out, "4  replayed") || !strings.Contains(out, "1  refused") || !strings.Contains(out, "0@3") {
				t.Errorf("%d %s", status, out)
			}
			if r.ids("--pending") != "r-3" || len(r.committed("small")) != 4 {
				t.Errorf("pending %s, %d in small", r.ids("--pending"), len(r.committed("small")))
			}
		})
	}
}

// TestDltReplayWaitsForAGatewayThatCannotTakeIt: 503 and 429 are tried again until --timeout, in order; and then the run ends.
func TestDltReplayWaitsForAGatewayThatCannotTakeIt(t *testing.T) {
	r := newDltRig(t)
	numbered(r, 2)
	var asked atomic.Int64
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch n := asked.Add(1); {
		case q.Header.Get("Idempotency-Key") != `"r-0-0"` && q.Header.Get("Idempotency-Key") != `"r-0-1"`:
			t.Errorf("Idempotency-Key %s", q.Header.Get("Idempotency-Key"))
		case n <= 2:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusTooManyRequests}[n-1])
			fmt.Fprint(w, `{"code":"buffer_full","detail":"full"}`)
		case n == 3:
			fmt.Fprint(w, `{"topic":"orders","records":[{"partition":1,"offset":null}]}`)
		default:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `<html>`)
		}
	}))
	defer busy.Close()
	out, stderr, status := r.dlt("replay", "orders", "--url", busy.URL, "--timeout", "200ms", "--limit", "2")
	if status != exitFailed || !strings.Contains(out, "1  replayed") || !strings.Contains(out, "1  not tried") || !strings.Contains(stderr, "--timeout 200ms") || !strings.Contains(stderr, "503") {
		t.Errorf("%d %s%s", status, out, stderr)
	}
	if got := r.ok("list", "orders", "--id", "r-0-0"); !strings.Contains(got, " orders-1 ") {
		t.Error(got)
	}
	busy.Close()
	if _, stderr, status := r.dlt("replay", "orders", "--url", busy.URL); status != exitFailed || !strings.Contains(stderr, "no gateway answers at "+busy.URL+" (--url)") {
		t.Errorf("%d %s", status, stderr)
	}
}

// TestDltReplayCanBeInterrupted: what was done is marked, and nothing is left open.
func TestDltReplayCanBeInterrupted(t *testing.T) {
	r := newDltRig(t)
	numbered(r, 3)
	ctx, interrupt := context.WithCancel(t.Context())
	hang := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Idempotency-Key") == `"r-0-2"` {
			interrupt()
			<-hang
		}
		fmt.Fprint(w, `{"topic":"orders","records":[{"partition":1,"offset":9}]}`)
	}))
	defer slow.Close()
	defer close(hang)
	_, stderr, status := r.dltUntil(ctx, "replay", "orders", "--url", slow.URL)
	if status != exitFailed || !strings.Contains(stderr, "interrupted; what was replayed is marked") {
		t.Errorf("%d %s", status, stderr)
	}
	if got := r.ids("--pending"); !strings.HasPrefix(got, "r-0-2") {
		t.Errorf("pending %s", got)
	}
}

// TestDltMarksCannotBeWritten: then nothing is replayed via Kafka, and it says what is wrong.
func TestDltMarksCannotBeWritten(t *testing.T) {
	r := newDltRig(t)
	numbered(r, 2)
	url, _ := r.serve(dltTables, "")
	r.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders.DLT", Err: kerr.TopicAuthorizationFailed, Count: -1})
	for _, via := range []string{"kafka", "gateway"} {
		if _, stderr, status := r.dlt("replay", "orders", "--via", via, "--url", url); status != exitFailed || !strings.Contains(stderr, "cannot be marked in orders.DLT") {
			t.Errorf("%s: %d %s", via, status, stderr)
		}
		if n := len(r.committed("orders")); via == "kafka" && n != 0 {
			t.Errorf("%d records", n)
		}
	}
}

// TestDltManyLetters: several transactions, and letters that are larger than what goes into one.
func TestDltManyLetters(t *testing.T) {
	r := newDltRig(t)
	var all []*kgo.Record
	for i := range 1700 {
		size := 10
		if i%500 == 7 {
			size = 600_000
		}
		l := sluices(deadletter.Letter{ID: fmt.Sprint("r-", i), Partition: 1, Offset: -1, Timestamp: 1}, []byte(fmt.Sprint(i)), bytes.Repeat([]byte("x"), size))
		l.Topic, l.Partition = "orders.DLT", int32(i%2)
		all = append(all, l)
	}
	if err := r.k.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if out := r.ok("replay", "orders", "--via", "kafka", "--limit", "1699"); !strings.Contains(out, "1699  replayed") {
		t.Error(out)
	}
	last := map[int]int{0: -1, 1: -1} // of each partition of letters
	n := 0
	for _, rec := range r.committed("orders") {
		var i int
		if _, err := fmt.Sscan(string(rec.Key), &i); err != nil || i <= last[i%2] || rec.Partition != 1 {
			t.Fatalf("%s in partition %d comes after %d: %v", rec.Key, rec.Partition, last[i%2], err)
		}
		last[i%2] = i
		n++
	}
	if n != 1699 || r.ids("--pending") != "r-1699" {
		t.Errorf("%d records, pending %s", n, r.ids("--pending"))
	}
}

// TestDltStoryOfAModule: a module refuses records, which become dead letters; it is mended; and then everything is in its topic.
func TestDltStoryOfAModule(t *testing.T) {
	if testing.Short() {
		t.Skip("-short builds no module")
	}
	if _, err := exec.LookPath("go"); err != nil {
		kafkatest.Missing(t, "needs the go command")
	}
	cache := t.TempDir()
	for _, via := range []string{"gateway", "kafka"} {
		t.Run(via, func(t *testing.T) {
			r := newDltRig(t)
			guard := func(required string) string {
				return dltTables + "[[topics.orders.interceptors]]\nmodule = \"schema-guard\"\non_error = \"dlq\"\nconfig = { required = { \"/id\" = " + required + " } }\n"
			}
			url, stop := r.serve(guard(`"string"`), cache)
			for i := range 20 {
				if status := post(t, url+"/v1/topics/orders/records", fmt.Sprintf(`{"id":%d}`, i)); status != http.StatusMultiStatus {
					t.Fatalf("answer %d, want a dead letter", status)
				}
			}
			if status := post(t, url+"/v1/topics/orders/records", `{"id":"20"}`); status != http.StatusOK {
				t.Fatalf("answer %d", status)
			}
			if out, stderr, status := r.dlt("replay", "orders", "--url", url, "--limit", "3"); status != exitFailed ||
				!strings.Contains(out, "3  dead-lettered again") || !strings.Contains(stderr, "3 of 3 letters: dead-lettered again") {
				t.Fatalf("%d %s", status, out)
			}
			stop()
			url, _ = r.serve(guard(`["integer", "string"]`), cache)
			if out := r.ok("replay", "orders", "--url", url, "--via", via); !strings.Contains(out, "20  replayed") {
				t.Error(out)
			}
			got := make(map[string]int)
			for _, rec := range r.committed("orders") {
				got[string(rec.Value)]++
			}
			for i := range 20 {
				if n := got[fmt.Sprintf(`{"id":%d}`, i)]; n != 1 {
					t.Errorf("record %d is there %d times", i, n)
				}
			}
			if len(got) != 21 || r.ids("--pending") != "" {
				t.Errorf("%d records, pending %s", len(got), r.ids("--pending"))
			}
		})
	}
}
