package avro

import (
	"encoding/binary"
	"slices"
	"strconv"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// encoder walks a JSON value and a schema side by side. It is used again and again.
type encoder struct {
	jsontext.Scanner

	depth  int
	ignore bool
	spans  []span // of the fields of the records that are being written
	spare  int    // bytes that may still be read again because a union's branch did not fit
}

// span is where a field stands in what is written; end is 0 if it does not yet.
type span struct{ start, end int }

// minSpare is what may be read again, beside spareFactor times the value: a union of unions must not cost exponentially.
const (
	minSpare    = 64 << 10
	spareFactor = 16
)

func (e *encoder) begin(value []byte, o codec.Options) {
	e.depth, e.ignore = o.Depth(), o.IgnoreUnknown
	e.Reset(value, 2*e.depth+2) // each level of the schema may have the tag of a union around it
	e.spans = e.spans[:0]
	e.spare = spareFactor*len(value) + minSpare
}

func (e *encoder) mismatch(n *node) *codec.ValueError {
	return &codec.ValueError{Want: n.word, Found: e.Found(), Kind: e.kind()}
}

// within puts the name of a member in front of the place of an error.
func within(err *codec.ValueError, name string) *codec.ValueError {
	err.Path = "/" + codec.Escape(name) + err.Path
	return err
}

func atItem(err *codec.ValueError, i int) *codec.ValueError {
	err.Path = "/" + strconv.Itoa(i) + err.Path
	return err
}

// value appends the next value as n says.
func (e *encoder) value(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	switch n.kind {
	case kindNull:
		if e.Peek() != jsontext.Null {
			return dst, e.mismatch(n)
		}
		_, err := e.Word()
		return dst, err
	case kindBoolean:
		return e.boolean(dst, n)
	case kindInt, kindLong:
		return e.integer(dst, n)
	case kindFloat, kindDouble:
		return e.float(dst, n)
	case kindString, kindBytes, kindFixed, kindEnum:
		return e.textual(dst, n)
	default:
	}
	if depth >= e.depth {
		return dst, tooDeep()
	}
	switch n.kind {
	case kindUnion:
		return e.union(dst, n, depth+1)
	case kindRecord:
		return e.record(dst, n, depth+1)
	case kindArray:
		return e.array(dst, n, depth+1)
	default:
		return e.mapping(dst, n, depth+1)
	}
}

func tooDeep() *codec.ValueError {
	return &codec.ValueError{Want: "less nesting", Found: "more than schema.max.depth levels"}
}

func (e *encoder) boolean(dst []byte, n *node) ([]byte, *codec.ValueError) {
	if e.Peek() != jsontext.Bool {
		return dst, e.mismatch(n)
	}
	v, err := e.Word()
	return appendBool(dst, v), err
}

// open enters an object or array, if there is one.
func (e *encoder) open(n *node, k jsontext.Kind) *codec.ValueError {
	if e.Peek() != k {
		return e.mismatch(n)
	}
	return e.Open()
}

// record writes members as they come, and puts them into the order of the schema afterwards if that is another.
func (e *encoder) record(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	if err := e.open(n, jsontext.Object); err != nil {
		return dst, err
	}
	base, start, expected := len(e.spans), len(dst), 0
	e.spans = growSpans(e.spans, len(n.fields))
	ordered := true
	for first := true; ; first = false {
		name, more, err := e.Member(first)
		if err != nil {
			return dst, err
		}
		if !more {
			break
		}
		at, err := e.member(n, name, expected)
		if err != nil {
			return dst, err
		}
		if at < 0 {
			continue
		}
		f := &n.fields[at]
		if e.spans[base+at].end != 0 {
			return dst, within(&codec.ValueError{Want: f.typ.word, Found: "the same member twice"}, f.name)
		}
		from := len(dst)
		if dst, err = e.value(dst, f.typ, depth); err != nil {
			return dst, within(err, f.name)
		}
		e.spans[base+at] = span{from + 1, len(dst) + 1} // + 1, so that 0 is none
		ordered = ordered && at == expected
		expected = at + 1
	}
	dst, err := arrange(dst, n, e.spans[base:], start, ordered)
	e.spans = e.spans[:base]
	return dst, err
}

func growSpans(s []span, n int) []span {
	l := len(s)
	s = slices.Grow(s, n)[:l+n]
	clear(s[l:])
	return s
}

// member finds the field of a member; -1 if there is none and the member was skipped.
func (e *encoder) member(n *node, name []byte, expected int) (int, *codec.ValueError) {
	if expected < len(n.fields) && string(name) == n.fields[expected].name {
		return expected, nil
	}
	if at, ok := n.index[string(name)]; ok {
		return at, nil
	}
	if e.ignore {
		_, err := e.Skip()
		return -1, err
	}
	return 0, within(&codec.ValueError{Want: "a member of " + n.word, Found: "one that it does not have"}, string(name))
}

// arrange puts the fields into the order of the schema, with the defaults of those that are not there.
func arrange(dst []byte, n *node, spans []span, start int, ordered bool) ([]byte, *codec.ValueError) {
	middle := len(dst)
	for i := range n.fields {
		f := &n.fields[i]
		switch at := spans[i]; {
		case at.end == 0 && !f.hasDef:
			return dst, within(&codec.ValueError{Want: f.typ.word, Found: "nothing"}, f.name)
		case at.end == 0:
			dst = append(dst, f.def...)
		case !ordered:
			dst = append(dst, dst[at.start-1:at.end-1]...)
		}
	}
	if ordered { // those that are there come first, and only defaults were appended
		return dst, nil
	}
	return append(dst[:start], dst[middle:]...), nil
}

// array writes one block. Its count stands before it, and is known behind it.
func (e *encoder) array(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	if err := e.open(n, jsontext.Array); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, 0)
	for count := 0; ; count++ {
		more, err := e.Element(count == 0)
		if err != nil {
			return dst, err
		}
		if !more {
			return endBlock(dst, start, count), nil
		}
		if dst, err = e.value(dst, n.items, depth); err != nil {
			return dst, atItem(err, count)
		}
	}
}

func (e *encoder) mapping(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	if err := e.open(n, jsontext.Object); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, 0)
	keys := keySet{base: len(e.spans)}
	for count := 0; ; count++ {
		key, more, err := e.Member(count == 0)
		if err != nil {
			return dst, err
		}
		if !more {
			e.spans = e.spans[:keys.base]
			return endBlock(dst, start, count), nil
		}
		dst = append(appendLong(dst, int64(len(key))), key...)
		at := span{len(dst) - len(key), len(dst)}
		if !keys.add(e, dst, at) {
			return dst, within(&codec.ValueError{Want: n.items.word, Found: "the same key twice"}, string(key))
		}
		if dst, err = e.value(dst, n.items, depth); err != nil {
			return dst, within(err, string(dst[at.start:at.end]))
		}
	}
}

// keySet finds the keys of a map that are given twice. They stand in what is written, at the encoder's spans from base on.
type keySet struct {
	base int
	many map[string]struct{} // nil while there are few
}

// fewKeys is how many are compared one by one.
const fewKeys = 16

func (k *keySet) add(e *encoder, dst []byte, at span) bool {
	key := dst[at.start:at.end]
	before := e.spans[k.base:]
	e.spans = append(e.spans, at)
	if k.many == nil && len(before) < fewKeys {
		return !slices.ContainsFunc(before, func(b span) bool { return string(dst[b.start:b.end]) == string(key) })
	}
	if k.many == nil {
		k.many = make(map[string]struct{})
		for _, b := range before {
			k.many[string(dst[b.start:b.end])] = struct{}{}
		}
	}
	if _, twice := k.many[string(key)]; twice {
		return false
	}
	k.many[string(key)] = struct{}{}
	return true
}

// endBlock puts the count in front of the items that stand behind start, where one byte was left for it, and ends the blocks.
func endBlock(dst []byte, start, count int) []byte {
	if count == 0 {
		return dst // the byte is the end already
	}
	if count < 64 {
		dst[start] = byte(count << 1)
		return append(dst, 0)
	}
	var head [binary.MaxVarintLen64]byte
	n := binary.PutVarint(head[:], int64(count))
	dst = slices.Insert(dst, start+1, head[1:n]...)
	dst[start] = head[0]
	return append(dst, 0)
}

func appendLong(dst []byte, v int64) []byte { return binary.AppendVarint(dst, v) }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}
