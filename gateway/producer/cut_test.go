package producer

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/config"
	"sluice/gateway/record"
)

// mute is a listener of the fake broker whose answers can be lost.
type mute struct {
	net.Listener
	silent atomic.Bool
	mu     sync.Mutex
	conns  []net.Conn
}

func newMuteRig(t *testing.T) (*rig, *mute) {
	t.Helper()
	m := &mute{}
	return newRig(t, kfake.ListenFn(func(network, address string) (l net.Listener, err error) {
		m.Listener, err = net.Listen(network, address)
		return m, err
	})), m
}

func (m *mute) Accept() (net.Conn, error) {
	c, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns = append(m.conns, c)
	return muteConn{c, m}, nil
}

// restart closes all connections; from then on there are answers.
func (m *mute) restart() {
	m.silent.Store(false)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		c.Close()
	}
	m.conns = nil
}

type muteConn struct {
	net.Conn
	of *mute
}

func (c muteConn) Write(p []byte) (int, error) {
	if c.of.silent.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// forgets makes the fake broker one that was restarted: of a producer that is at epoch 0 it knows only the batch with sequence number
// last, and answers to those before it that they are out of order. It may tell what is the last.
func (r *rig) forgets(last int32, tells bool) {
	var pid atomic.Int64
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		b, ok := readBatch(p.Topics[0].Partitions[0].Records)
		if !ok || b.epoch > 0 || b.seq >= last {
			return nil, nil, false
		}
		pid.Store(b.pid)
		return answerAll(p, func([]byte) int16 { return kerr.OutOfOrderSequenceNumber.Code }), nil, true
	})
	if tells {
		r.tells(func() (int64, int16, int32) { return pid.Load(), 0, last })
	}
}

// tells makes the fake broker say which batch of a producer is the last; kfake does so for transactions only.
func (r *rig) tells(last func() (pid int64, epoch int16, seq int32)) {
	r.fake.ControlKey(int16(kmsg.DescribeProducers), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		pid, epoch, seq := last()
		a.ProducerID, a.ProducerEpoch, a.LastSequence = pid, int32(epoch), seq
		p := kmsg.NewDescribeProducersResponseTopicPartition()
		p.ActiveProducers = append(p.ActiveProducers, a)
		t := kmsg.NewDescribeProducersResponseTopic()
		t.Topic, t.Partitions = "orders", append(t.Partitions, p)
		resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
		resp.Topics = append(resp.Topics, t)
		return resp, nil, true
	})
}

// restarting makes the fake broker one that can be restarted: forget says that it was. Only one partition may be written to.
func (r *rig) restarting() (forget func()) {
	var mu sync.Mutex
	var last batch // that was stored
	known := false // the batches before it
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		b, ok := readBatch(p.Topics[0].Partitions[0].Records)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case bytes.Contains(p.Topics[0].Partitions[0].Records, []byte("poison")):
			return answerAll(p, func([]byte) int16 { return kerr.InvalidRecord.Code }), nil, true
		case !ok || b.epoch < last.epoch: // kfake refuses it
		case b.epoch > last.epoch || b.seq >= last.seq+int32(last.records):
			last, known = b, true
		case !known && b.seq < last.seq:
			return answerAll(p, func([]byte) int16 { return kerr.OutOfOrderSequenceNumber.Code }), nil, true
		}
		return nil, nil, false
	})
	r.tells(func() (int64, int16, int32) {
		mu.Lock()
		defer mu.Unlock()
		return last.pid, last.epoch, last.seq + int32(last.records) - 1
	})
	return func() { mu.Lock(); known = false; mu.Unlock() }
}

// However often the broker is restarted under load: no record is stored twice, none overtakes another, and every answer holds.
func TestRestartsUnderLoad(t *testing.T) {
	for name, poison := range map[string]bool{"plain": false, "while poison is looked for": true} {
		t.Run(name, func(t *testing.T) { restartsUnderLoad(t, poison) })
	}
}

func restartsUnderLoad(t *testing.T, poison bool) {
	t.Helper()
	r, m := newMuteRig(t)
	topic := r.topic("orders", nil)
	forget := r.restarting()
	const writers = 4
	all := make([]sent, writers)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(3 * time.Millisecond):
					v := fmt.Sprintf("%d-%05d", w, i)
					if poison && i%100 == 50 {
						v += "-poison"
					}
					all[w].append(r, topic, 0, v)
				}
			}
		})
	}
	for range 5 {
		n := topic.client.tap.Stats.Responses.Load()
		for topic.client.tap.Stats.Responses.Load() < n+3 { // it works again, with several in flight
			time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
		}
		m.silent.Store(true)
		for i := 0; topic.client.tap.Stats.InFlight.Load() < 3 && i < 200; i++ { // one at a time until the first answer
			time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
		}
		forget()
		m.restart()
	}
	close(stop)
	wg.Wait()
	forgotten := 0
	for w := range writers {
		stored, failed := all[w].outcome(t)
		forgotten += all[w].placeless()
		log := slices.DeleteFunc(r.values("orders", 0, int(r.highWatermark("orders", 0))), func(v string) bool { return v[0] != byte('0'+w) })
		if !slices.IsSorted(log) || len(slices.Compact(slices.Clone(log))) != len(log) {
			t.Errorf("writer %d: out of order or twice: %v", w, log)
		}
		for _, v := range stored {
			if _, ok := slices.BinarySearch(log, v); !ok {
				t.Errorf("%s is lost", v)
			}
		}
		for v, ack := range failed {
			_, ok := slices.BinarySearch(log, v)
			switch {
			case ack.Code.OutcomeUnknown():
				forgotten++
			case ok:
				t.Errorf("%s is there, and was answered %v %v", v, ack.Code, ack.Detail)
			}
		}
	}
	if forgotten == 0 {
		t.Error("the broker has forgotten nothing that was in flight")
	}
	r.freeOfDebt(topic)
}

// A broker that was restarted answers "out of order" to all batches but the last that it has of a producer. They are there, so they
// must not be sent again under a new epoch, as kgo would. What was never written, or is not there, is sent behind them.
func TestForgottenBatchesAreNotStoredTwice(t *testing.T) {
	for name, c := range map[string]struct {
		stored int  // of five batches
		tells  bool // which is the last
	}{
		"all are there, and nobody knows": {5, false},
		"all are there":                   {5, true},
		"the last is not there":           {4, true},
		"the last two are not there":      {3, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, m := newMuteRig(t)
			forgetful{r, m, r.brief("orders"), c.stored}.run(t, c.tells, c.tells)
		})
	}
}

// What only the leader has is not stored yet: another one may be elected.
func TestForgottenBatchesAreStoredOnceReplicated(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(asked int, p *kmsg.ListOffsetsResponseTopicPartition)
		stored bool
	}{
		"never": {func(_ int, p *kmsg.ListOffsetsResponseTopicPartition) { p.Offset = 0 }, false},
		"soon": {func(asked int, p *kmsg.ListOffsetsResponseTopicPartition) {
			if asked < 3 {
				p.Offset = 2
			}
		}, true},
		"another leader was elected": {func(asked int, p *kmsg.ListOffsetsResponseTopicPartition) {
			if asked == 1 {
				p.ErrorCode = kerr.FencedLeaderEpoch.Code
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, m := newMuteRig(t)
			asked := 0
			r.fake.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
				r.fake.KeepControl()
				if req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp != -1 {
					return nil, nil, false // the test reads
				}
				asked++
				p := kmsg.NewListOffsetsResponseTopicPartition()
				p.Offset = 6
				c.answer(asked, &p)
				topic := kmsg.NewListOffsetsResponseTopic()
				topic.Topic, topic.Partitions = "orders", append(topic.Partitions, p)
				resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
				resp.Topics = append(resp.Topics, topic)
				return resp, nil, true
			})
			forgetful{r, m, r.brief("orders"), 5}.run(t, true, c.stored)
		})
	}
}

// brief is a topic whose leader is not asked for long.
func (r *rig) brief(name string) *Topic {
	return r.topic(name, func(p *config.Producer) { p.RequestTimeout = 2 * time.Second })
}

// forgetful is a broker that is restarted when it has stored some of five batches whose answers were lost.
type forgetful struct {
	*rig
	m      *mute
	topic  *Topic
	stored int
}

// run says whether the broker tells what it has, and whether what it has can be known to be stored.
func (f forgetful) run(t *testing.T, tells, known bool) {
	t.Helper()
	r, m, topic, stored := f.rig, f.m, f.topic, f.stored
	var first, there, absent, behind sent
	first.append(r, topic, 0, "first")
	first.outcome(t)
	m.silent.Store(true)
	r.drop(int32(stored + 1))
	values := numbered("v", 5) // as many as may be in flight
	for i, v := range values {
		if i < stored {
			there.write(r, topic, v)
		} else {
			absent.write(r, topic, v)
		}
	}
	behind.append(r, topic, 0, numbered("w", 3)...)
	for r.highWatermark("orders", 0) < int64(stored+1) {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
	r.forgets(int32(stored), tells)
	m.restart()

	if !known {
		there.want(t, record.Unknown)
	} else if _, failed := there.outcome(t); len(failed) > 0 || there.placeless() != stored {
		t.Errorf("%d of %d stored at an unknown offset; failed: %v", there.placeless(), stored, failed)
	}
	for _, s := range []*sent{&absent, &behind} {
		if _, failed := s.outcome(t); len(failed) > 0 {
			t.Errorf("not there, and failed: %v", failed)
		}
	}
	var last sent
	last.append(r, topic, 0, "last")
	last.outcome(t)
	r.wantLog("orders", 0, slices.Concat([]string{"first"}, values, numbered("w", 3), []string{"last"}))
	r.freeOfDebt(topic)
}

// placeless is how many records are stored, and nobody knows at which offset.
func (s *sent) placeless() (n int) {
	for _, b := range s.batches {
		for _, a := range b.Acks {
			if a.Code == record.Stored && a.Offset == record.NoOffset {
				n++
			}
		}
	}
	return n
}

// write appends a record for partition 0, and returns when it is on the wire in a batch of its own.
func (s *sent) write(r *rig, topic *Topic, value string) {
	n := topic.client.tap.Stats.Batches.Load()
	s.append(r, topic, 0, value)
	for topic.client.tap.Stats.Batches.Load() == n {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
}

// drop makes the fake broker lose every batch of epoch 0 from a sequence number on.
func (r *rig) drop(from int32) {
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		b, ok := readBatch(req.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records)
		return nil, nil, ok && b.epoch == 0 && b.seq >= from
	})
}

// What was not written before is not there: it is sent again under the new epoch, and nobody notices.
func TestBatchOutOfOrderAtFirstIsSentAgain(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	var s sent
	s.append(r, topic, 0, "first")
	s.outcome(t)
	r.forgets(5, false)
	s.append(r, topic, 0, "a", "b")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	r.wantLog("orders", 0, []string{"first", "a", "b"})
	r.freeOfDebt(topic)
}
