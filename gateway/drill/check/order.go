package check

import (
	"fmt"
	"slices"
)

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
		if e == nil || e.Key == "" || rec.Letter != nil || ix.Found(rec.ID)[0] != rec { // a second copy is another rule's
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

// cutOff says that e was given up by one gateway, or accepted by one that was killed, and next sent by another, which cannot know of
// it: a broker that stood still may get the requests of both and store the second first.
func (ix *Index) cutOff(e, next *Entry) bool {
	lost := e.Outcome() == Unknown || e.Outcome() == Accepted && !e.Spooled
	return lost && slices.ContainsFunc(ix.Kills, func(at int64) bool { return e.Sent <= at && at <= next.Sent })
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
		if e == nil || e.Key == "" || rec.Letter != nil || ix.Grown[rec.Topic] {
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
