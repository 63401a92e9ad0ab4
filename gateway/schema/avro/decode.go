package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"sluice/gateway/schema/codec"
)

// decoder reads an Avro value from the front.
type decoder struct {
	src   []byte
	pos   int
	opts  codec.Options
	limit int // how long what is written may become
}

func (d *decoder) short(want string) *codec.ValueError {
	return &codec.ValueError{Want: want, Found: "the end of the data at byte " + strconv.Itoa(len(d.src))}
}

func (d *decoder) long() (int64, *codec.ValueError) {
	v, n := binary.Varint(d.src[d.pos:])
	if n == 0 {
		return 0, d.short("a number")
	}
	if n < 0 {
		return 0, &codec.ValueError{Want: "a number of at most 64 bits", Found: "a longer one at byte " + strconv.Itoa(d.pos)}
	}
	d.pos += n
	return v, nil
}

// take returns the next n bytes.
func (d *decoder) take(n int64, want string) ([]byte, *codec.ValueError) {
	if n < 0 {
		return nil, &codec.ValueError{Want: want, Found: "a length of " + strconv.FormatInt(n, 10)}
	}
	if n > int64(len(d.src)-d.pos) {
		return nil, d.short(want)
	}
	p := d.src[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return p, nil
}

func (d *decoder) prefixed(want string) ([]byte, *codec.ValueError) {
	n, err := d.long()
	if err != nil {
		return nil, err
	}
	return d.take(n, want)
}

// value appends the JSON of the next value.
func (d *decoder) value(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	if len(dst) > d.limit {
		return dst, &codec.ValueError{Want: "a smaller value", Found: "one whose JSON is larger than allowed"}
	}
	switch n.kind {
	case kindNull:
		return append(dst, "null"...), nil
	case kindBoolean:
		p, err := d.take(1, n.word)
		if err != nil {
			return dst, err
		}
		if p[0] > 1 {
			return dst, &codec.ValueError{Want: n.word, Found: fmt.Sprintf("the byte %d", p[0])}
		}
		return strconv.AppendBool(dst, p[0] == 1), nil
	case kindInt, kindLong:
		return d.integer(dst, n)
	case kindFloat, kindDouble:
		return d.float(dst, n)
	case kindString, kindBytes, kindFixed, kindEnum:
		return d.textual(dst, n)
	default:
	}
	if depth >= d.opts.Depth() {
		return dst, tooDeep()
	}
	switch n.kind {
	case kindUnion:
		return d.union(dst, n.union, n.word, depth+1)
	case kindRecord:
		return d.record(dst, n, depth+1)
	default:
		return d.blocks(dst, n, depth+1)
	}
}

func (d *decoder) integer(dst []byte, n *node) ([]byte, *codec.ValueError) {
	v, err := d.long()
	if err != nil {
		return dst, err
	}
	if n.kind == kindInt && v != int64(int32(v)) {
		return dst, &codec.ValueError{Want: n.word, Found: "the number " + strconv.FormatInt(v, 10), Kind: "a number"}
	}
	if n.logical != logicalNone {
		return appendMoment(dst, n.logical, v), nil
	}
	return strconv.AppendInt(dst, v, 10), nil
}

func (d *decoder) float(dst []byte, n *node) ([]byte, *codec.ValueError) {
	v, bits := 0.0, 64
	if n.kind == kindFloat {
		p, err := d.take(4, n.word)
		if err != nil {
			return dst, err
		}
		v, bits = float64(math.Float32frombits(binary.LittleEndian.Uint32(p))), 32
	} else {
		p, err := d.take(8, n.word)
		if err != nil {
			return dst, err
		}
		v = math.Float64frombits(binary.LittleEndian.Uint64(p))
	}
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...), nil
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...), nil
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...), nil
	}
	form := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, v, form, -1, bits), nil
}

func (d *decoder) textual(dst []byte, n *node) ([]byte, *codec.ValueError) {
	if n.kind == kindEnum {
		v, err := d.long()
		if err != nil {
			return dst, err
		}
		if v < 0 || v >= int64(len(n.symbols)) {
			return dst, &codec.ValueError{Want: n.word, Found: "symbol number " + strconv.FormatInt(v, 10)}
		}
		return appendString(dst, []byte(n.symbols[v])), nil
	}
	var p []byte
	var err *codec.ValueError
	if n.kind == kindFixed {
		p, err = d.take(int64(n.size), n.word)
	} else {
		p, err = d.prefixed(n.word)
	}
	if err != nil {
		return dst, err
	}
	switch {
	case n.logical == logicalDecimal && len(p) > 0:
		dst = append(dst, '"')
		return append(appendDecimalText(dst, fromTwosComplement(p), n.scale), '"'), nil
	case n.logical == logicalUUID && n.kind == kindFixed:
		dst = append(dst, '"')
		return append(appendUUID(dst, p), '"'), nil
	case n.logical == logicalDuration:
		parts := duration{binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:]), binary.LittleEndian.Uint32(p[8:])}
		return appendString(dst, []byte(parts.String())), nil
	case n.kind == kindString:
		if !utf8.Valid(p) {
			return dst, &codec.ValueError{Want: n.word + " in UTF-8", Found: "bytes that are not"}
		}
		return appendString(dst, p), nil
	}
	return appendByteString(dst, p), nil
}

func (d *decoder) union(dst []byte, u *union, word string, depth int) ([]byte, *codec.ValueError) {
	i, err := d.long()
	if err != nil {
		return dst, err
	}
	if i < 0 || i >= int64(len(u.branches)) {
		return dst, &codec.ValueError{Want: word, Found: "branch number " + strconv.FormatInt(i, 10)}
	}
	b := u.branches[i]
	if b.kind == kindNull || u.plain {
		return d.value(dst, b, depth)
	}
	dst = append(dst, '{')
	dst = append(appendString(dst, []byte(b.branch)), ':')
	if dst, err = d.value(dst, b, depth); err != nil {
		return dst, within(err, b.branch)
	}
	return append(dst, '}'), nil
}

func (d *decoder) record(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	dst = append(dst, '{')
	for i := range n.fields {
		f := &n.fields[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, []byte(f.name)), ':')
		var err *codec.ValueError
		if dst, err = d.value(dst, f.typ, depth); err != nil {
			return dst, within(err, f.name)
		}
	}
	return append(dst, '}'), nil
}

// blocks reads an array or a map.
func (d *decoder) blocks(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	ends := "[]"
	if n.kind == kindMap {
		ends = "{}"
	}
	dst = append(dst, ends[0])
	for index := 0; ; {
		count, err := d.count()
		if err != nil {
			return dst, err
		}
		if count == 0 {
			return append(dst, ends[1]), nil
		}
		for ; count > 0; count, index = count-1, index+1 {
			if index > 0 {
				dst = append(dst, ',')
			}
			if dst, err = d.item(dst, n, index, depth); err != nil {
				return dst, err
			}
		}
	}
}

// count reads how many items a block has. A negative one is followed by the size of the block.
func (d *decoder) count() (int64, *codec.ValueError) {
	n, err := d.long()
	if err != nil || n >= 0 {
		return n, err
	}
	if n == math.MinInt64 {
		return 0, &codec.ValueError{Want: "the count of a block", Found: strconv.FormatInt(n, 10)}
	}
	_, err = d.long()
	return -n, err
}

func (d *decoder) item(dst []byte, n *node, index, depth int) ([]byte, *codec.ValueError) {
	if n.kind == kindArray {
		dst, err := d.value(dst, n.items, depth)
		if err != nil {
			return dst, atItem(err, index)
		}
		return dst, nil
	}
	key, err := d.prefixed("the key of a map")
	if err != nil {
		return dst, err
	}
	if !utf8.Valid(key) {
		return dst, &codec.ValueError{Want: "the key of a map in UTF-8", Found: "bytes that are not"}
	}
	dst = append(appendString(dst, key), ':')
	if dst, err = d.value(dst, n.items, depth); err != nil {
		return dst, within(err, string(key))
	}
	return dst, nil
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string of s, which is UTF-8.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		dst = appendChar(dst, c)
	}
	return append(dst, '"')
}

func appendChar(dst []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c < ' ':
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(dst, c)
}

// appendByteString appends a JSON string with a character for each byte.
func appendByteString(dst, p []byte) []byte {
	dst = append(dst, '"')
	for _, c := range p {
		if c >= 0x7F {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		dst = appendChar(dst, c)
	}
	return append(dst, '"')
}
