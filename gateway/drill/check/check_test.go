package check_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	"loss of a queued": {"lost-queued", func(w *world) (string, bool) { w.run.Kills = nil; return w.lose(is(check.Accepted)) }},
	"duplicate":        {"twice", func(w *world) (string, bool) { return w.again(is(check.Stored)) }},
	"504 twice":        {"twice", func(w *world) (string, bool) { return w.again(is(check.Unknown)) }},
	"false refusal":    {"refused", (*world).storeRefused},
	"false offset":     {"place", (*world).misplace},
	"altered bytes":    {"bytes", (*world).alter},
	"foreign record":   {"foreign", (*world).strange},
	"reordering":       {"order", (*world).reorder},
	"key moves":        {"key", (*world).moveKey},
	"same id sent again": {"history", func(w *world) (string, bool) {
		e := w.run.Entries[w.IntN(len(w.run.Entries))]
		w.run.Entries = append(w.run.Entries, e)
		return e.ID, true
	}},
}

func is(o check.Outcome) func(*check.Entry) bool {
	return func(e *check.Entry) bool { return e.Outcome() == o }
}

// pick is the place in the log of a record like that.
func (w *world) pick(match func(*check.Entry) bool) (int, bool) {
	for _, i := range w.Perm(len(w.run.Log)) {
		if match(w.entry(w.run.Log[i].ID)) {
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
	i, ok := w.pick(match)
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
			if a.Key == "" || a.Key != b.Key || a.Topic != b.Topic || first.Seq >= second.Seq {
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
		count[rec.Topic+rec.Key]++
	}
	for i := range w.run.Log {
		if rec := &w.run.Log[i]; rec.Key != "" && count[rec.Topic+rec.Key] > 1 {
			e := w.entry(rec.ID)
			rec.Partition = (rec.Partition + 1) % partitions
			rec.Offset = w.ends[rec.Topic][rec.Partition]
			e.Partition, e.Offset = rec.Partition, rec.Offset
			return "", true // which of the two records is named is open
		}
	}
	return "", false
}

func TestNoFalseAlarm(t *testing.T) {
	for seed := range uint64(500) {
		w := newWorld(seed)
		w.live(60)
		if found := check.Check(&w.run, check.Rules()); len(found) > 0 {
			t.Fatalf("seed %d: %d findings without a cause, the first: %+v", seed, len(found), found[0])
		}
	}
}

func TestEveryLieIsFound(t *testing.T) {
	for name, m := range mutations {
		t.Run(name, func(t *testing.T) {
			told := 0
			for seed := range uint64(200) {
				w := newWorld(seed)
				w.live(40)
				id, ok := m.lie(w)
				if !ok {
					continue
				}
				told++
				mustFind(t, seed, m.rule, id, check.Check(&w.run, check.Rules()))
			}
			if told < 100 {
				t.Errorf("only %d histories had a record for it", told)
			}
		})
	}
}

func mustFind(t *testing.T, seed uint64, rule, id string, found []check.Finding) {
	t.Helper()
	for _, f := range found {
		if f.Rule == rule && (id == "" || f.ID == id || slices.ContainsFunc(f.Sent, func(e check.Entry) bool { return e.ID == id })) {
			return
		}
	}
	t.Fatalf("seed %d: rule %q does not find the lie about %s; findings: %+v", seed, rule, id, found)
}

// Every rule is seen to find something, so none can be broken without a test that fails.
func TestEveryRuleHasItsLie(t *testing.T) {
	lies := map[string]bool{}
	for _, m := range mutations {
		lies[m.rule] = true
	}
	for _, r := range check.Rules() {
		if !lies[r.Name] {
			t.Errorf("no lie for rule %q", r.Name)
		}
	}
}

// No history of a true gateway has a finding, and no lie is missed.
func FuzzLies(f *testing.F) {
	names := make([]string, 0, len(mutations))
	for name := range mutations {
		names = append(names, name)
	}
	slices.Sort(names)
	f.Add(uint64(1), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, lie uint8) {
		w := newWorld(seed)
		w.live(30)
		if found := check.Check(&w.run, check.Rules()); len(found) > 0 {
			t.Fatalf("findings without a cause: %+v", found)
		}
		m := mutations[names[int(lie)%len(names)]]
		if id, ok := m.lie(w); ok {
			mustFind(t, seed, m.rule, id, check.Check(&w.run, check.Rules()))
		}
	})
}

func TestPermitted(t *testing.T) {
	e := check.Entry{ID: "a-0", Topic: "orders", Key: "k", Sum: 1, Status: 200, Sent: 10, Answered: 20}
	rec := check.LogRecord{Topic: "orders", ID: "a-0", Key: "k", Sum: 1}
	with := func(change func(e *check.Entry)) check.Entry { c := e; change(&c); return c }
	queued := with(func(e *check.Entry) { e.Status, e.Queued = 202, true })
	late := with(func(e *check.Entry) { e.Status = 504 })
	broken := with(func(e *check.Entry) { e.Status, e.Code = 0, check.NoAnswer })
	next := with(func(e *check.Entry) { e.ID, e.Seq, e.Request, e.Sent, e.Answered, e.Offset = "a-1", 1, 1, 30, 40, 1 })
	moved := next
	moved.Partition = 1
	for name, tt := range map[string]struct {
		run  check.Run
		want string // the rules that find something
	}{
		"504, not there":                 {check.Run{Entries: []check.Entry{late}}, ""},
		"504, there":                     {check.Run{Entries: []check.Entry{late}, Log: []check.LogRecord{rec}}, ""},
		"queued, gone with the gateway":  {check.Run{Entries: []check.Entry{queued}, Kills: []int64{15}}, ""},
		"queued, lost after the kill":    {check.Run{Entries: []check.Entry{queued}, Kills: []int64{5}}, "lost-queued"},
		"stored, gone with the topic":    {check.Run{Entries: []check.Entry{e}, Wiped: map[string]check.Span{"orders": {From: 15, To: 25}}}, ""},
		"stored, lost in the new topic":  {check.Run{Entries: []check.Entry{e}, Wiped: map[string]check.Span{"orders": {From: 1, To: 5}}}, "lost"},
		"stored, another topic is wiped": {check.Run{Entries: []check.Entry{e}, Wiped: map[string]check.Span{"logs": {From: 15, To: 25}}}, "lost"},
		"504 behind its successor": {check.Run{Entries: []check.Entry{late, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, "order"},
		"the same, a gateway killed between": {check.Run{Kills: []int64{25}, Entries: []check.Entry{late, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, ""},
		"a grown topic": {check.Run{Grown: map[string]bool{"orders": true}, Entries: []check.Entry{e, moved}, Log: []check.LogRecord{
			rec, {Topic: "orders", ID: "a-1", Key: "k", Sum: 1, Partition: 1, Offset: 1},
		}}, ""},
		"no answer, behind its successor": {check.Run{Entries: []check.Entry{broken, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, ""},
		"a copy behind its successor is a copy only": {check.Run{Entries: []check.Entry{e, with2(next, 1)}, Log: []check.LogRecord{
			rec, {Topic: "orders", ID: "a-1", Key: "k", Sum: 1, Offset: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 2},
		}}, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			var rules []string
			for _, f := range check.Check(&tt.run, check.Rules()) {
				rules = append(rules, f.Rule)
			}
			if got := strings.Join(rules, " "); got != tt.want {
				t.Errorf("findings %q, want %q", got, tt.want)
			}
		})
	}
}

func with2(e check.Entry, offset int64) check.Entry {
	e.Offset = offset
	return e
}

func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		status int
		code   string
		want   check.Outcome
	}{
		{200, "", check.Stored},
		{202, "", check.Accepted},
		{207, "", check.Stored},
		{207, "buffer_full", check.Refused},
		{207, "dropped", check.Refused},
		{207, "delivery_timeout", check.Unknown},
		{207, "outcome_unknown", check.Unknown},
		{207, "broker_error", check.Refused},
		{207, "internal_error", check.Unknown},
		{400, "invalid_request", check.Refused},
		{413, "record_too_large", check.Refused},
		{429, "quota", check.Refused},
		{503, "not_available", check.Refused},
		{503, "outcome_unknown", check.Refused}, // the status is what was promised
		{500, "internal_error", check.Unknown},
		{502, "broker_error", check.Refused},
		{504, "delivery_timeout", check.Unknown},
		{0, check.NoAnswer, check.Unknown},
		{0, check.Unreachable, check.Refused},
	} {
		e := check.Entry{Status: tt.status, Code: tt.code}
		if got := e.Outcome(); got != tt.want {
			t.Errorf("%d %s is %s, want %s", tt.status, tt.code, got, tt.want)
		}
	}
}

func TestHistoryKeepsEveryEntry(t *testing.T) {
	w := newWorld(7)
	w.live(50)
	var file bytes.Buffer
	h := check.NewWriter(&file)
	for i := range w.run.Entries {
		h.Append(&w.run.Entries[i])
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := check.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.run.Entries, got); diff != "" {
		t.Error(diff)
	}
}
