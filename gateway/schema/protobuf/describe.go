package protobuf

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/schema/codec"
)

// maxDescribed is how many messages are told with their indexes.
const maxDescribed = 1000

// Describe tells what values there are, and which messages the schema declares.
func (c *Codec) Describe() codec.Description {
	d := describer{seen: map[protoreflect.FullName]bool{}}
	out := codec.Description{Type: "message " + c.RecordName(), Fields: d.fields(c.desc, 0)}
	out.Messages = messages(nil, c.file, nil)
	return out
}

func messages(all []codec.Message, p parent, path []int) []codec.Message {
	for i, m := range declared(p) {
		if len(all) >= maxDescribed {
			break
		}
		indexes := append(slices.Clip(path), i)
		all = messages(append(all, codec.Message{Name: string(m.FullName()), Indexes: indexes}), m, indexes)
	}
	return all
}

// describer goes into each message once.
type describer struct {
	seen map[protoreflect.FullName]bool
}

func (d *describer) fields(m protoreflect.MessageDescriptor, depth int) []codec.Field {
	if m == nil || d.seen[m.FullName()] || knownType(m.FullName()) != nil || depth >= codec.MaxDescribed {
		return nil
	}
	d.seen[m.FullName()] = true
	var out []codec.Field
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		one := codec.Field{Name: f.JSONName(), Type: typeOf(f), Required: f.Cardinality() == protoreflect.Required}
		if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
			one.Note = "oneof " + string(o.Name())
		}
		inner := f.Message()
		if f.IsMap() {
			inner = f.MapValue().Message()
		}
		one.Fields = d.fields(inner, depth+1)
		out = append(out, one)
	}
	return out
}

// typeOf is the type of a field as the schema writes it.
func typeOf(f protoreflect.FieldDescriptor) string {
	name := func(f protoreflect.FieldDescriptor) string {
		switch {
		case f.Message() != nil:
			return string(f.Message().FullName())
		case f.Enum() != nil:
			return "enum " + string(f.Enum().FullName())
		default:
			return f.Kind().String()
		}
	}
	switch {
	case f.IsMap():
		return "map<" + name(f.MapKey()) + ", " + name(f.MapValue()) + ">"
	case f.IsList():
		return "repeated " + name(f)
	default:
		return name(f)
	}
}
