package main

import (
	"slices"
	"strings"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

const typeRule = `must be a type or a list of types: string, integer, number, boolean, object, array, null`

func (g *guard) configure(c *sluice.Config) error {
	c.Only("required", "optional", "max_sizes", "max_key_bytes", "max_value_bytes", "null_value")
	g.required, g.optional = fields(c, "required"), fields(c, "optional")
	g.sizes = sizes(c)
	g.maxKey, g.maxValue = limit(c, "/max_key_bytes"), limit(c, "/max_value_bytes")
	switch c.String("/null_value", "pass") {
	case "pass":
		g.failNull = false
	case "fail":
		g.failNull = true
	default:
		return c.Wrong("/null_value", `must be "pass" or "fail"`)
	}
	return c.Err()
}

// limit is a number of bytes, -1 if it is not set.
func limit(c *sluice.Config, pointer string) int64 {
	n := c.Int(pointer, -1)
	if n < 0 && c.Has(pointer) {
		_ = c.Wrong(pointer, "must be 0 or more")
	}
	return n
}

// each calls f for every member of a table whose keys are JSON Pointers into values.
func each(c *sluice.Config, table string, f func(pointer, at string, v json.Value)) {
	if v := c.Value("/" + table); v.Kind() > json.Null && v.Kind() != json.Object {
		_ = c.Wrong("/"+table, `must be a table of JSON Pointers, such as {"/id" = ...}`)
	}
	c.Value("/" + table).Members(func(name, v json.Value) bool {
		pointer := string(name.Text())
		at := "/" + table + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(pointer)
		if err := json.CheckPointer(pointer); err != nil {
			_ = c.Wrong(at, "stands at a key that is no JSON Pointer: "+err.Error())
		}
		f(pointer, at, v)
		return c.Err() == nil
	})
}

func fields(c *sluice.Config, table string) (list []field) {
	each(c, table, func(pointer, at string, v json.Value) {
		types := typesOf(v)
		if len(types) == 0 {
			_ = c.Wrong(at, typeRule)
		}
		list = append(list, field{pointer, types, strings.Join(types, " or ")})
	})
	return list
}

// typesOf is nil if v names no type, or one that there is not.
func typesOf(v json.Value) (types []string) {
	known := []string{"string", "integer", "number", "boolean", "object", "array", "null"}
	if v.Kind() == json.String && slices.Contains(known, string(v.Text())) {
		return []string{string(v.Text())}
	}
	good := true
	v.Elements(func(_ int, e json.Value) bool {
		types = append(types, string(e.Text()))
		good = good && slices.Contains(known, string(e.Text()))
		return good
	})
	if !good {
		return nil
	}
	return types
}

func sizes(c *sluice.Config) (list []size) {
	each(c, "max_sizes", func(pointer, at string, v json.Value) {
		n, ok := v.Int()
		if !ok || n < 0 {
			_ = c.Wrong(at, "must be an integer, 0 or more: how many characters, elements or members there may be")
		}
		list = append(list, size{pointer, n})
	})
	return list
}
