package jsonschema

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/gateway/schema/codec"
)

// Describe tells the draft, and of objects their members.
func (c *Codec) Describe() codec.Description {
	d := describer{seen: map[*jsonschema.Schema]bool{}}
	draft := strconv.Itoa(c.schema.DraftVersion)
	switch c.schema.DraftVersion {
	case 2019:
		draft = "2019-09"
	case 2020:
		draft = "2020-12"
	}
	return codec.Description{Type: typeOf(c.schema), Draft: draft, Fields: d.fields(c.schema, 0)}
}

// describer goes into each schema once.
type describer struct{ seen map[*jsonschema.Schema]bool }

func (d *describer) fields(s *jsonschema.Schema, depth int) (out []codec.Field) {
	s = inner(s)
	if s == nil || d.seen[s] || depth >= codec.MaxDescribed {
		return nil
	}
	d.seen[s] = true
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		f := codec.Field{Name: name, Type: typeOf(p), Required: slices.Contains(s.Required, name)}
		if t := target(p); t.Format != nil {
			f.Note = "format " + t.Format.Name
		}
		f.Fields = d.fields(p, depth+1)
		out = append(out, f)
	}
	return out
}

// target follows references.
func target(s *jsonschema.Schema) *jsonschema.Schema {
	for range codec.MaxDescribed {
		if s.Ref == nil || s.Types != nil || len(s.Properties) > 0 {
			break
		}
		s = s.Ref
	}
	return s
}

// inner is the schema of the object that a schema is of, or of its elements.
func inner(s *jsonschema.Schema) *jsonschema.Schema {
	for range codec.MaxDescribed {
		s = target(s)
		items, _ := s.Items.(*jsonschema.Schema)
		switch {
		case len(s.Properties) > 0:
			return s
		case s.Items2020 != nil:
			s = s.Items2020
		case items != nil:
			s = items
		default:
			return nil
		}
	}
	return nil
}

// typeOf is what a value may be, in a few words.
func typeOf(s *jsonschema.Schema) string {
	s = target(s)
	switch {
	case s.Bool != nil && !*s.Bool:
		return "nothing"
	case s.Enum != nil:
		return "one of " + list(s.Enum.Values)
	case s.Const != nil:
		return quote(*s.Const)
	case s.Types != nil && !s.Types.IsEmpty():
		return strings.Join(s.Types.ToStrings(), " or ")
	case len(s.OneOf) > 0:
		return "one of " + strconv.Itoa(len(s.OneOf)) + " alternatives"
	case len(s.AnyOf) > 0:
		return "any of " + strconv.Itoa(len(s.AnyOf)) + " alternatives"
	default:
		return "any value"
	}
}
