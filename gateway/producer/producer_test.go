package producer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// rig is a fake cluster with a producer on it.
type rig struct {
	t       testing.TB
	fake    *kfake.Cluster
	cluster *Cluster
	pool    record.Pool
}

func newRig(t testing.TB, opts ...kfake.Opt) *rig {
	t.Helper()
	fake, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "orders", "other")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c, err := New(config.Kafka{Bootstrap: fake.ListenAddrs(), MetadataMaxAge: time.Minute}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &rig{t: t, fake: fake, cluster: c}
}

func (r *rig) topic(name string, change func(*config.Producer)) *Topic {
	r.t.Helper()
	p := testProps()
	if change != nil {
		change(&p)
	}
	t, err := r.cluster.Topic(config.Topic{Name: name, Table: name, Producer: p, Partitioner: "murmur2"})
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

// batch makes a started batch of values for topic, all on partition p, and a channel that is closed when it is done.
func (r *rig) batch(topic string, p int32, values ...string) (*record.Batch, chan struct{}) {
	b := r.pool.Batch()
	for _, v := range values {
		rec := b.Add(topic)
		rec.Value, rec.Partition = b.Copy([]byte(v)), p
	}
	done := make(chan struct{})
	b.Done = func(*record.Batch) { close(done) }
	b.Start()
	return b, done
}

func wait(t testing.TB, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("no acknowledgement within 30 s")
	}
}

// values reads the first n values of a partition with a client of its own.
func (r *rig) values(topic string, p int32, n int) []string {
	r.t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(r.fake.ListenAddrs()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {p: kgo.NewOffset().AtStart()}}))
	if err != nil {
		r.t.Fatal(err)
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var got []string
	for len(got) < n && ctx.Err() == nil {
		k.PollFetches(ctx).EachRecord(func(rec *kgo.Record) { got = append(got, string(rec.Value)) })
	}
	return got
}

func TestAppendStoresInOrderAndReturnsMemory(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	if p, err := topic.Partitions(); err != nil || p.Count != 3 || len(p.Available) != 3 {
		t.Fatalf("partitions = %+v, %v", p, err)
	}
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprint("v", i))
	}
	b, done := r.batch("orders", 1, want...)
	topic.Append(b)
	wait(t, done)
	for i, a := range b.Acks {
		if a.Code != record.Stored || a.Offset != int64(i) || a.Partition != 1 || a.Timestamp <= 0 {
			t.Fatalf("ack %d = %+v", i, a)
		}
	}
	if b.Twice() != 0 {
		t.Fatal("a record got two Acks")
	}
	b.Free()
	if total, free, _ := topic.Budget(); total != free {
		t.Fatalf("%d of %d bytes are free", free, total)
	}
	if got := r.values("orders", 1, 300); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("stored %v", got)
	}
	if r.cluster.Open() != 0 || r.pool.Live() != 0 {
		t.Fatalf("open = %d, live batches = %d", r.cluster.Open(), r.pool.Live())
	}
}

func TestAppendKeepsKeysHeadersTimestampsAndNulls(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	b := r.pool.Batch()
	one := b.Add("orders")
	one.Key, one.Partition, one.Timestamp = b.Copy(nil), 0, 1234567890123
	one.Headers = b.NewHeaders(2)
	one.Headers[0], one.Headers[1] = record.Header{Key: "a", Value: b.Copy([]byte("1"))}, record.Header{Key: "b"}
	b.Add("orders").Partition = 0
	done := make(chan struct{})
	b.Done = func(*record.Batch) { close(done) }
	b.Start()
	topic.Append(b)
	wait(t, done)
	if b.Acks[0].Timestamp != 1234567890123 {
		t.Fatalf("ack = %+v", b.Acks[0])
	}
	k, err := kgo.NewClient(kgo.SeedBrokers(r.fake.ListenAddrs()...), kgo.ConsumeTopics("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	var recs []*kgo.Record
	for len(recs) < 2 {
		recs = append(recs, k.PollFetches(context.Background()).Records()...)
	}
	if recs[0].Key == nil || len(recs[0].Key) != 0 || recs[0].Value != nil || recs[0].Timestamp.UnixMilli() != 1234567890123 {
		t.Fatalf("record = %+v", recs[0])
	}
	if len(recs[0].Headers) != 2 || string(recs[0].Headers[0].Value) != "1" || recs[0].Headers[1].Value != nil {
		t.Fatalf("headers = %+v", recs[0].Headers)
	}
	if recs[1].Key != nil || len(recs[1].Headers) != 0 {
		t.Fatalf("record = %+v", recs[1])
	}
}

func TestRecordLargerThanALimitFailsAtOnce(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(*config.Producer){
		"max.request.size": func(p *config.Producer) { p.MaxRequestSize = 1000 },
		"buffer.memory":    func(p *config.Producer) { p.BufferMemory = 1000; p.MaxBlock = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			topic := r.topic("orders", change)
			b, done := r.batch("orders", 0, string(make([]byte, 2000)))
			topic.Append(b)
			wait(t, done)
			if a := b.Acks[0]; a.Code != record.RecordTooLarge || !strings.Contains(a.Detail.Error(), name+" = 1000") {
				t.Fatalf("ack = %v %v", a.Code, a.Detail)
			}
		})
	}
}

// hold makes the fake cluster keep produce requests unanswered until release is called.
func (r *rig) hold() (release func()) {
	gate := make(chan struct{})
	r.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		r.fake.SleepControl(func() { <-gate })
		return nil, nil, false
	})
	return sync.OnceFunc(func() { close(gate) })
}

// TestTooManyRecordsAreRefused: buffer.records bounds what is accepted and not acknowledged, as buffer.memory does.
func TestTooManyRecordsAreRefused(t *testing.T) {
	r := newRig(t)
	release := r.hold()
	defer release()
	const limit = record.MaxBatchRecords // the least that may be set
	topic := r.topic("orders", func(p *config.Producer) { p.BufferRecords, p.MaxBlock = limit, 0 })
	patient := r.topic("orders", func(p *config.Producer) { p.BufferRecords, p.MaxBlock = limit, time.Minute })
	patient.Learn(topic) // as after a reload: they share what is taken
	first, stored := r.batch("orders", 0, make([]string, limit)...)
	topic.Append(first)
	b, done := r.batch("orders", 0, "one too many")
	topic.Append(b)
	wait(t, done)
	a := b.Acks[0]
	if a.Code != record.BufferFull || !strings.Contains(a.Detail.Message, "buffer.records = 1024") || a.Detail.RetryAfter < time.Second || topic.Stats.Exhausted.Load() != 1 {
		t.Fatalf("ack = %v %+v", a.Code, a.Detail)
	}
	late, lateStored := r.batch("orders", 0, "waits for room")
	go patient.Append(late)
	waitFor(t, patient.budget, 1)
	if _, ok := late.Outcome(0); ok {
		t.Fatal("it did not wait")
	}
	release()
	wait(t, stored)
	wait(t, lateStored)
	if late.Acks[0].Code != record.Stored || r.highWatermark("orders", 0) != limit+1 {
		t.Fatalf("ack = %v, %d stored", late.Acks[0].Code, r.highWatermark("orders", 0))
	}
	if n := topic.budget.usedRecords.Load(); n != 0 {
		t.Fatalf("%d records are still charged", n)
	}
	free := r.topic("orders", nil)
	free.Learn(patient)
	b, done = r.batch("orders", 0, "without a limit")
	free.Append(b)
	wait(t, done)
	if n := free.budget.usedRecords.Load(); n != 0 || b.Acks[0].Code != record.Stored {
		t.Fatalf("%d records are charged, %v", n, b.Acks[0].Code)
	}
}

// TestManyRecordsOfAFew: interceptors may make more records of a batch than a request's batch can have.
func TestManyRecordsOfAFew(t *testing.T) {
	for _, limit := range []int64{0, record.MaxBatchRecords} {
		r := newRig(t)
		topic := r.topic("orders", func(p *config.Producer) { p.BufferRecords = limit })
		for range 3 {
			b, done := r.batch("orders", 0, make([]string, 3*record.MaxBatchRecords)...)
			topic.Append(b)
			wait(t, done)
			for i, a := range b.Acks {
				if a.Code != record.Stored {
					t.Fatalf("record %d: %v %v", i, a.Code, a.Detail)
				}
			}
			b.Free()
		}
		r.freeOfDebt(topic)
	}
}

func TestFullBufferRejectsAndDrains(t *testing.T) {
	r := newRig(t)
	release := r.hold()
	defer release()
	topic := r.topic("orders", func(p *config.Producer) { p.BufferMemory, p.MaxBlock = 4096, 0 })
	other := r.topic("other", func(p *config.Producer) { p.BufferMemory, p.MaxBlock = 4096, 0 })
	var accepted []chan struct{}
	var refusedAck record.Ack
	for refusedAck.Code == record.Pending {
		b, done := r.batch("orders", 0, "x")
		topic.Append(b)
		if a, ok := b.Outcome(0); ok {
			refusedAck = a
		} else {
			accepted = append(accepted, done)
		}
		if len(accepted) > 100 {
			t.Fatal("the buffer has no end")
		}
	}
	if refusedAck.Code != record.BufferFull || refusedAck.Detail.RetryAfter < time.Second {
		t.Fatalf("ack = %+v", refusedAck)
	}
	// Another topic has a budget of its own.
	b, done := r.batch("other", 0, "y")
	other.Append(b)
	if _, ok := b.Outcome(0); ok {
		t.Fatal("a full topic refused the records of another")
	}
	release()
	wait(t, done)
	for _, d := range accepted {
		wait(t, d)
	}
	if total, free, _ := topic.Budget(); total != free {
		t.Fatalf("%d of %d bytes are free", free, total)
	}
	if got := r.values("orders", 0, len(accepted)); len(got) != len(accepted) {
		t.Fatalf("%d accepted, %d stored", len(accepted), len(got))
	}
}

func TestDeliveryTimeoutIgnoresTheRecordsTimestamp(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) { p.DeliveryTimeout, p.RequestTimeout = time.Second, 500*time.Millisecond })
	b, done := r.batch("orders", 0, "old", "future")
	b.Records[0].Timestamp = time.Now().Add(-time.Hour).UnixMilli()
	b.Records[1].Timestamp = time.Now().Add(time.Hour).UnixMilli()
	topic.Append(b)
	wait(t, done)
	for i, a := range b.Acks {
		if a.Code != record.Stored {
			t.Fatalf("ack %d = %v %v", i, a.Code, a.Detail)
		}
	}

	r.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		return nil, nil, true // never answered
	})
	b, done = r.batch("orders", 0, "lost")
	b.Records[0].Timestamp = time.Now().Add(time.Hour).UnixMilli()
	start := time.Now()
	topic.Append(b)
	wait(t, done)
	if a := b.Acks[0]; a.Code != record.DeliveryTimeout || !a.Code.OutcomeUnknown() {
		t.Fatalf("ack = %v %v", a.Code, a.Detail)
	}
	if took := time.Since(start); took < time.Second || took > 8*time.Second {
		t.Fatalf("failed after %v", took)
	}
	if total, free, _ := topic.Budget(); total != free {
		t.Fatalf("%d of %d bytes are free", free, total)
	}
}

func TestPartitionGrowthIsSeenOnDemand(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	b, done := r.batch("orders", 2, "a")
	topic.Append(b)
	wait(t, done)
	if p, err := topic.PartitionsAtLeast(5); err != nil || p.Count != 3 {
		t.Fatalf("before: %+v %v", p, err)
	}
	k, err := kgo.NewClient(kgo.SeedBrokers(r.fake.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if _, err := kadm.NewClient(k).UpdatePartitions(context.Background(), 5, "orders"); err != nil {
		t.Fatal(err)
	}
	topic.forced.Store(0) // the refusal above may be remembered for refreshAfter
	if p, err := topic.PartitionsAtLeast(5); err != nil || p.Count != 5 {
		t.Fatalf("after: %+v %v", p, err)
	}
	b, done = r.batch("orders", 4, "b")
	topic.Append(b)
	wait(t, done)
	if b.Acks[0].Code != record.Stored || b.Acks[0].Partition != 4 {
		t.Fatalf("ack = %+v", b.Acks[0])
	}
}

func TestUnknownTopicIsToldAtOnce(t *testing.T) {
	r := newRig(t)
	start := time.Now()
	_, err := r.topic("nowhere", func(p *config.Producer) { p.MaxBlock = time.Minute }).Partitions()
	if err == nil || err.Code != record.UnknownTopic {
		t.Fatalf("err = %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Fatalf("it took %v", took)
	}
}

func TestUnreachableClusterIsToldAfterMaxBlock(t *testing.T) {
	r := newRig(t)
	r.fake.Close()
	_, err := r.topic("orders", func(p *config.Producer) { p.MaxBlock = 0 }).Partitions()
	if err == nil || err.Code != record.NotAvailable {
		t.Fatalf("err = %v", err)
	}
}

func TestFatalClientIsReplaced(t *testing.T) {
	r := newRig(t)
	r.fake.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp, nil, true // once: the cause goes away
	})
	topic := r.topic("orders", nil)
	b, done := r.batch("orders", 0, "a")
	topic.Append(b)
	wait(t, done)
	if b.Acks[0].Code != record.Unauthorized {
		t.Fatalf("ack = %v %v", b.Acks[0].Code, b.Acks[0].Detail)
	}
	for topic.client.gen.Load() == 0 {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
	b, done = r.batch("orders", 0, "b")
	topic.Append(b)
	wait(t, done)
	if b.Acks[0].Code != record.Stored {
		t.Fatalf("after the replacement: %v %v", b.Acks[0].Code, b.Acks[0].Detail)
	}
}

// TestLateRecordReplacesNoClient: the broker's last answer stands in the error of a record whose delivery.timeout.ms has passed. A client
// with another producer id would be one whose records overtake what arrives late.
func TestLateRecordReplacesNoClient(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", func(p *config.Producer) {
		p.DeliveryTimeout, p.RequestTimeout = 500*time.Millisecond, 400*time.Millisecond
	})
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		if !bytes.Contains(p.Topics[0].Partitions[0].Records, []byte("late")) {
			return nil, nil, false
		}
		return answerAll(p, func([]byte) int16 { return kerr.OutOfOrderSequenceNumber.Code }), nil, true
	})
	for answered := false; !answered; { // a busy machine may let the time pass before the first answer
		var late sent
		late.append(r, topic, 0, "late")
		stored, failed := late.outcome(t)
		if len(stored) > 0 {
			t.Fatalf("stored %v", stored)
		}
		answered = errors.Is(failed["late"].Detail, kerr.OutOfOrderSequenceNumber)
	}
	var next sent // by then the sender has heard of a client that is to be replaced
	next.append(r, topic, 0, "stored")
	if _, failed := next.outcome(t); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	if n := topic.client.gen.Load(); n > 0 {
		t.Errorf("the client was replaced %d times", n)
	}
}

func TestRecreatedTopicWorksAgain(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	send := func() record.Ack {
		b, done := r.batch("orders", 0, "x")
		topic.Append(b)
		wait(t, done)
		return b.Acks[0]
	}
	if a := send(); a.Code != record.Stored {
		t.Fatalf("before: %v %v", a.Code, a.Detail)
	}
	if err := r.fake.DeleteTopic("orders"); err != nil {
		t.Fatal(err)
	}
	if err := r.fake.CreateTopic("orders", 3, nil); err != nil {
		t.Fatal(err)
	}
	a := send()
	for try := 0; a.Code != record.Stored && try < 5; try++ { // the first one finds out, and fails
		a = send()
	}
	if a.Code != record.Stored || a.Offset != 0 {
		t.Fatalf("after: %v %v, offset %d", a.Code, a.Detail, a.Offset)
	}
}

// Invariant 4: in an outage our buffer fills up and not kgo's, whose default bound is 50000 records.
func TestOurBufferIsTheOnlyBound(t *testing.T) {
	r := newRig(t)
	release := r.hold()
	defer release()
	topic := r.topic("orders", func(p *config.Producer) { p.BufferMemory = 1 << 30 })
	const batches = 60
	var all []chan struct{}
	for range batches {
		b, done := r.batch("orders", 0, make([]string, record.MaxBatchRecords)...)
		topic.Append(b)
		all = append(all, done)
	}
	for start := time.Now(); topic.client.kgo.Load().BufferedProduceRecords() != batches*record.MaxBatchRecords; {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("kgo took %d records", topic.client.kgo.Load().BufferedProduceRecords())
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
	release()
	for _, done := range all {
		wait(t, done)
	}
}

func TestTopicsWithTheSameClientWideOptionsShareAClient(t *testing.T) {
	r := newRig(t)
	a := r.topic("orders", func(p *config.Producer) { p.MaxBlock, p.BufferMemory, p.DeliveryTimeout = 0, 1<<20, time.Minute })
	b := r.topic("other", nil)
	c := r.topic("third", func(p *config.Producer) { p.Linger = 7 * time.Millisecond })
	if a.client != b.client {
		t.Fatal("two clients for one set of client-wide options")
	}
	if a.client == c.client {
		t.Fatal("one client for two lingers")
	}
}

func TestCloseAnswersEverything(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	r.meet(topic)
	release := r.hold()
	defer release()
	b, done := r.batch("orders", 0, "a", "b")
	topic.Append(b)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := r.cluster.Flush(ctx); err == nil {
		t.Fatal("flushed what was never answered")
	}
	if r.cluster.Open() != 2 {
		t.Fatalf("open = %d", r.cluster.Open())
	}
	go r.cluster.Close()
	wait(t, done)
	for _, a := range b.Acks {
		if !a.Code.OutcomeUnknown() {
			t.Fatalf("ack = %v %v", a.Code, a.Detail)
		}
	}
	late, _ := r.batch("orders", 0, "late")
	<-topic.client.done
	if topic.Append(late) {
		t.Fatal("a closed topic took a record")
	}
	if _, ok := late.Outcome(0); ok || topic.Stats.Appended.Load() != 3 {
		t.Fatal("a refused Append left a trace")
	}
	if total, free, _ := topic.Budget(); total != free {
		t.Fatalf("%d of %d bytes are free", free, total)
	}
}

func TestRetriedRecordsAreCounted(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	r.meet(topic)
	f := r.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 2})
	b, done := r.batch("orders", 0, "a", "b", "c")
	topic.Append(b)
	wait(t, done)
	if b.Acks[2].Code != record.Stored || f.Hits() != 2 {
		t.Fatalf("ack = %+v after %d faults", b.Acks[2], f.Hits())
	}
	w := &topic.client.tap.Stats
	if w.Retries.Load() != 6 || w.Records.Load() != 10 || w.Requests.Load() != 4 || w.InFlight.Load() != 0 {
		t.Fatalf("retries %d, records %d, requests %d, in flight %d", w.Retries.Load(), w.Records.Load(), w.Requests.Load(), w.InFlight.Load())
	}
}

func TestHammer(t *testing.T) {
	r := newRig(t)
	topics := []*Topic{
		r.topic("orders", func(p *config.Producer) { p.BufferMemory, p.MaxBlock = 64<<10, 20*time.Millisecond }),
		r.topic("other", func(p *config.Producer) { p.BufferMemory, p.MaxBlock = 64<<10, 0 }),
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	stored := map[string]int{}
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				topic := topics[i%2]
				b, done := r.batch(topic.Name(), int32(w%3), fmt.Sprintf("%d/%d/a", w, i), fmt.Sprintf("%d/%d/b", w, i))
				topic.Append(b)
				wait(t, done)
				mu.Lock()
				for j := range b.Acks {
					if b.Acks[j].Code == record.Stored {
						stored[topic.Name()]++
					} else if b.Acks[j].Code != record.BufferFull {
						t.Errorf("ack = %v %v", b.Acks[j].Code, b.Acks[j].Detail)
					}
				}
				mu.Unlock()
				b.Free()
			}
		})
	}
	wg.Wait()
	for _, topic := range topics {
		if total, free, waiting := topic.Budget(); total != free || waiting != 0 {
			t.Fatalf("%s: %d of %d bytes are free, %d wait", topic.Name(), free, total, waiting)
		}
		found := 0
		for p := range int32(3) {
			found += int(r.fake.PartitionInfo(topic.Name(), p).HighWatermark)
		}
		if found != stored[topic.Name()] {
			t.Fatalf("%s: %d acknowledged, %d stored", topic.Name(), stored[topic.Name()], found)
		}
	}
	if r.pool.Live() != 0 || r.cluster.Open() != 0 {
		t.Fatalf("live = %d, open = %d", r.pool.Live(), r.cluster.Open())
	}
}
