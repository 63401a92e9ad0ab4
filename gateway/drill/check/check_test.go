package check_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/drill/check"
)

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
	onDisk := with(func(e *check.Entry) { e.Status, e.Queued, e.Spooled = 202, true, true })
	twice := []check.LogRecord{rec, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1}}
	placeless := with(func(e *check.Entry) { e.Offset = -1 })
	spooledNext := next
	spooledNext.Status, spooledNext.Queued, spooledNext.Spooled = 202, true, true
	for name, tt := range map[string]struct {
		run  check.Run
		want string // the rules that find something
	}{
		"504, not there":                             {check.Run{Entries: []check.Entry{late}}, ""},
		"504, there":                                 {check.Run{Entries: []check.Entry{late}, Log: []check.LogRecord{rec}}, ""},
		"queued, gone with the gateway":              {check.Run{Entries: []check.Entry{queued}, Kills: []int64{15}}, ""},
		"queued, lost after the kill":                {check.Run{Entries: []check.Entry{queued}, Kills: []int64{5}}, "lost-queued"},
		"spooled, gone with the gateway":             {check.Run{Entries: []check.Entry{onDisk}, Kills: []int64{15}}, "lost-spooled"},
		"spooled, gone with the topic":               {check.Run{Entries: []check.Entry{onDisk}, Wiped: map[string]check.Span{"orders": {From: 15, To: 25}}}, ""},
		"spooled, twice":                             {check.Run{Entries: []check.Entry{onDisk}, Log: twice}, "twice"},
		"spooled, twice after a kill":                {check.Run{Entries: []check.Entry{onDisk}, Log: twice, Kills: []int64{15}}, ""},
		"spooled, twice before the kill":             {check.Run{Entries: []check.Entry{onDisk}, Log: twice, Kills: []int64{5}}, "twice"},
		"spooled, twice after a stop":                {check.Run{Entries: []check.Entry{onDisk}, Log: twice, Stops: []int64{15}}, ""},
		"spooled, two dead letters":                  {check.Run{Entries: []check.Entry{onDisk}, Log: []check.LogRecord{dead(false), dead(false)}}, "letter-twice"},
		"spooled, two dead letters after a kill":     {check.Run{Entries: []check.Entry{onDisk}, Log: []check.LogRecord{dead(false), dead(false)}, Kills: []int64{15}}, ""},
		"stored, nobody knows where":                 {check.Run{Entries: []check.Entry{placeless}, Log: []check.LogRecord{rec}}, "place"},
		"stored, a restarted broker knows not where": {check.Run{Entries: []check.Entry{placeless}, Log: []check.LogRecord{rec}, Restarts: []int64{15}}, ""},
		"stored, lost, a broker restarted":           {check.Run{Entries: []check.Entry{placeless}, Restarts: []int64{15}}, "lost"},
		"stored, elsewhere, a broker restarted":      {check.Run{Entries: []check.Entry{e}, Log: twice[1:], Restarts: []int64{15}}, "place"},
		"stored, twice after a stop":                 {check.Run{Entries: []check.Entry{e}, Log: twice, Stops: []int64{15}}, "twice"},
		"stored, gone with the topic":                {check.Run{Entries: []check.Entry{e}, Wiped: map[string]check.Span{"orders": {From: 15, To: 25}}}, ""},
		"stored, lost in the new topic":              {check.Run{Entries: []check.Entry{e}, Wiped: map[string]check.Span{"orders": {From: 1, To: 5}}}, "lost"},
		"stored, another topic is wiped":             {check.Run{Entries: []check.Entry{e}, Wiped: map[string]check.Span{"logs": {From: 15, To: 25}}}, "lost"},
		"504 behind its successor": {check.Run{Entries: []check.Entry{late, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, "order"},
		"spooled, behind its successor": {check.Run{Kills: []int64{25}, Entries: []check.Entry{onDisk, spooledNext}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, "order"},
		"the same, after a stop": {check.Run{Stops: []int64{25}, Entries: []check.Entry{onDisk, spooledNext}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, "order"},
		"the same, a gateway killed between": {check.Run{Kills: []int64{25}, Entries: []check.Entry{late, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, ""},
		"queued, behind its successor": {check.Run{Kills: []int64{45}, Entries: []check.Entry{queued, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, "order"},
		"queued, behind that of the next gateway": {check.Run{Kills: []int64{25}, Entries: []check.Entry{queued, with2(next, 0)}, Log: []check.LogRecord{
			{Topic: "orders", ID: "a-1", Key: "k", Sum: 1}, {Topic: "orders", ID: "a-0", Key: "k", Sum: 1, Offset: 1},
		}}, ""},
		"queued, has become a dead letter": {check.Run{Entries: []check.Entry{queued}, Log: []check.LogRecord{dead(false)}}, ""},
		"queued, both, and nobody knew":    {check.Run{Entries: []check.Entry{queued}, Log: []check.LogRecord{rec, dead(true)}}, ""},
		"no answer, a dead letter":         {check.Run{Entries: []check.Entry{broken}, Log: []check.LogRecord{dead(false)}}, ""},
		"too large, the letter's answer lost": {check.Run{
			Entries: []check.Entry{with(func(e *check.Entry) { e.Status, e.Code, e.NoLetter = 413, "record_too_large", true })}, Log: []check.LogRecord{dead(false)},
		}, ""},
		"refused with its letter, which is there": {check.Run{
			Entries: []check.Entry{with(func(e *check.Entry) { e.Status, e.Code, e.NoLetter = 503, "not_available", true })}, Log: []check.LogRecord{dead(false)},
		}, "letter-false"},
		"a transaction, a topic of which is gone": {check.Run{
			Wiped: map[string]check.Span{"orders": {From: 15, To: 25}}, Log: []check.LogRecord{{Topic: "logs", ID: "a-1", Key: "k", Sum: 1}},
			Entries: []check.Entry{tx(e, "a-0", "orders"), tx(e, "a-1", "logs")},
		}, ""},
		"half a transaction": {check.Run{
			Log: []check.LogRecord{{Topic: "logs", ID: "a-1", Key: "k", Sum: 1}}, Entries: []check.Entry{tx(late, "a-0", "orders"), tx(late, "a-1", "logs")},
		}, "part"},
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

// dead is a dead letter of record a-0.
func dead(unknown bool) check.LogRecord {
	return check.LogRecord{Topic: "orders.DLT", ID: "a-0", Key: "k", Sum: 1, Letter: &check.Letter{Topic: "orders", Unknown: unknown}}
}

func tx(e check.Entry, id, topic string) check.Entry {
	e.ID, e.Topic, e.Tx = id, topic, true
	return e
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
