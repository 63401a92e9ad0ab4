package idempotency

import "fmt"

// ParseKey reads the value of an Idempotency-Key header: a string of RFC 8941 ("..."), or the bare key without quotes. Both
// are the same key. It is of 1 to most bytes, all of them printable ASCII; spaces, commas, quotes and backslashes need the
// quoted form. The result lies in value, which is changed where it has escapes. The error names the rule that is broken.
func ParseKey(value []byte, most int) ([]byte, error) {
	key, err := value, error(nil)
	if len(value) > 0 && value[0] == '"' {
		key, err = unquote(value[1:])
	} else {
		err = checkBare(value)
	}
	switch {
	case err != nil:
		return nil, err
	case len(key) == 0:
		return nil, keyError("it must not be empty")
	case len(key) > most:
		return nil, fmt.Errorf("it is %d bytes, more than idempotency.key.max.bytes = %d", len(key), most)
	default:
		return key, nil
	}
}

// keyError is a rule that a key breaks.
type keyError string

func (e keyError) Error() string { return string(e) }

func checkBare(value []byte) error {
	for _, c := range value {
		switch {
		case c <= ' ' || c >= 0x7f:
			return keyError("without quotes it must be printable ASCII without spaces")
		case c == '"' || c == ',' || c == '\\':
			return keyError(`a comma, quote or backslash must be inside of quotes, as in "a,b"`)
		}
	}
	return nil
}

// unquote reads what follows the opening quote, up to the closing one, which must be the end.
func unquote(rest []byte) ([]byte, error) {
	n := 0
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '"' && i+1 == len(rest):
			return rest[:n], nil
		case c == '"':
			return nil, keyError("nothing may follow the closing quote")
		case c < ' ' || c >= 0x7f:
			return nil, keyError("it must be printable ASCII")
		case c == '\\':
			if i++; i == len(rest) || rest[i] != '"' && rest[i] != '\\' {
				return nil, keyError("a backslash must be followed by a quote or a backslash")
			}
			c = rest[i]
		}
		rest[n] = c
		n++
	}
	return nil, keyError("the closing quote is missing")
}
