package main

import (
	"errors"
	"strconv"
	"unicode/utf8"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

// guard knows what values must look like.
type guard struct {
	required, optional []field
	sizes              []size
	maxKey, maxValue   int64 // bytes, -1 = no limit
	failNull           bool  // records with a null value
	doc                json.Doc
}

// field is a place in a value and the types that it may have.
type field struct {
	pointer string
	types   []string // words of JSON Schema
	rule    string   // all of them, in words
}

// size limits what is at a place: characters of a string, elements of an array, members of an object.
type size struct {
	pointer string
	most    int64
}

var (
	errNull = errors.New("the value is null (null_value = \"fail\")")
	errKey  = errors.New("the key is larger than max_key_bytes")
	errLong = errors.New("the value is larger than max_value_bytes")
)

// onSend says the first thing that is wrong with a record. It names places and types, never what stands there: reasons go
// into logs and answers.
func (g *guard) onSend(r *sluice.Record) error {
	switch {
	case g.maxKey >= 0 && int64(len(r.Key())) > g.maxKey:
		return errKey
	case g.maxValue >= 0 && int64(len(r.Value())) > g.maxValue:
		return errLong
	case r.Value() == nil && g.failNull:
		return errNull
	case r.Value() == nil:
		return nil
	}
	v, err := g.doc.Parse(r.Value())
	if err != nil {
		return err
	}
	for i := range g.required {
		if err := g.required[i].check(v, true); err != nil {
			return err
		}
	}
	for i := range g.optional {
		if err := g.optional[i].check(v, false); err != nil {
			return err
		}
	}
	for i := range g.sizes {
		if err := g.sizes[i].check(v); err != nil {
			return err
		}
	}
	return nil
}

func (f *field) check(v json.Value, required bool) error {
	at := v.Lookup(f.pointer)
	if at.Kind() == json.None {
		if !required {
			return nil
		}
		return errors.New(f.pointer + " is missing: it must be " + f.rule)
	}
	for _, t := range f.types {
		if is(at, t) {
			return nil
		}
	}
	return errors.New(f.pointer + " is of type " + at.Kind().String() + ": it must be " + f.rule)
}

// is says whether v is of a type of JSON Schema.
func is(v json.Value, typ string) bool {
	if typ == "integer" {
		return v.IsInteger()
	}
	return v.Kind().String() == typ
}

func (s *size) check(v json.Value) error {
	at := v.Lookup(s.pointer)
	n, what := int64(0), ""
	switch at.Kind() {
	case json.String:
		n, what = int64(utf8.RuneCount(at.Text())), " characters"
	case json.Array:
		n, what = int64(at.Len()), " elements"
	case json.Object:
		n, what = int64(at.Len()), " members"
	default:
		return nil
	}
	if n <= s.most {
		return nil
	}
	return errors.New(s.pointer + " has " + strconv.FormatInt(n, 10) + what + ": at most " + strconv.FormatInt(s.most, 10) + " are allowed (max_sizes)")
}
