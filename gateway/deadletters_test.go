package gateway

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/deadletter"
	"sluice/gateway/record"
)

// refuseProduce has the cluster answer everything that is written to a topic with err, until the handle is removed.
func refuseProduce(c *kfake.Cluster, topic string, err *kerr.Error) *kfake.FaultHandle {
	return c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: err, Count: -1})
}

// holdTopic keeps produce requests that write to a topic unanswered until release is called.
func holdTopic(c *kfake.Cluster, topic string) (release func()) {
	gate := make(chan struct{})
	id := c.TopicInfo(topic).TopicID
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if slices.ContainsFunc(r.(*kmsg.ProduceRequest).Topics, func(t kmsg.ProduceRequestTopic) bool { return t.TopicID == id }) {
			c.SleepControl(func() { <-gate })
		}
		return nil, nil, false
	})
	return sync.OnceFunc(func() { close(gate) })
}

// letters reads the dead letters of a topic by their key, with what their headers say.
func letters(t testing.TB, c *kfake.Cluster, topic string, n int) map[string]*kgo.Record {
	t.Helper()
	got := make(map[string]*kgo.Record)
	for _, r := range read(t, c.ListenAddrs(), topic, n) {
		got[string(r.Key)] = r
	}
	return got
}

func about(t testing.TB, r *kgo.Record) deadletter.Letter {
	t.Helper()
	headers := make([]record.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = record.Header(h)
	}
	l, ok := deadletter.Parse(headers)
	if !ok || l.ID == "" {
		t.Fatalf("%s is no dead letter: %v", r.Key, r.Headers)
	}
	return l
}

// deadLettered is the answer for one record in the dead-letter topic.
type deadLettered struct {
	Topic      string
	Code       string
	Message    string
	DeadLetter *struct {
		Topic     string
		Partition int32
		Offset    int64
	} `json:"dead_letter"`
}

func (a answer) letter(t testing.TB) deadLettered {
	t.Helper()
	var d deadLettered
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || a.status != 207 || d.DeadLetter == nil {
		t.Fatalf("answer %d %s, want a dead letter", a.status, a.body)
	}
	return d
}

func TestDeadLettersOfInterceptors(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ndead_letter.topic = \"other\"\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }, { module = \"steer\", on_error = \"dlq\", config = { mark = \"b\" } }]\n"+
		"[topics.other]\npartitioner = { module = \"steer\" }\n", steer(t))
	r := serveConfig(t, cfg)
	a := r.post(r.url("orders"), line("failed", "v", "x=1", "b=fail", "partition=1")+lineTo("2", "trapped", "v", "b=trap")+line("good", "v"), envelope)
	if a.status != 207 || strings.Count(a.body, `"dead_letter":{"topic":"other"`) != 2 || strings.Contains(a.body, `"error"`) {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	got := letters(t, c, "other", 2)
	for key, want := range map[string]struct {
		partition, original int32
		message             string
	}{
		"failed":  {1, -1, `interceptor "steer" failed on the record (record_error): as told`},
		"trapped": {2, 2, `interceptor "steer" failed on the record (trap): unreachable`},
	} {
		r := got[key]
		if r == nil || string(r.Value) != "v" || r.Partition != want.partition {
			t.Fatalf("%s: %+v, want the record as it was sent in partition %d", key, r, want.partition)
		}
		l := about(t, r)
		if l.Topic != "orders" || l.Partition != want.original || l.Cause != "interceptor" || l.Module != "steer" || l.Message != want.message ||
			l.Exception != "sluice.module.steer" || l.Code != "rejected" || l.Unknown {
			t.Errorf("%s: %+v", key, l)
		}
	}
	if v := byKey(read(t, c.ListenAddrs(), "orders", 1)); len(v) != 1 || v["good"][0] != "vab" {
		t.Errorf("orders has %v", v)
	}
	eventually(t, "on_ack is told of all", func() bool { return r.sum("told_stored", "") == 2 && r.sum("told_failed", "") == 3 })
	r.clean()
}

// TestDeadLetterHeadersAreSprings: names and encodings of org.springframework.kafka.listener.DeadLetterPublishingRecoverer.
func TestDeadLetterHeadersAreSprings(t *testing.T) {
	c := fake(t)
	refuseProduce(c, "orders", kerr.InvalidRecord)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.topic = \"other\"\n[topics.other]\n")
	d := r.post(r.url("orders"), "v", "X-Kafka-Key: k", "X-Kafka-Partition: 2", "X-Kafka-Timestamp: 1700000000000", "X-Kafka-Header-H: 1").letter(t)
	if d.Topic != "orders" || d.Code != "invalid_record" || d.DeadLetter.Topic != "other" || d.DeadLetter.Partition != 2 || d.DeadLetter.Offset != 0 {
		t.Errorf("answer %+v", d)
	}
	rec := letters(t, c, "other", 1)["k"]
	if rec.Partition != 2 || string(rec.Value) != "v" {
		t.Errorf("the dead letter is %+v", rec)
	}
	want := []kgo.RecordHeader{
		{Key: "kafka_dlt-original-topic", Value: []byte("orders")},
		{Key: "kafka_dlt-original-partition", Value: []byte{0, 0, 0, 2}},
		{Key: "kafka_dlt-original-offset", Value: []byte{255, 255, 255, 255, 255, 255, 255, 255}},
		{Key: "kafka_dlt-original-timestamp", Value: binary.BigEndian.AppendUint64(nil, 1700000000000)},
		{Key: "kafka_dlt-original-timestamp-type", Value: []byte("CreateTime")},
		{Key: "kafka_dlt-exception-fqcn", Value: []byte("org.apache.kafka.common.errors.InvalidRecordException")},
	}
	if rec.Headers[0].Key == want[0].Key {
		t.Error("the record's own headers do not come first")
	}
	for _, w := range want {
		i := slices.IndexFunc(rec.Headers, func(h kgo.RecordHeader) bool { return h.Key == w.Key })
		if i < 0 || string(rec.Headers[i].Value) != string(w.Value) {
			t.Errorf("header %s is missing or wrong: %v", w.Key, rec.Headers)
		}
	}
	r.clean()
}

// TestMissingDeadLetterTopicIsToldAtTheStart: of a topic with a table of its own, and of one that only a glob covers.
func TestMissingDeadLetterTopicIsToldAtTheStart(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.enable = true\n[topics.other]\ndead_letter.topic = \"nowhere\"\n[topics.\"*.DLT\"]\n[topics.nowhere]\n")
	for _, want := range []string{`topic=orders dead_letter.topic=orders.DLT error="the cluster does not have topic`, `topic=other dead_letter.topic=nowhere error="the cluster does not have topic`} {
		eventually(t, want, func() bool { return strings.Contains(r.logs.String(), want) })
	}
}

// TestDeadLetterOfWhatTheBrokerWouldRefuse: a record that is too large for the topic has the same end whether the broker says so or
// the gateway knows it already.
func TestDeadLetterOfWhatTheBrokerWouldRefuse(t *testing.T) {
	c := fake(t, kfake.SeedTopics(1, "dead"))
	k, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.topic = \"dead\"\n[topics.other]\n[topics.dead]\n")
	limit := "5000"
	if _, err := kadm.NewClient(k).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, "orders", "other"); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("v", 5000)
	for _, topic := range []string{"orders", "other"} {
		eventually(t, "the limit is known of "+topic, func() bool {
			a := r.post(r.url(topic), large) // the broker refuses it until then
			if topic == "orders" {
				if d := a.letter(t); d.Code != "record_too_large" {
					t.Fatalf("%+v", d)
				}
			} else if a.want(t, 413, "record_too_large"); a.header.Get("Retry-After") != "" {
				t.Fatal(a.header)
			}
			return strings.Contains(a.body, "max.message.bytes = 5000 of topic")
		})
	}
	r.clean()
}

func TestDeadLetterOfWhatTheBrokerRefuses(t *testing.T) {
	for _, test := range []struct {
		name, table, query string
		err                *kerr.Error
		status             int
		code, cause        string // cause "" is no dead letter
	}{
		{"invalid", "", "", kerr.InvalidRecord, 207, "invalid_record", "broker"},
		{"too large for the broker", "", "", kerr.MessageTooLarge, 207, "record_too_large", "broker"},
		{"not asked for", "dead_letter.causes = \"undelivered\"\n", "", kerr.InvalidRecord, 422, "invalid_record", ""},
		{"nobody may write", "", "", kerr.TopicAuthorizationFailed, 403, "topic_authorization_failed", ""},
		{"queued", "", "ack=queued", kerr.TopicAuthorizationFailed, 202, "topic_authorization_failed", "undelivered"},
		{"queued, not asked for", "dead_letter.causes = \"broker\"\n", "ack=queued", kerr.TopicAuthorizationFailed, 202, "topic_authorization_failed", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := fake(t, kfake.SeedTopics(5, "orders.DLT"))
			refuseProduce(c, "orders", test.err)
			r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.enable = true\n"+test.table+"[topics.\"orders.DLT\"]\n")
			a := r.post(r.url("orders")+"?"+test.query, "v", "X-Kafka-Key: k")
			if a.status != test.status {
				t.Fatalf("answer %d %s, want %d", a.status, a.body, test.status)
			}
			if test.cause != "" {
				if l := about(t, letters(t, c, "orders.DLT", 1)["k"]); l.Cause != test.cause || l.Code != test.code {
					t.Errorf("%+v", l)
				}
			}
			r.clean()
			if n := stored(c, "orders.DLT"); (n > 0) != (test.cause != "") {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

// TestDeadLetterThatFailsIsTold: never silent, and with the error that says what to do now.
func TestDeadLetterThatFailsIsTold(t *testing.T) {
	c := fake(t)
	refuseProduce(c, "orders", kerr.InvalidRecord)
	h := refuseProduce(c, "other", kerr.TopicAuthorizationFailed)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.topic = \"other\"\n[topics.other]\n")
	a := r.post(r.url("orders"), "v")
	a.want(t, 422, "invalid_record")
	if !strings.Contains(a.body, "its dead letter could not be stored in other either") {
		t.Error(a.body)
	}
	h.Remove()
	r.post(r.url("orders"), "v").letter(t)
	e := (*r.g.topics.Load().byName.Load())["orders"].topic.letters
	if e.stored.Load() != 1 || e.failed.Load() != 1 || e.open.Load() != 0 || e.held.Load() != 0 {
		t.Errorf("%d stored, %d failed, %d open, %d bytes held", e.stored.Load(), e.failed.Load(), e.open.Load(), e.held.Load())
	}
	r.clean()
}

// TestDeadLettersAreBounded: what has no room gets its own error.
func TestDeadLettersAreBounded(t *testing.T) {
	c := fake(t)
	refuseProduce(c, "orders", kerr.InvalidRecord)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.topic = \"other\"\ndead_letter.buffer.memory = 1048576\n"+
		"[topics.other]\nproducer.linger.ms = 6\n") // a client of its own: its connection is held, not that of orders
	release := holdTopic(c, "other")
	big := strings.Repeat("v", 900_000)
	first := make(chan answer, 1)
	go func() { first <- r.post(r.url("orders"), big) }()
	d := (*r.g.topics.Load().byName.Load())["orders"].topic.letters
	eventually(t, "the first waits", func() bool { return d.open.Load() == 1 })
	r.post(r.url("orders"), big).want(t, 422, "invalid_record")
	if !strings.Contains(r.logs.String(), "dead_letter.buffer.memory=1048576") {
		t.Error("the log does not name the setting")
	}
	release()
	(<-first).letter(t)
	r.post(r.url("orders"), big).letter(t)
	r.clean()
}

// TestDeadLettersAreFlushedAtTheEnd: what fails while the gateway stops still becomes a dead letter.
func TestDeadLettersAreFlushedAtTheEnd(t *testing.T) {
	c := fake(t)
	refuseProduce(c, "orders", kerr.InvalidRecord)
	release := holdProduce(c, 0)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.topic = \"other\"\n[topics.other]\n")
	var lines strings.Builder
	for i := range 20 {
		fmt.Fprintln(&lines, i)
	}
	if a := r.post(r.url("orders")+"?ack=queued", lines.String(), ndjson); a.status != 202 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.end() }()
	eventually(t, "the gateway stops", func() bool { return r.g.stopping.Load() })
	release()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not stop")
	}
	if n := len(read(t, c.ListenAddrs(), "other", 20)); n != 20 {
		t.Errorf("%d dead letters of 20", n)
	}
}

// TestOccasionsAreLoggedNowAndThen: what may happen for every record must not fill the log.
func TestOccasionsAreLoggedNowAndThen(t *testing.T) {
	var o occasion
	now := time.Unix(1_800_000_000, 0)
	if n := o.due(now); n != 1 {
		t.Fatalf("the first: %d", n)
	}
	for range 1000 {
		if n := o.due(now.Add(logEvery - 1)); n != 0 {
			t.Fatalf("logged again: %d", n)
		}
	}
	if n := o.due(now.Add(logEvery)); n != 1001 {
		t.Errorf("%d, want all that were not told", n)
	}
}

// TestDeadLettersThatFailDoNotFillTheLog: a dead-letter topic that is not there, and a thousand records for it.
func TestDeadLettersThatFailDoNotFillTheLog(t *testing.T) {
	c := fake(t)
	refuseProduce(c, "orders", kerr.InvalidRecord)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\ndead_letter.topic = \"nowhere\"\n[topics.nowhere]\nproducer.max.block.ms = 0\n")
	var lines strings.Builder
	for i := range 200 {
		fmt.Fprintln(&lines, i)
	}
	if a := r.post(r.url("orders"), lines.String(), ndjson); a.status != 422 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	if n := strings.Count(r.logs.String(), "dead letters could not be stored"); n != 1 {
		t.Errorf("%d lines for 200 records", n)
	}
	r.clean()
}
