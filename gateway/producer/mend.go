package producer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/record"
)

// mendInterval is how often the sender looks after what it waits for without being told.
const mendInterval = time.Millisecond

// maxUnquiet is how long it waits for a moment in which kgo is writing nothing.
const maxUnquiet = 200 * time.Millisecond

// returned is a record that kgo gave up.
type returned struct {
	slot *slot
	err  error
}

// returns is the records that kgo gave up and nobody has looked at yet.
type returns struct {
	mu    sync.Mutex
	list  []returned
	ended bool // there is no sender any more
}

func (r *returns) take() []returned {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.list
	r.list = nil
	return list
}

// end is the last take.
func (r *returns) end() []returned {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	return r.take()
}

// returned takes a record that kgo gave up. It runs in the promise.
func (c *client) returned(s *slot, err error) {
	c.back.mu.Lock()
	ended := c.back.ended
	if !ended {
		c.kept.Add(1)
		c.back.list = append(c.back.list, returned{s, err})
	}
	c.back.mu.Unlock()
	if ended {
		giveUp(s, err)
		return
	}
	c.wake()
}

// giveUp ends a record when there is no sender.
func giveUp(s *slot, err error) {
	l := s.ledger
	s.fail(err, !l.book.quiet() || l.mayHold(s.pos, false))
}

// wake makes the sender look after the records that came back.
func (c *client) wake() {
	select {
	case c.mends <- struct{}{}:
	default: // it will
	}
}

// mend looks after the records that kgo gave up: each is answered, or kept to be sent again.
func (c *client) mend() {
	c.came = append(c.came, c.back.take()...)
	if c.calm() { // at a moment after they came
		for _, r := range c.came {
			c.judge(r)
		}
		clear(c.came)
		c.came = c.came[:0]
	}
	for l := range c.holding {
		c.settle(l)
	}
}

// calm says whether what the ledgers say can be relied on: a batch that kgo has encoded but not written is in none.
func (c *client) calm() bool {
	quiet := c.book.quiet()
	switch {
	case quiet:
	case c.unquiet.IsZero():
		c.unquiet = time.Now()
		return false
	case time.Since(c.unquiet) < maxUnquiet:
		return false
	}
	c.hasty, c.unquiet = !quiet, time.Time{}
	return true
}

// rest is when mend has to run again without being woken.
func (c *client) rest() time.Duration {
	if !c.unquiet.IsZero() || len(c.holding) > 0 {
		return mendInterval
	}
	return time.Hour
}

// judge answers a record that kgo gave up, or parks it, if its batch was refused for a record that may be another.
func (c *client) judge(r returned) {
	s, l := r.slot, r.slot.ledger
	if !c.hasty && l.book == c.book && l.held.Load() && meaningOf(r.err).kind != retriable {
		l.parked = append(l.parked, r)
		l.back.Add(1)
		c.holding[l] = struct{}{}
		return
	}
	maybe := c.hasty || !l.book.quiet() && l.book != c.book || l.mayHold(s.pos, l.placed(r.err))
	l.back.Add(1)
	c.fail(s, l.cause(r.err), maybe)
	if l.book == c.book && l.lost.Load() { // the place is found again once kgo has no record of the partition
		l.held.Store(true)
		c.holding[l] = struct{}{}
	}
}

// placed says whether the place was known when kgo gave up the records that have err. Since then it is lost.
func (l *ledger) placed(err error) bool {
	e, ok := errors.AsType[*expired](err)
	if !ok {
		l.lose()
		return false
	}
	if e != l.run {
		l.run, l.exact = e, l.lose()
	}
	return l.exact
}

// cause adds the broker's last answer to an error that does not tell it.
func (l *ledger) cause(err error) error {
	if _, ok := errors.AsType[*kerr.Error](err); ok {
		return err
	}
	if code := l.lastCode(); code != 0 {
		return fmt.Errorf("%w (the broker's last answer: %w)", err, kerr.ErrorForCode(code))
	}
	return err
}

// settle goes on with a partition that is held, once kgo has none of its records and nothing is in flight.
func (c *client) settle(l *ledger) {
	c.expire(l)
	if l.fresh {
		if !knows(c.kgo.Load(), l.topic) {
			return
		}
		if l.known(); !l.lost.Load() && len(l.parked) == 0 {
			c.resend(l)
			return
		}
	}
	if l.back.Load() != l.given.Load() || l.inFlight() || l.life.over() && !c.heard(l) {
		return
	}
	n := l.takeRefused()
	if n == 0 && !l.life.over() {
		n = len(l.parked)
	}
	kept, suspects := c.sift(l, n)
	switch {
	case l.chunk == 0:
		l.suspect = suspects
		l.chunk = max(1, n/2)
	case n > 0 || l.life.over(): // all that is left of the chunk is suspect
		l.suspect += len(kept)
		l.chunk = max(1, n/2)
	case l.found: // there may be no other
		l.chunk *= 2
	}
	l.found = n == 1 || n == 0 && l.found
	l.waiting = append(kept, l.waiting...)
	c.resend(l)
}

// sift answers those of the parked records that may be in the log, and those that need not be sent again: the one at fault,
// which is a record that was refused alone, and all that were refused for something else than a record. It returns the
// others, and how many of them were in the refused batch, which is in front.
func (c *client) sift(l *ledger, refused int) (kept []*slot, suspects int) {
	exact := !l.lost.Load()
	for i, r := range l.parked {
		if c.ends(l, r, exact, refused == 1 && i == 0) {
			continue
		}
		if i < refused {
			suspects++
		}
		r.slot.again()
		kept = append(kept, r.slot)
	}
	clear(l.parked)
	l.parked = l.parked[:0]
	l.lose() // kgo gave records up; rest finds the place again
	return kept, suspects
}

// ends answers a parked record, unless it is to be sent again. alone says that it was refused alone.
func (c *client) ends(l *ledger, r returned, exact, alone bool) bool {
	s := r.slot
	maybe := l.mayHold(s.pos, exact) && !l.absent(s.pos)
	switch {
	case maybe && l.present(s.pos): // only its offset is not known
		s.end(record.Ack{Offset: record.NoOffset, Timestamp: s.Timestamp.UnixMilli(), Partition: s.Partition, Code: record.Stored})
		c.kept.Add(-1)
	case maybe, alone, meaningOf(r.err).kind != fatalForRecord:
		c.fail(s, r.err, maybe)
	case s.group.until.passed():
		c.fail(s, s.group.until.Err(), false)
	case s.group.topic.turning.Load():
		c.fail(s, errBehind, false)
	default:
		return false
	}
	return true
}

// fail answers a record that was kept with an error.
func (c *client) fail(s *slot, err error, maybe bool) {
	s.fail(err, maybe)
	c.kept.Add(-1) // last: who waits for it to be 0 waits for the Acks
}

// expire ends the records whose delivery.timeout.ms passes while they are kept back.
func (c *client) expire(l *ledger) {
	for len(l.waiting) > 0 && l.waiting[0].group.until.passed() {
		s := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.suspect = max(l.suspect-1, 0)
		c.fail(s, l.cause(s.group.until.Err()), false)
	}
}

// resend gives kgo the next of the records that were kept back: some of the suspects, or all, and then the partition is free.
func (c *client) resend(l *ledger) {
	c.book.gate.Lock()
	defer c.book.gate.Unlock()
	n := len(l.waiting)
	if l.suspect > 0 && n > 0 {
		n = min(l.chunk, l.suspect, n)
		l.suspect -= n
	} else {
		l.suspect, l.chunk = 0, 0
		l.held.Store(false)
		delete(c.holding, l)
	}
	list := l.waiting[:n]
	l.waiting = l.waiting[n:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	if l.life.over() {
		l.life, l.there = newLife(), extent{end: -1}
	}
	k := c.kgo.Load()
	c.place(k, l)
	for _, s := range list {
		c.giveAgain(k, l, s)
	}
}

// place finds the place in l again, if that is possible now. Until kgo knows the topic, what comes after the record that it is
// given next has to wait.
func (c *client) place(k *kgo.Client, l *ledger) {
	switch {
	case !l.fresh:
		l.rest()
	case knows(k, l.topic):
		l.known()
		l.rest()
	default:
		l.held.Store(true)
		c.holding[l] = struct{}{}
	}
}

// knows says whether k has the partitions of a topic, and in them every record that it was given before.
func knows(k *kgo.Client, topic string) bool {
	leader, _, err := k.PartitionLeader(topic, 0)
	return leader >= 0 || err != nil
}

// keep makes a record wait behind those of its partition that are sent again.
func (c *client) keep(l *ledger, s *slot) {
	c.kept.Add(1)
	l.waiting = append(l.waiting, s)
	c.holding[l] = struct{}{}
}

// give hands a record to kgo.
func (c *client) give(k *kgo.Client, l *ledger, s *slot) {
	s.pos = l.given.Load()
	l.given.Store(s.pos + 1)
	s.Context = l.life
	k.Produce(s.group.until, &s.Record, s.promise)
}

// giveAgain hands a record to kgo that was kept back, unless it has to go back to its owner.
func (c *client) giveAgain(k *kgo.Client, l *ledger, s *slot) {
	if s.group.topic.turning.Load() {
		s.fail(errBehind, false)
	} else {
		c.give(k, l, s)
	}
	c.kept.Add(-1) // last: it is never in neither count
}

// move gives the records that wait for a kgo client that is gone to the one in its place.
func (c *client) move() {
	for l := range c.holding {
		delete(c.holding, l)
		for _, r := range l.parked {
			c.fail(r.slot, r.err, l.mayHold(r.slot.pos, false))
		}
		fresh := c.book.shelf(l.topic).ledger(l.partition)
		for _, s := range l.waiting {
			s.ledger, s.group.gen = fresh, c.gen.Load()
			c.giveAgain(c.kgo.Load(), fresh, s)
		}
		l.parked, l.waiting = nil, nil
	}
}

// abandon answers all that is kept, when there is no more time.
func (c *client) abandon() {
	c.hasty = !c.book.quiet()
	for _, r := range append(c.came, c.back.end()...) {
		c.fail(r.slot, r.err, c.hasty || r.slot.ledger.mayHold(r.slot.pos, false))
	}
	for l := range c.holding {
		for _, r := range l.parked {
			c.fail(r.slot, r.err, c.hasty || l.mayHold(r.slot.pos, false))
		}
		for _, s := range l.waiting {
			c.fail(s, kgo.ErrClientClosed, false)
		}
	}
	clear(c.holding)
}

// settled waits until every record that was appended before has its Ack, or ctx ends. Nothing may be appended meanwhile.
func (c *client) settled(ctx context.Context) error {
	tick := time.NewTicker(mendInterval)
	defer tick.Stop()
	for {
		if err := c.kgo.Load().Flush(ctx); err != nil {
			return err
		}
		if c.kept.Load() == 0 && c.kgo.Load().BufferedProduceRecords() == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
