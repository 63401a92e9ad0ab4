package schema

import (
	"unicode/utf8"
)

// isBare says that a value is no JSON string, object or array, so that it may be a text without quotes.
func isBare(value []byte) bool {
	for _, c := range value {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"', '{', '[':
			return false
		}
		break
	}
	return utf8.Valid(value)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends a text in UTF-8 as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
