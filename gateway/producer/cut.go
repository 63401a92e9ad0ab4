package producer

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// errForgotten is the error of records that kgo gives up because their partition was cut.
var errForgotten = errors.New("the broker has lost track of what it has of the partition, so what may be there is not sent again")

// life is the context of the records that kgo has of one partition. kgo gives all of them up when it is over. Its own way on from
// OUT_OF_ORDER_SEQUENCE_NUMBER is to send them again under another epoch, which stores those twice that are there: a broker
// that was restarted knows only the last batch of a producer, and answers so to those before it.
type life struct{ done chan struct{} }

func newLife() *life { return &life{make(chan struct{})} }

func (*life) Deadline() (time.Time, bool) { return time.Time{}, false }
func (l *life) Done() <-chan struct{}     { return l.done }
func (*life) Value(any) any               { return nil }

// Err implements [context.Context].
func (l *life) Err() error {
	if l.over() {
		return errForgotten
	}
	return nil
}

func (l *life) over() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// cut makes kgo give up what it has of the partition, and keeps further records of it back. The caller holds book.gate.
func (l *ledger) cut() {
	l.held.Store(true)
	if l.life.over() {
		return
	}
	l.mu.Lock()
	l.cutAt = nil
	if !l.lost.Load() {
		at := l.place
		l.cutAt = &at
	}
	l.mu.Unlock()
	close(l.life.done)
}

// heard asks the leader of a partition that was cut what it has of it, and says whether the answer is there.
func (c *client) heard(l *ledger) bool {
	if l.asked == nil {
		l.asked = make(chan int64, 1)
		until := time.Now().Add(c.props.RequestTimeout)
		if len(l.parked) > 0 {
			if d := l.parked[0].slot.group.until; d.done != nil && d.at.Before(until) {
				until = d.at
			}
		}
		k, at, answer := c.kgo.Load(), l.cutAt, l.asked
		c.retired.Go(func() {
			ctx, cancel := context.WithDeadline(context.Background(), until)
			defer cancel()
			answer <- at.behind(ctx, k, l.topic, l.partition)
			c.wake()
		})
		return false
	}
	select {
	case l.there = <-l.asked:
		l.asked = nil
		return true
	default:
		return false
	}
}

// behind is the position behind the last record that the leader has, by the last sequence number that it knows; -1 if it does not
// tell. Nothing of an older connection can arrive later: the broker that had it is the one that was restarted.
func (p *place) behind(ctx context.Context, k *kgo.Client, topic string, partition int32) int64 {
	if p == nil {
		return -1
	}
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = topic, []int32{partition}
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, k)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -1
	}
	for _, a := range resp.Topics[0].Partitions[0].ActiveProducers {
		if a.ProducerID == p.pid && int16(a.ProducerEpoch) == p.epoch && a.LastSequence >= 0 {
			return p.seqAt + int64((a.LastSequence+1-p.seq)&math.MaxInt32)
		}
	}
	return -1
}

// absent says whether the record at pos is certainly not in the log, because the leader said so after the partition was cut.
func (l *ledger) absent(pos int64) bool { return l.life.over() && l.there >= 0 && pos >= l.there }

// present says whether it certainly is in the log: a leader has every sequence number of an epoch up to the last.
func (l *ledger) present(pos int64) bool {
	at := l.cutAt
	return l.life.over() && at != nil && pos < l.there && pos >= at.seqAt-int64(at.seq)
}
