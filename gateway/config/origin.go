package config

import "fmt"

// OriginKind is what gave a setting its value.
type OriginKind uint8

// The origins of values, weakest first; FromRule is what Java's rules make of the others.
const (
	FromDefault OriginKind = iota
	FromProfile
	FromFile
	FromRule
)

// Origin says where a setting's value came from.
type Origin struct {
	Kind  OriginKind
	File  string // of FromFile and FromProfile
	Line  int    // of the key, or of the profile's
	Table string // of FromFile: kafka, topics.orders; "" is the top level
	Name  string // of FromProfile
	Rule  string // of FromRule
}

// String returns, for example, "default", "profile durable", "config.toml:12 [producer]" or "derived: ...".
func (o Origin) String() string {
	switch o.Kind {
	case FromProfile:
		return "profile " + o.Name
	case FromFile:
		if o.Table == "" {
			return fmt.Sprintf("%s:%d", o.File, o.Line)
		}
		return fmt.Sprintf("%s:%d [%s]", o.File, o.Line, o.Table)
	case FromRule:
		return "derived: " + o.Rule
	default:
		return "default"
	}
}

// explicit says whether somebody chose the value, which is what Java's rules ask.
func (o Origin) explicit() bool { return o.Kind == FromFile || o.Kind == FromProfile }

// rank says which of two settings an error is about: rather what stands in the file than what a profile brought.
func (o Origin) rank() OriginKind {
	if o.explicit() {
		return o.Kind
	}
	return FromDefault
}

// where is how an error names the place of another setting.
func (o Origin) where() string {
	switch o.Kind {
	case FromProfile:
		return fmt.Sprintf("profile %s, line %d", o.Name, o.Line)
	case FromFile:
		return fmt.Sprintf("line %d", o.Line)
	default:
		return o.String()
	}
}
