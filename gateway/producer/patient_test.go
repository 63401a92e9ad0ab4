package producer

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// patient is the producing side of a topic for records that their owner sends again.
func (r *rig) patient(name string) *Topic {
	r.t.Helper()
	t, err := r.cluster.Patient(config.Topic{Name: name, Table: name, Producer: testProps(), Partitioner: "murmur2"})
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

// Of a patient topic, what stands behind a record that its owner has to send again goes back, too, wherever it is: in kgo, kept
// back, or just appended. Sent again in order, none has overtaken another.
func TestWhatStandsBehindGoesBack(t *testing.T) {
	r, m := newMuteRig(t)
	topic := r.patient("orders")
	var first, written, behind sent
	first.append(r, topic, 0, "first")
	first.outcome(t)
	m.silent.Store(true)
	values, others := numbered("v", 5), numbered("w", 3)
	for _, v := range values {
		written.write(r, topic, v)
	}
	behind.append(r, topic, 0, others...)
	for r.highWatermark("orders", 0) < 6 {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
	r.forgets(5, false)
	m.restart()

	wait(t, written.done[0])
	var late sent
	late.append(r, topic, 0, "late") // as an owner that has not seen the Ack yet
	written.want(t, record.Unknown)
	behind.want(t, record.NotAvailable)
	late.want(t, record.NotAvailable)
	again := slices.Concat(values, others, []string{"late"})
	topic.Resume()
	var second sent
	second.append(r, topic, 0, again...)
	if _, failed := second.outcome(t); len(failed) > 0 {
		t.Errorf("sent again, and failed: %v", failed)
	}
	r.wantLog("orders", 0, slices.Concat([]string{"first"}, values, again))
	r.freeOfDebt(topic)
}

// An owner that has not seen yet what failed goes on: nothing of it is stored before that, also when all that it appended is answered.
func TestNothingOvertakesWhatHasToBeSentAgain(t *testing.T) {
	r := newRig(t)
	topic := r.patient("orders")
	r.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders", Err: kerr.TopicAuthorizationFailed, Count: 1})
	var first, late, again sent
	first.append(r, topic, 0, "a")
	first.want(t, record.Unauthorized)
	late.append(r, topic, 0, "b")
	late.want(t, record.NotAvailable)
	topic.Resume()
	again.append(r, topic, 0, "a", "b")
	again.outcome(t)
	r.wantLog("orders", 0, []string{"a", "b"})
	r.freeOfDebt(topic)
}

// What the leader says that it has is stored, though nobody knows at which offset: its owner must not send it again.
func TestPatientTopicBelievesTheLeader(t *testing.T) {
	for there := 2; there <= 5; there++ { // of five batches
		t.Run(strconv.Itoa(there), func(t *testing.T) {
			t.Parallel()
			r, m := newMuteRig(t)
			forgetful{r, m, r.patient("orders"), there}.run(t, true, true)
		})
	}
}

// A record that is at fault itself is not sent again, so what stands behind it goes on.
func TestPoisonOfAPatientTopicTurnsNothingBack(t *testing.T) {
	r := newRig(t)
	r.refuse("poison", kerr.InvalidRecord)
	topic := r.patient("orders")
	var s sent
	s.append(r, topic, 0, "a", "poison", "b")
	stored, failed := s.outcome(t)
	if !slices.Equal(stored, []string{"a", "b"}) || failed["poison"].Code != record.InvalidRecord {
		t.Errorf("stored %v, failed %v", stored, failed)
	}
	r.wantLog("orders", 0, []string{"a", "b"})
	r.freeOfDebt(topic)
}
