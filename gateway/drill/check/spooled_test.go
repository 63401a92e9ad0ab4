package check_test

import (
	"fmt"
	"slices"

	"sluice/gateway/drill/check"
)

// spooled is a record that was answered 202 and is on disk.
func spooled(e *check.Entry) bool { return e.Spooled && e.Outcome() == check.Accepted }

func spoolFull(e *check.Entry) bool { return e.Code == "spool_full" }

func unspooled(o check.Outcome) func(*check.Entry) bool {
	return func(e *check.Entry) bool { return !e.Spooled && e.Outcome() == o }
}

// spoolOne is a record for a topic with a spool.
func (w *world) spoolOne(client int) {
	w.now += 10
	sent := w.now
	w.now += int64(w.IntN(100))
	e := check.Entry{
		ID: fmt.Sprintf("c%d-%d", client, w.seq[client]), Client: client, Request: w.reqs[client], Seq: w.seq[client],
		Topic: "spooled", Key: fmt.Sprintf("k%d-%d", client, w.IntN(2)), Queued: true, Spooled: true, Sum: w.Uint64(),
		Status: []int{202, 202, 202, 503, 0}[w.IntN(5)], Partition: -1, Offset: -1, Sent: sent, Answered: w.now,
	}
	switch {
	case e.Status == 503:
		e.Code = "spool_full"
	case e.Status == 0:
		e.Code = []string{check.NoAnswer, check.Unreachable}[w.IntN(2)]
	}
	switch {
	case e.Outcome() == check.Refused || e.Outcome() == check.Unknown && w.IntN(2) == 0:
	case w.IntN(8) == 0: // the brokers refuse it for its own sake
		w.letter(&e, false)
	default:
		w.store(&e)
	}
	w.seq[client]++
	w.reqs[client]++
	w.run.Entries = append(w.run.Entries, e)
}

// repeat has the spool send again some of what it has sent.
func (w *world) repeat() {
	for _, rec := range w.run.Log {
		switch e := w.entry(rec.ID); {
		case !e.Spooled || w.IntN(3) > 0:
		case rec.Letter != nil:
			w.letter(e, false)
		default:
			w.store(e)
		}
	}
}

// loseSpooled takes every copy of a record out of the log. That a gateway was killed is no excuse.
func (w *world) loseSpooled() (string, bool) {
	i, ok := w.pick(spooled)
	if !ok {
		return "", false
	}
	id := w.run.Log[i].ID
	w.run.Log = slices.DeleteFunc(w.run.Log, func(rec check.LogRecord) bool { return rec.ID == id })
	return id, true
}

// againLate repeats a record that was sent after the last kill.
func (w *world) againLate() (string, bool) {
	return w.again(func(e *check.Entry) bool {
		return spooled(e) && !slices.ContainsFunc(w.run.Kills, func(at int64) bool { return at >= e.Sent })
	})
}

// copies is how often a record is in the log.
func (w *world) copies(id string) (n int) {
	for i := range w.run.Log {
		if w.run.Log[i].ID == id {
			n++
		}
	}
	return n
}

// reorderSpooled lets two records of a key change places, of which no copy is there that could be the first.
func (w *world) reorderSpooled() (string, bool) {
	for _, i := range w.Perm(len(w.run.Log)) {
		for _, j := range w.Perm(len(w.run.Log)) {
			a, b := &w.run.Log[i], &w.run.Log[j]
			first, second := w.entry(a.ID), w.entry(b.ID)
			if isLetter(a) || isLetter(b) || !spooled(first) || !spooled(second) || a.Key == "" || a.Key != b.Key || first.Seq >= second.Seq || w.copies(a.ID)+w.copies(b.ID) > 2 {
				continue
			}
			a.ID, b.ID, a.Sum, b.Sum = b.ID, a.ID, b.Sum, a.Sum
			return first.ID, true
		}
	}
	return "", false
}
