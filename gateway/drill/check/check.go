package check

import (
	"cmp"
	"slices"
)

// LogRecord is a record as it was found in a topic. ID is "" if its value holds none.
type LogRecord struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Offset    int64   `json:"offset"`
	ID        string  `json:"id"`
	Key       string  `json:"key,omitempty"`
	Sum       uint64  `json:"sum"`
	Letter    *Letter `json:"letter,omitempty"` // nil for a record that is in its topic
}

// Letter is what a dead letter says of its record. Its sum is that of the record.
type Letter struct {
	Topic   string `json:"topic"`             // that the record was sent to
	Unknown bool   `json:"unknown,omitempty"` // it may be there too
}

// Span is a time, in microseconds since the Unix epoch.
type Span struct{ From, To int64 }

// Run is all there is to judge.
type Run struct {
	Entries  []Entry
	Log      []LogRecord
	Kills    []int64         // when the gateway was killed
	Stops    []int64         // when a gateway was stopped and could not wait for Kafka, so that its spools may send again what is stored
	Restarts []int64         // when a broker was up again: it may know what it has stored, but not where
	Wiped    map[string]Span // when a topic's records were deleted, from the request until it was there again
	Grown    map[string]bool // topics that were given more partitions
}

// Finding is a promise that was broken.
type Finding struct {
	Rule   string      `json:"rule"`
	ID     string      `json:"id"`     // of the record
	Detail string      `json:"detail"` // in one sentence
	Sent   []Entry     `json:"sent,omitempty"`
	Found  []LogRecord `json:"found,omitempty"`
}

// Rule is a promise.
type Rule struct {
	Name    string
	Promise string // in words
	Check   func(ix *Index, report func(Finding))
}

// Index is a run as rules look at it.
type Index struct {
	*Run
	byID    map[string]*Entry
	found   map[string][]LogRecord // by id, those of a partition in the order of their offsets
	letters map[string][]LogRecord // the same for dead letters
}

// Entry is the history's entry of a record; nil if nobody sent it.
func (ix *Index) Entry(id string) *Entry { return ix.byID[id] }

// Found is every place where a record is, its dead letters not among them.
func (ix *Index) Found(id string) []LogRecord { return ix.found[id] }

// Letters is every dead letter of a record.
func (ix *Index) Letters(id string) []LogRecord { return ix.letters[id] }

// Check returns every breach of the rules. It puts the log of the run in order.
func Check(r *Run, rules []Rule) []Finding {
	slices.SortFunc(r.Log, func(a, b LogRecord) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	ix := &Index{
		Run: r, byID: make(map[string]*Entry, len(r.Entries)),
		found: make(map[string][]LogRecord, len(r.Log)), letters: make(map[string][]LogRecord),
	}
	for i := range r.Entries {
		ix.byID[r.Entries[i].ID] = &r.Entries[i]
	}
	for _, rec := range r.Log {
		if rec.Letter != nil {
			ix.letters[rec.ID] = append(ix.letters[rec.ID], rec)
		} else {
			ix.found[rec.ID] = append(ix.found[rec.ID], rec)
		}
	}
	var all []Finding
	for _, rule := range rules {
		rule.Check(ix, func(f Finding) {
			f.Rule = rule.Name
			all = append(all, f)
		})
	}
	return all
}

// wiped says whether the record may be gone with its topic.
func (ix *Index) wiped(e *Entry) bool {
	w, ok := ix.Wiped[e.Topic]
	return ok && e.Sent <= w.To
}

// killed says whether a gateway was killed after the record was sent.
func (ix *Index) killed(e *Entry) bool { return since(ix.Kills, e.Sent) }

// repeats says whether a spool may have sent the record again.
func (ix *Index) repeats(e *Entry) bool {
	return e.Spooled && (ix.killed(e) || since(ix.Stops, e.Sent))
}

// since says whether one of the times is at or after from.
func since(times []int64, from int64) bool {
	return slices.ContainsFunc(times, func(at int64) bool { return at >= from })
}
