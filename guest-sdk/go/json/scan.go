package json

import "math/bits"

// Text is looked at eight bytes at a time. Compiled from Go to WebAssembly a branch costs as much as twenty additions, so
// that loops over single bytes would make up nearly all of the time and fuel that a guest spends on JSON.

const (
	ones = 0x0101010101010101
	high = 0x80 * ones
)

// zeros marks the bytes of w that are 0 with their highest bit. Of the marks only the lowest is certain.
func zeros(w uint64) uint64 { return (w - ones) &^ w & high }

// first is the index of the lowest mark.
func first(marks uint64) int { return bits.TrailingZeros64(marks) >> 3 }

// loadEnd is the bytes from at to the end, the first one lowest, and zeros behind them. It is not inlined because the code
// around it is faster the less of it there is.
//
//go:noinline
func loadEnd(doc []byte, at int) (w uint64) {
	for i := len(doc) - 1; i >= at; i-- {
		w = w<<8 | uint64(doc[i])
	}
	return w
}

// special is where, from at on, the first byte stands that does not stand for itself in a string: a quote, a backslash or a
// control character; len(doc) if there is none.
func special(doc []byte, at int) int {
	for at+8 <= len(doc) {
		if m := specials(load(doc, at)); m != 0 {
			return at + first(m)
		}
		at += 8
	}
	return min(at+first(specials(loadEnd(doc, at))), len(doc)) // the zeros behind the end are control characters
}

func specials(w uint64) uint64 {
	return zeros(w^ones*'"') | zeros(w^ones*'\\') | (w-ones*' ')&^w&high
}

// digits is where, from at on, the first byte stands that is no digit.
func digits(doc []byte, at int) int {
	for at+8 <= len(doc) {
		if m := noDigits(load(doc, at)); m != 0 {
			return at + first(m)
		}
		at += 8
	}
	return min(at+first(noDigits(loadEnd(doc, at))), len(doc))
}

func noDigits(w uint64) uint64 {
	w ^= ones * '0' // digits are now 0 to 9
	return (w&^high + ones*(0x80-10) | w) & high
}

// space is where, from at on, the first byte stands that is no white space.
func space(doc []byte, at int) int {
	if at < len(doc) && doc[at] > ' ' {
		return at
	}
	return spaces(doc, at)
}

//go:noinline
func spaces(doc []byte, at int) int {
	for at < len(doc) && (doc[at] == ' ' || doc[at] == '\n' || doc[at] == '\r' || doc[at] == '\t') {
		at++
	}
	return at
}
