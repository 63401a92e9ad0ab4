package json

import "strconv"

// Kind is what a Value is.
type Kind uint8

// The kinds. None is that of the zero Value: there is nothing.
const (
	None Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String is the word for a kind, as in JSON Schema.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	default:
		return "nothing"
	}
}

// Value is a value within a text that [Doc.Parse] found good, or nothing.
type Value struct {
	doc *Doc
	i   uint32 // of its node
}

func (v Value) node() *node { return &v.doc.nodes[v.i] }

// Kind is what v is.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return None
	}
	return v.node().kind
}

// Raw is v as it stands in the text, a view of it; nil for nothing.
func (v Value) Raw() []byte {
	if v.doc == nil {
		return nil
	}
	n := v.node()
	return v.doc.text[n.start:n.end:n.end]
}

// Offset is where v stands in the text, in bytes.
func (v Value) Offset() int {
	if v.doc == nil {
		return 0
	}
	return int(v.node().start)
}

// Bool is the value of a boolean; ok is false for other kinds.
func (v Value) Bool() (value, ok bool) {
	ok = v.Kind() == Bool
	return ok && v.Raw()[0] == 't', ok
}

// IsInteger says whether v is a number without fraction and exponent: 1.0 is none.
func (v Value) IsInteger() bool {
	if v.Kind() != Number {
		return false
	}
	raw := v.Raw()
	if raw[0] == '-' {
		raw = raw[1:]
	}
	return digits(raw, 0) == len(raw)
}

// Int is the value of an integer that fits into 64 bits; ok is false for everything else.
func (v Value) Int() (value int64, ok bool) {
	if !v.IsInteger() || len(v.Raw()) > len("-9223372036854775808") {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	return n, err == nil
}

// Float is the value of a number; ok is false for other kinds and for what is too large.
func (v Value) Float() (value float64, ok bool) {
	if v.Kind() != Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.Raw()), 64)
	return f, err == nil
}

// Members calls f for every member of an object, in the order of the text, until it returns false. Equal names are all
// shown. The name is a Value of kind String; see [Value.Equal] and [Value.AppendString]. Other kinds have no members.
func (v Value) Members(f func(name, value Value) bool) {
	if v.Kind() != Object {
		return
	}
	d, end := v.doc, v.node().next
	for i := v.i + 1; i < end; i = d.nodes[i+1].next {
		if !f(Value{d, i}, Value{d, i + 1}) {
			return
		}
	}
}

// Elements calls f for every element of an array until it returns false. Other kinds have no elements.
func (v Value) Elements(f func(i int, value Value) bool) {
	if v.Kind() != Array {
		return
	}
	d, end, n := v.doc, v.node().next, 0
	for i := v.i + 1; i < end; i = d.nodes[i].next {
		if !f(n, Value{d, i}) {
			return
		}
		n++
	}
}

// Len is the number of members of an object or elements of an array; other kinds have none.
func (v Value) Len() (n int) {
	switch v.Kind() {
	case Object:
		v.Members(func(_, _ Value) bool { n++; return true })
	case Array:
		v.Elements(func(int, Value) bool { n++; return true })
	default:
	}
	return n
}

// Named calls f for the value of every member, at any depth, whose name match accepts, in the order of the text. What is
// within such a value is not looked at.
func (v Value) Named(match func(name Value) bool, f func(value Value)) {
	if v.doc == nil {
		return
	}
	d, end := v.doc, v.node().next
	for i := v.i + 1; i < end; i++ {
		if d.nodes[i].name && match(Value{d, i}) {
			f(Value{d, i + 1})
			i = d.nodes[i+1].next - 1
		}
	}
}
