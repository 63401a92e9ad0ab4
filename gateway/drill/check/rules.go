package check

import (
	"fmt"
	"slices"
)

// Rules is what the gateway promises for records that are produced with idempotence.
func Rules() []Rule {
	return []Rule{
		{"history", "no two entries of the history share an id: else the harness is wrong", checkHistory},
		{"lost", "what was answered 200 is in the log", checkLost},
		{"lost-queued", "what was answered 202 is in the log, unless the gateway was killed", checkLostQueued},
		{"twice", "no record is in the log twice", checkTwice},
		{"refused", "what was refused is not in the log", checkRefused},
		{"place", "what was answered 200 is at the topic, partition and offset of the answer", checkPlace},
		{"bytes", "a record has the key, the value and the headers with which it was sent", checkBytes},
		{"order", "records of one key of one client are in the order of sending, if one was answered before the next", checkOrder},
		{"key", "records of one key are in one partition, unless the topic has grown", checkKey},
		{"foreign", "no record is in the log that nobody sent", checkForeign},
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
		if e.Outcome() == Accepted && len(ix.Found(e.ID)) == 0 && !ix.wiped(e) && !ix.killed(e) {
			report(about(e, nil, "answered 202, is not in the log, and no gateway was killed since"))
		}
	}
}

func checkTwice(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if found := ix.Found(e.ID); len(found) > 1 {
			report(about(e, found, "answered %d %s, and is in the log %d times", e.Status, e.Code, len(found)))
		}
	}
}

func checkRefused(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		if found := ix.Found(e.ID); e.Outcome() == Refused && len(found) > 0 {
			report(about(e, found, "answered %d %s, which means not stored, and is in the log", e.Status, e.Code))
		}
	}
}

func checkPlace(ix *Index, report func(Finding)) {
	for i := range ix.Entries {
		e := &ix.Entries[i]
		found := ix.Found(e.ID)
		if e.Outcome() != Stored || len(found) == 0 {
			continue
		}
		at := found[0]
		for _, f := range found { // one that is there twice is another rule's
			if f.Topic == e.Topic && f.Partition == e.Partition && f.Offset == e.Offset {
				at = f
			}
		}
		if at.Topic != e.Topic || at.Partition != e.Partition || at.Offset != e.Offset {
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

// stream is records whose order counts.
type stream struct {
	topic, key string
	client     int
	partition  int32
}

// progress is how far the log has come with a stream. A record is out of place if one that had to come after it is
// before it: one of the same request, or one that was sent when this one was answered.
type progress struct {
	last    *Entry           // the one sent last
	request map[int64]*Entry // the same for each request
}

func checkOrder(ix *Index, report func(Finding)) {
	streams := make(map[stream]*progress)
	for _, rec := range ix.Log {
		e := ix.Entry(rec.ID)
		if e == nil || e.Key == "" || ix.Found(rec.ID)[0] != rec { // a second copy is another rule's
			continue
		}
		s := stream{rec.Topic, e.Key, e.Client, rec.Partition}
		p := streams[s]
		if p == nil {
			p = &progress{request: make(map[int64]*Entry)}
			streams[s] = p
		}
		if before := p.pass(e); before != nil && !ix.cutOff(e, before) {
			report(Finding{
				ID:     e.ID,
				Detail: fmt.Sprintf("was sent before %s, and stands behind it", before.ID),
				Sent:   []Entry{*e, *before}, Found: append(ix.Found(before.ID)[:1:1], rec),
			})
		}
	}
}

// cutOff says that e was given up by one gateway and next sent by another, which cannot know of it.
func (ix *Index) cutOff(e, next *Entry) bool {
	return e.Outcome() == Unknown && slices.ContainsFunc(ix.Kills, func(at int64) bool { return e.Sent <= at && at <= next.Sent })
}

// pass takes the next record of the log, and returns one before it that should stand behind it.
func (p *progress) pass(e *Entry) *Entry {
	var wrong *Entry
	if r := p.request[e.Request]; r != nil && r.Seq > e.Seq {
		wrong = r
	} else if p.last != nil && p.last.Request > e.Request && e.Status != 0 {
		wrong = p.last
	}
	if p.last == nil || p.last.Seq < e.Seq {
		p.last = e
	}
	if r := p.request[e.Request]; r == nil || r.Seq < e.Seq {
		p.request[e.Request] = e
	}
	return wrong
}

func checkKey(ix *Index, report func(Finding)) {
	type topicKey struct{ topic, key string }
	first := make(map[topicKey]LogRecord)
	for _, rec := range ix.Log {
		e := ix.Entry(rec.ID)
		if e == nil || e.Key == "" || ix.Grown[rec.Topic] {
			continue
		}
		k := topicKey{rec.Topic, e.Key}
		if f, ok := first[k]; !ok {
			first[k] = rec
		} else if f.Partition != rec.Partition {
			report(about(e, []LogRecord{f, rec}, "key %q is in the partitions %d and %d", e.Key, f.Partition, rec.Partition))
		}
	}
}
