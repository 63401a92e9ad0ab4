package producer

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// setLimit changes max.message.bytes of topic orders.
func (r *rig) setLimit(n int) {
	r.t.Helper()
	value := strconv.Itoa(n)
	alter := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: maxMessageBytes, Value: &value}}
	resp, err := kadm.NewClient(r.cluster.admin).AlterTopicConfigs(context.Background(), alter, "orders")
	if err != nil || resp[0].Err != nil {
		r.t.Fatal(err, resp)
	}
}

// limited waits until the topic's limit is known to be n; 0 is not known.
func (r *rig) limited(topic *Topic, n int) {
	r.t.Helper()
	for start := time.Now(); ; runtime.Gosched() {
		l := topic.limit.Load()
		if l == nil && n == 0 || l != nil && l.bytes == n {
			return
		}
		if time.Since(start) > 30*time.Second {
			r.t.Fatalf("the limit is %+v, want %d", l, n)
		}
	}
}

// old makes what is known of the limit out of date.
func old(topic *Topic) {
	l := *topic.limit.Load()
	l.at = l.at.Add(-time.Hour)
	topic.limit.Store(&l)
}

// one sends one value and returns its Ack.
func (r *rig) one(topic *Topic, value string) record.Ack {
	r.t.Helper()
	b, done := r.batch("orders", 0, value)
	topic.Append(b)
	wait(r.t, done)
	return b.Acks[0]
}

// fits is a value whose record makes a batch of n bytes.
func fits(n int) string {
	v := n
	for batchOfOne(&record.Record{Value: make([]byte, v)}) > n {
		v--
	}
	return strings.Repeat("v", v)
}

func (r *rig) wantTooLarge(a record.Ack, limit int) {
	r.t.Helper()
	if a.Code != record.RecordTooLarge || !strings.Contains(a.Detail.Message, maxMessageBytes+" = "+strconv.Itoa(limit)) {
		r.t.Fatalf("%v %v", a.Code, a.Detail)
	}
}

func TestLargeRecordsAreRefusedBeforeTheyAreBuffered(t *testing.T) {
	r := newRig(t)
	r.setLimit(20000)
	topic := r.topic("orders", nil)
	if _, err := topic.Partitions(); err != nil {
		t.Fatal(err)
	}
	r.limited(topic, 20000)
	if a := r.one(topic, fits(20000)); a.Code != record.Stored {
		t.Fatalf("the largest that fits: %v %v", a.Code, a.Detail)
	}
	sent := topic.Client().Requests.Load()
	r.wantTooLarge(r.one(topic, fits(20001)), 20000)
	old(topic)
	r.wantTooLarge(r.one(topic, fits(20001)), 20000)
	if n := topic.Client().Requests.Load(); n != sent || topic.Stats.Refused.Load() != 2 {
		t.Errorf("%d requests, %d refused", n-sent, topic.Stats.Refused.Load())
	}
	r.setLimit(40000) // a limit that grows is asked for before a record is refused
	old(topic)
	if a := r.one(topic, fits(40000)); a.Code != record.Stored {
		t.Fatalf("the limit has grown: %v %v", a.Code, a.Detail)
	}
	r.setLimit(1000) // and one that shrinks is learned from the broker's refusal
	if a := r.one(topic, fits(5000)); a.Code != record.RecordTooLarge || !strings.Contains(a.Detail.Message, "broker refused") {
		t.Fatalf("%v %v", a.Code, a.Detail)
	}
	r.limited(topic, 1000)
	r.wantTooLarge(r.one(topic, fits(5000)), 1000)
	next := r.topic("orders", nil)
	next.Learn(topic)
	r.wantTooLarge(r.one(next, fits(5000)), 1000)
	r.freeOfDebt(next)
}

// TestOnlyWhatIsKnownIsRefused: how large a record is that is compressed, or what the limit is, may not be known.
func TestOnlyWhatIsKnownIsRefused(t *testing.T) {
	byTheBroker := func(t *testing.T, r *rig, topic *Topic) {
		t.Helper()
		if a := r.one(topic, fits(30000)); a.Code != record.RecordTooLarge || !strings.Contains(a.Detail.Message, "broker refused") {
			t.Fatalf("%v %v", a.Code, a.Detail)
		}
	}
	for name, c := range map[string]struct {
		fault kfake.Fault
		codec string
		known int
		check func(*testing.T, *rig, *Topic)
	}{
		"compressed": {codec: "zstd", known: 20000, check: func(t *testing.T, r *rig, topic *Topic) {
			t.Helper()
			if a := r.one(topic, fits(30000)); a.Code != record.Stored {
				t.Fatalf("%v %v", a.Code, a.Detail)
			}
		}},
		"may not be asked": {fault: kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1}, check: byTheBroker},
		"is not told":      {fault: kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.UnknownServerError, Count: -1}, check: byTheBroker},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.setLimit(20000)
			if c.fault.Err != nil {
				r.fake.Fault(c.fault)
			}
			topic := r.topic("orders", func(p *config.Producer) { p.Compression.Type = c.codec })
			if _, err := topic.Partitions(); err != nil {
				t.Fatal(err)
			}
			<-r.cluster.limits.ask(topic)
			r.limited(topic, c.known)
			c.check(t, r, topic)
			r.freeOfDebt(topic)
		})
	}
}

// TestLimitThatIsNotAnswered: a cluster that does not answer what the limit is now refuses nothing.
func TestLimitThatIsNotAnswered(t *testing.T) {
	r := newRig(t)
	r.setLimit(20000)
	topic := r.topic("orders", func(p *config.Producer) { p.MaxBlock = 0 })
	if _, err := topic.Partitions(); err != nil {
		t.Fatal(err)
	}
	r.limited(topic, 20000)
	r.setLimit(40000)
	release := make(chan struct{})
	r.fake.ControlKey(int16(kmsg.DescribeConfigs), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		r.fake.SleepControl(func() { <-release })
		return nil, nil, false
	})
	old(topic)
	a := r.one(topic, fits(30000))
	close(release)
	if a.Code != record.Stored {
		t.Fatalf("%v %v", a.Code, a.Detail)
	}
}

// TestBatchOfOne: the size that is compared is what kgo sends.
func TestBatchOfOne(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	big := strings.Repeat("b", 200)
	for i, rec := range []record.Record{
		{},
		{Key: []byte{}, Value: []byte{}},
		{Value: []byte("v")},
		{Key: []byte("k"), Value: []byte(strings.Repeat("v", 63))},
		{Value: []byte(strings.Repeat("v", 64))},
		{Value: []byte(strings.Repeat("v", 8191))},
		{Value: []byte(strings.Repeat("v", 8192))},
		{Value: []byte("v"), Headers: []record.Header{{Key: "a"}, {Key: big, Value: []byte(big)}, {Key: "", Value: []byte{}}}},
		{Value: []byte("v"), Headers: make([]record.Header, 100)},
		{Key: []byte(big), Value: []byte(strings.Repeat("v", 1<<19))},
	} {
		b := r.pool.Batch()
		to := b.Add("orders")
		to.Key, to.Value, to.Headers, to.Partition = rec.Key, rec.Value, rec.Headers, 0
		done := make(chan struct{})
		b.Done = func(*record.Batch) { close(done) }
		b.Start()
		before := topic.Client().BatchBytes.Load()
		topic.Append(b)
		wait(t, done)
		if sent := int(topic.Client().BatchBytes.Load() - before); sent != batchOfOne(&rec) || b.Acks[0].Code != record.Stored {
			t.Errorf("record %d is sent in %d bytes, not %d (%v)", i, sent, batchOfOne(&rec), b.Acks[0].Detail)
		}
	}
}
