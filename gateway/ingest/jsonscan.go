package ingest

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"sluice/gateway/record"
)

// maxDepth is how deep arrays and objects may lie in each other.
const maxDepth = 256

// scanner reads one JSON text (RFC 8259) and accepts nothing else. Whoever starts it has checked that the text is UTF-8.
// Reading stops at the first error; the error names the line and the column, in bytes from 1.
type scanner struct {
	b    []byte
	i    int
	line int
}

func (s *scanner) errorf(format string, args ...any) *record.Error {
	e := record.Errorf(record.Invalid, format, args...)
	return s.located(e)
}

func (s *scanner) located(e *record.Error) *record.Error {
	e.Message = "line " + itoa(s.line) + ", column " + itoa(s.i+1) + ": " + e.Message
	return e
}

// peek steps over white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		c := s.b[s.i]
		if c > ' ' || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
		s.i++
	}
	return 0
}

// expect steps over c.
func (s *scanner) expect(c byte) *record.Error {
	if s.peek() != c {
		return s.unexpected("'" + string(c) + "'")
	}
	s.i++
	return nil
}

func (s *scanner) unexpected(wanted string) *record.Error {
	if s.i >= len(s.b) {
		return s.errorf("the line ends where %s should be", wanted)
	}
	return s.errorf("%q where %s should be", s.b[s.i], wanted)
}

// end is satisfied when only white space is left.
func (s *scanner) end() *record.Error {
	if s.peek(); s.i < len(s.b) {
		return s.errorf("something follows the JSON object")
	}
	return nil
}

// next steps to the next element of an array or object that ends with end, which begins before the first element. It
// returns false after the end.
func (s *scanner) next(end byte, first *bool) (bool, *record.Error) {
	c := s.peek()
	switch {
	case c == end:
		s.i++
		return false, nil
	case *first:
		*first = false
		return true, nil
	case c != ',':
		return false, s.unexpected("',' or '" + string(end) + "'")
	}
	s.i++
	return true, nil
}

// member reads the name of an object's member and the colon behind it. The name is as written, escapes and all.
func (s *scanner) member() (name []byte, err *record.Error) {
	if name, _, err = s.str(); err != nil {
		return nil, err
	}
	return name, s.expect(':')
}

// str reads a string and returns what is between its quotes, as written.
func (s *scanner) str() (raw []byte, escaped bool, err *record.Error) {
	if s.peek() != '"' {
		return nil, false, s.unexpected("a string")
	}
	s.i++
	start := s.i
	for {
		s.skipPlain()
		if s.i >= len(s.b) {
			return nil, false, s.errorf("the string does not end")
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return nil, false, err
			}
		default:
			return nil, false, s.errorf("control character %#02x in a string", c)
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// skipPlain steps to the next byte that is a quote, a backslash or a control character, eight bytes at a time.
func (s *scanner) skipPlain() {
	b, i := s.b, s.i
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, back := w^('"'*ones), w^('\\'*ones)
		// A byte's high bit ends up set if it is zero, or below 0x20. Bits above the first hit may be wrong, and are not used.
		hit := ((quote - ones) &^ quote) | ((back - ones) &^ back) | ((w - ' '*ones) &^ w)
		if hit &= highs; hit != 0 {
			s.i = i + bits.TrailingZeros64(hit)/8
			return
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	s.i = i
}

// escape steps over a backslash and what belongs to it.
func (s *scanner) escape() *record.Error {
	s.i++
	if s.i >= len(s.b) {
		return s.errorf("the string does not end")
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i++
		return nil
	case 'u':
		if _, ok := hex4(s.b[s.i+1:]); !ok {
			return s.errorf(`\u without four hexadecimal digits`)
		}
		s.i += 5
		return nil
	default:
		return s.errorf(`\%c is not an escape`, s.b[s.i])
	}
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		d := unhex(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// value reads any value and returns its text as sent.
func (s *scanner) value() ([]byte, *record.Error) {
	s.peek()
	start := s.i
	if err := s.skip(0); err != nil {
		return nil, err
	}
	return s.b[start:s.i], nil
}

// skip steps over a value that lies depth deep.
func (s *scanner) skip(depth int) (err *record.Error) {
	switch c := s.peek(); {
	case c == '"':
		_, _, err = s.str()
		return err
	case c == '{' || c == '[':
		if depth == maxDepth {
			return s.errorf("arrays and objects are nested more than %d deep", maxDepth)
		}
		return s.skipNested(c, depth+1)
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	default:
		return s.unexpected("a value")
	}
}

func (s *scanner) skipNested(open byte, depth int) *record.Error {
	s.i++
	end := open + 2 // in ASCII, '}' and ']' come two after '{' and '['
	for first := true; ; {
		more, err := s.next(end, &first)
		if err != nil || !more {
			return err
		}
		if open == '{' {
			if _, err := s.member(); err != nil {
				return err
			}
		}
		if err := s.skip(depth); err != nil {
			return err
		}
	}
}

func (s *scanner) literal(word string) *record.Error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.errorf("a value that is no JSON")
	}
	s.i += len(word)
	return nil
}

// number steps over a number: -? int frac? exp?
func (s *scanner) number() *record.Error {
	if s.b[s.i] == '-' {
		s.i++
	}
	if s.at('0') {
		s.i++
	} else if s.digits() == 0 {
		return s.unexpected("a digit")
	}
	if s.at('.') {
		s.i++
		if s.digits() == 0 {
			return s.unexpected("a digit")
		}
	}
	if s.at('e') || s.at('E') {
		s.i++
		if s.at('+') || s.at('-') {
			s.i++
		}
		if s.digits() == 0 {
			return s.unexpected("a digit")
		}
	}
	return nil
}

func (s *scanner) at(c byte) bool { return s.i < len(s.b) && s.b[s.i] == c }

// digits steps over digits and returns how many there were.
func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i]-'0' <= 9 {
		s.i++
	}
	return s.i - start
}

// unquote appends the text of a string that str has read. It returns false where a \u escape is half of a surrogate pair:
// that is no character, and cannot be written in UTF-8.
func unquote(dst, raw []byte) ([]byte, bool) {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		if raw[i+1] != 'u' {
			dst = append(dst, unescaped(raw[i+1]))
			i += 2
			continue
		}
		r, _ := hex4(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			if len(raw)-i < 6 || raw[i] != '\\' || raw[i+1] != 'u' {
				return nil, false
			}
			low, _ := hex4(raw[i+2:])
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return nil, false
			}
			i += 6
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, true
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c // quote, backslash, slash
	}
}

// compact appends a value without the white space between its tokens.
func compact(dst, value []byte) []byte {
	quoted := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case quoted && c == '\\':
			dst = append(dst, c)
			i++
			c = value[i]
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
