package gateway

import (
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/record"
)

// scripted is an interceptor that does to each record what its value says, and counts what it was told.
type scripted struct {
	mu   sync.Mutex
	acks map[int64][]record.Code
}

func (s *scripted) Name() string { return "scripted" }

func (s *scripted) OnSend(b *record.Batch) {
	for i := range b.Records {
		r := &b.Records[i]
		r.Timestamp = int64(i) // to know it again: OnAck sees no value
		verb, _, _ := strings.Cut(string(r.Value), " ")
		switch {
		case r.Done():
		case verb == "reject":
			b.Fail(i, record.Errorf(record.Rejected, "rejected"))
		case verb == "route":
			r.Topic = "other"
		case verb == "lose":
			r.Topic = "not-configured"
		case verb == "partition":
			r.Partition, r.Explicit = 99, true
		case verb == "grow":
			r.Headers = b.NewHeaders(1)
			r.Headers[0] = record.Header{Key: "big", Value: b.Alloc(1000)}
		case verb == "upper":
			r.Value = b.Copy([]byte(strings.ToUpper(string(r.Value))))
		}
	}
}

func (s *scripted) OnAck(b *record.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Records {
		s.acks[b.Records[i].Timestamp] = append(s.acks[b.Records[i].Timestamp], b.Acks[i].Code)
	}
}

// intercept puts an interceptor into a topic that was built without.
func (r *rig) intercept(topic string, i Interceptor) {
	e := (*r.g.topics.Load().byName.Load())[topic]
	e.topic.interceptors = []Interceptor{i}
	e.topic.acks = newAckQueue(e.topic.interceptors, r.g.log)
}

// refusing fails every record whose value starts with a word.
type refusing struct{ word string }

func (s refusing) Serialize(b *record.Batch) {
	for i := range b.Records {
		if r := &b.Records[i]; !r.Done() && r.Topic == "orders" && strings.HasPrefix(string(r.Value), s.word) {
			b.Fail(i, record.Errorf(record.InvalidRecord, "does not fit the schema"))
		}
	}
}

// Invariant 1: every record gets exactly one Ack, whichever step it fails in, and the interceptors see each.
func TestEveryRecordGetsExactlyOneAck(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.max.request.size = 1000\n[topics.other]")
	s := &scripted{acks: make(map[int64][]record.Code)}
	r.intercept("orders", s)
	(*r.g.topics.Load().byName.Load())["orders"].topic.serializer = refusing{"unfit"}
	want := map[string]record.Code{
		"plain": record.Stored, "reject 1": record.Rejected, "route 1": record.Stored, "lose 1": record.TopicNotAllowed,
		"partition 1": record.UnknownPartition, "unfit 1": record.InvalidRecord, "grow 1": record.RecordTooLarge, "upper 1": record.Stored,
		"reject 2": record.Rejected, "route 2": record.Stored,
	}
	order := []string{"plain", "reject 1", "route 1", "lose 1", "partition 1", "unfit 1", "grow 1", "upper 1", "reject 2", "route 2"}
	a := r.post(r.url("orders"), strings.Join(order, "\n"), ndjson)
	if a.status != 207 || len(a.Records) != len(order) {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	for i, v := range order {
		code := want[v]
		if got := a.Records[i]; (got.Error == nil) != (code == record.Stored) || got.Error != nil && got.Error.Code != code.String() {
			t.Errorf("%.20q: answered %+v, want %v", v, got, code)
		}
	}
	if err := r.end(); err != nil { // after which every OnAck was called
		t.Fatal(err)
	}
	for i, v := range order {
		code := want[v]
		if got := s.acks[int64(i)]; len(got) != 1 || got[0] != code {
			t.Errorf("%.20q: OnAck saw %v, want one %v", v, got, code)
		}
	}
	if len(s.acks) != len(want) {
		t.Errorf("OnAck saw %d records, want %d", len(s.acks), len(want))
	}
	if stored(c, "orders") != 2 || stored(c, "other") != 2 {
		t.Errorf("stored %d and %d", stored(c, "orders"), stored(c, "other"))
	}
}

func TestOnAckSeesBrokerErrors(t *testing.T) {
	c := fake(t)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord, Count: 1})
	r := serve(t, c.ListenAddrs(), "[topics.orders]")
	s := &scripted{acks: make(map[int64][]record.Code)}
	r.intercept("orders", s)
	r.post(r.url("orders"), "a").want(t, 422, "invalid_record")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if got := s.acks[0]; len(got) != 1 || got[0] != record.InvalidRecord {
		t.Fatalf("OnAck saw %v", got)
	}
}

// slow blocks in OnAck until it is let go.
type slow struct{ gate chan struct{} }

func (s slow) Name() string         { return "slow" }
func (s slow) OnSend(*record.Batch) {}
func (s slow) OnAck(*record.Batch)  { <-s.gate }

func TestSlowOnAckDelaysNobody(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), "[topics.orders]\nproducer.linger.ms = 0")
	s := slow{make(chan struct{})}
	r.intercept("orders", s)
	queue := (*r.g.topics.Load().byName.Load())["orders"].topic.acks
	const over = 50
	for range ackQueueLength + over {
		r.post(r.url("orders"), "x").want(t, 200, "")
	}
	if got := queue.dropped.Load(); got < over-2 || got > over {
		t.Fatalf("dropped %d, want about %d", got, over)
	}
	close(s.gate)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if r.g.pool.Live() != 0 {
		t.Fatalf("%d batches leaked", r.g.pool.Live())
	}
}

func TestTopicNamesFollowKafkasRule(t *testing.T) {
	for name, ok := range map[string]bool{
		"orders": true, "a.b_c-D9": true, strings.Repeat("x", 249): true,
		"": false, ".": false, "..": false, "a b": false, "a/b": false, "ü": false, strings.Repeat("x", 250): false,
	} {
		if err := validTopicName(name); (err == nil) != ok {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}
