package avro

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	lib "github.com/twmb/avro"
)

// compiler makes nodes of what the library read.
type compiler struct {
	strict  bool             // logical types have no form of their own
	named   map[string]*node // by full name
	pending []*field         // whose defaults are written when all types are known
}

// compile makes the node of n, which stands in the given namespace.
func (c *compiler) compile(n *lib.SchemaNode, namespace string) (*node, error) {
	switch n.Type {
	case "record", "error", "enum", "fixed":
		return c.define(n)
	case "array", "map":
		return c.container(n, namespace)
	case "union":
		return c.makeUnion(n, namespace)
	}
	if k, ok := primitive(n.Type); ok {
		out := &node{kind: k, branch: n.Type, word: n.Type}
		c.applyLogical(out, n)
		return out, nil
	}
	return c.lookup(n.Type, namespace)
}

func primitive(name string) (kind, bool) {
	switch name {
	case "null":
		return kindNull, true
	case "boolean":
		return kindBoolean, true
	case "int":
		return kindInt, true
	case "long":
		return kindLong, true
	case "float":
		return kindFloat, true
	case "double":
		return kindDouble, true
	case "bytes":
		return kindBytes, true
	case "string":
		return kindString, true
	}
	return 0, false
}

// lookup finds a named type as the specification says: a name without a dot is of the namespace around it, or of none.
func (c *compiler) lookup(name, namespace string) (*node, error) {
	if namespace != "" && !strings.Contains(name, ".") {
		if n := c.named[namespace+"."+name]; n != nil {
			return n, nil
		}
	}
	if n := c.named[name]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("%w %q", errUnknownType, name)
}

func fullName(n *lib.SchemaNode) (full, namespace string) {
	if i := strings.LastIndexByte(n.Name, '.'); i >= 0 {
		return n.Name, n.Name[:i]
	}
	if n.Namespace == "" {
		return n.Name, ""
	}
	return n.Namespace + "." + n.Name, n.Namespace
}

// define makes the node of a named type. One that was defined before is that one: the library repeats definitions.
func (c *compiler) define(n *lib.SchemaNode) (*node, error) {
	full, namespace := fullName(n)
	if known := c.named[full]; known != nil {
		return known, nil
	}
	out := &node{name: full, branch: full, word: n.Type + " " + full}
	c.named[full] = out // before its fields, which may refer to it
	switch n.Type {
	case "enum":
		out.kind, out.symbols = kindEnum, n.Symbols
		out.ordinals = make(map[string]int, len(n.Symbols))
		for i, s := range n.Symbols {
			out.ordinals[s] = i
		}
		out.word += symbolsInWords(n.Symbols)
		return out, nil
	case "fixed":
		out.kind, out.size = kindFixed, n.Size
		out.word = "fixed " + full + " of " + strconv.Itoa(n.Size) + " bytes"
		c.applyLogical(out, n)
		return out, nil
	}
	out.kind, out.word = kindRecord, "record "+full
	return out, c.fields(out, n, namespace)
}

func (c *compiler) fields(out *node, n *lib.SchemaNode, namespace string) error {
	out.fields = make([]field, len(n.Fields))
	out.index = make(map[string]int, len(n.Fields))
	for i := range n.Fields {
		f := &n.Fields[i]
		typ, err := c.compile(&f.Type, namespace)
		if err != nil {
			return fmt.Errorf("field %q of %s: %w", f.Name, out.word, err)
		}
		out.fields[i] = field{name: f.Name, typ: typ, hasDef: f.HasDefault, value: f.Default}
		out.index[f.Name] = i
		if f.HasDefault {
			c.pending = append(c.pending, &out.fields[i])
		}
	}
	return nil
}

// maxSymbolsShown is how many symbols of an enum an error lists.
const maxSymbolsShown = 8

func symbolsInWords(symbols []string) string {
	if len(symbols) > maxSymbolsShown {
		return " (" + strings.Join(symbols[:maxSymbolsShown], ", ") + ", …)"
	}
	return " (" + strings.Join(symbols, ", ") + ")"
}

func (c *compiler) container(n *lib.SchemaNode, namespace string) (*node, error) {
	out := &node{kind: kindArray, branch: n.Type}
	inner := n.Items
	if n.Type == "map" {
		out.kind, inner = kindMap, n.Values
	}
	var err error
	if out.items, err = c.compile(inner, namespace); err != nil {
		return nil, err
	}
	out.word = n.Type + " of " + out.items.word
	return out, nil
}

func (c *compiler) makeUnion(n *lib.SchemaNode, namespace string) (*node, error) {
	u := &union{null: -1, byTag: make(map[string]int)}
	var words []string
	for i := range n.Branches {
		b, err := c.compile(&n.Branches[i], namespace)
		if err != nil {
			return nil, err
		}
		u.branches = append(u.branches, b)
		words = append(words, b.word)
		u.byTag[b.branch] = i
	}
	for i, b := range u.branches { // the name without its namespace is one, too, if it is no other branch's
		if short := b.branch[strings.LastIndexByte(b.branch, '.')+1:]; short != b.branch {
			if _, taken := u.byTag[short]; !taken {
				u.byTag[short] = i
			}
		}
		if b.kind == kindNull {
			u.null = i
		}
	}
	u.order()
	u.plain = u.plain && !c.strict
	return &node{kind: kindUnion, union: u, word: "one of " + strings.Join(words, ", ")}, nil
}

// order sorts the branches by the JSON types that they may be.
func (u *union) order() {
	pick := func(kinds ...kind) (at []int) {
		for _, k := range kinds {
			for i, b := range u.branches {
				if b.kind == k {
					at = append(at, i)
				}
			}
		}
		return at
	}
	where := func(ok func(*node) bool) (at []int) {
		for i, b := range u.branches {
			if ok(b) {
				at = append(at, i)
			}
		}
		return at
	}
	decimals := where(func(b *node) bool { return b.logical == logicalDecimal })
	u.bools, u.arrays = pick(kindBoolean), pick(kindArray)
	u.objects = where(func(b *node) bool { return b.kind == kindRecord || b.kind == kindMap })
	u.whole = append(pick(kindInt, kindLong), append(decimals, pick(kindFloat, kindDouble)...)...)
	u.fraction = append(slices.Clip(decimals), pick(kindDouble, kindFloat, kindInt, kindLong)...)
	u.strings = where(func(b *node) bool {
		return b.kind == kindString || b.kind == kindEnum || b.logical != logicalNone
	})
	u.strings = append(u.strings, where(func(b *node) bool { return b.logical == logicalNone && (b.kind == kindFixed || b.kind == kindBytes) })...)
	u.strings = append(u.strings, pick(kindDouble, kindFloat)...)
	if len(u.branches) == 2 && u.null >= 0 {
		k := u.branches[1-u.null].kind
		u.plain = k != kindMap && k != kindRecord
	}
}

// applyLogical sets the logical type if the specification allows it there; else it has no meaning, and is ignored as it asks.
func (c *compiler) applyLogical(out *node, n *lib.SchemaNode) {
	switch l := n.LogicalType; {
	case c.strict:
		return
	case l == "date" && out.kind == kindInt:
		out.logical = logicalDate
	case l == "time-millis" && out.kind == kindInt:
		out.logical = logicalTimeMillis
	case l == "decimal" && n.Precision > 0 && (out.kind == kindBytes || out.kind == kindFixed):
		out.logical, out.precision, out.scale = logicalDecimal, n.Precision, n.Scale
		out.word += fmt.Sprintf(" (decimal of at most %d digits, %d of them after the point)", n.Precision, n.Scale)
		return
	case l == "uuid" && (out.kind == kindString || out.kind == kindFixed && out.size == 16):
		out.logical = logicalUUID
	case l == "duration" && out.kind == kindFixed && out.size == 12:
		out.logical = logicalDuration
	case out.kind == kindLong:
		out.logical = longLogical(l)
	}
	if out.logical != logicalNone {
		out.word += " (" + n.LogicalType + ")"
	}
}

func longLogical(name string) logical {
	switch name {
	case "time-micros":
		return logicalTimeMicros
	case "timestamp-millis":
		return logicalTimestampMillis
	case "timestamp-micros":
		return logicalTimestampMicros
	case "timestamp-nanos":
		return logicalTimestampNanos
	case "local-timestamp-millis":
		return logicalLocalMillis
	case "local-timestamp-micros":
		return logicalLocalMicros
	case "local-timestamp-nanos":
		return logicalLocalNanos
	}
	return logicalNone
}
