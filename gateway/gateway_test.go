package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestOneRecordIsStoredAsSent(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	a := r.post(r.url("orders"), `{"a":1}`, "X-Kafka-Key: k", "X-Kafka-Partition: 2", "X-Kafka-Timestamp: 1700000000000", "X-Kafka-Header-Trace: t1")
	if a.status != 200 || *a.Partition != 2 || *a.Offset != 0 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	rec := read(t, c.ListenAddrs(), "orders", 1)[0]
	if string(rec.Key) != "k" || string(rec.Value) != `{"a":1}` || rec.Partition != 2 || rec.Timestamp.UnixMilli() != 1700000000000 {
		t.Fatalf("record %+v", rec)
	}
	if len(rec.Headers) != 1 || rec.Headers[0].Key != "Trace" || string(rec.Headers[0].Value) != "t1" {
		t.Fatalf("headers %+v", rec.Headers)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

func TestManyRecordsKeepTheirOrder(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	const n = 5000 // several batches
	var body strings.Builder
	for i := range n {
		fmt.Fprintln(&body, i)
	}
	a := r.post(r.url("orders"), body.String(), ndjson, "X-Kafka-Key: k")
	if a.status != 200 || len(a.Records) != n {
		t.Fatalf("answer %d with %d records", a.status, len(a.Records))
	}
	for i, rec := range read(t, c.ListenAddrs(), "orders", n) {
		if string(rec.Value) != fmt.Sprint(i) || *a.Records[i].Offset != rec.Offset || a.Records[i].Partition != rec.Partition {
			t.Fatalf("record %d: %+v, answered %+v", i, rec, a.Records[i])
		}
	}
}

func TestRefusals(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.missing]\n[topics.small]\nproducer.max.request.size = 1000")
	big := strings.Repeat("x", 2000)
	for name, f := range map[string]func() (answer, int, string){
		"topic not configured": func() (answer, int, string) { return r.post(r.url("nope"), "x"), 404, "topic_not_configured" },
		"topic not there":      func() (answer, int, string) { return r.post(r.url("missing"), "x"), 404, "unknown_topic" },
		"partition not there": func() (answer, int, string) {
			return r.post(r.url("orders"), "x", "X-Kafka-Partition: 3"), 404, "unknown_partition"
		},
		"negative partition": func() (answer, int, string) {
			return r.post(r.url("orders"), "x", "X-Kafka-Partition: -1"), 400, "invalid_request"
		},
		"empty body":            func() (answer, int, string) { return r.post(r.url("orders"), ""), 400, "invalid_request" },
		"larger than a request": func() (answer, int, string) { return r.post(r.url("small"), big), 413, "record_too_large" },
	} {
		t.Run(name, func(t *testing.T) {
			a, status, code := f()
			a.want(t, status, code)
		})
	}
	if n := stored(c, "orders"); n != 0 {
		t.Fatalf("%d records of refused requests are stored", n)
	}
}

// Invariant 2: 200 means acknowledged.
func TestAnswersAreTrue(t *testing.T) {
	for name, c := range map[string]struct {
		err    *kerr.Error
		status int
		code   string
		stored int64
	}{
		"stored":                 {nil, 200, "", 1},
		"refused by the broker":  {kerr.InvalidRecord, 422, "invalid_record", 0},
		"too large for broker":   {kerr.MessageTooLarge, 413, "record_too_large", 0},
		"not allowed":            {kerr.TopicAuthorizationFailed, 403, "topic_authorization_failed", 0},
		"unknown server error":   {kerr.UnknownServerError, 504, "outcome_unknown", 0},
		"never enough replicas":  {kerr.NotEnoughReplicas, 503, "not_available", 0},
		"appended, not answered": {kerr.NotEnoughReplicasAfterAppend, 504, "delivery_timeout", 1},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := fake(t)
			if c.err != nil {
				cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: c.err, Count: -1})
			}
			r := serve(t, cluster.ListenAddrs(), "[topics.orders]\nproducer.delivery.timeout.ms = 1000\nproducer.request.timeout.ms = 500")
			a := r.post(r.url("orders"), "x")
			a.want(t, c.status, c.code)
			if n := stored(cluster, "orders"); n != c.stored {
				t.Fatalf("%d records are stored", n)
			}
		})
	}
}

func TestQueuedIsAcceptedNotStored(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	a := r.post(r.url("orders")+"?ack=queued", "x")
	a.want(t, 202, "")
	if stored(c, "orders") != 0 {
		t.Fatal("stored already: the test shows nothing")
	}
	release()
	read(t, c.ListenAddrs(), "orders", 1)
}

// Invariants 2 and 3: 503 is answered at once, its record is not in the log, and the memory comes back.
func TestFullBufferIsRefusedAtOnce(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.max.block.ms = 0\nproducer.buffer.memory = 65536\nproducer.max.request.size = 32768")
	accepted := 0
	var a answer
	for a = r.post(r.url("orders")+"?ack=queued", "x"); a.status == 202; a = r.post(r.url("orders")+"?ack=queued", "x") {
		accepted++
	}
	a.want(t, 503, "buffer_full")
	if a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "buffer.memory = 65536") {
		t.Fatalf("answer %v %s", a.header, a.body)
	}
	release()
	eventually(t, "all memory is free", func() bool { return r.used("orders") == 0 })
	if n := stored(c, "orders"); n != int64(accepted) {
		t.Fatalf("%d accepted, %d stored", accepted, n)
	}
	r.post(r.url("orders"), "x").want(t, 200, "")
}

func (r *rig) used(topic string) int64 {
	e := (*r.g.topics.Load().byName.Load())[topic]
	total, free, _ := e.out.Budget()
	return total - free
}

func TestFullBufferBlocksForMaxBlock(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.max.block.ms = 300\nproducer.buffer.memory = 65536\nproducer.max.request.size = 32768")
	for r.used("orders") < 65000 {
		r.post(r.url("orders")+"?ack=queued", "x")
	}
	start := time.Now()
	a := r.post(r.url("orders"), "x")
	a.want(t, 503, "buffer_full")
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Fatalf("refused after %v", took)
	}
	waiter := make(chan answer, 1)
	go func() {
		a, err := post(http.DefaultClient, r.url("orders"), "y")
		if err != nil {
			t.Error(err)
		}
		waiter <- a
	}()
	e := (*r.g.topics.Load().byName.Load())["orders"]
	eventually(t, "the request waits", func() bool { _, _, n := e.out.Budget(); return n == 1 })
	release()
	if a := <-waiter; a.status != 200 {
		t.Fatalf("the waiter got %d %s", a.status, a.body)
	}
}

// Invariant 5: a topic whose broker does not answer and whose buffer is full does not delay one on another broker.
func TestBlockedTopicDelaysNoOther(t *testing.T) {
	c := fake(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "stuck", "free"))
	for topic, node := range map[string]int32{"stuck": 0, "free": 1} {
		if err := c.MoveTopicPartition(topic, 0, node); err != nil {
			t.Fatal(err)
		}
	}
	release := holdProduce(c, 0)
	defer release()
	small := "producer.buffer.memory = 65536\nproducer.max.request.size = 32768\nproducer.max.block.ms = 60000\n"
	r := serve(t, c.ListenAddrs(), "[topics.stuck]\n"+small+"[topics.free]\n"+small)
	for r.used("stuck") < 65000 {
		r.post(r.url("stuck")+"?ack=queued", "x")
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := post(http.DefaultClient, r.url("stuck"), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	e := (*r.g.topics.Load().byName.Load())["stuck"]
	eventually(t, "requests wait", func() bool { _, _, n := e.out.Budget(); return n == 20 })
	for range 200 {
		r.post(r.url("free"), "x").want(t, 200, "")
	}
	if _, _, n := e.out.Budget(); n != 20 {
		t.Fatalf("%d requests of the stuck topic wait: it was not stuck", n)
	}
	release()
	wg.Wait()
}

// Invariant 7: a client that goes away takes nothing with it, least of all the records of others in the same batch.
func TestDisconnectedClientHarmsNobody(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.linger.ms = 50\nproducer.max.block.ms = 0")
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", r.g.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /v1/topics/orders/records HTTP/1.1\r\nHost: x\r\nX-Kafka-Partition: 0\r\nContent-Length: 4\r\n\r\ngone")
	eventually(t, "the first record is accepted", func() bool { return r.g.cluster.Open() == 1 })
	other := make(chan answer, 1)
	go func() {
		a, err := post(http.DefaultClient, r.url("orders"), "stays", "X-Kafka-Partition: 0")
		if err != nil {
			t.Error(err)
		}
		other <- a
	}()
	eventually(t, "the second record is accepted", func() bool { return r.g.cluster.Open() == 2 })
	conn.Close()
	release()
	if a := <-other; a.status != 200 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	eventually(t, "no batch is left", func() bool { return r.g.pool.Live() == 0 })
	if r.used("orders") != 0 {
		t.Fatalf("%d bytes leaked", r.used("orders"))
	}
	if n := stored(c, "orders"); n != 2 {
		t.Fatalf("%d stored", n)
	}
}

func TestDrainFlushesWhatWasAccepted(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	for range 10 {
		r.post(r.url("orders")+"?ack=queued", "x").want(t, 202, "")
	}
	waiting := make(chan answer, 1)
	go func() {
		a, err := post(http.DefaultClient, r.url("orders"), "y")
		if err != nil {
			t.Error(err)
		}
		waiting <- a
	}()
	eventually(t, "all are accepted", func() bool { return r.g.cluster.Open() == 11 })
	r.stop()
	eventually(t, "new records are refused", func() bool {
		a, err := post(http.DefaultClient, r.url("orders"), "z")
		return err == nil && a.status == 503 && a.Code == "draining" && a.header.Get("Retry-After") != ""
	})
	resp, err := http.Get("http://" + r.g.HTTPAddr() + "/readyz") // a test
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Fatalf("/readyz = %d", resp.StatusCode)
	}
	release()
	if a := <-waiting; a.status != 200 {
		t.Fatalf("the waiting request got %d %s", a.status, a.body)
	}
	if err := <-r.done; err != nil {
		t.Fatal(err)
	}
	if n := stored(c, "orders"); n != 11 {
		t.Fatalf("%d stored", n)
	}
	if !strings.Contains(r.logs.String(), "flushed=11") {
		t.Fatal("the log does not say how many were flushed")
	}
}

func TestDrainSaysWhatItCouldNotFlush(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	cfg := parse(t, fmt.Sprintf("shutdown.timeout.ms = 200\n[kafka]\nbootstrap.servers = %q\n[http]\nlisten=\"127.0.0.1:0\"\n[admin]\nlisten=\"127.0.0.1:0\"\n[topics.orders]\n", c.ListenAddrs()[0]))
	r := serveConfig(t, cfg)
	r.post(r.url("orders")+"?ack=queued", "x").want(t, 202, "")
	err := r.end()
	if err == nil || !strings.Contains(err.Error(), "shutdown.timeout.ms = 200") {
		t.Fatalf("err = %v", err)
	}
	if !strings.Contains(r.logs.String(), "unflushed=1") {
		t.Fatal("the log does not say how many were not flushed")
	}
}

func TestReadinessFollowsTheCluster(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	status := func() int {
		resp, err := http.Get("http://" + r.g.HTTPAddr() + "/readyz") // a test
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	eventually(t, "ready", func() bool { return status() == 200 })
	c.Close()
	eventually(t, "not ready", func() bool { return status() == 503 })
}

func TestReloadChangesTopicsWithoutLosingARequest(t *testing.T) {
	c := fake(t)
	head := fmt.Sprintf("[kafka]\nbootstrap.servers = %q\n[http]\nlisten=\"127.0.0.1:0\"\n[admin]\nlisten=\"127.0.0.1:0\"\n", c.ListenAddrs()[0])
	r := serveConfig(t, parse(t, head+"[topics.orders]\n"))
	r.post(r.url("other"), "x").want(t, 404, "topic_not_configured")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	sent := make([]int64, 4)
	for w := range sent {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a, err := post(http.DefaultClient, r.url("orders"), "x")
				if err != nil || a.status != 200 {
					t.Errorf("answer %d %s %v", a.status, a.body, err)
					return
				}
				sent[w]++
			}
		})
	}
	for i := range 10 {
		next := parse(t, head+fmt.Sprintf("[topics.orders]\nproducer.linger.ms = %d\n[topics.other]\n", i%3))
		if err := r.g.Reload(next); err != nil {
			t.Fatal(err)
		}
	}
	r.post(r.url("other"), "x").want(t, 200, "")
	close(stop)
	wg.Wait()
	var total int64
	for _, n := range sent {
		total += n
	}
	if n := stored(c, "orders"); n != total {
		t.Fatalf("%d answered 200, %d stored", total, n)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

func TestDrainReachesRequestsThatWaitForMetadata(t *testing.T) {
	c := fake(t)
	brokers := c.ListenAddrs()
	c.Close() // nobody is there
	r := serve(t, brokers, "[topics.orders]")
	waiting := make(chan answer, 1)
	go func() {
		a, err := post(http.DefaultClient, r.url("orders"), "x")
		if err != nil {
			t.Error(err)
		}
		waiting <- a
	}()
	eventually(t, "the request is being served", func() bool { return r.g.pool.Live() == 1 })
	start := time.Now()
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	a := <-waiting
	a.want(t, 503, "draining")
	if took := time.Since(start); took > 8*time.Second { // shutdown.timeout.ms is 10 s
		t.Fatalf("it took %v", took)
	}
}

// A reload during an outage gives the records of the replaced topic their delivery.timeout.ms, not shutdown.timeout.ms, and
// the new topic does not get a second buffer.memory.
func TestReloadDuringAnOutageLosesNothing(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	head := fmt.Sprintf("shutdown.timeout.ms = 0\n[kafka]\nbootstrap.servers = %q\n[http]\nlisten=\"127.0.0.1:0\"\n[admin]\nlisten=\"127.0.0.1:0\"\n[topics.orders]\nproducer.max.block.ms = 0\nproducer.buffer.memory = 65536\nproducer.max.request.size = 32768\n", c.ListenAddrs()[0])
	r := serveConfig(t, parse(t, head))
	var accepted int64
	for r.post(r.url("orders")+"?ack=queued", "x").status == 202 {
		accepted++
	}
	for i := range 3 {
		if err := r.g.Reload(parse(t, head+fmt.Sprintf("producer.linger.ms = %d\n", i))); err != nil {
			t.Fatal(err)
		}
		r.post(r.url("orders")+"?ack=queued", "x").want(t, 503, "buffer_full")
	}
	release()
	r.g.background.Wait()
	if n := stored(c, "orders"); n != accepted {
		t.Fatalf("%d accepted, %d stored", accepted, n)
	}
	r.post(r.url("orders"), "x").want(t, 200, "")
}

func TestStopLeavesNoGoroutine(t *testing.T) {
	c := fake(t)
	live := func() {
		r := serve(t, c.ListenAddrs(), "[topics.orders]\n[topics.\"l*\"]")
		r.post(r.url("orders"), "x").want(t, 200, "")
		if err := r.g.Reload(r.g.cfg.Load()); err != nil {
			t.Fatal(err)
		}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	live() // fasthttp starts a clock that never ends
	before := runtime.NumGoroutine()
	for range 3 {
		live()
	}
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
}
