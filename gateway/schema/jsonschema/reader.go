package jsonschema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// reader makes of a JSON text what the library checks: maps, slices, strings, and numbers as they are written. Of two members
// of one name it takes none: consumers would not agree on which is meant.
type reader struct {
	s       jsontext.Scanner
	names   map[string]string
	digits  int
	objects int    // how many were read
	whole   string // the text; strings and numbers are parts of it
	stack   []any  // elements of the arrays that are being read

	reuse bool             // what was read is not used after release
	used  []map[string]any // since the last release
	free  []map[string]any // empty
}

// How many maps a reader keeps, and how large they may be: a map never gives memory back.
const (
	maxFree     = 64
	maxFreeSize = 64
)

// release ends the use of what was read.
func (r *reader) release() {
	for i, m := range r.used {
		if len(r.free) < maxFree && len(m) <= maxFreeSize {
			clear(m)
			r.free = append(r.free, m)
		}
		r.used[i] = nil
	}
	r.used, r.whole = r.used[:0], ""
	clear(r.stack[:cap(r.stack)])
	if cap(r.used) > 4*maxFree || cap(r.stack) > 4*maxFree {
		r.used, r.stack = nil, nil
	}
}

// members is an empty map.
func (r *reader) members() map[string]any {
	if !r.reuse {
		return map[string]any{}
	}
	var m map[string]any
	if n := len(r.free); n > 0 {
		m, r.free = r.free[n-1], r.free[:n-1]
	} else {
		m = map[string]any{}
	}
	r.used = append(r.used, m)
	return m
}

// part is text as a part of the whole, if it ends so many bytes before where the scanner is; a string that had escapes does not.
func (r *reader) part(text []byte, before int) string {
	end := r.s.Pos() - before
	if p := r.whole[max(end-len(text), 0):end]; p == string(text) {
		return p
	}
	return string(text)
}

func (r *reader) read(text []byte, maxDepth, digits int) (any, error) {
	r.s.Reset(text, maxDepth)
	r.digits, r.objects, r.whole, r.stack = digits, 0, string(text), r.stack[:0]
	v, err := r.value()
	if err == nil {
		err = r.s.End()
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (r *reader) value() (any, *codec.ValueError) {
	switch kind := r.s.Peek(); kind {
	case jsontext.Object:
		return r.object()
	case jsontext.Array:
		return r.array()
	case jsontext.String:
		text, err := r.s.Text()
		if err != nil {
			return nil, err
		}
		return r.part(text, len(`"`)), nil
	case jsontext.Number:
		return r.number()
	case jsontext.Bool:
		v, err := r.s.Word()
		return v, err
	case jsontext.Null:
		_, err := r.s.Word()
		return nil, err
	default:
		return nil, r.s.Syntax()
	}
}

func (r *reader) object() (any, *codec.ValueError) {
	if err := r.s.Open(); err != nil {
		return nil, err
	}
	r.objects++
	members := r.members()
	for first := true; ; first = false {
		name, ok, err := r.s.Member(first)
		if err != nil {
			return nil, err
		}
		if !ok {
			return members, nil
		}
		if _, ok := members[string(name)]; ok {
			return nil, &codec.ValueError{Path: "/" + codec.Escape(string(name)), Want: "each member once", Found: "it a second time"}
		}
		v, err := r.value()
		if err != nil {
			return nil, within(string(name), err)
		}
		known, ok := r.names[string(name)]
		if !ok {
			known = string(name)
		}
		members[known] = v
	}
}

func (r *reader) array() (any, *codec.ValueError) {
	if err := r.s.Open(); err != nil {
		return nil, err
	}
	base := len(r.stack)
	for i := 0; ; i++ {
		ok, err := r.s.Element(i == 0)
		if err != nil {
			return nil, err
		}
		if !ok {
			elements := make([]any, len(r.stack)-base)
			copy(elements, r.stack[base:])
			r.stack = r.stack[:base]
			return elements, nil
		}
		v, err := r.value()
		if err != nil {
			return nil, within(strconv.Itoa(i), err)
		}
		r.stack = append(r.stack, v)
	}
}

// number reads a number. The library computes with all of its digits, and 1e999999 has a million.
func (r *reader) number() (any, *codec.ValueError) {
	lit, err := r.s.Literal()
	if err != nil {
		return nil, err
	}
	if !withinDigits(lit, r.digits) {
		return nil, &codec.ValueError{Want: fmt.Sprintf("a number with at most %d digits (schema.jsonschema.max.digits)", r.digits), Found: "one with more"}
	}
	return json.Number(r.part(lit, 0)), nil
}

// withinDigits says whether a number that is written without an exponent has at most so many digits.
func withinDigits(lit []byte, most int) bool {
	if len(lit) > most {
		return false
	}
	i := bytes.IndexAny(lit, "eE")
	if i < 0 {
		return true
	}
	exponent, err := strconv.Atoi(string(lit[i+1:]))
	return err == nil && i+max(exponent, -exponent) <= most
}

func within(name string, err *codec.ValueError) *codec.ValueError {
	err.Path = "/" + codec.Escape(name) + err.Path
	return err
}
