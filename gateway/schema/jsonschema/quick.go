package jsonschema

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// verdict is what the quick check makes of a value. Whatever is not sure is left to the library.
type verdict int8

const (
	unsure verdict = iota
	fits
	fails
)

// quick is a schema as the quick check has it. It knows the common rules, and numbers that are not long. It exists because the
// library makes fractions of big numbers of every number, and an allocation or more for every schema that looks at a part.
type quick struct {
	verdict   verdict // of a schema that is true or false
	unknown   bool    // it has a rule that is not known here, so a value cannot be told to fit
	types     kinds   // 0 is any
	enum      *values
	constant  *values
	format    *jsonschema.Format
	ref       *quick
	only      bool // ref is all there is: drafts before 2019
	object    *objectRules
	array     *arrayRules
	text      *textRules
	number    *numberRules
	all, any  []*quick
	one       []*quick
	not       *quick
	cond      *quick
	then      *quick
	otherwise *quick
}

type objectRules struct {
	min, max   int // max is -1 if there is none
	required   []string
	properties map[string]*quick
	patterns   []patternRule
	none       bool // no further names
	additional *quick
}

type patternRule struct {
	name jsonschema.Regexp
	rule *quick
}

type arrayRules struct {
	min, max int
	first    []*quick
	none     bool // no further elements
	rest     *quick
	unique   bool
}

type textRules struct {
	min, max int
	pattern  jsonschema.Regexp
}

// both is the verdict on two rules that are both to be kept.
func both(a, b verdict) verdict {
	switch {
	case a == fails || b == fails:
		return fails
	case a == fits && b == fits:
		return fits
	default:
		return unsure
	}
}

func verdictOf(ok bool) verdict {
	if ok {
		return fits
	}
	return fails
}

// check is the verdict on a value. It goes through the rules in the order of the library.
func (q *quick) check(v any) verdict {
	if q.verdict != unsure {
		return q.verdict
	}
	kind := kindOf(v)
	d := fits
	if q.unknown {
		d = unsure
	}
	if q.types != 0 {
		d = both(d, q.types.take(kind, v))
	}
	if q.enum != nil {
		d = both(d, q.enum.have(v))
	}
	if q.constant != nil {
		d = both(d, q.constant.have(v))
	}
	if q.format != nil {
		d = both(d, verdictOf(q.format.Validate(v) == nil))
	}
	if q.ref != nil && d != fails {
		d = both(d, q.ref.check(v))
	}
	if d == fails || q.only {
		return d
	}
	switch v := v.(type) {
	case map[string]any:
		if q.object != nil {
			d = both(d, q.object.check(v))
		}
	case []any:
		if q.array != nil {
			d = both(d, q.array.check(v))
		}
	case string:
		if q.text != nil {
			d = both(d, q.text.check(v))
		}
	case json.Number:
		if q.number != nil {
			d = both(d, q.number.check(v))
		}
	}
	return q.combined(v, d)
}

// combined adds the verdicts of schemas that look at the same part.
func (q *quick) combined(v any, d verdict) verdict {
	for _, sub := range q.all {
		if d == fails {
			return d
		}
		d = both(d, sub.check(v))
	}
	if q.any != nil && d != fails {
		d = both(d, anyOf(q.any, v))
	}
	if q.one != nil && d != fails {
		d = both(d, oneOf(q.one, v))
	}
	if q.not != nil && d != fails {
		d = both(d, not(q.not.check(v)))
	}
	if q.cond == nil || d == fails {
		return d
	}
	branch := q.then
	switch q.cond.check(v) {
	case unsure:
		return unsure
	case fails:
		branch = q.otherwise
	case fits:
	}
	if branch == nil {
		return d
	}
	return both(d, branch.check(v))
}

func not(d verdict) verdict {
	switch d {
	case fits:
		return fails
	case fails:
		return fits
	default:
		return unsure
	}
}

func anyOf(subs []*quick, v any) verdict {
	best := fails
	for _, sub := range subs {
		switch sub.check(v) {
		case fits:
			return fits
		case unsure:
			best = unsure
		case fails:
		}
	}
	return best
}

func oneOf(subs []*quick, v any) verdict {
	n := 0
	for _, sub := range subs {
		switch sub.check(v) {
		case fits:
			n++
		case unsure:
			return unsure
		case fails:
		}
	}
	return verdictOf(n == 1)
}

func (r *objectRules) check(v map[string]any) verdict {
	if len(v) < r.min || r.max >= 0 && len(v) > r.max {
		return fails
	}
	for _, name := range r.required {
		if _, ok := v[name]; !ok {
			return fails
		}
	}
	d := fits
	for name, member := range v {
		sub, known := r.properties[name]
		if known {
			d = both(d, sub.check(member))
		}
		for _, p := range r.patterns {
			if p.name.MatchString(name) {
				known = true
				d = both(d, p.rule.check(member))
			}
		}
		if !known && r.none {
			return fails
		}
		if !known && r.additional != nil {
			d = both(d, r.additional.check(member))
		}
		if d == fails {
			return d
		}
	}
	return d
}

func (r *arrayRules) check(v []any) verdict {
	if len(v) < r.min || r.max >= 0 && len(v) > r.max {
		return fails
	}
	d := fits
	if r.unique {
		d = distinct(v)
	}
	for i, element := range v {
		switch {
		case d == fails:
			return d
		case i < len(r.first):
			d = both(d, r.first[i].check(element))
		case r.none:
			return fails
		case r.rest != nil:
			d = both(d, r.rest.check(element))
		}
	}
	return d
}

// distinct is the verdict on a few strings. Others are compared by the library.
func distinct(v []any) verdict {
	if len(v) > 20 {
		return unsure
	}
	for i := range v {
		a, ok := v[i].(string)
		if !ok && len(v) > 1 {
			return unsure
		}
		for _, b := range v[:i] {
			if a == b {
				return fails
			}
		}
	}
	return fits
}

func (r *textRules) check(v string) verdict {
	if n := utf8.RuneCountInString(v); n < r.min || r.max >= 0 && n > r.max {
		return fails
	}
	return verdictOf(r.pattern == nil || r.pattern.MatchString(v))
}
