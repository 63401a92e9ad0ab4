package dlt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/gateway/deadletter"
)

// Position is a place in a dead-letter topic, in words partition@offset.
type Position struct {
	Partition int32
	Offset    int64
}

func (p Position) String() string { return fmt.Sprintf("%d@%d", p.Partition, p.Offset) }

var errPosition = errors.New("it must be PARTITION@OFFSET, such as 0@12")

// ParsePosition reads a place as list prints it.
func ParsePosition(text string) (Position, error) {
	left, right, ok := strings.Cut(text, "@")
	partition, err := strconv.ParseUint(left, 10, 31)
	offset, errOffset := strconv.ParseUint(right, 10, 63)
	if !ok || err != nil || errOffset != nil {
		return Position{}, fmt.Errorf("%q: %w", text, errPosition)
	}
	return Position{int32(partition), int64(offset)}, nil
}

// Filter chooses letters: those to which everything applies that is set.
type Filter struct {
	ID      string
	Cause   string // interceptor, broker, schema, undelivered
	Code    string // as list prints it; also the class of the exception, with or without its package
	Module  string
	Outcome string  // not_stored or unknown
	Key     *string // the whole key
	From    string  // the topic that the record was sent to
	Since   time.Time
	Until   time.Time // when the letter was written, not included
	Pending bool      // only what was not replayed
	Limit   int       // 0 is no limit
	At      *Position
}

// which says, behind "dead letters", whether only some are asked for.
func (f *Filter) which() string {
	switch *f {
	case Filter{Limit: f.Limit}:
		return ""
	case Filter{Limit: f.Limit, Pending: true}:
		return " that were not replayed"
	default:
		return " that are asked for"
	}
}

// wants says whether a letter is chosen, whether or not it was replayed.
func (f *Filter) wants(l *Letter) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	written := l.Record.Timestamp
	switch {
	case !is(f.ID, l.ID), !is(f.Cause, l.Cause), !is(f.Module, l.Module), !is(f.From, l.Topic), !is(f.Outcome, outcome(l)):
		return false
	case f.Code != "" && f.Code != l.Code && f.Code != l.Exception && f.Code != simpleName(l.Exception):
		return false
	case f.Key != nil && (l.Record.Key == nil || *f.Key != string(l.Record.Key)):
		return false
	case !f.Since.IsZero() && written.Before(f.Since), !f.Until.IsZero() && !written.Before(f.Until):
		return false
	}
	return f.At == nil || *f.At == l.at()
}

func outcome(l *Letter) string {
	if l.Unknown {
		return deadletter.OutcomeUnknown
	}
	return deadletter.NotStored
}

// simpleName is the name of a Java class without its package.
func simpleName(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

// ParseTime reads a time: RFC 3339, or how long before now it was.
func ParseTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q: it must be a time such as 2026-01-31T12:00:00Z, or how long ago it was, such as 2h", text)
	}
	return t, nil
}
