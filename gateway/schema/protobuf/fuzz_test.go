package protobuf

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"

	"sluice/gateway/schema/codec"
)

// FuzzEncode holds the encoder against Google's library: both take the same values and make the same messages of them, but that this
// package is stricter where it says so. And decode(encode(x)) is x.
func FuzzEncode(f *testing.F) {
	codecs := []*Codec{
		compile(f, "shop.proto", "Order"), compile(f, "shop.proto", "Scalars"), compile(f, "shop.proto", "Known"),
		compile(f, "legacy.proto", ""), compile(f, "editions.proto", ""),
	}
	for _, c := range good {
		for i := range codecs {
			f.Add(byte(i), []byte(c.value))
		}
	}
	for _, c := range bad {
		for i := range codecs {
			f.Add(byte(i), []byte(c.value))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, value []byte) {
		c := codecs[int(which)%len(codecs)]
		data, err := c.Encode(nil, value)
		want, wrong := oracle(c, value)
		if err != nil {
			if bad, ok := errors.AsType[*codec.ValueError](err); !ok || wrong == nil && !stricter(bad) {
				t.Fatalf("%q is refused: %v", value, err)
			}
			return
		}
		if wrong != nil {
			t.Fatalf("%q is taken, but by the oracle refused: %v", value, wrong)
		}
		got := parsed(t, c, data)
		if !proto.Equal(got, want) {
			t.Fatalf("%q\ngot  %v\nwant %v", value, got, want)
		}
		text, err := c.Decode(nil, data)
		if err != nil {
			t.Fatalf("%q was written as %x, which cannot be read: %v", value, data, err)
		}
		again, err := c.Encode(nil, text)
		if err != nil {
			t.Fatalf("%q was read back as %s, which cannot be written: %v", value, text, err)
		}
		if !proto.Equal(parsed(t, c, again), want) {
			t.Fatalf("%q was read back as %s", value, text)
		}
	})
}

// stricter says that a value is refused for what Google's library lets pass: depth, numbers that a closed enum has not, keys
// such as 01, times with a comma, durations such as +.5s or 1.s, spaces around field masks; and required fields of an edition, which protocompile's descriptors
// do not count as such.
func stricter(err *codec.ValueError) bool {
	if strings.HasSuffix(err.Path, "/must") {
		return true
	}
	for _, s := range []string{"levels of nesting", "enum legacy.Kind", "enum modern.Closed", "as the key of a map", "protobuf.Timestamp", "protobuf.Duration", "protobuf.FieldMask"} {
		if strings.Contains(err.Want, s) {
			return true
		}
	}
	return false
}

// FuzzDecode reads whatever bytes a record has.
func FuzzDecode(f *testing.F) {
	c := compile(f, "shop.proto", "Known")
	for _, g := range good {
		if g.message == "Known" {
			f.Add(encode(f, c, g.value))
		}
	}
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := c.Decode(nil, data)
		if _, ok := errors.AsType[*codec.ValueError](err); err != nil && !ok {
			t.Fatalf("%x: %v (%T)", data, err, err)
		}
		if err == nil && len(text) == 0 {
			t.Fatalf("%x is read as nothing", data)
		}
	})
}

// FuzzCompile compiles whatever a registry may answer, as a text and as the bytes of a descriptor.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"shop.proto", "money.proto", "legacy.proto", "editions.proto"} {
		f.Add(read(f, name))
	}
	for _, c := range []*Codec{compile(f, "shop.proto", ""), compile(f, "legacy.proto", ""), compile(f, "editions.proto", "")} {
		raw, err := proto.Marshal(protodesc.ToFileDescriptorProto(c.file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		money := []codec.Reference{{Name: "shop/money.proto", Schema: []byte(`syntax = "proto3"; package shop; message Money {}`)}}
		for _, form := range [][]byte{schema, base64.StdEncoding.AppendEncode(nil, schema)} {
			c, err := Compile(form, money, codec.Options{})
			if err != nil {
				continue
			}
			if c.RecordName() == "" {
				t.Fatalf("%q has no name", schema)
			}
			if c.Describe().Type == "" {
				t.Fatalf("%q has no type", schema)
			}
			if data, err := c.Encode(nil, []byte(`{}`)); err == nil {
				decode(t, c, data)
			}
		}
	})
}
