package main

import (
	"hash"
	"slices"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

// redactor takes the place of what a value says in some fields.
type redactor struct {
	paths [][]string // fields by their place, as the tokens of JSON Pointers
	names []string   // fields by their name, wherever they are
	mask  []byte     // a JSON string
	mac   hash.Hash  // nil if fields are masked

	doc   json.Doc
	edits json.Edits
	text  []byte // of a string that is hashed
	out   []byte // a hash as a JSON string
}

// onSend fails a record whose value is not JSON: nobody knows what stands in it. Null says nothing and passes.
func (x *redactor) onSend(r *sluice.Record) error {
	if r.Value() == nil {
		return nil
	}
	v, err := x.doc.Parse(r.Value())
	if err != nil {
		return err
	}
	x.edits.Reset()
	for _, p := range x.paths {
		x.walk(v, p)
	}
	if len(x.names) > 0 {
		v.Named(x.isNamed, x.replace)
	}
	if !x.edits.Empty() {
		r.SetValue(x.edits.Append(r.Alloc(x.edits.Size(r.Value()))[:0], r.Value()))
	}
	return nil
}

// walk follows a path from v. Of equal names it takes all, because readers differ in which one they believe.
func (x *redactor) walk(v json.Value, path []string) {
	if len(path) == 0 {
		x.replace(v)
		return
	}
	token, rest := path[0], path[1:]
	v.Members(func(name, value json.Value) bool {
		if token == "*" || name.Equal(token) {
			x.walk(value, rest)
		}
		return true
	})
	if v.Kind() != json.Array {
		return
	}
	if token != "*" {
		if e := v.Element(token); e.Kind() != json.None {
			x.walk(e, rest)
		}
		return
	}
	v.Elements(func(_ int, e json.Value) bool { x.walk(e, rest); return true })
}

func (x *redactor) isNamed(name json.Value) bool {
	return slices.ContainsFunc(x.names, name.Equal)
}

// replace masks or hashes v. Null stays: it says no more than an absent field.
func (x *redactor) replace(v json.Value) {
	switch {
	case v.Kind() == json.Null:
	case x.mac == nil:
		x.edits.Replace(v, x.mask)
	default:
		x.edits.Replace(v, x.hashed(v))
	}
}

// hashed is the HMAC of what a string means, or of any other value as it stands.
func (x *redactor) hashed(v json.Value) []byte {
	const digits = "0123456789abcdef"
	x.text = x.text[:0]
	if v.Kind() == json.String {
		x.text = v.AppendString(x.text)
	} else {
		x.text = append(x.text, v.Raw()...)
	}
	x.mac.Reset()
	x.mac.Write(x.text)
	x.text = x.mac.Sum(x.text[:0])
	x.out = append(x.out[:0], '"')
	for _, b := range x.text {
		x.out = append(x.out, digits[b>>4], digits[b&15])
	}
	x.out = append(x.out, '"')
	return x.out
}
