package json

import "unicode/utf8"

// Equal says whether v is a string that means s. Where nothing is escaped, bytes are compared.
func (v Value) Equal(s string) bool {
	if v.Kind() != String {
		return false
	}
	in := v.inside()
	if !v.node().escaped {
		return string(in) == s
	}
	var buf [utf8.UTFMax]byte
	for len(in) > 0 {
		c, n := next(in, &buf)
		if len(s) < len(c) || s[:len(c)] != string(c) {
			return false
		}
		s, in = s[len(c):], in[n:]
	}
	return s == ""
}

// AppendString appends what the string v means to dst. Like encoding/json it puts U+FFFD in place of what is not UTF-8 and
// of half surrogates. Other kinds append nothing.
func (v Value) AppendString(dst []byte) []byte {
	if v.Kind() != String {
		return dst
	}
	in := v.inside()
	if v.plain() {
		return append(dst, in...)
	}
	var buf [utf8.UTFMax]byte
	for len(in) > 0 {
		c, n := next(in, &buf)
		dst, in = append(dst, c...), in[n:]
	}
	return dst
}

// Text is what the string v means: a view of the text if it stands there as it is meant, new bytes otherwise. Other kinds
// are nil.
func (v Value) Text() []byte {
	if v.Kind() != String {
		return nil
	}
	if v.plain() {
		return v.inside()
	}
	return v.AppendString(nil)
}

// inside is a string without its quotes.
func (v Value) inside() []byte {
	n := v.node()
	return v.doc.text[n.start+1 : n.end-1 : n.end-1]
}

// plain says whether a string stands as it is meant.
func (v Value) plain() bool { return !v.node().escaped && utf8.Valid(v.inside()) }

// next is the first character that in means, and how many bytes of in that takes. It is a view of in or of buf.
func next(in []byte, buf *[utf8.UTFMax]byte) (char []byte, n int) {
	switch {
	case in[0] == '\\':
		r, n := unescape(in)
		return buf[:utf8.EncodeRune(buf[:], r)], n
	case in[0] < utf8.RuneSelf:
		return in[:1], 1
	}
	r, n := utf8.DecodeRune(in)
	if r == utf8.RuneError && n == 1 {
		return buf[:utf8.EncodeRune(buf[:], r)], 1
	}
	return in[:n], n
}

// unescape is the character of the escape that in begins with, and its length.
func unescape(in []byte) (r rune, n int) {
	switch in[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUTF16(in)
	default:
		return rune(in[1]), 2
	}
}

// unescapeUTF16 takes one \uXXXX, or two that are a pair of surrogates.
func unescapeUTF16(in []byte) (r rune, n int) {
	r, _ = hex4(in)
	switch {
	case 0xDC00 <= r && r < 0xE000:
		return utf8.RuneError, 6
	case r < 0xD800 || r >= 0xE000:
		return r, 6
	}
	if low, ok := hex4(in[6:]); ok && 0xDC00 <= low && low < 0xE000 {
		return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), 12
	}
	return utf8.RuneError, 6
}

// hex4 is the number of the \uXXXX that s begins with.
func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
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

// AppendQuoted appends s as a JSON string, with its quotes. What is not UTF-8 becomes U+FFFD.
func AppendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n - 1
		}
		i++
	}
	return append(dst, '"')
}
