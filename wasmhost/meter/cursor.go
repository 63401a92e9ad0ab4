package meter

import (
	"fmt"
	"unicode/utf8"
)

// cursor reads the binary format. After the first fault it stands at the end and returns zeros, so that callers need to
// look at the fault only where they would act on what they read.
type cursor struct {
	b     []byte
	pos   int
	base  int // offset of b in the upload
	fault *Problem
}

// ok says that nothing was wrong so far.
func (c *cursor) ok() bool { return c.fault == nil }

// left is how many bytes there are.
func (c *cursor) left() int { return len(c.b) - c.pos }

// at is the current offset in the upload.
func (c *cursor) at() int { return c.base + c.pos }

// fail records the first fault, for what began at offset at.
func (c *cursor) fail(at int, rule, format string, args ...any) {
	if c.fault == nil {
		c.fault = &Problem{Rule: rule, Message: fmt.Sprintf(format, args...), Offset: at}
	}
	c.pos = len(c.b)
}

func (c *cursor) cut() { c.fail(c.at(), RuleMalformed, "it breaks off here") }

func (c *cursor) byte() byte {
	if c.pos >= len(c.b) {
		c.cut()
		return 0
	}
	c.pos++
	return c.b[c.pos-1]
}

// bytes returns a view of the next n bytes.
func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > c.left() {
		c.cut()
		return nil
	}
	c.pos += n
	return c.b[c.pos-n : c.pos : c.pos]
}

// sub returns a cursor over the next n bytes and moves past them.
func (c *cursor) sub(n uint32) cursor {
	at := c.at()
	if uint64(n) > uint64(c.left()) {
		c.fail(at, RuleMalformed, "%d bytes are announced, but there are %d", n, c.left())
		return cursor{base: at, fault: c.fault}
	}
	return cursor{b: c.bytes(int(n)), base: at}
}

// u32 reads an unsigned LEB128 of 32 bits.
func (c *cursor) u32() uint32 {
	if c.pos < len(c.b) && c.b[c.pos] < 0x80 {
		c.pos++
		return uint32(c.b[c.pos-1])
	}
	at := c.at()
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			if shift == 28 && b > 0x0f {
				break
			}
			return v
		}
	}
	c.fail(at, RuleMalformed, "an integer does not fit 32 bits")
	return 0
}

// signed reads a signed LEB128 of the given width: 32, 33 or 64 bits.
func (c *cursor) signed(bits int) int64 {
	at := c.at()
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		b := c.byte()
		v |= int64(b&0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if used := bits - shift; used < 7 { // the last byte's other bits have to repeat the sign
			if top := int8(b<<1) >> used; top != 0 && top != -1 {
				break
			}
		}
		return v << max(57-shift, 0) >> max(57-shift, 0)
	}
	c.fail(at, RuleMalformed, "an integer does not fit %d bits", bits)
	return 0
}

// count reads the length of a vector whose entries take at least size bytes each, so that a caller may allocate that many.
func (c *cursor) count(size int) int {
	at := c.at()
	n := c.u32()
	if uint64(n)*uint64(size) > uint64(c.left()) {
		c.fail(at, RuleMalformed, "%d entries are announced, which cannot fit the %d bytes left", n, c.left())
		return 0
	}
	return int(n)
}

// name reads a name and holds it to the limit.
func (c *cursor) name(limit int) string {
	at := c.at()
	n := c.count(1)
	if n > limit {
		c.fail(at, RuleLimit, "%s", over("bytes of a name", int64(n), int64(limit), "name.max.bytes"))
	}
	b := c.bytes(n)
	if !utf8.Valid(b) {
		c.fail(at, RuleMalformed, "a name is not UTF-8")
	}
	if !c.ok() {
		return ""
	}
	return string(b)
}

// appendU32 appends the shortest unsigned LEB128 of v.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendSigned appends the shortest signed LEB128 of v.
func appendSigned(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

func appendName(b []byte, name string) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}
