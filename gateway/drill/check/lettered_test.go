package check_test

import (
	"slices"

	"sluice/gateway/drill/check"
)

func isLetter(rec *check.LogRecord) bool { return rec.Letter != nil }

// refusedForGood is what an answer says of a record that certainly has no dead letter.
func refusedForGood(e *check.Entry) bool { return e.Outcome() == check.Refused && !e.NoLetter && !e.Tx }

// pickEntry is an entry like that.
func (w *world) pickEntry(match func(*check.Entry) bool) *check.Entry {
	for _, i := range w.Perm(len(w.run.Entries)) {
		if e := &w.run.Entries[i]; match(e) {
			return e
		}
	}
	return nil
}

func (w *world) loseLetter() (string, bool) {
	i, ok := w.pickWhere(func(rec *check.LogRecord) bool { return isLetter(rec) && w.entry(rec.ID).Letter != nil })
	if !ok {
		return "", false
	}
	id := w.run.Log[i].ID
	w.run.Log = slices.Delete(w.run.Log, i, i+1)
	return id, true
}

func (w *world) misplaceLetter() (string, bool) {
	e := w.pickEntry(is(check.DeadLettered))
	if e == nil {
		return "", false
	}
	switch w.IntN(3) {
	case 0:
		e.Letter.Offset++
	case 1:
		e.Letter.Partition = (e.Letter.Partition + 1) % partitions
	default:
		e.Letter.Topic = "elsewhere.DLT"
	}
	return e.ID, true
}

func (w *world) alterLetter() (string, bool) {
	i, ok := w.pickWhere(isLetter)
	if !ok {
		return "", false
	}
	w.run.Log[i].Sum++
	return w.run.Log[i].ID, true
}

func (w *world) writeLetter(match func(*check.Entry) bool) (string, bool) {
	e := w.pickEntry(match)
	if e == nil {
		return "", false
	}
	w.letter(e, true)
	return e.ID, true
}

func (w *world) mistakeLetter() (string, bool) {
	i, ok := w.pickWhere(isLetter)
	if !ok {
		return "", false
	}
	w.run.Log[i].Letter.Topic = "elsewhere"
	return w.run.Log[i].ID, true
}

func (w *world) strangeLetter() (string, bool) {
	e := check.Entry{ID: "nobody", Topic: "orders"}
	w.letter(&e, false)
	return e.ID, true
}

func (w *world) storeToo(match func(*check.Entry) bool) (string, bool) {
	e := w.pickEntry(match)
	if e == nil {
		return "", false
	}
	w.store(e)
	return e.ID, true
}

// storeDead stores a queued record whose dead letter says that it is not stored.
func (w *world) storeDead() (string, bool) {
	i, ok := w.pickWhere(func(rec *check.LogRecord) bool {
		return isLetter(rec) && !rec.Letter.Unknown && w.entry(rec.ID).Outcome() == check.Accepted
	})
	if !ok {
		return "", false
	}
	e := w.entry(w.run.Log[i].ID)
	w.store(e)
	return e.ID, true
}

// loseTransaction takes all records of a transaction out of the log.
func (w *world) loseTransaction(status int) (string, bool) {
	e := w.pickEntry(func(e *check.Entry) bool { return e.Tx && e.Status == status })
	if e == nil {
		return "", false
	}
	w.run.Log = slices.DeleteFunc(w.run.Log, func(rec check.LogRecord) bool {
		o := w.entry(rec.ID)
		return o.Client == e.Client && o.Request == e.Request
	})
	return e.ID, true
}
