package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// defaults writes all defaults.
func (c *compiler) defaults() error {
	for _, f := range c.pending {
		def, err := appendDefault(nil, f.typ, f.value)
		if err != nil {
			return fmt.Errorf("the default of field %q: %w", f.name, err)
		}
		f.def = def
	}
	return nil
}

// appendDefault appends what the library read as the default of a type. It checked that it fits.
func appendDefault(dst []byte, n *node, v any) ([]byte, error) {
	switch n.kind {
	case kindUnion:
		return appendUnionDefault(dst, n.union, v)
	case kindRecord:
		return appendRecordDefault(dst, n, v)
	case kindArray:
		items, ok := v.([]any)
		if !ok {
			return dst, wrongDefault(n, v)
		}
		return appendArrayDefault(dst, n.items, items)
	case kindMap:
		values, ok := v.(map[string]any)
		if !ok {
			return dst, wrongDefault(n, v)
		}
		return appendMapDefault(dst, n.items, values)
	default:
		return appendScalarDefault(dst, n, v)
	}
}

func wrongDefault(n *node, v any) error { return fmt.Errorf("%T for %s", v, n.word) }

func appendScalarDefault(dst []byte, n *node, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		if n.kind == kindNull {
			return dst, nil
		}
	case bool:
		if n.kind == kindBoolean {
			return appendBool(dst, v), nil
		}
	case int32:
		if n.kind == kindInt {
			return appendLong(dst, int64(v)), nil
		}
	case int64:
		if n.kind == kindLong {
			return appendLong(dst, v), nil
		}
	case float32:
		if n.kind == kindFloat {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v)), nil
		}
	case float64:
		if n.kind == kindDouble {
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), nil
		}
	case string:
		if at, ok := n.ordinals[v]; ok && n.kind == kindEnum {
			return appendLong(dst, int64(at)), nil
		}
		if n.kind == kindString {
			return append(appendLong(dst, int64(len(v))), v...), nil
		}
	case []byte:
		if n.kind == kindBytes {
			return append(appendLong(dst, int64(len(v))), v...), nil
		}
		if n.kind == kindFixed && len(v) == n.size {
			return append(dst, v...), nil
		}
	}
	return dst, wrongDefault(n, v)
}

func appendUnionDefault(dst []byte, u *union, v any) ([]byte, error) {
	for i, b := range u.branches {
		if out, err := appendDefault(appendLong(dst, int64(i)), b, v); err == nil {
			return out, nil
		}
	}
	return dst, fmt.Errorf("%T fits no branch", v)
}

func appendRecordDefault(dst []byte, n *node, v any) ([]byte, error) {
	members, ok := v.(map[string]any)
	if !ok {
		return dst, wrongDefault(n, v)
	}
	for i := range n.fields {
		f := &n.fields[i]
		value, given := members[f.name]
		if !given && !f.hasDef {
			return dst, fmt.Errorf("it leaves out field %q", f.name)
		}
		if !given {
			value = f.value
		}
		var err error
		if dst, err = appendDefault(dst, f.typ, value); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendArrayDefault(dst []byte, items *node, values []any) ([]byte, error) {
	if len(values) > 0 {
		dst = appendLong(dst, int64(len(values)))
	}
	for _, v := range values {
		var err error
		if dst, err = appendDefault(dst, items, v); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func appendMapDefault(dst []byte, items *node, values map[string]any) ([]byte, error) {
	if len(values) > 0 {
		dst = appendLong(dst, int64(len(values)))
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names) // equal schemas write equal bytes
	for _, name := range names {
		dst = append(appendLong(dst, int64(len(name))), name...)
		var err error
		if dst, err = appendDefault(dst, items, values[name]); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}
