package avro

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// found goes back to a value that was read and says what it is.
func (e *encoder) found(want string, at jsontext.Mark) *codec.ValueError {
	e.Back(at)
	return &codec.ValueError{Want: want, Found: e.Found(), Kind: e.kind()}
}

// kind is that of what comes next; "" if no value does.
func (e *encoder) kind() string {
	if k := e.Peek(); k != jsontext.Invalid {
		return k.String()
	}
	return ""
}

// integer writes an int or a long, which may be a date or a time.
func (e *encoder) integer(dst []byte, n *node) ([]byte, *codec.ValueError) {
	k := e.Peek()
	if k == jsontext.String && n.logical != logicalNone {
		return e.moment(dst, n)
	}
	if k != jsontext.Number {
		return dst, e.mismatch(n)
	}
	at := e.Mark()
	raw, err := e.Literal()
	if err != nil {
		return dst, err
	}
	v, ok := wholeNumber(raw)
	if !ok || n.kind == kindInt && v != int64(int32(v)) {
		return dst, e.found(n.word, at)
	}
	if !inDay(n.logical, v) {
		return dst, e.found(n.word+": less than a day", at)
	}
	return appendLong(dst, v), nil
}

// wholeNumber is the value of a number that is one without a fraction, however it is written.
func wholeNumber(raw []byte) (int64, bool) {
	v, negative := int64(0), raw[0] == '-'
	digits := raw
	if negative {
		digits = raw[1:]
	}
	if len(digits) > 18 {
		return wholeDecimal(raw)
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return wholeDecimal(raw)
		}
		v = v*10 + int64(c-'0')
	}
	if negative {
		v = -v
	}
	return v, true
}

func wholeDecimal(raw []byte) (int64, bool) {
	d, ok := parseDecimal(raw)
	if !ok || d.exp < 0 || len(d.digits)+d.exp > 19 {
		return 0, false
	}
	v, err := strconv.ParseInt(d.plain(0), 10, 64)
	return v, err == nil
}

// float writes a float or a double: the nearest one. What is too large for it is an error.
func (e *encoder) float(dst []byte, n *node) ([]byte, *codec.ValueError) {
	bits := 64
	if n.kind == kindFloat {
		bits = 32
	}
	at := e.Mark()
	v, ok := 0.0, false
	switch e.Peek() {
	case jsontext.String:
		text, err := e.Text()
		if err != nil {
			return dst, err
		}
		v, ok = special(text)
	case jsontext.Number:
		raw, err := e.Literal()
		if err != nil {
			return dst, err
		}
		var bad error
		v, bad = strconv.ParseFloat(unsafe.String(&raw[0], len(raw)), bits)
		ok = bad == nil
	default:
	}
	if !ok {
		return dst, e.found(n.word, at)
	}
	if bits == 32 {
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v))), nil
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

// special is the numbers that JSON has no form for, as Java writes them.
func special(text []byte) (float64, bool) {
	switch string(text) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// textual writes what is a string in JSON.
func (e *encoder) textual(dst []byte, n *node) ([]byte, *codec.ValueError) {
	k, at := e.Peek(), e.Mark()
	if n.logical == logicalDecimal && k == jsontext.Number {
		raw, err := e.Literal()
		if err != nil {
			return dst, err
		}
		return e.orFound(n, at, dst, appendDecimal, raw)
	}
	if k != jsontext.String {
		return dst, e.mismatch(n)
	}
	s, err := e.Text()
	if err != nil {
		return dst, err
	}
	switch {
	case n.logical != logicalNone:
		return e.orFound(n, at, dst, appendLogical, s)
	case n.kind == kindString:
		return append(appendLong(dst, int64(len(s))), s...), nil
	case n.kind == kindEnum:
		i, ok := n.ordinals[string(s)]
		if !ok {
			return dst, e.found(n.word, at)
		}
		return appendLong(dst, int64(i)), nil
	}
	return e.orFound(n, at, dst, appendBytes, s)
}

// orFound is what write appends of s, or the error about the value at that place.
func (e *encoder) orFound(n *node, at jsontext.Mark, dst []byte, write func([]byte, *node, []byte) ([]byte, bool), s []byte) ([]byte, *codec.ValueError) {
	out, ok := write(dst, n, s)
	if !ok {
		want := n.word
		if n.logical == logicalNone {
			want += ", each of them a character up to U+00FF"
		}
		return dst, e.found(want, at)
	}
	return out, nil
}

// appendBytes writes bytes or a fixed: each character is one.
func appendBytes(dst []byte, n *node, s []byte) ([]byte, bool) {
	count := utf8.RuneCount(s)
	if n.kind == kindFixed && count != n.size {
		return dst, false
	}
	if n.kind == kindBytes {
		dst = appendLong(dst, int64(count))
	}
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		if r > 0xFF {
			return dst, false
		}
		dst = append(dst, byte(r))
		i += size
	}
	return dst, true
}
