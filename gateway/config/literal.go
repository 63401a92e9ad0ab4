package config

import (
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is the TOML type of a value.
type kind uint8

const (
	kindTime kind = iota // dates and times; only a module's configuration holds them
	kindBool
	kindInt
	kindFloat
	kindString
	kindArray
	kindTable
)

func (k kind) String() string {
	return [...]string{"a date or time", "a boolean", "an integer", "a float", "a string", "an array", "a table"}[k]
}

// literal is a TOML value before it is known which setting it is for.
type literal struct {
	kind  kind
	b     bool
	i     int64
	s     string              // strings; numbers, dates and times as written
	wide  bool                // an integer that does not fit into 64 bits
	items []*literal          // arrays
	keys  map[string]*literal // tables; a key's line is its value's
	line  int                 // 0 if nobody asks
	text  string              // as written, for errors; "" for tables
}

func (s *scanner) literal(n *unstable.Node) literal {
	switch n.Kind {
	case unstable.Bool:
		return literal{kind: kindBool, b: string(n.Data) == "true"}
	case unstable.Integer:
		i, err := strconv.ParseInt(string(n.Data), 0, 64)
		return literal{kind: kindInt, i: i, s: string(n.Data), wide: err != nil}
	case unstable.Float:
		return literal{kind: kindFloat, s: string(n.Data)}
	case unstable.String:
		return literal{kind: kindString, s: string(n.Data)}
	case unstable.Array:
		a := literal{kind: kindArray}
		for it := n.Children(); it.Next(); {
			v := s.literal(it.Node())
			a.items = append(a.items, &v)
		}
		return a
	case unstable.InlineTable:
		return s.inlineTable(n)
	default:
		return literal{kind: kindTime, s: string(n.Data)}
	}
}

// inlineTable takes the inline tables of arrays. A key that is there twice keeps its first value; semantics reports it.
func (s *scanner) inlineTable(n *unstable.Node) literal {
	t := newTable(s.line(s.base + int(n.Raw.Offset)))
	for it := n.Children(); it.Next(); {
		kv := it.Node()
		path, start, end := s.key(nil, kv.Key())
		v := s.literal(kv.Value())
		v.line, v.text = s.line(start), s.text(kv, end)
		t.put(path, &v)
	}
	return *t
}

// dotted writes a key path as TOML does: parts that are not bare keys are quoted.
func dotted(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = p
		if p == "" || strings.Trim(p, bareKey) != "" {
			parts[i] = strconv.Quote(p)
		}
	}
	return strings.Join(parts, ".")
}

const bareKey = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
