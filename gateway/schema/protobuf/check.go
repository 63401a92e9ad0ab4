package protobuf

import (
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/schema/codec"
)

// Check says whether message indexes and a message, as Encode writes them, fit the schema. It builds no message, and unlike readers of
// Protobuf it takes a field that has another wire type than its own for wrong, not for unknown: the sender said which schema it is.
//
// Indexes may be counted as Confluent's clients for Python and .NET do: DESIGN.md.
func (c *Codec) Check(data []byte) error {
	d, rest, err := c.chosen(data)
	if err == nil {
		bad := c.checkMessage(d, rest, c.messageDepth())
		if bad == nil {
			return nil
		}
		err = bad
	}
	path, n := readIndexes(data)
	if n < 0 {
		return err
	}
	if other := byDescriptors(c.file, path); other != nil && other != d && c.checkMessage(other, data[n:], c.messageDepth()) == nil {
		return nil
	}
	return err
}

// byDescriptors is the message at a path of indexes that count all messages which the library has, or nil.
func byDescriptors(p parent, path []int) protoreflect.MessageDescriptor {
	if path[0] >= p.Messages().Len() {
		return nil
	}
	d := p.Messages().Get(path[0])
	if len(path) == 1 {
		return d
	}
	return byDescriptors(d, path[1:])
}

// messageDepth is how deep messages may be nested. A level of JSON is at most three of messages: Struct, the entry of its map, Value.
func (c *Codec) messageDepth() int { return 3*c.o.Depth() + 3 }

// checkMessage looks at the fields of a message. left is how deep others may be in it.
func (c *Codec) checkMessage(d protoreflect.MessageDescriptor, data []byte, left int) *codec.ValueError {
	if left == 0 {
		return &codec.ValueError{Want: "messages that are not nested so deep (schema.max.depth)", Found: "one more"}
	}
	required := c.requiredOf(d)
	var given map[protowire.Number]bool
	if len(required) > 0 {
		given = make(map[protowire.Number]bool)
	}
	for pos := 0; pos < len(data); {
		number, typ, n := protowire.ConsumeTag(data[pos:])
		if n < 0 {
			return unreadable(d)
		}
		size := protowire.ConsumeFieldValue(number, typ, data[pos+n:])
		if size < 0 {
			return unreadable(d)
		}
		if f := d.Fields().ByNumber(number); f != nil {
			if given != nil {
				given[number] = true
			}
			if err := c.checkField(f, typ, data[pos+n:pos+n+size], left-1); err != nil {
				return inField(err, f, data[:pos])
			}
		}
		pos += n + size
	}
	for _, f := range required {
		if !given[f.Number()] {
			return &codec.ValueError{Path: "/" + codec.Escape(f.JSONName()), Want: "a value, which is required", Found: "nothing"}
		}
	}
	return nil
}

// requiredOf are the required fields of a message.
func (c *Codec) requiredOf(d protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	if d.ParentFile().Syntax() == protoreflect.Proto3 {
		return nil
	}
	if known, ok := c.required.Load(d.FullName()); ok {
		return known.([]protoreflect.FieldDescriptor)
	}
	var all []protoreflect.FieldDescriptor
	for i := range d.Fields().Len() {
		if f := d.Fields().Get(i); f.Cardinality() == protoreflect.Required {
			all = append(all, f)
		}
	}
	c.required.Store(d.FullName(), all)
	return all
}

func unreadable(d protoreflect.MessageDescriptor) *codec.ValueError {
	return &codec.ValueError{Want: "message " + string(d.FullName()), Found: "bytes that cannot be read"}
}

// checkField looks at the value of a field, with its length if it has one.
func (c *Codec) checkField(f protoreflect.FieldDescriptor, typ protowire.Type, value []byte, left int) *codec.ValueError {
	want := wireType(f.Kind())
	switch {
	case typ == want:
	case typ == protowire.BytesType && f.IsList() && want != protowire.StartGroupType:
		return checkPacked(f, want, value)
	default:
		return &codec.ValueError{Want: "a field of kind " + f.Kind().String(), Found: "wire type " + strconv.Itoa(int(typ))}
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		inner, _ := protowire.ConsumeBytes(value)
		return c.checkMessage(f.Message(), inner, left)
	case protoreflect.GroupKind:
		inner, _ := protowire.ConsumeGroup(f.Number(), value)
		return c.checkMessage(f.Message(), inner, left)
	case protoreflect.StringKind:
		if text, _ := protowire.ConsumeBytes(value); !utf8.Valid(text) {
			return &codec.ValueError{Want: "string in UTF-8", Found: "bytes that are not"}
		}
	default:
	}
	return nil
}

// checkPacked looks at the elements of a field that stand together.
func checkPacked(f protoreflect.FieldDescriptor, want protowire.Type, value []byte) *codec.ValueError {
	for left, _ := protowire.ConsumeBytes(value); len(left) > 0; {
		n := protowire.ConsumeFieldValue(f.Number(), want, left)
		if n < 0 {
			return &codec.ValueError{Want: "elements of kind " + f.Kind().String(), Found: "bytes that cannot be read"}
		}
		left = left[n:]
	}
	return nil
}

// inField says that an error is in a field, of which those before it are in data.
func inField(err *codec.ValueError, f protoreflect.FieldDescriptor, before []byte) *codec.ValueError {
	if f.IsList() && !f.IsPacked() {
		index := 0
		for len(before) > 0 {
			number, _, n := protowire.ConsumeField(before)
			if number == f.Number() {
				index++
			}
			before = before[n:]
		}
		err = within(strconv.Itoa(index), err)
	}
	return within(f.JSONName(), err)
}
