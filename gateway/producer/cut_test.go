package producer

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/record"
)

// mute is a listener of the fake broker whose answers can be lost.
type mute struct {
	net.Listener
	silent atomic.Bool
	mu     sync.Mutex
	conns  []net.Conn
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

// forgetful makes the fake broker one that was restarted: of a producer that is at epoch 0 it knows only the batch with sequence
// number last, and answers to those before it that they are out of order.
func (r *rig) forgetful(last int32) {
	r.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		if b, ok := readBatch(p.Topics[0].Partitions[0].Records); !ok || b.epoch > 0 || b.seq >= last {
			return nil, nil, false
		}
		return answerAll(p, func([]byte) int16 { return kerr.OutOfOrderSequenceNumber.Code }), nil, true
	})
}

// A broker that was restarted answers "out of order" to all batches but the last that it has of a producer. They are there, so they
// must not be sent again under a new epoch, as kgo would. What was never written is sent behind them.
func TestForgottenBatchesAreNotStoredTwice(t *testing.T) {
	var m mute
	r := newRig(t, kfake.ListenFn(func(network, address string) (l net.Listener, err error) {
		m.Listener, err = net.Listen(network, address)
		return &m, err
	}))
	topic := r.topic("orders", nil)
	var first, written, behind sent
	first.append(r, topic, 0, "first")
	first.outcome(t)
	m.silent.Store(true)
	values := numbered("v", 5) // as many as may be in flight
	for _, v := range values {
		n := topic.client.tap.Stats.Batches.Load()
		written.append(r, topic, 0, v)
		for topic.client.tap.Stats.Batches.Load() == n {
			time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
		}
	}
	behind.append(r, topic, 0, numbered("w", 3)...)
	for r.highWatermark("orders", 0) < 6 {
		time.Sleep(time.Millisecond) //nolint:forbidigo // polls a counter that no channel announces
	}
	r.forgetful(5)
	m.restart()

	written.want(t, record.Unknown)
	if _, failed := behind.outcome(t); len(failed) > 0 {
		t.Errorf("not written, and failed: %v", failed)
	}
	var last sent
	last.append(r, topic, 0, "last")
	last.outcome(t)
	r.wantLog("orders", 0, slices.Concat([]string{"first"}, values, numbered("w", 3), []string{"last"}))
	r.freeOfDebt(topic)
}

// What was not written before is not there: it is sent again under the new epoch, and nobody notices.
func TestBatchOutOfOrderAtFirstIsSentAgain(t *testing.T) {
	r := newRig(t)
	topic := r.topic("orders", nil)
	var s sent
	s.append(r, topic, 0, "first")
	s.outcome(t)
	r.forgetful(5)
	s.append(r, topic, 0, "a", "b")
	if _, failed := s.outcome(t); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	r.wantLog("orders", 0, []string{"first", "a", "b"})
	r.freeOfDebt(topic)
}
