package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a file.
type Error struct {
	File  string
	Line  int    // from 1; the line of the key, or of the table that lacks it
	Key   string // the whole dotted key as TOML would write it; "" for a syntax error
	Value string // as written in the file; "" if there is none, "****" for a secret
	Rule  string // what is expected
}

// Error returns "file:line: key = value: rule".
func (e *Error) Error() string {
	switch {
	case e.Key == "":
		return fmt.Sprintf("%s:%d: syntax: %s", e.File, e.Line, e.Rule)
	case e.Value == "":
		return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Key, e.Rule)
	default:
		return fmt.Sprintf("%s:%d: %s = %s: %s", e.File, e.Line, e.Key, e.Value, e.Rule)
	}
}

// Errors is everything that is wrong with a file, by line.
type Errors []*Error

// Error returns one line per error.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single *Error.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// sorted returns the errors by line, each once: a conflict in [producer] shows in every topic that inherits it.
func (es Errors) sorted() Errors {
	out := slices.Clone(es)
	slices.SortStableFunc(out, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	seen := make(map[Error]bool, len(out))
	return slices.DeleteFunc(out, func(e *Error) bool {
		dup := seen[*e]
		seen[*e] = true
		return dup
	})
}
