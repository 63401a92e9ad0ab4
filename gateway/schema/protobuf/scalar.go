package protobuf

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// scalar appends a value that is no message, without its tag, and tells whether it is the zero of its type.
func (e *encoder) scalar(dst []byte, f *field) ([]byte, bool, *codec.ValueError) {
	at, kind := e.s.Mark(), e.s.Peek()
	var zero, ok bool
	var err *codec.ValueError
	switch f.kind {
	case protoreflect.StringKind:
		if ok = kind == jsontext.String; ok {
			dst, zero, err = e.text(dst)
		}
	case protoreflect.BytesKind:
		if ok = kind == jsontext.String; ok {
			dst, zero, ok, err = e.base64(dst)
		}
	case protoreflect.BoolKind:
		if ok = kind == jsontext.Bool; ok {
			var v bool
			v, err = e.s.Word()
			dst, zero = protowire.AppendVarint(dst, protowire.EncodeBool(v)), !v
		}
	case protoreflect.EnumKind:
		dst, zero, ok, err = e.enum(dst, f.enum, kind)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		dst, zero, ok, err = e.float(dst, f.kind, kind)
	default:
		var lit []byte
		if lit, err = e.number(kind); err == nil {
			dst, zero, ok = appendInteger(dst, f.kind, lit)
		}
	}
	if err != nil {
		return nil, false, err
	}
	if !ok {
		e.s.Back(at)
		return nil, false, e.unexpected(f.wantsOne())
	}
	return dst, zero, nil
}

func (e *encoder) text(dst []byte) ([]byte, bool, *codec.ValueError) {
	text, err := e.s.Text()
	if err != nil {
		return nil, false, err
	}
	return protowire.AppendBytes(dst, text), len(text) == 0, nil
}

// base64 appends the bytes that a string says in one of the alphabets of RFC 4648, with or without padding.
func (e *encoder) base64(dst []byte) ([]byte, bool, bool, *codec.ValueError) {
	text, err := e.s.Text()
	if err != nil {
		return nil, false, false, err
	}
	enc := base64.StdEncoding
	if bytes.ContainsAny(text, "-_") {
		enc = base64.URLEncoding
	}
	if len(text)%4 != 0 {
		enc = enc.WithPadding(base64.NoPadding)
	}
	body := len(dst)
	dst, bad := enc.AppendDecode(append(dst, 0), text)
	return fixLength(dst, body), len(dst) == body+1, bad == nil, nil
}

func (e *encoder) enum(dst []byte, t *enum, kind jsontext.Kind) ([]byte, bool, bool, *codec.ValueError) {
	var n int32
	ok := false
	switch kind {
	case jsontext.String:
		text, err := e.s.Text()
		if err != nil {
			return nil, false, false, err
		}
		n, ok = t.numbers[string(text)]
	case jsontext.Number:
		lit, err := e.s.Literal()
		if err != nil {
			return nil, false, false, err
		}
		var v int64
		v, ok = signed(lit, 32)
		n = int32(v)
		ok = ok && (t.known == nil || t.known[n])
	default: // null, only where null is a value: google.protobuf.NullValue
		if ok = kind == jsontext.Null && t.name == "google.protobuf.NullValue"; ok {
			if _, err := e.s.Word(); err != nil {
				return nil, false, false, err
			}
		}
	}
	return protowire.AppendVarint(dst, uint64(int64(n))), n == 0, ok, nil
}

// number reads a number, or a string that says one. It is nil for anything else.
func (e *encoder) number(kind jsontext.Kind) ([]byte, *codec.ValueError) {
	switch kind {
	case jsontext.Number:
		return e.s.Literal()
	case jsontext.String:
		text, err := e.s.Text()
		if err != nil || !jsontext.IsNumber(text) {
			return nil, err
		}
		return text, nil
	default:
		return nil, nil
	}
}

func (e *encoder) float(dst []byte, k protoreflect.Kind, kind jsontext.Kind) ([]byte, bool, bool, *codec.ValueError) {
	bits := 64
	if k == protoreflect.FloatKind {
		bits = 32
	}
	at := e.s.Mark()
	lit, err := e.number(kind)
	if err != nil {
		return nil, false, false, err
	}
	if lit == nil && kind == jsontext.String {
		e.s.Back(at)
		if lit, err = e.s.Text(); err != nil {
			return nil, false, false, err
		}
		if s := string(lit); s != "NaN" && s != "Infinity" && s != "-Infinity" {
			return nil, false, false, nil
		}
	}
	v, bad := strconv.ParseFloat(string(lit), bits)
	zero := v == 0 && !math.Signbit(v)
	if bits == 32 {
		return protowire.AppendFixed32(dst, math.Float32bits(float32(v))), zero, bad == nil, nil
	}
	return protowire.AppendFixed64(dst, math.Float64bits(v)), zero, bad == nil, nil
}

// appendInteger appends the whole number that a JSON number is, which may have a fraction of zeros or an exponent.
func appendInteger(dst []byte, k protoreflect.Kind, lit []byte) (out []byte, zero, ok bool) {
	switch k {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		v, ok := signed(lit, 32)
		return appendSigned(dst, k, v), v == 0, ok
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		v, ok := signed(lit, 64)
		return appendSigned(dst, k, v), v == 0, ok
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		neg, v, ok := whole(lit)
		return appendUnsigned(dst, k, v), v == 0, ok && v <= math.MaxUint32 && (!neg || v == 0)
	default:
		neg, v, ok := whole(lit)
		return appendUnsigned(dst, k, v), v == 0, ok && (!neg || v == 0)
	}
}

func appendSigned(dst []byte, k protoreflect.Kind, v int64) []byte {
	switch k {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.AppendVarint(dst, protowire.EncodeZigZag(v))
	case protoreflect.Sfixed32Kind:
		return protowire.AppendFixed32(dst, uint32(v))
	case protoreflect.Sfixed64Kind:
		return protowire.AppendFixed64(dst, uint64(v))
	default:
		return protowire.AppendVarint(dst, uint64(v))
	}
}

func appendUnsigned(dst []byte, k protoreflect.Kind, v uint64) []byte {
	switch k {
	case protoreflect.Fixed32Kind:
		return protowire.AppendFixed32(dst, uint32(v))
	case protoreflect.Fixed64Kind:
		return protowire.AppendFixed64(dst, v)
	default:
		return protowire.AppendVarint(dst, v)
	}
}

func signed(lit []byte, bits uint) (int64, bool) {
	neg, v, ok := whole(lit)
	if top := uint64(1) << (bits - 1); !ok || v > top || v == top && !neg {
		return 0, false
	}
	if neg {
		return -int64(v), true
	}
	return int64(v), true
}

// whole is the value of a JSON number that is whole and has at most 64 bits.
func whole(lit []byte) (neg bool, v uint64, ok bool) {
	if len(lit) > 0 && lit[0] == '-' {
		neg, lit = true, lit[1:]
	}
	if len(lit) == 0 {
		return false, 0, false
	}
	if len(lit) <= 19 { // the common case: digits that cannot overflow
		for _, c := range lit {
			if c < '0' || c > '9' {
				return wholeOf(neg, lit)
			}
			v = v*10 + uint64(c-'0')
		}
		return neg, v, true
	}
	return wholeOf(neg, lit)
}

// wholeOf is whole for numbers with a fraction, an exponent or many digits.
func wholeOf(neg bool, lit []byte) (bool, uint64, bool) {
	mantissa, exponent := lit, 0
	if i := bytes.IndexAny(lit, "eE"); i >= 0 {
		n, err := strconv.ParseInt(string(lit[i+1:]), 10, 32)
		mantissa, exponent = lit[:i], int(n)
		if err != nil {
			exponent = math.MaxInt32 // it is out of range, or a zero
			if lit[i+1] == '-' {
				exponent = math.MinInt32
			}
		}
	}
	before, after, _ := bytes.Cut(mantissa, []byte("."))
	all := append(append(make([]byte, 0, 32), before...), after...)
	significant := bytes.TrimRight(all, "0")
	exponent += len(all) - len(significant) - len(after)
	significant = bytes.TrimLeft(significant, "0")
	if len(significant) == 0 {
		return neg, 0, true
	}
	if exponent < 0 || len(significant)+exponent > 20 {
		return neg, 0, false
	}
	significant = append(significant, "00000000000000000000"[:exponent]...)
	v, err := strconv.ParseUint(string(significant), 10, 64)
	return neg, v, err == nil
}

// appendKey appends the key of a map, which JSON has as a name.
func appendKey(dst []byte, f *field, name []byte) ([]byte, *codec.ValueError) {
	ok := false
	switch f.kind {
	case protoreflect.StringKind:
		return protowire.AppendBytes(dst, name), nil
	case protoreflect.BoolKind:
		v := string(name) == "true"
		dst, ok = protowire.AppendVarint(dst, protowire.EncodeBool(v)), v || string(name) == "false"
	default:
		if ok = len(name) > 0 && len(bytes.Trim(name, "-0123456789")) == 0 && jsontext.IsNumber(name); ok {
			dst, _, ok = appendInteger(dst, f.kind, name)
		}
	}
	if !ok {
		return nil, quoting(f.wantsOne()+" as the key of a map", string(name), "another key")
	}
	return dst, nil
}
