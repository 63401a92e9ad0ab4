package avro

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
)

// decimal is a number as it is written: digits times ten to the power of exp.
type decimal struct {
	negative bool
	digits   []byte // without zeros at either end; empty for zero
	exp      int
}

// maxExponent is what an exponent may be: no number of any use has one that is larger.
const maxExponent = 1 << 20

// parseDecimal reads a number in the form of JSON. Its digits may be in raw.
func parseDecimal(raw []byte) (decimal, bool) {
	d := decimal{}
	mantissa := raw
	if i := bytes.IndexAny(raw, "eE"); i >= 0 {
		exp, err := strconv.Atoi(string(raw[i+1:]))
		if err != nil || exp > maxExponent || exp < -maxExponent {
			return d, false
		}
		d.exp, mantissa = exp, raw[:i]
	}
	if len(mantissa) > 0 && mantissa[0] == '-' {
		d.negative, mantissa = true, mantissa[1:]
	}
	if i := bytes.IndexByte(mantissa, '.'); i >= 0 {
		d.exp -= len(mantissa) - i - 1
		whole := mantissa[:i:i]
		mantissa = append(whole, mantissa[i+1:]...)
	}
	mantissa = bytes.TrimLeft(mantissa, "0")
	d.digits = bytes.TrimRight(mantissa, "0")
	d.exp += len(mantissa) - len(d.digits)
	if len(d.digits) == 0 {
		return decimal{}, true
	}
	return d, true
}

// plain is the digits of the number times ten to the power of scale, which must be whole.
func (d decimal) plain(scale int) string {
	var b strings.Builder
	if d.negative {
		b.WriteByte('-')
	}
	if len(d.digits) == 0 {
		b.WriteByte('0')
	}
	b.Write(d.digits)
	for range d.exp + scale {
		b.WriteByte('0')
	}
	return b.String()
}

// appendDecimal writes a number as the unscaled value in two's complement, the most significant byte first.
func appendDecimal(dst []byte, n *node, raw []byte) ([]byte, bool) {
	d, ok := parseDecimal(raw)
	if !ok || len(d.digits) > 0 && (d.exp+n.scale < 0 || len(d.digits)+d.exp+n.scale > n.precision) {
		return dst, false
	}
	if len(d.digits) == 0 {
		d.exp = -n.scale // no zeros behind it
	}
	v, ok := new(big.Int).SetString(d.plain(n.scale), 10)
	if !ok {
		return dst, false
	}
	p := twosComplement(v)
	if n.kind == kindBytes {
		return append(appendLong(dst, int64(len(p))), p...), true
	}
	if len(p) > n.size {
		return dst, false
	}
	fill := byte(0)
	if v.Sign() < 0 {
		fill = 0xFF
	}
	for range n.size - len(p) {
		dst = append(dst, fill)
	}
	return append(dst, p...), true
}

// twosComplement is the shortest form of v.
func twosComplement(v *big.Int) []byte {
	if v.Sign() >= 0 {
		return v.FillBytes(make([]byte, v.BitLen()/8+1))
	}
	size := new(big.Int).Not(v).BitLen()/8 + 1
	m := new(big.Int).Lsh(big.NewInt(1), uint(size)*8)
	return m.Add(m, v).Bytes()
}

// fromTwosComplement is the value of p.
func fromTwosComplement(p []byte) *big.Int {
	v := new(big.Int).SetBytes(p)
	if len(p) > 0 && p[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(len(p))*8))
	}
	return v
}

// appendDecimalText writes an unscaled value as a number with scale digits behind the point.
func appendDecimalText(dst []byte, v *big.Int, scale int) []byte {
	if v.Sign() < 0 {
		dst = append(dst, '-')
	}
	digits := new(big.Int).Abs(v).String()
	if scale == 0 {
		return append(dst, digits...)
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-scale:]...)
}
