package producer

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestClosedHandshakesAreRetried: a broker that goes down closes connections in mid-handshake. That ends no record before
// its delivery.timeout.ms.
func TestClosedHandshakesAreRetried(t *testing.T) {
	r := newRig(t, kfake.NumBrokers(2))
	if err := r.fake.MoveTopicPartition("orders", 1, 1); err != nil {
		t.Fatal(err)
	}
	topic := r.topic("orders", nil)
	if _, err := topic.Partitions(); err != nil {
		t.Fatal(err)
	}
	const closed = 4
	var handshakes atomic.Int32
	r.fake.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		if r.fake.CurrentNode() != 1 || handshakes.Add(1) > closed {
			return nil, nil, false
		}
		return nil, errors.New("hang up"), true // the connection is closed
	})
	b, done := r.batch("orders", 1, "v")
	topic.Append(b)
	wait(t, done)
	if a := b.Acks[0]; !a.OK() || a.Offset != 0 {
		t.Errorf("%+v %v", a, a.Detail)
	}
	if handshakes.Load() <= closed {
		t.Errorf("%d handshakes: the test shows nothing", handshakes.Load())
	}
	r.wantLog("orders", 1, []string{"v"})
}
