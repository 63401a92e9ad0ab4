package config

import (
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is the TOML type of a value.
type kind uint8

const (
	kindOther kind = iota // dates and times, of which no setting is made
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
	s     string    // strings; integers that do not fit into 64 bits
	wide  bool      // an integer that does not fit into 64 bits
	items []literal // arrays
}

func newLiteral(n *unstable.Node) literal {
	switch n.Kind {
	case unstable.Bool:
		return literal{kind: kindBool, b: string(n.Data) == "true"}
	case unstable.Integer:
		i, err := strconv.ParseInt(string(n.Data), 0, 64)
		return literal{kind: kindInt, i: i, s: string(n.Data), wide: err != nil}
	case unstable.Float:
		return literal{kind: kindFloat}
	case unstable.String:
		return literal{kind: kindString, s: string(n.Data)}
	case unstable.Array:
		a := literal{kind: kindArray}
		for it := n.Children(); it.Next(); {
			a.items = append(a.items, newLiteral(it.Node()))
		}
		return a
	case unstable.InlineTable:
		return literal{kind: kindTable}
	default:
		return literal{kind: kindOther}
	}
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
