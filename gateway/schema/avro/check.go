package avro

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"sluice/gateway/schema/codec"
)

// Check says whether bytes are one value of the schema, all of them. It takes what Decode takes, and writes nothing, so a small value
// that stands for much JSON costs no memory.
func (c *Codec) Check(data []byte) error {
	k := checker{decoder{src: data, opts: c.opts}, visits(len(data), c.opts.Depth())}
	err := k.value(c.root, 0)
	if err == nil && k.pos < len(data) {
		err = &codec.ValueError{Want: "nothing more", Found: fmt.Sprintf("%d more bytes", len(data)-k.pos)}
	}
	if err != nil {
		return err
	}
	return nil
}

// visits bounds how many values are looked at. Each has a byte, or is a record around one that has, but for nulls and empty records: of
// these an array of ten bytes may say that it has 2^63.
func visits(bytes, depth int) int { return (bytes + 1) * (depth + 1) }

// checker walks through a value.
type checker struct {
	decoder

	left int // visits
}

func (k *checker) value(n *node, depth int) *codec.ValueError {
	if k.left--; k.left < 0 {
		return &codec.ValueError{Want: "values that have bytes", Found: "too many that have none"}
	}
	switch n.kind {
	case kindRecord, kindArray, kindMap, kindUnion:
		if depth >= k.opts.Depth() {
			return tooDeep()
		}
		return k.nested(n, depth+1)
	case kindNull:
		return nil
	case kindBoolean:
		p, err := k.take(1, n.word)
		if err == nil && p[0] > 1 {
			err = &codec.ValueError{Want: n.word, Found: fmt.Sprintf("the byte %d", p[0])}
		}
		return err
	case kindInt, kindLong:
		v, err := k.long()
		if err == nil && n.kind == kindInt && v != int64(int32(v)) {
			err = &codec.ValueError{Want: n.word, Found: "the number " + strconv.FormatInt(v, 10), Kind: "a number"}
		}
		return err
	case kindEnum:
		_, err := k.number(len(n.symbols), n.word, "symbol")
		return err
	default:
		return k.bytes(n)
	}
}

// number reads the number of a symbol or branch, of which there are so many.
func (k *checker) number(of int, word, what string) (int64, *codec.ValueError) {
	v, err := k.long()
	if err == nil && (v < 0 || v >= int64(of)) {
		err = &codec.ValueError{Want: word, Found: what + " number " + strconv.FormatInt(v, 10)}
	}
	return v, err
}

// bytes reads what is a string of bytes.
func (k *checker) bytes(n *node) (err *codec.ValueError) {
	var p []byte
	switch n.kind {
	case kindFloat:
		_, err = k.take(4, n.word)
	case kindDouble:
		_, err = k.take(8, n.word)
	case kindFixed:
		_, err = k.take(int64(n.size), n.word)
	default:
		p, err = k.prefixed(n.word)
	}
	if err == nil && n.kind == kindString && !utf8.Valid(p) {
		err = &codec.ValueError{Want: n.word + " in UTF-8", Found: "bytes that are not"}
	}
	return err
}

func (k *checker) nested(n *node, depth int) *codec.ValueError {
	switch n.kind {
	case kindUnion:
		i, err := k.number(len(n.union.branches), n.word, "branch")
		if err != nil {
			return err
		}
		b := n.union.branches[i]
		err = k.value(b, depth)
		if err != nil && b.kind != kindNull && !n.union.plain {
			return within(err, b.branch)
		}
		return err
	case kindRecord:
		for i := range n.fields {
			if err := k.value(n.fields[i].typ, depth); err != nil {
				return within(err, n.fields[i].name)
			}
		}
		return nil
	default:
		return k.blocks(n, depth)
	}
}

func (k *checker) blocks(n *node, depth int) *codec.ValueError {
	for index := 0; ; {
		count, err := k.count()
		if err != nil || count == 0 {
			return err
		}
		for ; count > 0; count, index = count-1, index+1 {
			if err := k.item(n, index, depth); err != nil {
				return err
			}
		}
	}
}

func (k *checker) item(n *node, index, depth int) *codec.ValueError {
	if n.kind == kindArray {
		if err := k.value(n.items, depth); err != nil {
			return atItem(err, index)
		}
		return nil
	}
	key, err := k.prefixed("the key of a map")
	if err == nil && !utf8.Valid(key) {
		err = &codec.ValueError{Want: "the key of a map in UTF-8", Found: "bytes that are not"}
	}
	if err != nil {
		return err
	}
	if err := k.value(n.items, depth); err != nil {
		return within(err, string(key))
	}
	return nil
}
