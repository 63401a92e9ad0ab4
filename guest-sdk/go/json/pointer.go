package json

import (
	"errors"
	"strings"
)

// CheckPointer says what is wrong with a JSON Pointer (RFC 6901), nil if nothing is.
func CheckPointer(pointer string) error {
	if pointer != "" && pointer[0] != '/' {
		return errors.New("a JSON Pointer is empty or begins with a slash")
	}
	for i := range len(pointer) {
		if pointer[i] == '~' && (i+1 == len(pointer) || pointer[i+1] != '0' && pointer[i+1] != '1') {
			return errors.New("in a JSON Pointer ~ is written ~0, and a slash within a name ~1")
		}
	}
	return nil
}

// Lookup finds what a JSON Pointer (RFC 6901) points to. If a name stands more than once in an object, the last one counts,
// as for encoding/json. The result is nothing if there is nothing, or if the pointer is not valid.
func (v Value) Lookup(pointer string) Value {
	for pointer != "" {
		if pointer[0] != '/' {
			return Value{}
		}
		var token string
		token, pointer = cutToken(pointer[1:])
		switch v.Kind() {
		case Object:
			v = v.Member(Token(token))
		case Array:
			v = v.Element(token)
		default:
			return Value{}
		}
	}
	return v
}

// cutToken splits a pointer without its first slash before the next one.
func cutToken(pointer string) (token, rest string) {
	if i := strings.IndexByte(pointer, '/'); i >= 0 {
		return pointer[:i], pointer[i:]
	}
	return pointer, ""
}

// Member is the member of an object by its name, not escaped as in a pointer; the last one of that name.
func (v Value) Member(name string) (found Value) {
	v.Members(func(n, value Value) bool {
		if n.Equal(name) {
			found = value
		}
		return true
	})
	return found
}

// Token is the name that a token of a JSON Pointer means: ~1 is a slash and ~0 is ~.
func Token(token string) string {
	if strings.IndexByte(token, '~') < 0 {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~") // in this order: ~01 is ~1
}

// Element is the element of an array at an index, as a token of a JSON Pointer: without leading zeros. "-", the one after
// the last, is nothing.
func (v Value) Element(token string) (found Value) {
	if v.Kind() != Array || token == "" || token[0] == '0' && len(token) > 1 || len(token) > 9 {
		return Value{}
	}
	want := 0
	for i := range len(token) {
		if token[i] < '0' || token[i] > '9' {
			return Value{}
		}
		want = want*10 + int(token[i]-'0')
	}
	v.Elements(func(i int, value Value) bool {
		if i == want {
			found = value
		}
		return i < want
	})
	return found
}
