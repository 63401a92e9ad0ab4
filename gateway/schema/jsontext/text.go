package jsontext

import (
	"unicode/utf16"
	"unicode/utf8"

	"sluice/gateway/schema/codec"
)

// quoted reads a string. What it says is part of the JSON text, or with escapes of s.text.
func (s *Scanner) quoted() (text []byte, escaped bool, err *codec.ValueError) {
	s.pos++ // the quote
	start, ascii := s.pos, true
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(s.data[start:i]) {
				return nil, false, s.invalidUTF8(start, i)
			}
			s.pos = i + 1
			return s.data[start:i], false, nil
		case c == '\\':
			text, err = s.unescape(start, i)
			return text, true, err
		case c < ' ':
			s.pos = i
			return nil, false, s.syntax("control characters escaped")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	s.pos = len(s.data)
	return nil, false, s.syntax("a closing quote")
}

// unescape reads a string that began at start and has its first escape at i.
func (s *Scanner) unescape(start, i int) ([]byte, *codec.ValueError) {
	s.text = append(s.text[:0], s.data[start:i]...)
	for s.pos = i; s.pos < len(s.data); {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			if !utf8.Valid(s.text) {
				return nil, s.invalidUTF8(start, s.pos-1)
			}
			return s.text, nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case c < ' ':
			return nil, s.syntax("control characters escaped")
		default:
			s.text = append(s.text, c)
			s.pos++
		}
	}
	return nil, s.syntax("a closing quote")
}

func (s *Scanner) invalidUTF8(start, end int) *codec.ValueError {
	for s.pos = start; s.pos < end; {
		r, n := utf8.DecodeRune(s.data[s.pos:end])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		s.pos += n
	}
	return s.syntax("valid UTF-8")
}

// escape reads one escape sequence, or the two of a surrogate pair.
func (s *Scanner) escape() *codec.ValueError {
	if s.pos+1 >= len(s.data) {
		return s.syntax("a closing quote")
	}
	c := s.data[s.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode()
	default:
		return s.syntax("a known escape")
	}
	s.text = append(s.text, c)
	s.pos += 2
	return nil
}

func (s *Scanner) unicode() *codec.ValueError {
	r, ok := hex4(s.data[s.pos:])
	if !ok {
		return s.syntax("four hexadecimal digits after \\u")
	}
	size := 6
	if utf16.IsSurrogate(r) {
		low, _ := hex4(s.data[s.pos+6:])
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return s.syntax("surrogates in pairs")
		}
		size = 12
	}
	s.text = utf8.AppendRune(s.text, r)
	s.pos += size
	return nil
}

// hex4 is the rune of a \uXXXX at the beginning of b.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// IsNumber says whether b is a JSON number and nothing else.
func IsNumber(b []byte) bool { return len(b) > 0 && numberLen(b) == len(b) }

// numberLen is the length of the JSON number that b begins with, or 0.
func numberLen(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	case digits(b, i) > i:
		i = digits(b, i)
	default:
		return 0
	}
	if i < len(b) && b[i] == '.' {
		end := digits(b, i+1)
		if end == i+1 {
			return 0
		}
		i = end
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		end := digits(b, i)
		if end == i {
			return 0
		}
		i = end
	}
	return i
}

// digits is where the decimal digits that begin at i end.
func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}
