package main

import (
	"errors"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

// keyer takes keys out of values.
type keyer struct {
	pointer string
	fail    bool  // records without the field
	missing error // what to say then
	doc     json.Doc
}

func (k *keyer) configure(c *sluice.Config) error {
	c.Only("pointer", "on_missing")
	k.pointer = c.String("/pointer", "")
	if k.pointer == "" {
		return c.Wrong("/pointer", `must be a JSON Pointer to the field, such as "/customer/id"`)
	}
	if err := json.CheckPointer(k.pointer); err != nil {
		return c.Wrong("/pointer", "is no JSON Pointer: "+err.Error())
	}
	switch c.String("/on_missing", "keep") {
	case "keep":
		k.fail = false
	case "fail":
		k.fail = true
	default:
		return c.Wrong("/on_missing", `must be "keep" or "fail"`)
	}
	k.missing = errors.New("the value has no string, number or boolean at " + k.pointer)
	return nil
}

func (k *keyer) onSend(r *sluice.Record) error {
	v, err := k.doc.Parse(r.Value())
	if err != nil {
		return k.without(err)
	}
	switch f := v.Lookup(k.pointer); f.Kind() {
	case json.String:
		r.SetKey(f.AppendString(r.Alloc(len(f.Raw()))[:0]))
	case json.Number, json.Bool:
		r.SetKey(f.Raw())
	default:
		return k.without(k.missing)
	}
	return nil
}

// without is what happens to a record whose value does not have the field, for a reason.
func (k *keyer) without(reason error) error {
	if k.fail {
		return reason
	}
	return nil
}
