package avro

import (
	"encoding/json"

	"sluice/gateway/schema/codec"
)

// Describe tells what values there are.
func (c *Codec) Describe() codec.Description {
	d := describer{seen: map[*node]bool{}}
	return codec.Description{Type: c.root.word, Fields: d.fields(c.root, 0)}
}

// describer goes into each record once.
type describer struct{ seen map[*node]bool }

// fields are those of the first record that n is or holds.
func (d *describer) fields(n *node, depth int) []codec.Field {
	n = inner(n)
	if n == nil || d.seen[n] || depth >= codec.MaxDescribed {
		return nil
	}
	d.seen[n] = true
	out := make([]codec.Field, len(n.fields))
	for i := range n.fields {
		f := &n.fields[i]
		out[i] = codec.Field{Name: f.name, Type: f.typ.word, Required: !f.hasDef}
		if f.hasDef {
			out[i].Note = "default " + defaultText(f.value)
		}
		out[i].Fields = d.fields(f.typ, depth+1)
	}
	return out
}

// defaultText is a default as the schema has it.
func defaultText(v any) string {
	text, err := json.Marshal(v)
	if err != nil || len(text) > maxDefaultText {
		return "in the schema"
	}
	return string(text)
}

// maxDefaultText is how long a default may be that is told.
const maxDefaultText = 80

// inner is the record that a node is, or that it has the values of; nil if there is none.
func inner(n *node) *node {
	switch n.kind {
	case kindRecord:
		return n
	case kindArray, kindMap:
		return inner(n.items)
	case kindUnion:
		for _, b := range n.union.branches {
			if r := inner(b); r != nil {
				return r
			}
		}
	default:
	}
	return nil
}
