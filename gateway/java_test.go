package gateway

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/record"
)

// The tests of this file have the names of Kafka's; producer/JAVA_TESTS.md says which of Kafka's tests are where.

// ends is an interceptor that keeps what OnAck was told of each record.
type ends struct {
	scripted

	mu    sync.Mutex
	topic []string
	acks  []record.Ack
}

func (e *ends) OnAck(b *record.Batch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range b.Records {
		e.topic, e.acks = append(e.topic, b.Records[i].Topic), append(e.acks, b.Acks[i])
	}
}

// KafkaProducerTest, also ProducerInterceptorsTest.testOnAcknowledgementWithErrorChain: who is told of a record that failed before
// it had a partition is told its topic, and that partition and offset are not known.
func TestCallbackAndInterceptorHandleError(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.missing]\n")
	e := &ends{}
	r.intercept("missing", e)
	r.post(r.url("missing"), "v").want(t, 404, "unknown_topic")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if len(e.acks) != 1 || e.topic[0] != "missing" {
		t.Fatalf("told of %d records, in %q", len(e.acks), e.topic)
	}
	if a := e.acks[0]; a.Partition != record.NoPartition || a.Offset != record.NoOffset || a.Timestamp != record.NoTimestamp || a.Code != record.UnknownTopic {
		t.Errorf("told %+v", a)
	}
}

// KafkaProducerTest.
func TestInterceptorPartitionSetOnTooLargeRecord(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.max.request.size = 1000\n")
	e := &ends{}
	r.intercept("orders", e)
	r.post(r.url("orders"), "grow", "X-Kafka-Partition: 2").want(t, 413, "record_too_large")
	r.post(r.url("orders"), "grow", "X-Kafka-Key: k").want(t, 413, "record_too_large")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if len(e.acks) != 2 || e.acks[0].Partition != 2 || e.acks[1].Partition < 0 || e.topic[0] != "orders" {
		t.Errorf("told %+v of %q", e.acks, e.topic)
	}
}

// KafkaProducerTest. In Java the name is looked up in vain; here it is refused before.
func TestSendToInvalidTopic(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.\"*\"]\nproducer.max.block.ms = 60000\n")
	for _, name := range []string{"topic%20abc", "..", "%C3%BC", strings.Repeat("x", 250)} {
		r.post(r.url(name), "v").want(t, 400, "invalid_request")
	}
	r.post(r.url("orders"), "v").want(t, 200, "")
}

// BufferPoolTest: whose client goes away while it waits for memory leaves neither bytes nor a waiter behind.
func TestCleanupMemoryAvailabilityWaiterOnInterruption(t *testing.T) {
	c := fake(t)
	release := holdProduce(c, 0)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.buffer.memory = 65536\nproducer.max.request.size = 32768\n")
	for r.used("orders") < 65000 {
		r.post(r.url("orders")+"?ack=queued", "x").want(t, 202, "")
	}
	budget := func() (waiting int) {
		_, _, waiting = (*r.g.topics.Load().byName.Load())["orders"].out.Budget()
		return waiting
	}
	var conns []net.Conn
	for i := range 5 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.g.HTTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /v1/topics/orders/records HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\ngone")
		eventually(t, "it waits", func() bool { return budget() == i+1 })
		conns = append(conns, conn)
	}
	stays := make(chan answer, 1)
	go func() {
		a, err := post(http.DefaultClient, r.url("orders"), "stays")
		if err != nil {
			t.Error(err)
		}
		stays <- a
	}()
	eventually(t, "the last one waits", func() bool { return budget() == 6 })
	for _, conn := range conns {
		conn.Close()
	}
	release()
	if a := <-stays; a.status != 200 {
		t.Errorf("who stayed got %d %s", a.status, a.body)
	}
	eventually(t, "nothing is left", func() bool { return r.g.pool.Live() == 0 && r.used("orders") == 0 && budget() == 0 })
}

// RecordAccumulatorTest: a partition whose broker does not answer gets no more records without a key, once that is noticed
// (partitioner.availability.timeout.ms), and gets some again when it answers.
func TestAdaptiveBuiltInPartitioner(t *testing.T) {
	c := fake(t, kfake.NumBrokers(2), kfake.SeedTopics(2, "spread"))
	for p := range int32(2) {
		if err := c.MoveTopicPartition("spread", p, p); err != nil {
			t.Fatal(err)
		}
	}
	release := holdProduce(c, 1)
	defer release()
	r := serve(t, c.ListenAddrs(), "[topics.spread]\nproducer.batch.size = 1\nproducer.partitioner.availability.timeout.ms = 100\n")
	r.post(r.url("spread")+"?ack=queued", "v", "X-Kafka-Partition: 1").want(t, 202, "")
	eventually(t, "nothing goes to the slow broker", func() bool {
		for range 30 {
			before := r.pendingOn("spread", 1)
			r.post(r.url("spread")+"?ack=queued", "v").want(t, 202, "")
			if r.pendingOn("spread", 1) != before {
				return false
			}
		}
		return true
	})
	release()
	eventually(t, "both get records", func() bool {
		a := r.post(r.url("spread"), "v")
		return a.status == 200 && *a.Partition == 1
	})
}

// pendingOn is how many bytes wait for the partition.
func (r *rig) pendingOn(topic string, partition int) int64 {
	p, err := (*r.g.topics.Load().byName.Load())[topic].out.Partitions()
	if err != nil {
		r.t.Fatal(err)
	}
	return p.Load[partition].Bytes.Load()
}

// RecordAccumulatorTest: a transaction does not wait for linger.ms.
func TestRecordsDrainedWhenTransactionCompleting(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[producer]\nlinger.ms = 60000\n[topics.\"*\"]"+oneClient+"transaction.timeout.ms = 30000\n")
	r.transaction("", to("orders", "a")+to("other", "b")+to("orders", "c")).want(t, 200, "")
	wantCommitted(t, c, "orders", "a", "c")
	wantCommitted(t, c, "other", "b")
	r.ended()
}

// KafkaProducerTest: records without keys go on to other partitions when a batch is full, and those are in the transaction too.
func TestPartitionAddedToTransactionAfterFullBatchRetry(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[producer]\nbatch.size = 2000\n[topics.orders]"+oneClient)
	var body strings.Builder
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("%03d%s", i, strings.Repeat("x", 500)))
		body.WriteString(to("orders", want[i]))
	}
	for range 3 { // the first transaction of a client is another case
		r.transaction("", body.String()).want(t, 200, "")
	}
	for p := range int32(3) {
		if c.PartitionInfo("orders", p).HighWatermark == 0 {
			t.Errorf("partition %d got nothing: the test shows nothing", p)
		}
	}
	want = slices.Concat(want, want, want)
	slices.Sort(want)
	wantCommitted(t, c, "orders", want...)
	r.ended()
}

// SenderTest: the transaction is aborted, and the next one on the same client is as good as any.
func TestInvalidTxnStateIsAnAbortableError(t *testing.T) { abortable(t, kerr.InvalidTxnState) }

func TestTransactionAbortableExceptionIsAnAbortableError(t *testing.T) {
	abortable(t, kerr.TransactionAbortable)
}

func abortable(t *testing.T, err *kerr.Error) {
	t.Helper()
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.\"*\"]"+oneClient)
	r.transaction("", to("orders", "first")).want(t, 200, "")
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: 1})
	o := r.transaction("", to("orders", "never")+to("other", "never")).want(t, 503, "transaction_aborted")
	if !o.Retryable || !strings.Contains(o.Detail, "nothing of the transaction was stored") {
		t.Error(o.body)
	}
	r.transaction("", to("orders", "next")+to("other", "next")).want(t, 200, "")
	wantCommitted(t, c, "orders", "first", "next")
	wantCommitted(t, c, "other", "next")
	r.ended()
}

// ProducerInterceptorsTest: an interceptor that fails is skipped, and the next has what the last good one made; if all fail, the
// record is sent as it came.
func TestOnSendChain(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }, { module = \"steer\", config = { mark = \"b\" } }]\n", steer(t))
	r := serveConfig(t, cfg)
	r.post(r.url("orders"), line("both", "v")+line("first fails", "v", "a=fail")+line("second fails", "v", "b=trap")+line("all fail", "v", "a=trap", "b=fail"),
		envelope).want(t, 200, "")
	want := map[string]string{"both": "vab", "first fails": "vb", "second fails": "va", "all fail": "v"}
	for _, rec := range read(t, c.ListenAddrs(), "orders", len(want)) {
		if string(rec.Value) != want[string(rec.Key)] {
			t.Errorf("%s: stored %q, want %q", rec.Key, rec.Value, want[string(rec.Key)])
		}
	}
	r.clean()
}

// ProducerInterceptorsTest: an OnAck that fails is no failure of the record, and the next one is told all the same.
func TestOnAcknowledgementChain(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }, { module = \"steer\", config = { mark = \"b\" } }]\n",
		steer(t, "ACK_TRAP=1"))
	r := serveConfig(t, cfg)
	r.post(r.url("orders"), line("k", "v")+line("l", "v"), envelope).want(t, 200, "")
	eventually(t, "the second is told of both", func() bool { return r.sum("told_stored", "") == 2 })
	want := []string{"b " + cookie("k") + " 0 orders", "b " + cookie("l") + " 0 orders"}
	slices.Sort(want)
	r.clean()
	for _, l := range want {
		if !slices.Contains(r.told(), l) {
			t.Errorf("%q is not among %q", l, r.told())
		}
	}
}
