// Package codec is what the schema formats have in common: what a schema is compiled from, and what is wrong with a value
// that does not fit it. Each format is a package beside this one, with
//
//	func Compile(schema []byte, refs []codec.Reference, o codec.Options) (*Codec, error)
//	func (c *Codec) Encode(dst, value []byte) ([]byte, error)  // appends the wire form of a JSON value, without the frame
//	func (c *Codec) Decode(dst, data []byte) ([]byte, error)   // appends the JSON value of a wire form
//	func (c *Codec) Check(data []byte) error                   // says whether data is a wire form, more cheaply than Decode
//	func (c *Codec) RecordName() string                        // the full name of the record, for subjects; "" if it has none
//
// A Codec is never changed after Compile and may be used by many goroutines at once. When Encode or Decode fails, dst is
// returned as it was, with an error that is a *[ValueError]; so is that of Check.
package codec

import "strings"

// Reference is a schema that another one refers to by name.
type Reference struct {
	Name   string // what the referring schema calls it: an Avro full name, a $ref, an imported file
	Schema []byte
}

// Options is what Compile and the Codec that it makes keep to. The zero value has the defaults.
type Options struct {
	// MaxDepth is how deep a value may be nested. 0 is [DefaultMaxDepth].
	MaxDepth int
	// MaxBytes is how many bytes Encode or Decode may append for one value. 0 is no limit: the record's own is enough.
	MaxBytes int
	// Message names the message or type of a schema that has several; "" is the first one.
	Message string
	// IgnoreUnknown says that members which the schema does not have are left out of what is written. Else they are an error:
	// what a sender sends must not vanish unseen.
	IgnoreUnknown bool
	// Strict says that values have the one form of their format's specification, as its own tools read and write it: for Avro,
	// logical types are what they are written as, and decoded unions are tagged.
	Strict bool
	// Compact says that a format which writes the JSON itself leaves out white space between tokens.
	Compact bool
}

// DefaultMaxDepth is how deep a value may be nested if nothing else is said.
const DefaultMaxDepth = 64

// Depth is how deep a value may be nested.
func (o Options) Depth() int {
	if o.MaxDepth <= 0 {
		return DefaultMaxDepth
	}
	return o.MaxDepth
}

// ValueError says that a value does not fit its schema, and where.
type ValueError struct {
	// Path is the JSON Pointer (RFC 6901) of the place in the value. "" is the whole value.
	Path string
	// Want is what the schema asks for there, in the words of its format: "int", "enum Color", "string of at most 5 characters".
	Want string
	// Found is what is there: `"x"`, "null", "nothing", "an object". It quotes the value itself only where
	// that is short.
	Found string
	// Kind says what Found is without quoting it: "a string". "" says that Found quotes nothing.
	Kind string
}

// Unquoted is Found, or its kind if it quotes the value.
func (e *ValueError) Unquoted() string {
	if e.Kind != "" {
		return e.Kind
	}
	return e.Found
}

// Error implements error.
func (e *ValueError) Error() string {
	at := e.Path
	if at == "" {
		at = "the value"
	}
	return at + ": expected " + e.Want + ", found " + e.Found
}

// pointerEscaper writes a name as a JSON Pointer token.
var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1") //nolint:gochecknoglobals // never changed

// Escape writes the name of a member as one token of a JSON Pointer, without the slash before it.
func Escape(name string) string { return pointerEscaper.Replace(name) }

// Unescape is the name that a token of a JSON Pointer stands for. It is false if the token is not well formed.
func Unescape(token string) (name string, ok bool) {
	if !strings.Contains(token, "~") {
		return token, true
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '~' {
			b.WriteByte(token[i])
			continue
		}
		i++
		switch {
		case i < len(token) && token[i] == '0':
			b.WriteByte('~')
		case i < len(token) && token[i] == '1':
			b.WriteByte('/')
		default:
			return "", false
		}
	}
	return b.String(), true
}
