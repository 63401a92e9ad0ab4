package check

import "slices"

func checkLetter(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if e.Letter == nil {
			continue
		}
		found := ix.Letters(e.ID)
		if len(found) == 0 {
			report(about(e, nil, "answered with a dead letter at %v, and has none", *e.Letter))
		} else if !ix.someAt(found, e, *e.Letter) {
			report(about(e, found, "answered with a dead letter at %v, and it is elsewhere", *e.Letter))
		}
	}
}

// someAt says whether one is at p, which the answer to e named. It need not name an offset if a broker was restarted.
func (ix *Index) someAt(found []LogRecord, e *Entry, p Place) bool {
	placeless := p.Offset < 0 && since(ix.Restarts, e.Sent)
	for i := range found {
		at := Place{found[i].Topic, found[i].Partition, found[i].Offset}
		if placeless {
			at.Offset = p.Offset
		}
		if at == p {
			return true
		}
	}
	return false
}

func checkLetterTwice(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if found := ix.Letters(e.ID); len(found) > 1 && !ix.repeats(e) {
			report(about(e, found, "has %d dead letters", len(found)))
		}
	}
}

func checkLetterFalse(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		for _, rec := range ix.Letters(e.ID) {
			switch {
			case !e.mayHaveLetter():
				report(about(e, []LogRecord{rec}, "answered %d %s, and has a dead letter", e.Status, e.Code))
			case rec.Letter.Topic != e.Topic:
				report(about(e, []LogRecord{rec}, "sent to %s, and its dead letter says %s", e.Topic, rec.Letter.Topic))
			}
		}
	}
}

func checkBoth(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		found := ix.Found(e.ID)
		if len(found) == 0 {
			continue
		}
		for _, rec := range ix.Letters(e.ID) {
			if !rec.Letter.Unknown {
				report(about(e, append(slices.Clip(found), rec), "is in the log, and has a dead letter that says that it is not"))
			}
		}
	}
}
