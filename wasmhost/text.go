package wasmhost

import (
	"strings"
	"unicode"
)

// readable is text of a guest as people may read it: a guest must not write to their terminals.
func readable(text []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(string(text), "\uFFFD"))
}
