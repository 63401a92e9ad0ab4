package json

import "strconv"

// MaxDepth is how deeply arrays and objects may be nested. Encoding/json allows 10,000.
const MaxDepth = 1024

// keepNodes is how many nodes a Doc keeps for the next text; those of larger ones go to the garbage collector.
const keepNodes = 1 << 16

// Error says why a text is not JSON.
type Error struct {
	Offset int    // in bytes, where the text stops making sense
	What   string // what is wrong there
}

func (e *Error) Error() string { return "not JSON: " + e.What + " at byte " + strconv.Itoa(e.Offset) }

// Doc is a text and the places of its values. The zero Doc is ready. It is meant to be used for one text after the other.
type Doc struct {
	text  []byte
	nodes []node // in the order of the text: a container before what is in it, a name before its value
	n     int    // of nodes that are in use

	// While parsing.
	at    int
	depth int
	open  uint32 // the innermost container that is open
}

// node is the place of a value, or of a member's name.
type node struct {
	start, end uint32 // in the text
	next       uint32 // the node behind this one and all that is in it; of an open container the one around it
	kind       Kind
	name       bool // it is the name of a member
	escaped    bool // it is a string with a backslash in it
}

// Parse parses doc with a Doc of its own.
func Parse(doc []byte) (Value, error) { return new(Doc).Parse(doc) }

// Parse checks that text is one JSON text (RFC 8259) and returns it as a Value. That and all values in it are valid until the
// next call of Parse, and as long as text stays as it is.
func (d *Doc) Parse(text []byte) (Value, error) {
	// A value takes at least a byte, and one more to part it from the next or to close it; MaxDepth may not be closed.
	most := (len(text)+MaxDepth)/2 + 2
	if len(d.nodes) < most || len(d.nodes) > keepNodes {
		d.nodes = make([]node, most)
	}
	d.text, d.n, d.at, d.depth = text, 0, 0, 0
	if f := d.all(); f != good {
		return Value{}, &Error{Offset: d.at, What: f.text()}
	}
	return Value{doc: d}, nil
}

// all checks the whole text. It does not recurse: the depth is the sender's to choose.
func (d *Doc) all() fault {
	d.at = space(d.text, 0)
	for {
		f := d.value()
		if f == good {
			f = d.after()
		}
		switch f {
		case more:
		case good:
			if d.at = space(d.text, d.at); d.at < len(d.text) {
				return somethingFollows
			}
			return good
		default:
			return f
		}
	}
}

// value checks a scalar, or goes into an object or array; if that is not empty, more says that a value must follow.
func (d *Doc) value() fault {
	switch c := d.peek(); {
	case c == '"':
		return d.string(false)
	case c <= '9':
		return d.number()
	case c == '{':
		return d.enter(Object, '}')
	case c == '[':
		return d.enter(Array, ']')
	default:
		return d.word(c)
	}
}

// peek is the next byte, 0 at the end.
func (d *Doc) peek() byte {
	if d.at < len(d.text) {
		return d.text[d.at]
	}
	return 0
}

// add adds a node for what stands from start to d.at.
func (d *Doc) add(start int, kind Kind) *node {
	n := &d.nodes[d.n]
	d.n++
	*n = node{start: uint32(start), end: uint32(d.at), next: uint32(d.n), kind: kind}
	return n
}

func (d *Doc) enter(kind Kind, end byte) fault {
	if d.depth == MaxDepth {
		return tooDeep
	}
	d.depth++
	outer := d.open
	d.open = uint32(d.n)
	d.add(d.at, kind).next = outer
	d.at = space(d.text, d.at+1)
	switch {
	case d.peek() == end:
		d.leave()
		return good
	case kind == Object:
		return d.name()
	default:
		return more
	}
}

// leave closes the innermost container; d.at is at its end.
func (d *Doc) leave() {
	n := &d.nodes[d.open]
	d.at++
	d.depth--
	d.open, n.next, n.end = n.next, uint32(d.n), uint32(d.at)
}

// after checks what follows a value: closing brackets, or a comma, and then more says that a value must follow.
func (d *Doc) after() fault {
	for d.depth > 0 {
		d.at = space(d.text, d.at)
		object := d.nodes[d.open].kind == Object
		switch c := d.peek(); {
		case c == ',':
			d.at = space(d.text, d.at+1)
			if object {
				return d.name()
			}
			return more
		case c == '}' && object, c == ']' && !object:
			d.leave()
		default:
			return d.bad(commaMissing)
		}
	}
	return good
}

// name checks a member's name and the colon behind it, and returns more.
func (d *Doc) name() fault {
	if d.peek() != '"' {
		return d.bad(nameMissing)
	}
	if f := d.string(true); f != good {
		return f
	}
	d.at = space(d.text, d.at)
	if d.peek() != ':' {
		return d.bad(colonMissing)
	}
	d.at = space(d.text, d.at+1)
	return more
}

// word checks true, false or null, by the first letter.
func (d *Doc) word(c byte) fault {
	w, kind := "null", Null
	switch c {
	case 't':
		w, kind = "true", Bool
	case 'f':
		w, kind = "false", Bool
	}
	start := d.at
	for i := range len(w) {
		if d.peek() != w[i] {
			return d.bad(unexpected)
		}
		d.at++
	}
	d.add(start, kind)
	return good
}

func (d *Doc) string(name bool) fault {
	start := d.at
	d.at = special(d.text, start+1)
	escaped := d.peek() == '\\'
	if escaped && !d.escapes() {
		return badEscape
	}
	if d.peek() != '"' {
		return d.bad(controlCharacter)
	}
	d.at++
	n := d.add(start, String)
	n.name, n.escaped = name, escaped
	return good
}

// escapes goes on with a string from its first escape to its end; false if one is not valid.
func (d *Doc) escapes() bool {
	for d.peek() == '\\' {
		n := escapeSize(d.text[d.at:])
		if n == 0 {
			return false
		}
		d.at = special(d.text, d.at+n)
	}
	return true
}

// escapeSize is the length of the escape that s begins with, 0 if it is none.
func escapeSize(s []byte) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s); ok {
			return 6
		}
	}
	return 0
}

// number checks a number: -? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?
func (d *Doc) number() fault {
	start := d.at
	if d.peek() == '-' {
		d.at++
	}
	if d.peek() == '0' {
		d.at++
	} else if !d.digits() {
		return d.bad(unexpected)
	}
	if c := d.peek(); (c == '.' || c|0x20 == 'e') && !d.fraction() {
		return d.bad(unexpected)
	}
	d.add(start, Number)
	return good
}

// fraction checks what stands behind the integer part.
func (d *Doc) fraction() bool {
	if d.peek() == '.' {
		d.at++
		if !d.digits() {
			return false
		}
	}
	if d.peek()|0x20 != 'e' {
		return true
	}
	d.at++
	if c := d.peek(); c == '+' || c == '-' {
		d.at++
	}
	return d.digits()
}

// digits skips digits and says whether there were any.
func (d *Doc) digits() bool {
	from := d.at
	d.at = digits(d.text, from)
	return d.at > from
}
