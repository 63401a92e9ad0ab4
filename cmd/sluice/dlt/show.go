package dlt

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/deadletter"
)

// Show prints everything about one letter, which the filter names by its ID or its place.
func (c *Cluster) Show(ctx context.Context, w io.Writer, name string, f Filter, asJSON bool) error {
	t, err := c.open(ctx, name, &f)
	if err != nil {
		return err
	}
	f.Limit = 1
	var found *Letter
	run := &listing{topic: t, filter: f, w: w, each: func(l *Letter) error { found = l; return nil }}
	if err := run.run(ctx); err != nil {
		return err
	}
	switch {
	case found == nil && f.At != nil:
		return fmt.Errorf("%s has no dead letter at %s", name, f.At)
	case found == nil:
		return fmt.Errorf("%s has no dead letter with the id %q", name, f.ID)
	case asJSON:
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(jsonOf(found))
	default:
		return found.write(w)
	}
}

// write prints a letter for people.
func (l *Letter) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("letter", "%s of %s, written %s", l.at(), l.Record.Topic, localTime(l.Record.Timestamp))
	row("id", "%s", orDash(l.ID))
	row("replayed", "%s", replayedText(l))
	row("sent to", "%s", l.destination())
	row("timestamp", "%s", localTime(l.sentAt()))
	row("cause", "%s", orDash(strings.TrimSpace(l.Cause+" "+l.Module)))
	row("code", "%s", orDash(l.Code))
	if l.Unknown {
		row("outcome", "%s: the record may be in its topic too", deadletter.OutcomeUnknown)
	}
	row("exception", "%s", orDash(l.Exception))
	row("message", "%s", line(l.Message, 1<<16))
	row("key", "%s", sized(l.Record.Key))
	if l.Record.Value == nil {
		row("value", "null")
	} else {
		row("value", "%s, see below", count(len(l.Record.Value), "byte"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	others := l.undecoded()
	printHeaders(w, "headers", l.own())
	printHeaders(w, "other headers", others)
	for _, h := range others {
		if severalLines(h) {
			fmt.Fprintf(w, "\n%s\n%s", line(h.Key, messageWidth), block(h.Value))
		}
	}
	if l.Record.Value == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nvalue\n%s", block(l.Record.Value))
	return err
}

// destination says where the record was sent to.
func (l *Letter) destination() string {
	to := line(l.Topic, messageWidth)
	switch {
	case l.Partition < 0:
		return to + ", no partition was chosen"
	case l.Offset < 0:
		return fmt.Sprintf("%s, partition %d", to, l.Partition)
	default:
		return fmt.Sprintf("%s, partition %d, offset %d", to, l.Partition, l.Offset)
	}
}

// undecoded is the headers of the dead letter that are not printed in words.
func (l *Letter) undecoded() []kgo.RecordHeader {
	var all []kgo.RecordHeader
	for _, h := range l.Record.Headers {
		switch h.Key {
		case deadletter.OriginalTopic, deadletter.OriginalPartition, deadletter.OriginalOffset, deadletter.OriginalTimestamp,
			deadletter.OriginalTimestampType, deadletter.ExceptionFqcn, deadletter.ExceptionMessage, deadletter.ID, deadletter.Cause,
			deadletter.Code, deadletter.Module, deadletter.Outcome:
		case deadletter.ExceptionStacktrace: // ours has nothing that was not said
			if string(h.Value) != l.Exception+": "+l.Message {
				all = append(all, h)
			}
		default:
			if deadletter.IsOurs(h.Key) {
				all = append(all, h)
			}
		}
	}
	return all
}

// headerWidth is how much of a header is printed in its line.
const headerWidth = 200

func printHeaders(w io.Writer, title string, headers []kgo.RecordHeader) {
	if len(headers) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, h := range headers {
		text := bytesText(h.Value, headerWidth)
		if severalLines(h) {
			text = "see below"
		}
		fmt.Fprintf(t, "  %s\t%s\n", line(h.Key, messageWidth), text)
	}
	_ = t.Flush()
}

// severalLines says that a header of a dead letter is a text that is better read as such: a stack trace.
func severalLines(h kgo.RecordHeader) bool {
	return deadletter.IsOurs(h.Key) && strings.Contains(string(h.Value), "\n")
}

// sized is bytes with how many they are.
func sized(p []byte) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprintf("%s (%s)", bytesText(p, headerWidth), count(len(p), "byte"))
}
