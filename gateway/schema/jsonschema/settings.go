package jsonschema

import (
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Settings are what Confluent's clients have settings for, too, and limits.
type Settings struct {
	// Draft is that of schemas without $schema: 4, 6, 7, 2019 or 2020.
	Draft int
	// IgnoreFormat says that "format" is an annotation in all drafts. Else it is a rule in all of them. What is in format "regex"
	// is always checked.
	IgnoreFormat bool
	Limits       Limits
}

// DefaultSettings are those of Compile. The draft is 7, as that of Confluent's registry and Java clients: DESIGN.md.
func DefaultSettings() Settings { return Settings{Draft: 7, Limits: DefaultLimits()} }

// Limits bound what compiling a schema and checking a value may cost. A schema or value beyond one is an error that names it.
type Limits struct {
	SchemaBytes int // of the schema and all references together; schema.max.bytes bounds what is read of the registry before
	References  int // how many
	Nesting     int // of the JSON of a schema
	Objects     int // in the schema and all references: the library's work grows with the square
	Places      int // the objects times those of them that have an $id, or a $ref to where no schema is expected: work of the library, too
	Regexp      int // the size of a compiled pattern, in instructions
	Regexps     int // the size of all of them together
	Matching    int // the bytes of a value times the size of the largest pattern: what matching may take
	Digits      int // of a number, written without an exponent
	// Visits is how often one part of a value may be looked at. A schema that refers to itself in more than one way
	// may do it twice as often with each level, so Visits also bounds how deep values of such a schema may be nested.
	Visits int
}

// DefaultLimits are those of Compile.
func DefaultLimits() Limits {
	return Limits{
		SchemaBytes: 16 << 20, References: 256, Nesting: 200, Objects: 10_000, Places: 1_000_000,
		Regexp: 10_000, Regexps: 100_000, Matching: 200_000_000, Digits: 400, Visits: 2_000,
	}
}

func draft(n int) (*jsonschema.Draft, error) {
	switch n {
	case 4:
		return jsonschema.Draft4, nil
	case 6:
		return jsonschema.Draft6, nil
	case 7:
		return jsonschema.Draft7, nil
	case 2019:
		return jsonschema.Draft2019, nil
	case 2020:
		return jsonschema.Draft2020, nil
	default:
		return nil, fmt.Errorf("draft %d is not known: 4, 6, 7, 2019 or 2020", n)
	}
}
