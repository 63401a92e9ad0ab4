package check

import "fmt"

// Rules is what the gateway promises for records that are produced with idempotence.
func Rules() []Rule {
	return []Rule{
		{"history", "no two entries of the history share an id: else the harness is wrong", checkHistory},
		{"lost", "what was answered 200 is in the log", checkLost},
		{"lost-queued", "what was answered 202 is in the log or a dead letter, unless the gateway was killed", checkLostQueued},
		{"lost-spooled", "what was answered 202 for a topic with a spool is in the log or a dead letter, whatever was killed", checkLostSpooled},
		{"twice", "no record is in the log twice, unless its spool's gateway was killed, or was stopped without Kafka", checkTwice},
		{"refused", "what was refused, or has become a dead letter, is not in the log", checkRefused},
		{"place", "what was answered 200 is at the topic, partition and offset of the answer, which names no offset only after a broker was restarted", checkPlace},
		{"bytes", "a record, or its dead letter, has the key, the value and the headers with which it was sent", checkBytes},
		{"order", "records of one key of one client are in the order of sending, if one was answered before the next", checkOrder},
		{"key", "records of one key are in one partition, unless the topic has grown", checkKey},
		{"foreign", "no record is in the log that nobody sent", checkForeign},
		{"letter", "what was answered with a dead letter has one, at the place of the answer", checkLetter},
		{"letter-twice", "no record has two dead letters, unless its spool may have sent it again", checkLetterTwice},
		{"letter-false", "a dead letter is of a record of that topic that was answered so, was queued, or got no answer that says what it is", checkLetterFalse},
		{"both", "no record is in its topic and a dead letter, unless the letter says that it may be", checkBoth},
		{"part", "of a transaction all records are in the log, or none", checkPart},
	}
}

func about(e *Entry, found []LogRecord, format string, args ...any) Finding {
	return Finding{ID: e.ID, Detail: fmt.Sprintf(format, args...), Sent: []Entry{*e}, Found: found}
}

func checkHistory(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		if e := &ix.Entries[i]; ix.Entry(e.ID) != e {
			report(about(e, nil, "the id is used twice"))
		}
	}
}

func checkLost(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if e.Outcome() == Stored && len(ix.Found(e.ID)) == 0 && !ix.wiped(e) {
			report(about(e, nil, "answered %d with partition %d offset %d, and is not in the log", e.Status, e.Partition, e.Offset))
		}
	}
}

func checkLostQueued(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if ix.gone(e) && !e.Spooled && !ix.killed(e) {
			report(about(e, nil, "answered 202, is neither in the log nor a dead letter, and no gateway was killed since"))
		}
	}
}

func checkLostSpooled(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		if e := &ix.Entries[i]; ix.gone(e) && e.Spooled {
			report(about(e, nil, "answered 202, which means on disk, and is neither in the log nor a dead letter"))
		}
	}
}

// gone says whether a record that was accepted is nowhere.
func (ix *Index) gone(e *Entry) bool {
	return e.Outcome() == Accepted && len(ix.Found(e.ID))+len(ix.Letters(e.ID)) == 0 && !ix.wiped(e)
}

func checkTwice(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if found := ix.Found(e.ID); len(found) > 1 && !ix.repeats(e) {
			report(about(e, found, "answered %d %s, and is in the log %d times", e.Status, e.Code, len(found)))
		}
	}
}

func checkRefused(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if found := ix.Found(e.ID); (e.Outcome() == Refused || e.Outcome() == DeadLettered) && len(found) > 0 {
			report(about(e, found, "answered %d %s, which means not stored, and is in the log", e.Status, e.Code))
		}
	}
}

func checkPlace(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		found := ix.Found(e.ID)
		if e.Outcome() != Stored || len(found) == 0 { // one that is there twice is another rule's
			continue
		}
		if !ix.someAt(found, e, Place{e.Topic, e.Partition, e.Offset}) {
			at := found[0]
			report(about(e, found, "answered %s/%d@%d, and is at %s/%d@%d", e.Topic, e.Partition, e.Offset, at.Topic, at.Partition, at.Offset))
		}
	}
}

func checkBytes(ix *Index, report func(Finding)) {
	for _, rec := range ix.Log {
		if e := ix.Entry(rec.ID); e != nil && (e.Sum != rec.Sum || e.Key != rec.Key) {
			report(about(e, []LogRecord{rec}, "the log has other bytes than were sent"))
		}
	}
}

func checkForeign(ix *Index, report func(Finding)) {
	for _, rec := range ix.Log {
		if ix.Entry(rec.ID) == nil {
			report(Finding{ID: rec.ID, Detail: "nobody sent this record", Found: []LogRecord{rec}})
		}
	}
}
