package check_test

import (
	"slices"

	"sluice/gateway/drill/check"
)

// mutation is a lie of the gateway about one record, and the rule that has to find it. It is false if the history has no
// record for it.
type mutation struct {
	rule string
	lie  func(w *world) (id string, ok bool)
}

var mutations = map[string]mutation{
	"loss":             {"lost", func(w *world) (string, bool) { return w.lose(is(check.Stored)) }},
	"loss of a queued": {"lost-queued", func(w *world) (string, bool) { w.run.Kills = nil; return w.lose(w.acceptedOnly) }},
	"duplicate":        {"twice", func(w *world) (string, bool) { return w.again(is(check.Stored)) }},
	"504 twice":        {"twice", func(w *world) (string, bool) { return w.again(unspooled(check.Unknown)) }},
	"false refusal":    {"refused", (*world).storeRefused},
	"false offset":     {"place", (*world).misplace},
	"altered bytes":    {"bytes", (*world).alter},
	"foreign record":   {"foreign", (*world).strange},
	"reordering":       {"order", (*world).reorder},
	"key moves":        {"key", (*world).moveKey},

	"loss of a spooled":             {"lost-spooled", (*world).loseSpooled},
	"a spooled twice":               {"twice", func(w *world) (string, bool) { w.run.Kills = nil; return w.again(spooled) }},
	"a spooled twice, after a kill": {"twice", (*world).againLate},
	"spool full, and stored":        {"refused", func(w *world) (string, bool) { return w.storeToo(spoolFull) }},
	"reordering of the spooled":     {"order", (*world).reorderSpooled},

	"loss of a dead letter":            {"letter", func(w *world) (string, bool) { return w.loseLetter() }},
	"false offset of a dead letter":    {"letter", (*world).misplaceLetter},
	"dead letter twice":                {"letter-twice", func(w *world) (string, bool) { w.run.Kills = nil; return w.againWhere(isLetter) }},
	"altered bytes of a dead letter":   {"bytes", (*world).alterLetter},
	"dead letter of what is stored":    {"letter-false", func(w *world) (string, bool) { return w.writeLetter(is(check.Stored)) }},
	"dead letter of what was refused":  {"letter-false", func(w *world) (string, bool) { return w.writeLetter(refusedForGood) }},
	"dead letter of another topic":     {"letter-false", (*world).mistakeLetter},
	"foreign dead letter":              {"foreign", (*world).strangeLetter},
	"dead-lettered and stored":         {"refused", func(w *world) (string, bool) { return w.storeToo(is(check.DeadLettered)) }},
	"queued, stored and dead-lettered": {"both", (*world).storeDead},

	"loss of a transaction":      {"lost", func(w *world) (string, bool) { return w.loseTransaction(200) }},
	"part of a transaction":      {"part", func(w *world) (string, bool) { return w.lose(isTx(check.Stored)) }},
	"part of an unknown one":     {"part", func(w *world) (string, bool) { return w.lose(isTx(check.Unknown)) }},
	"a refused one is committed": {"refused", func(w *world) (string, bool) { return w.storeToo(isTx(check.Refused)) }},
	"a transaction twice":        {"twice", func(w *world) (string, bool) { return w.again(isTx(check.Stored)) }},
	"an unknown one twice":       {"twice", func(w *world) (string, bool) { return w.again(isTx(check.Unknown)) }},
	"same id sent again": {"history", func(w *world) (string, bool) {
		e := w.run.Entries[w.IntN(len(w.run.Entries))]
		w.run.Entries = append(w.run.Entries, e)
		return e.ID, true
	}},
}

func isTx(o check.Outcome) func(*check.Entry) bool {
	return func(e *check.Entry) bool { return e.Tx && e.Outcome() == o }
}

// acceptedOnly is an entry that was answered 202 and has no dead letter.
func (w *world) acceptedOnly(e *check.Entry) bool {
	return e.Outcome() == check.Accepted && !e.Spooled && !slices.ContainsFunc(w.run.Log, func(rec check.LogRecord) bool { return rec.ID == e.ID && rec.Letter != nil })
}

func is(o check.Outcome) func(*check.Entry) bool {
	return func(e *check.Entry) bool { return e.Outcome() == o }
}

// pick is the place in the log of a record like that.
func (w *world) pick(match func(*check.Entry) bool) (int, bool) {
	return w.pickWhere(func(rec *check.LogRecord) bool { return rec.Letter == nil && match(w.entry(rec.ID)) })
}

func (w *world) pickWhere(match func(*check.LogRecord) bool) (int, bool) {
	for _, i := range w.Perm(len(w.run.Log)) {
		if match(&w.run.Log[i]) {
			return i, true
		}
	}
	return 0, false
}

func (w *world) entry(id string) *check.Entry {
	return &w.run.Entries[slices.IndexFunc(w.run.Entries, func(e check.Entry) bool { return e.ID == id })]
}

func (w *world) lose(match func(*check.Entry) bool) (string, bool) {
	i, ok := w.pick(match)
	if !ok {
		return "", false
	}
	id := w.run.Log[i].ID
	w.run.Log = slices.Delete(w.run.Log, i, i+1)
	return id, true
}

func (w *world) again(match func(*check.Entry) bool) (string, bool) {
	return w.againWhere(func(rec *check.LogRecord) bool { return rec.Letter == nil && match(w.entry(rec.ID)) })
}

func (w *world) againWhere(match func(*check.LogRecord) bool) (string, bool) {
	i, ok := w.pickWhere(match)
	if !ok {
		return "", false
	}
	rec := w.run.Log[i]
	end := &w.ends[rec.Topic][rec.Partition]
	rec.Offset = *end
	*end++
	w.run.Log = append(w.run.Log, rec)
	return rec.ID, true
}

func (w *world) storeRefused() (string, bool) {
	for _, i := range w.Perm(len(w.run.Entries)) {
		if e := &w.run.Entries[i]; e.Outcome() == check.Refused {
			w.store(e)
			return e.ID, true
		}
	}
	return "", false
}

func (w *world) misplace() (string, bool) {
	i, ok := w.pick(is(check.Stored))
	if !ok {
		return "", false
	}
	e := w.entry(w.run.Log[i].ID)
	switch w.IntN(3) {
	case 0:
		e.Offset++
	case 1:
		e.Partition = (e.Partition + 1) % partitions
	default:
		e.Partition, e.Offset = -1, -1
	}
	return e.ID, true
}

func (w *world) alter() (string, bool) {
	if len(w.run.Log) == 0 {
		return "", false
	}
	rec := &w.run.Log[w.IntN(len(w.run.Log))]
	rec.Sum++
	return rec.ID, true
}

func (w *world) strange() (string, bool) {
	e := check.Entry{ID: "nobody", Topic: "orders"}
	w.store(&e)
	return e.ID, true
}

// reorder lets two records of a key change places, with answers that agree.
func (w *world) reorder() (string, bool) {
	for _, i := range w.Perm(len(w.run.Log)) {
		for _, j := range w.Perm(len(w.run.Log)) {
			a, b := &w.run.Log[i], &w.run.Log[j]
			first, second := w.entry(a.ID), w.entry(b.ID)
			if a.Letter != nil || b.Letter != nil || a.Key == "" || a.Key != b.Key || a.Topic != b.Topic || first.Seq >= second.Seq {
				continue
			}
			if first.Request != second.Request && first.Outcome() != check.Stored {
				continue
			}
			a.ID, b.ID, a.Sum, b.Sum = b.ID, a.ID, b.Sum, a.Sum
			first.Offset, second.Offset = second.Offset, first.Offset
			return first.ID, true
		}
	}
	return "", false
}

func (w *world) moveKey() (string, bool) {
	count := map[string]int{}
	for _, rec := range w.run.Log {
		if rec.Letter == nil {
			count[rec.Topic+rec.Key]++
		}
	}
	for i := range w.run.Log {
		if rec := &w.run.Log[i]; rec.Letter == nil && rec.Key != "" && count[rec.Topic+rec.Key] > 1 {
			e := w.entry(rec.ID)
			rec.Partition = (rec.Partition + 1) % partitions
			rec.Offset = w.ends[rec.Topic][rec.Partition]
			e.Partition, e.Offset = rec.Partition, rec.Offset
			return "", true // which of the two records is named is open
		}
	}
	return "", false
}
