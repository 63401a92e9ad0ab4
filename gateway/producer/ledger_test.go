package producer

import (
	"bytes"
	"math"
	"net"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/config"
)

// story is what happens to one partition; wants are the positions that may be in the log.
type story struct {
	t *testing.T
	l *ledger
}

func newStory(t *testing.T, given int64) story {
	t.Helper()
	l := newLedger(newBook(), "orders", 0)
	l.given.Store(given)
	return story{t, l}
}

func (s story) write(epoch int16, seq int32, n int) int64 {
	pid := int64(7)
	if epoch < 0 {
		pid = -1
	}
	return s.l.wrote(batch{pid, epoch, seq, n})
}

func (s story) heeded(write int64, code int16) bool {
	heeded, _ := s.l.answered(write, notInLog, code)
	return heeded
}

// want says before which position records may be in the log, with trust in the place and without.
func (s story) want(exact, atMost int64) {
	s.t.Helper()
	for trust, limit := range map[bool]int64{true: exact, false: atMost} {
		if limit > 0 && !s.l.mayHold(limit-1, trust) || s.l.mayHold(limit, trust) {
			s.t.Errorf("exact %v: the limit is not %d: %+v", trust, limit, s.l)
		}
	}
}

func TestLedgerFollowsTheSequence(t *testing.T) {
	s := newStory(t, 100)
	s.want(0, 0)
	a, b := s.write(0, 0, 10), s.write(0, 10, 10)
	s.want(20, 100)
	s.l.answered(a, inLog, 0)
	s.l.answered(b, notInLog, 19)
	s.want(10, 100)
	b = s.write(0, 10, 10) // again
	s.want(20, 100)
	s.l.answered(b, perhaps, 7)
	s.want(20, 100)
	b = s.write(0, 10, 10)
	s.l.answered(b, notInLog, 19) // does not undo the doubt
	s.want(20, 100)
}

func TestLedgerFollowsANewEpoch(t *testing.T) {
	s := newStory(t, 100)
	s.l.answered(s.write(0, 0, 10), inLog, 0)
	s.write(1, 0, 5) // another partition lost its sequence: numbered afresh from the first batch that is not stored
	s.want(15, 100)
}

func TestLedgerSequenceWrapsRound(t *testing.T) {
	s := newStory(t, 100)
	s.l.answered(s.write(0, math.MaxInt32-4, 10), inLog, 0)
	s.write(0, 5, 10)
	s.want(20, 100)
}

func TestLedgerWithoutSequences(t *testing.T) {
	s := newStory(t, 100)
	a, b := s.write(-1, 0, 10), s.write(-1, 0, 10)
	s.want(20, 100)
	s.l.answered(a, notInLog, 19)
	s.l.answered(b, notInLog, 19)
	s.want(0, 0)
	s.write(-1, 0, 10) // the first again
	s.want(10, 100)
}

// kgo looks at an answer only if all before it were good, or for what it sent since.
func TestLedgerKnowsWhichAnswersCount(t *testing.T) {
	s := newStory(t, 100)
	a, b, c := s.write(0, 0, 10), s.write(0, 10, 1), s.write(0, 11, 1)
	heeded := []bool{s.heeded(a, 6), s.heeded(b, 10), s.heeded(c, 45)}
	a = s.write(0, 0, 10)
	heeded = append(heeded, s.heeded(a, 10))
	if !slices.Equal(heeded, []bool{true, false, false, true}) {
		t.Error(heeded)
	}
}

// Of the requests that wait for a connection kgo sends the first one last, if it could not be opened for that one: then the batches
// behind are out of order, and kgo does not look at the answers to them, whatever they are.
func TestLedgerKnowsBatchesThatOvertook(t *testing.T) {
	s := newStory(t, 100)
	for seq := range int32(5) {
		w := s.write(0, seq, 1)
		defer s.l.answered(w, perhaps, 0) // when the test is over: on a connection that is still open
	}
	d, e := s.write(0, 3, 1), s.write(0, 4, 1)
	a, b, c := s.write(0, 0, 1), s.write(0, 1, 1), s.write(0, 2, 1)
	heeded := []bool{s.heeded(d, 45)}
	ok, _ := s.l.answered(e, inLog, 0) // late, all came by the first connection
	heeded = append(heeded, ok, s.heeded(a, 6), s.heeded(b, 45), s.heeded(c, 45))
	a = s.write(0, 0, 1)
	ok, _ = s.l.answered(a, inLog, 0)
	heeded = append(heeded, ok, s.heeded(s.write(0, 1, 1), 45))
	if !slices.Equal(heeded, []bool{false, false, true, false, false, true, true}) {
		t.Error(heeded)
	}
}

// Batches are numbered afresh from the first that is not stored, whichever of them is written first.
func TestLedgerNumbersAfreshFromTheFirst(t *testing.T) {
	s := newStory(t, 100)
	s.l.answered(s.write(0, 20, 10), inLog, 0)
	s.l.answered(s.write(1, 5, 5), perhaps, 0) // overtook the first five
	s.want(20, 100)
	if !s.heeded(s.write(1, 0, 5), 45) {
		t.Error("kgo looks at the first one")
	}
}

// Without sequence numbers nothing tells in which order kgo sends what waited for a connection that failed.
func TestConnectionThatFailsLosesThePlace(t *testing.T) {
	for _, shuffle := range []bool{true, false} {
		b := newBook()
		b.shuffle = shuffle
		l := b.shelf("orders").ledger(0)
		l.given.Store(10)
		refuse := newDialer(config.Producer{}, nil, func(c net.Conn) net.Conn { return c })
		if _, err := b.dialer(refuse)(t.Context(), "tcp", "127.0.0.1:1"); err == nil || l.lost.Load() != shuffle {
			t.Errorf("shuffle %v: lost %v, error %v", shuffle, l.lost.Load(), err)
		}
		l.lost.Store(false)
		here, there := net.Pipe()
		defer there.Close()
		newTap(nil).wrap(here, b).Close()
		if l.lost.Load() != shuffle {
			t.Errorf("shuffle %v: lost %v after a connection was closed", shuffle, l.lost.Load())
		}
	}
}

// A batch may be there if it was written before, and the answer to that did not say that it is not.
func TestLedgerKnowsWhatMayBeThereAlready(t *testing.T) {
	again := func(s story, write int64, o outcome) bool {
		_, again := s.l.answered(write, o, 45)
		return again
	}
	s := newStory(t, 100)
	s.l.answered(s.write(0, 0, 10), inLog, 0)
	if a, behind := s.write(0, 10, 10), s.write(0, 20, 10); again(s, a, notInLog) || again(s, behind, notInLog) {
		t.Error("written for the first time")
	}
	if again(s, s.write(0, 10, 10), notInLog) {
		t.Error("refused the first time")
	}
	s.l.answered(s.write(0, 10, 10), perhaps, 0)
	if !again(s, s.write(0, 10, 10), notInLog) {
		t.Error("without an answer the first time")
	}
	s = newStory(t, 100)
	s.write(0, 0, 10) // on another connection, which is still open
	if !again(s, s.write(0, 0, 10), notInLog) {
		t.Error("still under way")
	}
	s = newStory(t, 100)
	w := s.write(0, 0, 10)
	s.l.lose()
	s.l.answered(w, perhaps, 0)
	if !again(s, s.write(0, 0, 10), notInLog) {
		t.Error("the place is not known")
	}
}

// More is written than was given: the client does something that the ledger does not understand.
func TestLedgerGivesThePlaceUp(t *testing.T) {
	s := newStory(t, 10)
	s.write(0, 0, 11)
	s.l.given.Store(30)
	s.want(10, 10)
	s.write(0, 11, 1)
	s.want(30, 30)
	s = newStory(t, 10)
	s.l.answered(s.write(0, 0, 4), inLog, 0)
	s.write(0, 0, 4) // what is stored is written again, or is something else
	s.want(10, 10)
}

func TestLedgerFindsThePlaceAgain(t *testing.T) {
	s := newStory(t, 10)
	w := s.write(0, 0, 4)
	s.l.lose()
	s.l.back.Store(10)
	s.l.rest() // something is in flight
	if !s.l.lost.Load() {
		t.Error("the place was found while something is in flight")
	}
	s.l.answered(w, inLog, 0)
	s.l.rest()
	s.l.given.Store(50)
	s.write(0, 4, 2) // positions 10 and 11
	s.want(12, 50)
}

func TestBlindLedgerTrustsNothing(t *testing.T) {
	s := newStory(t, 10)
	s.l.book.topics["orders"] = &shelf{}
	s.l.book.topics["orders"].parts.Store(&[]*ledger{s.l})
	s.l.book.blind()
	s.want(10, 10)
	if s.l.book.quiet() {
		t.Error("it is quiet")
	}
}

// A batch that is encoded and not yet written is in no ledger.
func TestEncodedBatchIsNotQuiet(t *testing.T) {
	b := newBook()
	if _, c := (compressor{nil, b}).Compress(&bytes.Buffer{}, []byte("x")); c != kgo.CodecNone || b.quiet() {
		t.Errorf("codec %d, quiet %v", c, b.quiet())
	}
}
