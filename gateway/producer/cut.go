package producer

import (
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
	if !l.life.over() {
		close(l.life.done)
	}
}
