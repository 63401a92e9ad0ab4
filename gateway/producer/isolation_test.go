package producer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// refuse makes the fake cluster answer err to every batch that has the word, as a broker that looks at the records does.
// It counts the batches that it refused.
func (r *rig) refuse(word string, err *kerr.Error) (refused func() int) {
	var mu sync.Mutex
	n := 0
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		if !slices.ContainsFunc(p.Topics, func(t kmsg.ProduceRequestTopic) bool {
			return slices.ContainsFunc(t.Partitions, func(p kmsg.ProduceRequestTopicPartition) bool { return bytes.Contains(p.Records, []byte(word)) })
		}) {
			return nil, nil, false
		}
		return answerAll(p, func(records []byte) int16 {
			if !bytes.Contains(records, []byte(word)) {
				return kerr.NotEnoughReplicas.Code // sent again
			}
			mu.Lock()
			n++
			mu.Unlock()
			return err.Code
		}), nil, true
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// answerAll answers every batch of a request with a code and no offset.
func answerAll(req *kmsg.ProduceRequest, code func(records []byte) int16) *kmsg.ProduceResponse {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode, rp.BaseOffset = p.Partition, code(p.Records), -1
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// sent is batches that were appended, and what came of them.
type sent struct {
	batches []*record.Batch
	done    []chan struct{}
}

func (s *sent) append(r *rig, topic *Topic, p int32, values ...string) {
	b, done := r.batch(topic.Name(), p, values...)
	if !topic.Append(b) {
		r.t.Fatal("the topic took no records")
	}
	s.batches, s.done = append(s.batches, b), append(s.done, done)
}

// outcome waits for all Acks and returns the values that are stored by their Acks, in the order of appending, and the codes
// of the others by value.
func (s *sent) outcome(t testing.TB) (stored []string, failed map[string]record.Ack) {
	t.Helper()
	failed = make(map[string]record.Ack)
	for i, b := range s.batches {
		wait(t, s.done[i])
		if b.Twice() != 0 {
			t.Fatal("a record got two Acks")
		}
		for j, a := range b.Acks {
			if v := string(b.Records[j].Value); a.Code == record.Stored {
				stored = append(stored, v)
			} else {
				failed[v] = a
			}
		}
	}
	return stored, failed
}

func (r *rig) freeOfDebt(topics ...*Topic) {
	r.t.Helper()
	for _, topic := range topics {
		if total, free, _ := topic.Budget(); total != free {
			r.t.Errorf("%s: %d of %d bytes are free", topic.Name(), free, total)
		}
		for start := time.Now(); topic.client.kept.Load() != 0; { // the Ack comes first
			if time.Since(start) > 10*time.Second {
				r.t.Fatalf("%d records are kept", topic.client.kept.Load())
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
		}
	}
	if r.cluster.Open() != 0 {
		r.t.Errorf("%d records are open", r.cluster.Open())
	}
}

func numbered(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%03d", prefix, i)
	}
	return all
}

// TestPoisonFailsAlone: a batch that is refused as a whole for one record is sent again without it, in order, and records
// that were appended meanwhile come behind.
func TestPoisonFailsAlone(t *testing.T) {
	for _, err := range []*kerr.Error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.CorruptMessage,
		kerr.UnsupportedForMessageFormat, kerr.PolicyViolation,
	} {
		t.Run(err.Message, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", nil)
			refused := r.refuse("poison", err)
			var s sent
			values := numbered("a", 200)
			values[117] = "poison"
			s.append(r, topic, 0, values...)
			s.append(r, topic, 1, "elsewhere")
			s.append(r, topic, 0, numbered("b", 20)...)
			for refused() == 0 {
				time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
			}
			s.append(r, topic, 0, numbered("c", 20)...)
			stored, failed := s.outcome(t)
			if len(failed) != 1 || failed["poison"].Code != answerOf(err.Code).code {
				t.Fatalf("failed: %v", failed)
			}
			stored = slices.DeleteFunc(stored, func(v string) bool { return v == "elsewhere" })
			if got := r.values("orders", 0, len(stored)); !slices.Equal(got, stored) || r.highWatermark("orders", 0) != int64(len(stored)) {
				t.Fatalf("stored %v\nwant %v", got, stored)
			}
			if n := refused(); n > 30 {
				t.Errorf("%d batches were refused for one record of 200", n)
			}
			r.freeOfDebt(topic)
		})
	}
}

func (r *rig) highWatermark(topic string, p int32) int64 {
	return r.fake.PartitionInfo(topic, p).HighWatermark
}

func TestPoisonAloneIsTheCulpritAtOnce(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	refused := r.refuse("poison", kerr.InvalidRecord)
	var s sent
	s.append(r, topic, 0, "poison")
	_, failed := s.outcome(t)
	if failed["poison"].Code != record.InvalidRecord || refused() != 1 {
		t.Fatalf("%v after %d requests", failed, refused())
	}
	s.append(r, topic, 0, "good")
	if stored, _ := s.outcome(t); !slices.Equal(stored, []string{"good"}) {
		t.Fatalf("stored %v", stored)
	}
	r.freeOfDebt(topic)
}

// TestPoisonUnderLoad: every third of many concurrent requests has a record that is refused.
func TestPoisonUnderLoad(t *testing.T) {
	for name, change := range map[string]func(*config.Producer){
		"idempotent":    nil,
		"acks=1":        func(p *config.Producer) { p.Acks, p.Idempotence, p.MaxInFlight = 1, false, 5 },
		"one in flight": func(p *config.Producer) { p.Acks, p.Idempotence, p.MaxInFlight = 1, false, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			topic := r.topic("orders", change)
			r.refuse("poison", kerr.InvalidRecord)
			const writers, each = 4, 60
			all := make([]sent, writers)
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := range each {
						v := []string{fmt.Sprintf("%d-%03d-a", w, i), fmt.Sprintf("%d-%03d-b", w, i)}
						if i%3 == 0 {
							v = append(v, fmt.Sprintf("%d-%03d-poison", w, i))
						}
						all[w].append(r, topic, int32(w%2), append(v, fmt.Sprintf("%d-%03d-z", w, i))...)
					}
				})
			}
			wg.Wait()
			for w := range writers {
				stored, failed := all[w].outcome(t)
				for v, a := range failed {
					if !strings.HasSuffix(v, "poison") || a.Code != record.InvalidRecord {
						t.Errorf("%s: %v %v", v, a.Code, a.Detail)
					}
				}
				mine := r.values("orders", int32(w%2), int(r.highWatermark("orders", int32(w%2))))
				mine = slices.DeleteFunc(mine, func(v string) bool { return !strings.HasPrefix(v, fmt.Sprint(w, "-")) })
				if !slices.Equal(mine, stored) {
					t.Errorf("writer %d: stored %v\nwant %v", w, mine, stored)
				}
			}
			r.freeOfDebt(topic)
		})
	}
}
