// Package jsontext reads one JSON text (RFC 8259) token by token, for codecs that write another form while they read.
//
// It is stricter than encoding/json where a consumer could read something else than the gateway did: strings are valid UTF-8 without
// lone surrogates, and nothing follows the value. Names that occur twice are the caller's to refuse, since it knows the names.
package jsontext

import (
	"fmt"

	"sluice/gateway/schema/codec"
)

// Kind is the kind of a value, told by its first byte. Numbers are '0', whatever they begin with, and so are true and false 't'.
type Kind byte

// The kinds of values. Invalid is the end of the text, or a byte that begins no value.
const (
	Invalid Kind = 0
	Null    Kind = 'n'
	Bool    Kind = 't'
	Number  Kind = '0'
	String  Kind = '"'
	Object  Kind = '{'
	Array   Kind = '['
)

// String is the kind in the words of errors.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Object:
		return "an object"
	case Array:
		return "an array"
	default:
		return "no JSON value"
	}
}

// Scanner reads one JSON text. The zero value is made ready by Reset, and may be used again after it.
// After an error it must be Reset.
type Scanner struct {
	DepthLimit string // what bounds the nesting, as errors name it

	data     []byte
	pos      int
	depth    int
	maxDepth int
	text     []byte // the last string that had escapes
	names    []byte // all names that had escapes
}

// Reset begins with a text whose objects and arrays may be nested maxDepth deep. The text is not changed, and must not be
// while it is read.
func (s *Scanner) Reset(data []byte, maxDepth int) {
	s.data, s.pos, s.depth, s.maxDepth = data, 0, 0, maxDepth
	s.names = s.names[:0]
}

// Peek is the kind of the value that comes next.
func (s *Scanner) Peek() Kind {
	s.space()
	if s.pos >= len(s.data) {
		return Invalid
	}
	switch c := s.data[s.pos]; c {
	case '{', '[', '"', 'n':
		return Kind(c)
	case 't', 'f':
		return Bool
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number
	default:
		return Invalid
	}
}

// Open enters the object or array that Peek has told of.
func (s *Scanner) Open() *codec.ValueError {
	if s.depth >= s.maxDepth {
		return &codec.ValueError{Want: fmt.Sprintf("at most %d levels of nesting (%s)", s.maxDepth, s.DepthLimit), Found: "one more"}
	}
	s.depth++
	s.pos++
	return nil
}

// Member goes to the next member of an object that was entered, and is its name; then its value must be read. It is not ok
// at the end of the object, which is left. The name stays valid until Reset.
func (s *Scanner) Member(first bool) (name []byte, ok bool, err *codec.ValueError) {
	if ok, err := s.next(first, '}'); !ok {
		return nil, false, err
	}
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return nil, false, s.syntax("the name of a member")
	}
	name, escaped, err := s.quoted()
	if err != nil {
		return nil, false, err
	}
	if escaped {
		s.names = append(s.names, name...)
		name = s.names[len(s.names)-len(name):]
	}
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != ':' {
		return nil, false, s.syntax("a colon")
	}
	s.pos++
	return name, true, nil
}

// Element goes to the next element of an array that was entered; then it must be read. It is not ok at the end of the
// array, which is left.
func (s *Scanner) Element(first bool) (ok bool, err *codec.ValueError) {
	return s.next(first, ']')
}

func (s *Scanner) next(first bool, end byte) (ok bool, err *codec.ValueError) {
	s.space()
	if s.pos >= len(s.data) {
		return false, s.syntax(`"` + string(end) + `"`)
	}
	switch c := s.data[s.pos]; {
	case c == end:
		s.pos++
		s.depth--
		return false, nil
	case first:
		return true, nil
	case c == ',':
		s.pos++
		s.space()
		if s.pos < len(s.data) && s.data[s.pos] == end {
			return false, s.syntax("a value after the comma")
		}
		return true, nil
	default:
		return false, s.syntax(`a comma or "` + string(end) + `"`)
	}
}

// Text reads a string and is what it says. It is valid until the next string is read.
func (s *Scanner) Text() ([]byte, *codec.ValueError) {
	text, _, err := s.quoted()
	return text, err
}

// Literal reads a number, and is it as it is written.
func (s *Scanner) Literal() ([]byte, *codec.ValueError) {
	n := numberLen(s.data[s.pos:])
	if n == 0 {
		return nil, s.syntax("a number")
	}
	lit := s.data[s.pos : s.pos+n]
	s.pos += n
	return lit, nil
}

// Word reads null, true or false. It is true for true.
func (s *Scanner) Word() (bool, *codec.ValueError) {
	rest := s.data[s.pos:]
	for _, w := range [...]string{"true", "null", "false"} {
		if len(rest) >= len(w) && string(rest[:len(w)]) == w {
			s.pos += len(w)
			return w == "true", nil
		}
	}
	return false, s.syntax("null, true or false")
}

// End says that the value was all there was.
func (s *Scanner) End() *codec.ValueError {
	s.space()
	if s.pos < len(s.data) {
		return s.syntax("the end")
	}
	return nil
}

// Skip reads a value of any kind, and is it as it is written.
func (s *Scanner) Skip() ([]byte, *codec.ValueError) {
	s.space()
	start := s.pos
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}

func (s *Scanner) skip() *codec.ValueError {
	switch s.Peek() {
	case Object:
		return s.skipObject()
	case Array:
		if err := s.Open(); err != nil {
			return err
		}
		for i := 0; ; i++ {
			if ok, err := s.Element(i == 0); !ok {
				return err
			}
			if err := s.skip(); err != nil {
				return err
			}
		}
	case String:
		_, _, err := s.quoted()
		return err
	case Number:
		_, err := s.Literal()
		return err
	case Null, Bool:
		_, err := s.Word()
		return err
	default:
		return s.Syntax()
	}
}

func (s *Scanner) skipObject() *codec.ValueError {
	if err := s.Open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		if _, ok, err := s.Member(first); !ok {
			return err
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}

// Mark is a place in the text, to come back to.
type Mark struct{ pos, depth int }

// Mark is where the scanner is.
func (s *Scanner) Mark() Mark { return Mark{s.pos, s.depth} }

// Back goes back to a place.
func (s *Scanner) Back(m Mark) { s.pos, s.depth = m.pos, m.depth }

// Pos is how many bytes of the text were read.
func (s *Scanner) Pos() int { return s.pos }

// Found tells what comes next in the words of errors: short values as they are, others by their kind.
func (s *Scanner) Found() string {
	k := s.Peek()
	if k == Invalid {
		return s.Syntax().Found
	}
	if k == Object || k == Array {
		return k.String()
	}
	at := s.Mark()
	raw, err := s.Skip()
	s.Back(at)
	if err != nil || len(raw) > maxQuoted {
		return k.String()
	}
	return string(raw)
}

// maxQuoted is how long a value is that an error quotes.
const maxQuoted = 40

// Syntax says that no value begins here.
func (s *Scanner) Syntax() *codec.ValueError { return s.syntax("a value") }

func (s *Scanner) syntax(want string) *codec.ValueError {
	found := "the end"
	if s.pos < len(s.data) {
		found = fmt.Sprintf("%q", s.data[s.pos])
		if s.data[s.pos] >= 0x80 {
			found = fmt.Sprintf("byte 0x%02x", s.data[s.pos])
		}
	}
	return &codec.ValueError{Want: "JSON with " + want, Found: fmt.Sprintf("%s at byte %d", found, s.pos)}
}

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}
