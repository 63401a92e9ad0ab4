package avro

import (
	"bytes"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// union writes the branch that the next value is of.
func (e *encoder) union(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	u := n.union
	var candidates []int
	switch e.Peek() {
	case jsontext.Null:
		if u.null < 0 {
			return dst, e.mismatch(n)
		}
		_, err := e.Word()
		return appendLong(dst, int64(u.null)), err
	case jsontext.Object:
		return e.unionObject(dst, n, depth)
	case jsontext.Array:
		candidates = u.arrays
	case jsontext.Bool:
		candidates = u.bools
	case jsontext.String:
		candidates = u.strings
	case jsontext.Number:
		candidates = u.fraction
		if e.isWhole() {
			candidates = u.whole
		}
	default:
		return dst, e.Syntax()
	}
	return e.firstFit(dst, n, candidates, depth)
}

// isWhole looks ahead whether the number is written without a fraction and exponent.
func (e *encoder) isWhole() bool {
	at := e.Mark()
	raw, err := e.Literal()
	e.Back(at)
	return err == nil && !bytes.ContainsAny(raw, ".eE")
}

// firstFit tries branches in order. With one there is no doubt, and its own error is the best.
func (e *encoder) firstFit(dst []byte, n *node, candidates []int, depth int) ([]byte, *codec.ValueError) {
	at, pos := e.Mark(), e.Pos()
	for _, i := range candidates {
		out, err := e.branch(dst, n.union, i, depth)
		if err == nil || len(candidates) == 1 {
			return out, err
		}
		if !e.back(at, pos) {
			return dst, tooManyTries(n)
		}
	}
	return dst, e.mismatch(n)
}

func (e *encoder) branch(dst []byte, u *union, i, depth int) ([]byte, *codec.ValueError) {
	spans := len(e.spans)
	out, err := e.value(appendLong(dst, int64(i)), u.branches[i], depth)
	if err != nil {
		e.spans = e.spans[:spans]
	}
	return out, err
}

// back goes back to where a branch was tried, at byte pos. It is false if that was done too often.
func (e *encoder) back(to jsontext.Mark, pos int) bool {
	e.spare -= e.Pos() - pos
	e.Back(to)
	return e.spare >= 0
}

func tooManyTries(n *node) *codec.ValueError {
	return &codec.ValueError{Want: n.word, Found: `a value that fits too many unions half; tag it: {"name of the branch": value}`}
}

// unionObject writes an object: a tagged value, or a plain record or map.
func (e *encoder) unionObject(dst []byte, n *node, depth int) ([]byte, *codec.ValueError) {
	at, pos := e.Mark(), e.Pos()
	tag, tagged := e.tag(n.union)
	var taggedErr *codec.ValueError
	if tagged {
		out, err := e.branch(dst, n.union, tag, depth)
		if err == nil {
			_, _, err = e.Member(false) // the end, as tag saw
			return out, err
		}
		taggedErr = within(err, n.union.branches[tag].branch)
	}
	if !e.back(at, pos) {
		return dst, tooManyTries(n)
	}
	out, err := e.firstFit(dst, n, n.union.objects, depth)
	if err != nil && tagged {
		return out, taggedErr
	}
	return out, err
}

// tag reads the front of an object that has one member only, which is named like a branch. Else the place is undefined.
func (e *encoder) tag(u *union) (branch int, ok bool) {
	if err := e.Open(); err != nil {
		return 0, false
	}
	name, more, err := e.Member(true)
	if err != nil || !more {
		return 0, false
	}
	if branch, ok = u.byTag[string(name)]; !ok {
		return 0, false
	}
	at, pos := e.Mark(), e.Pos()
	if _, err := e.Skip(); err != nil {
		return 0, false
	}
	if _, more, err := e.Member(false); err != nil || more {
		return 0, false
	}
	return branch, e.back(at, pos)
}
