package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
	"sluice/wasmhost"
)

// paper is where verdicts are printed, in colours if it is a terminal.
type paper struct {
	w      io.Writer
	colour bool
}

func newPaper(w io.Writer) paper {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return paper{w: w}
	}
	info, err := f.Stat()
	return paper{w: w, colour: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	plain  = "\x1b[0m"
)

func (p paper) in(colour, text string) string {
	if !p.colour {
		return text
	}
	return colour + text + plain
}

// result prints what became of every record, the guest's log and a summary. before is the records as they were.
func (p paper) result(before []wasmhost.Record, r admin.TryResult) {
	fmt.Fprintf(p.w, "%s\n", p.in(bold, r.Hook))
	for i := range r.Records {
		p.outcome(guest.LineOf(&before[i]), r.Hook, &r.Records[i])
	}
	for _, l := range slices.Backward(r.Log) {
		fmt.Fprintf(p.w, "  log %-5s %s\n", l.Level, l.Text)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Counters)) {
		fmt.Fprintf(p.w, "  counter %s: %d\n", name, r.Counters[name])
	}
	if r.Dropped > 0 {
		fmt.Fprintf(p.w, "  %d more lines were dropped (wasm.log.lines.per.second)\n", r.Dropped)
	}
	p.summary(r)
}

// outcome prints one record: what happened, and what differs.
func (p paper) outcome(before guest.RecordLine, hook string, o *guest.Outcome) {
	what, colour := verdict(hook, o)
	fmt.Fprintf(p.w, "  %d %s: %s", o.Index+1, name(before), p.in(colour, what))
	if o.Fuel > 0 {
		fmt.Fprintf(p.w, ", %d fuel", o.Fuel)
	}
	fmt.Fprintln(p.w)
	if o.Verdict != "passed" || o.Dropped {
		return
	}
	after := o.Record
	for _, f := range []struct {
		name    string
		was, is []byte
		changed bool
	}{
		{"key", text(before.Key, before.KeyBase64), text(after.Key, after.KeyBase64), slices.Contains(o.Changed, "key")},
		{"value", readable(text(before.Value, before.ValueBase64)), readable(text(after.Value, after.ValueBase64)), slices.Contains(o.Changed, "value")},
		{"headers", before.Headers, after.Headers, slices.Contains(o.Changed, "headers")},
		{"timestamp", number(before.Timestamp), number(after.Timestamp), slices.Contains(o.Changed, "timestamp")},
	} {
		if f.changed && !bytes.Equal(f.was, f.is) {
			fmt.Fprintf(p.w, "      %s\n      %s\n", p.in(red, "- "+f.name+" "+cut(f.was)), p.in(green, "+ "+f.name+" "+cut(f.is)))
		}
	}
}

// verdict says in words what became of a record, and how it is coloured.
func verdict(hook string, o *guest.Outcome) (what, colour string) {
	switch {
	case o.Verdict != "passed" && o.Cause == o.Verdict:
		return o.Verdict + ": " + o.Reason, red
	case o.Verdict != "passed":
		return fmt.Sprintf("%s (%s): %s", o.Verdict, o.Cause, o.Reason), red
	case hook == wasmhost.Partition.String():
		return partitionText(o), plain
	case hook == wasmhost.OnAck.String():
		return "told that it was stored", plain
	case o.Dropped:
		return "dropped", yellow
	}
	var parts []string
	if len(o.Changed) > 0 {
		parts = append(parts, "changed "+strings.Join(o.Changed, ", "))
	}
	if o.Route != "" {
		parts = append(parts, "routed to "+o.Route)
	}
	if len(parts) == 0 {
		return "unchanged", plain
	}
	return strings.Join(parts, ", "), green
}

func partitionText(o *guest.Outcome) string {
	switch {
	case o.Partition == nil || *o.Partition < 0:
		return "not mine, the fallback chooses"
	case o.Fuel == 0:
		return fmt.Sprintf("partition %d, as its sender says", *o.Partition)
	default:
		return fmt.Sprintf("partition %d", *o.Partition)
	}
}

// name is a record as a list names it.
func name(l guest.RecordLine) string {
	if key := text(l.Key, l.KeyBase64); key != nil {
		return "key " + cut(key)
	}
	return "value " + cut(readable(text(l.Value, l.ValueBase64)))
}

// readable is a value without the quotes and escapes of JSON, if nothing in it needs them.
func readable(value []byte) []byte {
	var s string
	if json.Unmarshal(value, &s) != nil || s == "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return value
	}
	return []byte(s)
}

// text is a key or a value as JSON, or its base64; nil is null.
func text(json json.RawMessage, binary []byte) []byte {
	if binary != nil {
		return []byte("base64:" + base64.StdEncoding.EncodeToString(binary))
	}
	return json
}

func number(n *int64) []byte {
	if n == nil {
		return nil
	}
	return fmt.Append(nil, *n)
}

// cut shortens what is too long for a line.
func cut(b []byte) string {
	const most = 300
	switch {
	case b == nil:
		return "null"
	case len(b) > most:
		return strings.ToValidUTF8(string(b[:most]), "") + fmt.Sprintf("... (%d bytes)", len(b))
	default:
		return string(b)
	}
}

func (p paper) summary(r admin.TryResult) {
	var changed, dropped, routed, failed int
	var most int64
	for i := range r.Records {
		o := &r.Records[i]
		most = max(most, o.Fuel)
		switch {
		case o.Verdict != "passed":
			failed++
		case o.Dropped:
			dropped++
		case o.Route != "":
			routed++
		case len(o.Changed) > 0:
			changed++
		}
	}
	n := len(r.Records)
	fmt.Fprintf(p.w, "%d records", n)
	if r.Hook == wasmhost.OnSend.String() {
		fmt.Fprintf(p.w, ": %d changed, %d dropped, %d routed, %d failed", changed, dropped, routed, failed)
	} else {
		fmt.Fprintf(p.w, ": %d failed", failed)
	}
	fmt.Fprintf(p.w, "; %d fuel per record, at most %d; memory %s; %d us\n", r.Fuel/int64(max(n, 1)), most, bytesText(r.Memory), r.Micros)
}
