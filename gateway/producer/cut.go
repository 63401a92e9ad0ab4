package producer

import (
	"context"
	"errors"
	"time"
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
		l.asked = make(chan extent, 1)
		until := time.Now().Add(c.props.RequestTimeout)
		if len(l.parked) > 0 {
			if d := l.parked[0].slot.group.until; d.done != nil && d.at.Before(until) {
				until = d.at
			}
		}
		q, at, answer := leaderQuery{c.kgo.Load(), l.topic, l.partition}, l.cutAt, l.asked
		c.retired.Go(func() {
			ctx, cancel := context.WithDeadline(context.Background(), until)
			defer cancel()
			found := q.extent(ctx, at, c.props.RetryBackoff)
			c.log.Info("a broker has forgotten what a producer wrote; it was asked what it has",
				"topic", q.topic, "partition", q.partition, "knows", found.end >= 0, "replicated", found.replicated)
			answer <- found
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

// absent says whether the record at pos is certainly not in the log, because the leader said so after the partition was cut.
func (l *ledger) absent(pos int64) bool {
	return l.life.over() && l.there.end >= 0 && pos >= l.there.end
}

// present says whether it certainly is in the log and stays there: a leader has every sequence number of an epoch up to the last.
func (l *ledger) present(pos int64) bool {
	at := l.cutAt
	return l.life.over() && at != nil && l.there.replicated && pos < l.there.end && pos >= at.seqAt-int64(at.seq)
}
