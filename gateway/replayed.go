package gateway

import (
	"slices"
	"time"

	"sluice/gateway/record"
)

// takeBack looks at what has come back.
func (q *topicSpool) takeBack() {
	q.mu.Lock()
	back := q.back
	q.back = nil
	q.mu.Unlock()
	if len(back) == 0 {
		return
	}
	for _, f := range back {
		q.judge(f)
		q.open = slices.DeleteFunc(q.open, func(o *flight) bool { return o == f })
		f.batch.Free()
	}
	q.publish()
	if !q.behind && len(q.open) == 0 { // nothing has to be sent again
		q.out.Load().Resume()
	}
	switch {
	case len(q.open) > 0:
		q.Stats.oldest.Store(q.open[0].accepted)
	case !q.behind && q.peeked.payload == nil:
		q.Stats.oldest.Store(0) // until more is read, which is at once
	}
}

// judge looks at what became of the records of a batch: they are done, or all that follow have to wait until they are sent again.
func (q *topicSpool) judge(f *flight) {
	next, count := q.track.next, q.track.count
	for i, seq := range f.seqs {
		a := &f.batch.Acks[i]
		switch {
		case a.Code == record.Stored:
			q.Stats.stored.Add(1)
		case a.Code == record.DeadLettered:
			q.Stats.letters.Add(1)
		case q.final(seq, a.Code):
			q.Stats.refused.Add(1)
			q.logLost(f, i)
		default:
			q.sendAgain(a)
			continue
		}
		q.track.done(seq, seq+1)
		q.dirty = true
	}
	if q.track.next > next {
		q.pause = 0
	}
	if q.track.count > count {
		q.futile = 0
	}
}

func (q *topicSpool) sendAgain(a *record.Ack) {
	q.behind = true
	q.Stats.again.Add(1)
	if a.Code.OutcomeUnknown() {
		q.Stats.unknown.Add(1)
	}
	if q.isHalted() {
		return // it is sent by the next process
	}
	if n := q.again.due(time.Now()); n > 0 {
		q.log.Warn("records of the spool are sent again", "records", n, "code", a.Code, "error", a.Detail)
	}
}

// triedOften says whether a refusal is one by what is known of the topic now, or of a module that may have been too slow: it may pass,
// and is believed after headTries.
func triedOften(c record.Code) bool { return c == record.UnknownPartition || c == record.Rejected }

// final says whether a record that ended with c is not to be sent again: it would never be stored.
func (q *topicSpool) final(seq uint64, c record.Code) bool {
	switch c {
	case record.RecordTooLarge, record.InvalidRecord, record.Invalid, record.Dropped:
		return true
	case record.UnknownPartition, record.Rejected:
		if seq != q.track.next {
			return false
		}
		if q.tries.seq != seq {
			q.tries = tries{seq: seq}
		}
		q.tries.count++
		return q.tries.count >= headTries
	default:
		return false
	}
}

// rewind goes back to the first record that is not done, after a while.
func (q *topicSpool) rewind() {
	q.pause = min(max(2*q.pause, minSpoolPause), maxSpoolPause)
	timer := time.NewTimer(q.pause)
	defer timer.Stop()
	q.commit(true)
	select {
	case <-timer.C:
	case <-q.untilDrain():
	case <-q.halt:
		return
	}
	if q.isDraining() {
		q.futile++
	}
	q.behind = false
	q.out.Load().Resume()
	q.peeked.payload = nil
	q.reader.Seek(q.track.next)
}

// commit writes the position, if it has changed and it is time.
func (q *topicSpool) commit(now bool) {
	if !q.dirty || !now && len(q.open) > 0 && time.Since(q.wrote) < commitInterval {
		return
	}
	if err := q.disk.Commit(q.track.position()); err != nil {
		if n := q.broken.due(time.Now()); n > 0 {
			q.log.Error("the position of the spool cannot be written; records would be sent again after a restart", "error", err)
		}
	}
	q.wrote, q.dirty = time.Now(), false
}
