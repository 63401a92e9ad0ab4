package drill

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/gateway/drill/check"
)

// Report is what came of a drill.
type Report struct {
	Seed   uint64        `json:"seed"`
	Hold   time.Duration `json:"duration_ns"`
	Rate   int           `json:"rate"`
	Rounds []*Round      `json:"rounds"`
}

// Found is the number of findings of all rounds, those that could not be judged included.
func (r *Report) Found() int {
	n := 0
	for _, v := range r.Rounds {
		n += v.Found
		if v.Error != "" {
			n++
		}
	}
	return n
}

// JSON writes everything.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// row is a line of the table: all rounds of a fault, or of a pair.
type row struct {
	name                                     string
	rounds, found, errors                    int
	stored, accepted, dead, refused, unknown int
	committed, aborted, doubtful             int // transactions
	unavailable, slowest                     time.Duration
}

func (r *Report) rows() []row {
	var rows []row
	for _, v := range r.Rounds {
		i := slices.IndexFunc(rows, func(l row) bool { return l.name == v.name() })
		if i < 0 {
			i = len(rows)
			rows = append(rows, row{name: v.name()})
		}
		l := &rows[i]
		l.rounds++
		l.found += v.Found
		if v.Error != "" {
			l.errors++
		}
		l.stored += v.Outcomes[string(check.Stored)]
		l.accepted += v.Outcomes[string(check.Accepted)]
		l.dead += v.Letters
		l.committed += v.Transactions[string(check.Stored)]
		l.aborted += v.Transactions[string(check.Refused)]
		l.doubtful += v.Transactions[string(check.Unknown)]
		l.refused += v.Outcomes[string(check.Refused)]
		l.unknown += v.Outcomes[string(check.Unknown)]
		l.unavailable = max(l.unavailable, v.Unavailable)
		l.slowest = max(l.slowest, v.Slowest)
	}
	return rows
}

// Text writes a table, and the first findings of every round that has some.
func (r *Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "fault\trounds\tstored\taccepted\trefused\tunknown\tdead letters\ttransactions\trefused\tunknown\tlongest outage\tslowest answer\tfindings\t")
	for _, l := range r.rows() {
		found := strconv.Itoa(l.found)
		if l.errors > 0 {
			found += fmt.Sprintf(" (%d not judged)", l.errors)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t\n", l.name, l.rounds, l.stored, l.accepted, l.refused, l.unknown,
			l.dead, l.committed, l.aborted, l.doubtful, seconds(l.unavailable), seconds(l.slowest), found)
	}
	err := t.Flush()
	for _, v := range r.Rounds {
		v.explain(w)
	}
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// line is the round in one line.
func (r *Round) line() string {
	parts := make([]string, 0, len(r.Answers))
	for _, answer := range slices.SortedFunc(maps.Keys(r.Answers), func(a, b string) int { return cmp.Compare(r.Answers[b], r.Answers[a]) }) {
		parts = append(parts, fmt.Sprintf("%d x %s", r.Answers[answer], answer))
	}
	return fmt.Sprintf("%d findings; records: %s; %d dead letters, %d copies; transactions: %d committed, %d refused, %d unknown; longest outage %s, slowest answer %s",
		r.Found, strings.Join(parts, ", "), r.Letters, r.Repeated, r.Transactions[string(check.Stored)], r.Transactions[string(check.Refused)],
		r.Transactions[string(check.Unknown)], seconds(r.Unavailable), seconds(r.Slowest))
}

// explain writes what the round found.
func (r *Round) explain(w io.Writer) {
	if r.Error != "" {
		fmt.Fprintf(w, "\n%s, round %d, could not be judged: %s\n  %s\n", r.name(), r.Number, r.Error, r.Folder)
	}
	if r.Found == 0 {
		return
	}
	const show = 3 // of each rule
	fmt.Fprintf(w, "\n%s, round %d: %d findings; evidence in %s\n", r.name(), r.Number, r.Found, r.Folder)
	shown := make(map[string]int)
	for _, f := range r.Findings {
		if shown[f.Rule]++; shown[f.Rule] > show {
			continue
		}
		fmt.Fprintf(w, "  %s: %s %s\n", f.Rule, f.ID, f.Detail)
		for i := range f.Sent {
			writeLine(w, "sent", &f.Sent[i])
		}
		for i := range f.Found {
			writeLine(w, "found", &f.Found[i])
		}
	}
}

func writeLine(w io.Writer, what string, v any) {
	if line, err := json.Marshal(v); err == nil {
		fmt.Fprintf(w, "    %s %s\n", what, line)
	}
}

// Err is nil without findings.
func (r *Report) Err() error {
	if n := r.Found(); n > 0 {
		return fmt.Errorf("%d findings", n)
	}
	if len(r.Rounds) == 0 {
		return errors.New("no round was run")
	}
	return nil
}
