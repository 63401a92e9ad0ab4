package protobuf

import (
	"bytes"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// encoder writes one value at a time.
type encoder struct {
	s      jsontext.Scanner
	byName map[protoreflect.FullName]*message
	seen   []uint64 // a stack of bit sets, one for each message that is being written
	keys   []span   // a stack: where in dst the keys of the maps are that are being written
}

type span struct{ from, to int }

func (e *encoder) reset(value []byte, maxDepth int) {
	e.s.Reset(value, maxDepth)
	e.seen, e.keys = e.seen[:0], e.keys[:0]
}

// message appends the fields of a message, without its tag and length.
func (e *encoder) message(dst []byte, m *message) ([]byte, *codec.ValueError) {
	if m.known != nil {
		return m.known(e, dst, m)
	}
	return e.object(dst, m, "")
}

// object appends the fields of a message whose JSON is an object. If skip is not empty, the member of that name is no field.
func (e *encoder) object(dst []byte, m *message, skip string) ([]byte, *codec.ValueError) {
	if e.s.Peek() != jsontext.Object {
		return nil, e.unexpected(m.wants())
	}
	if err := e.s.Open(); err != nil {
		return nil, err
	}
	set := len(e.seen)
	e.seen = append(e.seen, make([]uint64, (m.bits+63)/64)...)
	for first := true; ; first = false {
		name, ok, err := e.s.Member(first)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if skip != "" && string(name) == skip {
			_, err = e.s.Skip()
		} else {
			dst, err = e.member(dst, m, name, set)
		}
		if err != nil {
			return nil, within(string(name), err)
		}
	}
	for _, f := range m.required {
		if !e.has(set, f.given) {
			return nil, &codec.ValueError{Path: "/" + codec.Escape(f.name), Want: f.wants() + ", which is required", Found: "nothing"}
		}
	}
	e.seen = e.seen[:set]
	return dst, nil
}

// member appends the field of a name. Its value comes next.
func (e *encoder) member(dst []byte, m *message, name []byte, set int) ([]byte, *codec.ValueError) {
	f := m.fields[string(name)]
	if f == nil {
		if m.ignoreUnknown {
			_, err := e.s.Skip()
			return dst, err
		}
		return nil, &codec.ValueError{Want: "a field of message " + m.name, Found: "an unknown name"}
	}
	if e.has(set, f.bit) {
		return nil, &codec.ValueError{Want: "each field once", Found: "it a second time"}
	}
	e.mark(set, f.bit)
	if e.s.Peek() == jsontext.Null && !f.nullable {
		_, err := e.s.Word()
		return dst, err // as if the field were not there
	}
	if f.oneof >= 0 {
		if e.has(set, f.oneof) {
			return nil, &codec.ValueError{Want: "one field of oneof " + f.oneofIs, Found: "a second one"}
		}
		e.mark(set, f.oneof)
	}
	if f.given >= 0 {
		e.mark(set, f.given)
	}
	return e.field(dst, f)
}

func (e *encoder) has(set, bit int) bool { return e.seen[set+bit/64]>>(bit%64)&1 != 0 }
func (e *encoder) mark(set, bit int)     { e.seen[set+bit/64] |= 1 << (bit % 64) }

// field appends a field with its tag.
func (e *encoder) field(dst []byte, f *field) ([]byte, *codec.ValueError) {
	switch {
	case f.val != nil:
		return e.mapField(dst, f)
	case f.packed:
		start := len(dst)
		dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
		body := len(dst)
		dst, err := e.elements(append(dst, 0), f)
		if err != nil {
			return nil, err
		}
		if len(dst) == body+1 {
			return dst[:start], nil
		}
		return fixLength(dst, body), nil
	case f.list:
		return e.elements(dst, f)
	default:
		return e.one(dst, f)
	}
}

// elements appends what an array has: bare if the field is packed, else each with the tag.
func (e *encoder) elements(dst []byte, f *field) ([]byte, *codec.ValueError) {
	if e.s.Peek() != jsontext.Array {
		return nil, e.unexpected(f.wants())
	}
	if err := e.s.Open(); err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		ok, err := e.s.Element(i == 0)
		if !ok {
			return dst, err
		}
		if f.packed {
			dst, _, err = e.scalar(dst, f)
		} else {
			dst, err = e.one(dst, f)
		}
		if err != nil {
			return nil, within(strconv.Itoa(i), err)
		}
	}
}

// one appends one value with its tag, or nothing for the zero of a field that has no presence.
func (e *encoder) one(dst []byte, f *field) ([]byte, *codec.ValueError) {
	start := len(dst)
	dst = protowire.AppendTag(dst, f.number, wireType(f.kind))
	if f.msg == nil {
		dst, zero, err := e.scalar(dst, f)
		if err != nil {
			return nil, err
		}
		if zero && !f.presence && !f.list {
			return dst[:start], nil
		}
		return dst, nil
	}
	if f.kind == protoreflect.GroupKind {
		dst, err := e.message(dst, f.msg)
		if err != nil {
			return nil, err
		}
		return protowire.AppendTag(dst, f.number, protowire.EndGroupType), nil
	}
	body := len(dst)
	dst, err := e.message(append(dst, 0), f.msg)
	if err != nil {
		return nil, err
	}
	return fixLength(dst, body), nil
}

// mapField appends the entries of a map. A key occurs once.
func (e *encoder) mapField(dst []byte, f *field) ([]byte, *codec.ValueError) {
	if e.s.Peek() != jsontext.Object {
		return nil, e.unexpected(f.wants())
	}
	if err := e.s.Open(); err != nil {
		return nil, err
	}
	base := len(e.keys)
	for first := true; ; first = false {
		name, ok, err := e.s.Member(first)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if dst, err = e.entry(dst, f, name); err != nil {
			return nil, within(string(name), err)
		}
	}
	keys := e.keys[base:]
	slices.SortFunc(keys, func(a, b span) int { return bytes.Compare(dst[a.from:a.to], dst[b.from:b.to]) })
	for i := 1; i < len(keys); i++ {
		if a, b := keys[i-1], keys[i]; bytes.Equal(dst[a.from:a.to], dst[b.from:b.to]) {
			return nil, &codec.ValueError{Want: "each key once", Found: "one a second time"}
		}
	}
	e.keys = e.keys[:base]
	return dst, nil
}

// entry appends one entry of a map, and notes where its key is.
func (e *encoder) entry(dst []byte, f *field, name []byte) ([]byte, *codec.ValueError) {
	dst = protowire.AppendTag(dst, f.number, protowire.BytesType)
	body := len(dst)
	dst = append(dst, 0)
	dst, err := appendKey(protowire.AppendTag(dst, f.key.number, wireType(f.key.kind)), f.key, name)
	if err != nil {
		return nil, err
	}
	size := len(dst) - body - 1
	if dst, err = e.one(dst, f.val); err != nil {
		return nil, err
	}
	n := len(dst)
	dst = fixLength(dst, body)
	from := body + 1 + len(dst) - n // the length may have become longer
	e.keys = append(e.keys, span{from, from + size})
	return dst, nil
}

// fixLength writes the length of what follows at, where one byte was kept for it.
func fixLength(dst []byte, at int) []byte {
	n := len(dst) - at - 1
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	more := protowire.SizeVarint(uint64(n)) - 1
	dst = append(dst, "\x00\x00\x00\x00\x00\x00\x00\x00\x00"[:more]...)
	copy(dst[at+1+more:], dst[at+1:at+1+n])
	protowire.AppendVarint(dst[:at], uint64(n))
	return dst
}

func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	default:
		return protowire.VarintType
	}
}

// unexpected says that something else was wanted than what comes next.
func (e *encoder) unexpected(want string) *codec.ValueError {
	if e.s.Peek() == jsontext.Invalid {
		return e.s.Syntax()
	}
	return &codec.ValueError{Want: want, Found: e.s.Found(), Kind: e.s.Peek().String()}
}

// within says that an error is in the member or element of a name.
func within(name string, err *codec.ValueError) *codec.ValueError {
	err.Path = "/" + codec.Escape(name) + err.Path
	return err
}
