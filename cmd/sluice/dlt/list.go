package dlt

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// Output is where a list goes.
type Output struct {
	W     io.Writer
	JSON  bool      // one object per line, instead of a table
	Notes io.Writer // for what is no part of the JSON
}

// List prints the letters of a topic that the filter wants, and returns how many those are.
func (c *Cluster) List(ctx context.Context, out Output, name string, f Filter) (int, error) {
	w := out.W
	t, err := c.open(ctx, name, &f)
	if err != nil {
		return 0, err
	}
	l := &listing{topic: t, filter: f, w: w}
	if out.JSON {
		l.each = func(l *Letter) error { return json.NewEncoder(w).Encode(jsonOf(l)) }
		if err := l.run(ctx); err != nil || l.shown > 0 {
			return l.shown, err
		}
		l.w = out.Notes
		l.sum()
		return 0, nil
	}
	table := newTable(w)
	l.each = func(l *Letter) error { return table.row(l, replayedText(l)) }
	if err := l.run(ctx); err != nil {
		return l.shown, err
	}
	if err := table.flush(); err != nil {
		return l.shown, err
	}
	l.sum()
	return l.shown, nil
}

// listing is one run through a topic.
type listing struct {
	topic  *topic
	filter Filter
	w      io.Writer
	each   func(*Letter) error

	shown, replayed, others int
	cut                     bool // the limit ended it
}

func (l *listing) run(ctx context.Context) error {
	for i := range l.topic.parts {
		marks, err := l.topic.marks(ctx, &l.topic.parts[i])
		if err != nil {
			return err
		}
		others, err := l.topic.letters(ctx, &l.topic.parts[i], &l.filter, marks, l.one)
		l.others += others
		if err != nil && !l.cut {
			return err
		}
		if l.cut {
			return nil
		}
	}
	return nil
}

func (l *listing) one(letter *Letter) error {
	if letter.Replayed != "" && l.filter.Pending {
		return nil
	}
	if l.filter.Limit > 0 && l.shown == l.filter.Limit {
		l.cut = true
		return errEnough
	}
	l.shown++
	if letter.Replayed != "" {
		l.replayed++
	}
	return l.each(letter)
}

// sum says below a table what is in it.
func (l *listing) sum() {
	switch {
	case l.shown == 0 && l.others > 0:
		fmt.Fprintf(l.w, "%s: no dead letters%s, and %s of another kind\n", l.topic.name, l.filter.which(), count(l.others, "record"))
	case l.shown == 0:
		fmt.Fprintf(l.w, "%s: no dead letters%s\n", l.topic.name, l.filter.which())
	default:
		fmt.Fprintf(l.w, "\n%s: %s, ", l.topic.name, count(l.shown, "dead letter"))
		if l.filter.Pending {
			fmt.Fprint(l.w, "not replayed")
		} else {
			fmt.Fprintf(l.w, "%d replayed", l.replayed)
		}
		if l.cut {
			fmt.Fprintf(l.w, "; there are more than --limit %d", l.filter.Limit)
		}
		fmt.Fprintln(l.w)
	}
}

// table prints letters, as many at a time as fit into memory.
type table struct {
	w    *tabwriter.Writer
	rows int
}

// tableRows is how many rows are aligned with one another.
const tableRows = 500

func newTable(w io.Writer) *table { return &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// row prints a letter, with what became of it or will.
func (t *table) row(l *Letter, state string) error {
	if t.rows == 0 {
		fmt.Fprintln(t.w, "LETTER\tTIME\tSENT TO\tCAUSE\tCODE\tKEY\tREPLAYED\tMESSAGE")
	}
	fmt.Fprintf(t.w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.at(), localTime(l.Record.Timestamp), orDash(l.Topic), orDash(l.Cause), orDash(codeText(l)),
		bytesText(l.Record.Key, keyWidth), state, line(l.Message, messageWidth))
	if t.rows++; t.rows%tableRows == 0 {
		return t.flush()
	}
	return nil
}

func (t *table) flush() error { return t.w.Flush() }

// codeText is the code, of Spring's letters the exception.
func codeText(l *Letter) string {
	if l.Code != "" {
		return l.Code
	}
	return simpleName(l.Exception)
}

func replayedText(l *Letter) string {
	if l.Replayed == "" {
		return "no"
	}
	return line(l.Replayed, messageWidth)
}
