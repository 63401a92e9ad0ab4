package jsonschema

import (
	"math/big"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// quickener makes the quick checks of compiled schemas, each once.
type quickener struct {
	graph *graph
	made  map[*jsonschema.Schema]*quick
}

func (c *quickener) schema(s *jsonschema.Schema) *quick {
	if s == nil {
		return nil
	}
	if q := c.made[s]; q != nil {
		return q
	}
	q := &quick{}
	c.made[s] = q
	if s.Bool != nil {
		q.verdict = verdictOf(*s.Bool)
		return q
	}
	if c.graph.of[s].cyclic || !known(s) {
		q.unknown = true
	}
	if c.graph.of[s].cyclic {
		return q // or it would run in a circle
	}
	c.own(q, s)
	q.ref = c.schema(s.Ref)
	q.only = s.Ref != nil && s.DraftVersion < 2019
	q.all, q.any, q.one = c.each(s.AllOf), c.each(s.AnyOf), c.each(s.OneOf)
	q.not, q.cond, q.then, q.otherwise = c.schema(s.Not), c.schema(s.If), c.schema(s.Then), c.schema(s.Else)
	return q
}

// known says whether the quick check knows all rules of a schema.
func known(s *jsonschema.Schema) bool {
	return s.RecursiveRef == nil && s.DynamicRef == nil && s.UnevaluatedItems == nil && s.UnevaluatedProperties == nil &&
		s.PropertyNames == nil && s.Contains == nil && len(s.Dependencies)+len(s.DependentRequired)+len(s.DependentSchemas) == 0 &&
		s.ContentEncoding == nil && s.ContentMediaType == nil && s.ContentSchema == nil && len(s.Extensions) == 0 &&
		(s.Format == nil || s.Format.Name != "regex")
}

func (c *quickener) each(all []*jsonschema.Schema) []*quick {
	if len(all) == 0 {
		return nil
	}
	quicks := make([]*quick, len(all))
	for i, s := range all {
		quicks[i] = c.schema(s)
	}
	return quicks
}

// own adds the rules that need no other schema at the same part.
func (c *quickener) own(q *quick, s *jsonschema.Schema) {
	if s.Types != nil {
		q.types = kindsOf(s.Types.ToStrings())
	}
	large := [3]bool{} // numbers that the quick check leaves to the library
	if s.Enum != nil {
		q.enum, large[0] = valuesOf(s.Enum.Values)
	}
	if s.Const != nil {
		q.constant, large[1] = valuesOf([]any{*s.Const})
	}
	q.number, large[2] = numberOf(s)
	q.unknown = q.unknown || large[0] || large[1] || large[2]
	if s.Format != nil && s.Format.Name != "regex" {
		q.format = s.Format
	}
	if s.MinLength != nil || s.MaxLength != nil || s.Pattern != nil {
		q.text = &textRules{min: or(s.MinLength, 0), max: or(s.MaxLength, -1), pattern: s.Pattern}
	}
	q.object, q.array = c.object(s), c.array(s)
}

func or(n *int, none int) int {
	if n == nil {
		return none
	}
	return *n
}

// numberOf are the bounds that a schema has for numbers, or nil. It tells whether there is one that is too large.
func numberOf(s *jsonschema.Schema) (r *numberRules, large bool) {
	r = &numberRules{}
	for _, b := range []struct {
		at        *big.Rat
		order     int
		inclusive bool
	}{{s.Minimum, 1, true}, {s.Maximum, -1, true}, {s.ExclusiveMinimum, 1, false}, {s.ExclusiveMaximum, -1, false}} {
		if b.at == nil {
			continue
		}
		at, ok := ratioOf(b.at)
		if !ok {
			return nil, true
		}
		r.bounds = append(r.bounds, bound{at, b.order, b.inclusive})
	}
	if s.MultipleOf != nil {
		at, ok := ratioOf(s.MultipleOf)
		if !ok {
			return nil, true
		}
		r.multiple = &at
	}
	if r.bounds == nil && r.multiple == nil {
		return nil, false
	}
	return r, false
}

func (c *quickener) object(s *jsonschema.Schema) *objectRules {
	r := &objectRules{min: or(s.MinProperties, 0), max: or(s.MaxProperties, -1), required: s.Required, properties: map[string]*quick{}}
	for name, sub := range s.Properties {
		r.properties[name] = c.schema(sub)
	}
	for name, sub := range s.PatternProperties {
		r.patterns = append(r.patterns, patternRule{name, c.schema(sub)})
	}
	switch more := s.AdditionalProperties.(type) {
	case bool:
		r.none = !more
	case *jsonschema.Schema:
		r.additional = c.schema(more)
	}
	return r
}

func (c *quickener) array(s *jsonschema.Schema) *arrayRules {
	r := &arrayRules{min: or(s.MinItems, 0), max: or(s.MaxItems, -1), unique: s.UniqueItems, first: c.each(s.PrefixItems), rest: c.schema(s.Items2020)}
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		r.rest = c.schema(items)
	case []*jsonschema.Schema:
		r.first = c.each(items)
		switch more := s.AdditionalItems.(type) {
		case bool:
			r.none = !more
		case *jsonschema.Schema:
			r.rest = c.schema(more)
		}
	}
	return r
}
