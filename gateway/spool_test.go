package gateway

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/spool"
)

// spoolTable is a table of topic orders with a spool, and more settings.
func spoolTable(dir, more string) string {
	return fmt.Sprintf("[topics.orders]\nspool.dir = %q\nspool.max.bytes = 4194304\n%s\n", dir, more)
}

func (r *rig) queue(topic, body string, headers ...string) answer {
	r.t.Helper()
	return r.post(r.url(topic)+"?ack=queued", body, headers...)
}

// spooled is what waits in the spool of a topic.
func (r *rig) spooled(topic string) (records int64) {
	for _, q := range r.g.spools.all() {
		if q.name == topic {
			n, _ := q.waiting()
			records += n
		}
	}
	return records
}

// queueNumbered sends records of some keys, numbered per key, and returns how many were sent.
func (r *rig) queueNumbered(topic string, keys, from, to int) int {
	r.t.Helper()
	for n := from; n < to; n++ {
		var body strings.Builder
		for k := range keys {
			fmt.Fprintf(&body, `{"key":"k%d","value":"%d"}`+"\n", k, n)
		}
		r.queue(topic, body.String(), envelope).want(r.t, 202, "")
	}
	return keys * (to - from)
}

// wantNumbered checks that records hold the numbers of every key in order. Records may come again only behind a crash.
func wantNumbered(t testing.TB, recs []*kgo.Record, keys, count int, again bool) {
	t.Helper()
	next := make(map[string]int)
	for _, r := range recs {
		var n int
		if _, err := fmt.Sscan(string(r.Value), &n); err != nil {
			t.Fatal(err)
		}
		switch want := next[string(r.Key)]; {
		case n == want:
			next[string(r.Key)]++
		case n < want && again:
		default:
			t.Fatalf("key %s: %d comes where %d should", r.Key, n, want)
		}
	}
	for k := range keys {
		if n := next[fmt.Sprintf("k%d", k)]; n != count {
			t.Errorf("key k%d has %d records, want %d", k, n, count)
		}
	}
}

func TestSpooledRecordsAreStored(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), ""))
	n := r.queueNumbered("orders", 5, 0, 40)
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", n), 5, 40, false)
	r.queue("orders", `{"key":"k","value":"v","headers":{"a":"1","b":null},"partition":2,"timestamp":1234}`+"\n"+`{"value":null}`+"\n", envelope).want(t, 202, "")
	got := read(t, c.ListenAddrs(), "orders", n+2)
	var found, null bool
	for _, rec := range got {
		if string(rec.Key) == "k" {
			found = rec.Partition == 2 && rec.Timestamp.UnixMilli() == 1234 && len(rec.Headers) == 2 && rec.Headers[1].Value == nil
		}
		null = null || rec.Value == nil
	}
	if !found || !null {
		t.Errorf("explicit record as sent: %v, null value: %v", found, null)
	}
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

func TestSpoolSurvivesARestartDuringAnOutage(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	table := spoolTable(dir, "")
	r := serve(t, c.ListenAddrs(), table)
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	r.queueNumbered("orders", 3, 0, 30)
	if r.spooled("orders") != 90 {
		t.Fatalf("%d records wait", r.spooled("orders"))
	}
	r.stop()
	if err := <-r.done; err != nil { // records that were under way are in the spool, too
		t.Fatal(err)
	}
	if n := stored(c, "orders"); n != 0 {
		t.Fatalf("%d records are stored", n)
	}
	outage.Remove()
	r = serve(t, c.ListenAddrs(), table)
	r.queueNumbered("orders", 3, 30, 40)
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", 120), 3, 40, false)
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "orders.spool", "*.seg")); len(left) > 0 {
		t.Errorf("an empty spool leaves %v", left)
	}
	if n := stored(c, "orders"); n != 120 {
		t.Errorf("%d records are stored", n)
	}
	if _, err := os.Stat(filepath.Join(dir, "orders.spool", "position.a")); err != nil {
		t.Error(err)
	}
}

// TestOutageStoresNothingTwice: records that were sent and not answered stay with the idempotent producer, however long that lasts,
// beside requests of the same topic that do run into delivery.timeout.ms.
func TestOutageStoresNothingTwice(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), "producer.linger.ms = 0\nproducer.request.timeout.ms = 300\nproducer.delivery.timeout.ms = 600\n"))
	n := r.queueNumbered("orders", 3, 0, 5)
	read(t, c.ListenAddrs(), "orders", n)
	release := holdProduce(c, 0)
	defer release()
	n += r.queueNumbered("orders", 3, 5, 50)
	if a := r.post(r.url("orders"), "direct"); a.status != 504 && a.status != 503 {
		t.Fatalf("during an outage: %d %s", a.status, a.body)
	}
	n += r.queueNumbered("orders", 3, 50, 100)
	release()
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	var keyed []*kgo.Record
	for _, rec := range read(t, c.ListenAddrs(), "orders", n) {
		if rec.Key != nil {
			keyed = append(keyed, rec)
		}
	}
	wantNumbered(t, keyed, 3, 100, false)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

// TestFullSpoolSaysWhenItHasRoom: as fast as records are done, or longer the longer none is.
func TestFullSpoolSaysWhenItHasRoom(t *testing.T) {
	var q topicSpool
	start := time.Now()
	full := &spool.FullError{Wait: 2000}
	for _, step := range []struct {
		after time.Duration
		done  uint64
		want  time.Duration
	}{
		{0, 0, time.Second},
		{time.Second, 1000, 4 * time.Second},                        // half of 1000 a second
		{2 * time.Second, 2000, 2000 * time.Second / 750},           // it goes on
		{20 * time.Second, 2000, 18 * time.Second},                  // it stopped
		{time.Hour, 2000, 30 * time.Second},                         // for long
		{time.Hour + time.Second, 402_000, 10 * time.Millisecond},   // 200,000 a second
		{time.Hour + 2*time.Second, 403_000, 20 * time.Millisecond}, // about half of that
	} {
		q.Stats.done.Store(step.done)
		if got, want := q.retryFull(full, start.Add(step.after)), max(step.want, time.Second); got.Round(time.Millisecond) != want.Round(time.Millisecond) {
			t.Errorf("after %v: %v, want %v", step.after, got, want)
		}
	}
}

func TestFullSpoolIs503(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), "spool.segment.bytes = 65536\n"))
	outage := refuseProduce(c, "orders", kerr.NotLeaderForPartition)
	body := strings.Repeat("x", 100_000)
	accepted := int64(0)
	for {
		a := r.queue("orders", body)
		if a.status == 202 {
			accepted++
			continue
		}
		a.want(t, 503, "spool_full")
		if a.header.Get("Retry-After") != "1" || !strings.Contains(a.body, "spool.max.bytes = 4194304") {
			t.Errorf("answer %v %s", a.header, a.body)
		}
		break
	}
	if accepted < 38 || accepted > 42 {
		t.Errorf("%d records of 100,000 bytes were accepted into 4 MiB", accepted)
	}
	r.post(r.url("orders"), "waiting", "X-Kafka-Partition: 9").want(t, 404, "unknown_partition") // senders that wait go past the spool
	outage.Remove()
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	r.queue("orders", body).want(t, 202, "")
	eventually(t, "all are stored", func() bool { return stored(c, "orders") == accepted+1 })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}

// TestPoisonDoesNotBlockTheSpool: what the broker refuses for its own sake becomes a dead letter as it was sent, and is lost
// and counted where there are none.
func TestPoisonDoesNotBlockTheSpool(t *testing.T) {
	for name, letters := range map[string]string{"with dead letters": "dead_letter.topic = \"other\"\n", "without": ""} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			limitBatches(c, "orders", 5000)
			r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), letters)+"[topics.other]\n")
			n := r.queueNumbered("orders", 2, 0, 10)
			r.queue("orders", strings.Repeat("x", 20_000), "X-Kafka-Key: large").want(t, 202, "")
			n += r.queueNumbered("orders", 2, 10, 20)
			wantNumbered(t, read(t, c.ListenAddrs(), "orders", n), 2, 20, false)
			eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
			q := r.g.spools.all()[0]
			if letters == "" {
				if q.Stats.refused.Load() != 1 {
					t.Errorf("%d records were refused", q.Stats.refused.Load())
				}
				for _, want := range []string{ // printf large | sha256sum
					"a record of the spool was refused and is lost", "topic=orders", "spool=", "entry=20 ", "partition=", "key_sha256=d35c416a85b807e9", "value_bytes=20000", "code=record_too_large",
				} {
					if !strings.Contains(r.logs.String(), want) {
						t.Errorf("the log does not say %s", want)
					}
				}
				return
			}
			l := read(t, c.ListenAddrs(), "other", 1)[0]
			if a := about(t, l); string(l.Key) != "large" || len(l.Value) != 20_000 || a.Cause != "broker" || a.Topic != "orders" || a.Unknown {
				t.Errorf("dead letter %s of %d bytes: %+v", l.Key, len(l.Value), a)
			}
			if q.Stats.letters.Load() != 1 || q.Stats.refused.Load() != 0 {
				t.Errorf("%d dead letters, %d refused", q.Stats.letters.Load(), q.Stats.refused.Load())
			}
		})
	}
}

// TestDamagedEntriesAreNamed: the log says which entries of which spool cannot be read, and the others are sent.
func TestDamagedEntriesAreNamed(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	r := serve(t, c.ListenAddrs(), spoolTable(dir, ""))
	outage := refuseProduce(c, "orders", kerr.TopicAuthorizationFailed)
	for _, value := range []string{"first", "second", "third", "fourth"} {
		r.queue("orders", value).want(t, 202, "")
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	outage.Remove()
	segment := filepath.Join(dir, "orders.spool", "00000000000000000000.seg")
	data, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(segment, bytes.Replace(data, []byte("second"), []byte("sekond"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	r = serve(t, c.ListenAddrs(), spoolTable(dir, ""))
	read(t, c.ListenAddrs(), "orders", 3)
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	for _, want := range []string{"records of the spool cannot be read and are lost", "topic=orders", "records=1 first_entry=1 last_entry=1", segment + " is damaged"} {
		if !strings.Contains(r.logs.String(), want) {
			t.Errorf("the log does not say %s", want)
		}
	}
}

// TestManyLossesAreCounted: the log names the first ones, and how many there were that it did not name.
func TestManyLossesAreCounted(t *testing.T) {
	var l losses
	start := time.Now()
	named := 0
	for range maxLossesNamed + 20 {
		if unnamed, ok := l.due(start); ok {
			if named++; unnamed != 0 {
				t.Fatalf("%d before the %dth", unnamed, named)
			}
		}
	}
	if unnamed, ok := l.due(start.Add(logEvery)); named != maxLossesNamed || !ok || unnamed != 20 {
		t.Errorf("%d are named, and later %v %d", named, ok, unnamed)
	}
}

// limitBatches has a cluster refuse larger batches of a topic, as max.message.bytes does.
func limitBatches(c *kfake.Cluster, topic string, limit int) {
	id := c.TopicInfo(topic).TopicID
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req, refused := r.(*kmsg.ProduceRequest), false
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode, rp.BaseOffset = p.Partition, kerr.NotLeaderForPartition.Code, -1
				if t.TopicID == id && len(p.Records) > limit {
					rp.ErrorCode, refused = kerr.MessageTooLarge.Code, true
				}
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, refused
	})
}

// TestSpoolKeepsItsOrderThroughFailures: errors that end records, and are over soon, while more is being sent. Nothing that comes
// behind a record that failed is stored before it, and as all were certainly not stored, none is stored twice.
func TestSpoolKeepsItsOrderThroughFailures(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), spoolTable(t.TempDir(), "producer.linger.ms = 0\nspool.fsync = \"interval\"\n"))
	sent := 0
	for round := range 6 {
		sent += r.queueNumbered("orders", 5, 20*round, 20*round+10)
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.TopicAuthorizationFailed, Count: 1})
		sent += r.queueNumbered("orders", 5, 20*round+10, 20*round+20)
	}
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", sent), 5, 120, false)
	eventually(t, "the spool is empty", func() bool { return r.spooled("orders") == 0 })
	if n := stored(c, "orders"); n != int64(sent) || r.g.spools.all()[0].Stats.again.Load() == 0 {
		t.Errorf("%d records of %d are stored; sent again: %d", n, sent, r.g.spools.all()[0].Stats.again.Load())
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
}
