package jsonschema

import (
	"encoding/json"
	"math"
	"math/big"
	"math/bits"
	"strings"
)

// kinds is a set of the kinds of values.
type kinds uint8

const (
	null kinds = 1 << iota
	boolean
	object
	array
	text
	number
	integer
)

func kindOf(v any) kinds {
	switch v.(type) {
	case nil:
		return null
	case bool:
		return boolean
	case map[string]any:
		return object
	case []any:
		return array
	case string:
		return text
	default:
		return number
	}
}

func kindsOf(names []string) kinds {
	var all kinds
	for _, name := range names {
		all |= map[string]kinds{"null": null, "boolean": boolean, "object": object, "array": array, "string": text, "number": number, "integer": integer}[name]
	}
	return all
}

// take is the verdict of "type". Whole numbers are integers, however they are written.
func (k kinds) take(kind kinds, v any) verdict {
	if k&kind != 0 {
		return fits
	}
	if kind != number || k&integer == 0 {
		return fails
	}
	n, _ := v.(json.Number)
	if !strings.ContainsAny(string(n), ".eE") {
		return fits
	}
	if r, ok := parse(n); ok {
		return verdictOf(r.above%r.below == 0)
	}
	return unsure
}

// ratio is a number as a fraction of two numbers of 63 bits.
type ratio struct{ above, below int64 }

// ratioOf is the fraction of a number of a schema. It is not ok if that is too large.
func ratioOf(r *big.Rat) (ratio, bool) {
	return ratio{r.Num().Int64(), r.Denom().Int64()}, r.Num().IsInt64() && r.Denom().IsInt64()
}

// parse is the fraction of a number without an exponent that has at most 18 digits.
func parse(n json.Number) (r ratio, ok bool) {
	digits, negative := strings.CutPrefix(string(n), "-")
	if len(digits) > 18 {
		return r, false
	}
	r.below = 1
	for i, point := 0, false; i < len(digits); i++ {
		switch c := digits[i]; {
		case '0' <= c && c <= '9':
			r.above = r.above*10 + int64(c-'0')
			if point {
				r.below *= 10
			}
		case c == '.':
			point = true
		default:
			return r, false
		}
	}
	if negative {
		r.above = -r.above
	}
	return r, true
}

// compare is -1, 0 or 1 as a is less than, equal to or greater than b. It is not ok if the numbers are too large.
func (a ratio) compare(b ratio) (order int, ok bool) {
	x, ok1 := multiply(a.above, b.below)
	y, ok2 := multiply(b.above, a.below)
	switch {
	case x < y:
		order = -1
	case x > y:
		order = 1
	}
	return order, ok1 && ok2
}

func multiply(a, b int64) (int64, bool) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(low), true
	}
	return int64(low), true
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

// numberRules are the bounds of a number. The quick check knows those that are not large.
type numberRules struct {
	bounds   []bound
	multiple *ratio
}

// bound is kept by numbers that compare to the ratio as order, or as 0 if it is inclusive.
type bound struct {
	ratio     ratio
	order     int
	inclusive bool
}

func (r *numberRules) check(n json.Number) verdict {
	v, ok := parse(n)
	if !ok {
		return unsure
	}
	for _, b := range r.bounds {
		order, ok := v.compare(b.ratio)
		if !ok {
			return unsure
		}
		if order != b.order && (order != 0 || !b.inclusive) {
			return fails
		}
	}
	if r.multiple == nil {
		return fits
	}
	above, ok1 := multiply(v.above, r.multiple.below)
	below, ok2 := multiply(v.below, r.multiple.above)
	if !ok1 || !ok2 || below == 0 {
		return unsure
	}
	return verdictOf(above%below == 0)
}

// values are those of enum or const. Objects and arrays are left to the library.
type values struct {
	texts   map[string]bool
	numbers []ratio
	kinds   kinds // null, and what is not known here
	truth   [2]bool
}

// valuesOf sorts values. It tells whether a number is too large; then it has none.
func valuesOf(all []any) (_ *values, large bool) {
	s := &values{texts: map[string]bool{}}
	for _, v := range all {
		switch v := v.(type) {
		case string:
			s.texts[v] = true
		case bool:
			if v {
				s.truth[1] = true
			} else {
				s.truth[0] = true
			}
		case json.Number:
			r, ok := parse(v)
			if !ok {
				return nil, true
			}
			s.numbers = append(s.numbers, r)
		default:
			s.kinds |= kindOf(v)
		}
	}
	return s, false
}

func (s *values) have(v any) verdict {
	switch v := v.(type) {
	case nil:
		return verdictOf(s.kinds&null != 0)
	case string:
		return verdictOf(s.texts[v])
	case bool:
		return verdictOf(v && s.truth[1] || !v && s.truth[0])
	case json.Number:
		return s.number(v)
	default:
		if s.kinds&kindOf(v) == 0 {
			return fails
		}
		return unsure
	}
}

func (s *values) number(n json.Number) verdict {
	if len(s.numbers) == 0 {
		return fails
	}
	r, ok := parse(n)
	if !ok {
		return unsure
	}
	for _, want := range s.numbers {
		order, ok := r.compare(want)
		if !ok {
			return unsure
		}
		if order == 0 {
			return fits
		}
	}
	return fails
}
