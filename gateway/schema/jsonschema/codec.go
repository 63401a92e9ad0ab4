// Package jsonschema checks JSON values against a JSON Schema of a Schema Registry, and writes them as they are.
//
// What is written is what follows the frame of a Confluent client: the JSON itself. No number is rounded and no name is moved, for
// the bytes of the sender are those that are stored.
package jsonschema

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsontext"
)

// Codec is a compiled schema. It is never changed, and may be used by many goroutines at once.
type Codec struct {
	o      codec.Options
	digits int
	depth  int
	bytes  int // that a value may have
	schema *jsonschema.Schema
	quick  *quick // the same, to tell most values that fit
	title  string
	names  map[string]string // of properties, so that values need no copies of them

	readers sync.Pool // of *reader
}

// Compile makes the codec of a schema. The names of refs are what its $ref say: relative to the schema, or absolute; or refs are
// found by their $id. Nothing is ever fetched.
//
// Of the options, Message and IgnoreUnknown mean nothing here: what names a value may have is said by the schema.
func Compile(schema []byte, refs []codec.Reference, o codec.Options) (*Codec, error) {
	return CompileWith(schema, refs, o, DefaultSettings())
}

// CompileWith is Compile with settings of its own.
func CompileWith(schema []byte, refs []codec.Reference, o codec.Options, s Settings) (*Codec, error) {
	docs, err := load(schema, refs, s.Limits)
	if err != nil {
		return nil, err
	}
	compiled, most, err := compile(docs, s)
	if err != nil {
		return nil, err
	}
	c := &Codec{o: o, digits: s.Limits.Digits, bytes: most, schema: compiled, title: title(docs.root), names: map[string]string{}}
	g := graph{limit: s.Limits.Visits}
	if c.depth, err = g.depth(compiled, o.Depth()); err != nil {
		return nil, err
	}
	c.quick = (&quickener{graph: &g, made: map[*jsonschema.Schema]*quick{}}).schema(compiled)
	g.eachProperty(func(name string) { c.names[name] = name })
	limit := "schema.max.depth"
	if c.depth < o.Depth() {
		limit = "schema.jsonschema.max.visits: each level doubles the work of this schema, or more"
	}
	c.readers.New = func() any { return &reader{s: jsontext.Scanner{DepthLimit: limit}, names: c.names, reuse: true} }
	return c, nil
}

// RecordName is the title of the schema, as Confluent's clients have it, or "" if it has none.
func (c *Codec) RecordName() string { return c.title }

// Encode checks a JSON value and appends it: as it is, or with Options.Compact without white space between its tokens.
func (c *Codec) Encode(dst, value []byte) ([]byte, error) {
	if err := c.check(value); err != nil {
		return dst, err
	}
	form := func(dst, value []byte) []byte { return append(dst, value...) }
	if c.o.Compact {
		form = compact
	}
	out := form(dst, value)
	if n := len(out) - len(dst); c.o.MaxBytes > 0 && n > c.o.MaxBytes {
		return dst, &codec.ValueError{Want: fmt.Sprintf("at most %d bytes when written", c.o.MaxBytes), Found: strconv.Itoa(n)}
	}
	return out, nil
}

// Decode checks what a record has, and appends it as it is.
func (c *Codec) Decode(dst, data []byte) ([]byte, error) {
	if err := c.check(data); err != nil {
		return dst, err
	}
	return append(dst, data...), nil
}

// Check says whether a record has a JSON value that fits.
func (c *Codec) Check(data []byte) error { return c.check(data) }

func (c *Codec) check(value []byte) error {
	if len(value) > c.bytes {
		return &codec.ValueError{Want: fmt.Sprintf("at most %d bytes, to be matched by the patterns of the schema (schema.jsonschema.max.matching)", c.bytes), Found: strconv.Itoa(len(value))}
	}
	r := c.readers.Get().(*reader)
	defer c.readers.Put(r)
	defer r.release()
	v, err := r.read(value, c.depth, c.digits)
	if err != nil {
		return err
	}
	if c.quick.check(v) == fits {
		return nil
	}
	if err := c.schema.Validate(v); err != nil {
		return first(err, v)
	}
	return nil
}

// compact appends a valid JSON text without the white space between its tokens.
func compact(dst, text []byte) []byte {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			dst = append(dst, c)
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		dst = append(dst, text[i])
	}
	return dst
}
