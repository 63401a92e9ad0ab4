// Package avro writes JSON values as Avro and Avro as JSON. Schemas are parsed and checked by github.com/twmb/avro; values are
// walked here, because an error must name the place in the JSON, and because no tree of Go values has to be built.
//
// A value may have the form in which people write JSON, or that of the Avro specification (section JSON Encoding):
//
//   - A union is the plain value, or {"name of the branch": value}. An object of one member that is named like a branch is the
//     latter if its value fits that branch. A plain value takes the first branch that it fits, but a number without a fraction
//     takes int and long before float and double, one with a fraction double before float, and a string takes bytes and fixed
//     only if nothing else fits.
//   - bytes and fixed are strings of which each character is one byte (U+0000 to U+00FF).
//   - float and double are numbers, or "NaN", "Infinity", "-Infinity".
//   - date is "2006-01-02", time-* "15:04:05.999", timestamp-* RFC 3339, local-timestamp-* RFC 3339 without a zone; or the number
//     that is written.
//   - decimal is a number, or a string with one, so that no digit is lost on the way.
//   - uuid is a string in the form of RFC 9562; duration is ISO 8601 with months, days and milliseconds: "P1M2DT3.004S".
//
// A member that is missing has the default of its field. What is out of range, more precise than the type, unknown or given
// twice is an error: nothing is rounded, cut or left out.
package avro

import (
	"errors"
	"fmt"
	"sync"

	lib "github.com/twmb/avro"

	"sluice/gateway/schema/codec"
)

// Codec writes and reads values of one schema.
type Codec struct {
	root     *node
	opts     codec.Options
	encoders sync.Pool
}

// Compile makes a Codec of a schema. Of the references, those that others refer to come first.
func Compile(schema []byte, refs []codec.Reference, o codec.Options) (*Codec, error) {
	var cache lib.SchemaCache
	c := compiler{strict: o.Strict, named: make(map[string]*node)}
	for _, r := range refs {
		s, err := cache.Parse(string(r.Schema))
		if err != nil {
			return nil, fmt.Errorf("avro: the schema that is referred to as %q: %w", r.Name, err)
		}
		if _, err := c.compile(s.Root(), ""); err != nil {
			return nil, fmt.Errorf("avro: the schema that is referred to as %q: %w", r.Name, err)
		}
	}
	s, err := cache.Parse(string(schema))
	if err != nil {
		return nil, fmt.Errorf("avro: %w", err)
	}
	root, err := c.compile(s.Root(), "")
	if err != nil {
		return nil, fmt.Errorf("avro: %w", err)
	}
	if err := c.defaults(); err != nil {
		return nil, fmt.Errorf("avro: %w", err)
	}
	return &Codec{root: root, opts: o}, nil
}

// RecordName is the full name of the record, enum or fixed that the schema is; "" if it is none of them.
func (c *Codec) RecordName() string { return c.root.name }

// Encode appends the Avro form of a JSON value.
func (c *Codec) Encode(dst, value []byte) ([]byte, error) {
	e, ok := c.encoders.Get().(*encoder)
	if !ok {
		e = &encoder{}
	}
	defer c.encoders.Put(e)
	e.begin(value, c.opts)
	out, err := e.value(dst, c.root, 0)
	if err == nil {
		err = e.End()
	}
	e.Reset(nil, 0) // who sent the value gets it back
	if err == nil && c.opts.MaxBytes > 0 && len(out)-len(dst) > c.opts.MaxBytes {
		err = &codec.ValueError{Want: fmt.Sprintf("at most %d bytes when written", c.opts.MaxBytes), Found: "more"}
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// Decode appends the JSON of an Avro value. The whole of data must be one.
func (c *Codec) Decode(dst, data []byte) ([]byte, error) {
	d := decoder{src: data, opts: c.opts, limit: len(dst) + decodedLimit(c.opts)}
	out, err := d.value(dst, c.root, 0)
	if err == nil && d.pos < len(data) {
		err = &codec.ValueError{Want: "nothing more", Found: fmt.Sprintf("%d more bytes", len(data)-d.pos)}
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// maxDecoded is how much JSON comes of one value if nothing else is said.
const maxDecoded = 64 << 20

func decodedLimit(o codec.Options) int {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return maxDecoded
}

// errUnknownType is a type that the library knows and this package does not.
var errUnknownType = errors.New("unknown type")
