package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// moduleConfig makes JSON of a module's configuration: compact, with sorted keys, so that equal tables are equal bytes.
func (in *interpreter) moduleConfig(key string, table *literal) (any, string) {
	c := converter{in: in}
	v := c.value(key, table.line, table)
	if c.failed {
		return nil, reported
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // guests' parsers need not undo what only browsers need
	if err := enc.Encode(v); err != nil {
		return nil, err.Error()
	}
	return json.RawMessage(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), ""
}

// converter turns literals into what encoding/json writes, and reports those that JSON has no form for.
type converter struct {
	in     *interpreter
	failed bool
}

// value converts what stands at key; line is where, unless v knows better.
func (c *converter) value(key string, line int, v *literal) any {
	if v.line > 0 {
		line = v.line
	}
	switch v.kind {
	case kindBool:
		return v.b
	case kindString:
		return v.s
	case kindArray:
		out := make([]any, len(v.items))
		for i, item := range v.items {
			out[i] = c.value(fmt.Sprintf("%s[%d]", key, i), line, item)
		}
		return out
	case kindTable:
		out := make(map[string]any, len(v.keys))
		for _, name := range slices.Sorted(maps.Keys(v.keys)) {
			out[name] = c.value(key+"."+dotted([]string{name}), line, v.keys[name])
		}
		return out
	default:
		return c.scalar(key, line, v)
	}
}

// scalar converts numbers, dates and times.
func (c *converter) scalar(key string, line int, v *literal) any {
	fail := func(rule string) any {
		c.failed = true
		c.in.failAt(key, line, v.s, rule)
		return nil
	}
	if v.kind == kindInt {
		if v.wide {
			return fail("must fit into 64 bits")
		}
		return v.i
	}
	var into struct{ V any }
	if err := toml.Unmarshal([]byte("V = "+v.s), &into); err != nil {
		return fail("must be " + v.kind.String() + " that exists")
	}
	switch x := into.V.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fail("must be a finite number, because JSON has no other")
		}
		return x
	case time.Time:
		return x.Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(x) // local dates and times
	}
}
