package protobuf

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"sluice/gateway/schema/codec"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// compile makes the codec of a message of a file in testdata.
func compile(t testing.TB, file, message string) *Codec {
	t.Helper()
	refs := []codec.Reference{{Name: "shop/money.proto", Schema: read(t, "money.proto")}}
	c, err := Compile(read(t, file), refs, codec.Options{Message: message})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// oracle is the message that Google's library reads from a JSON value.
func oracle(c *Codec, value []byte) (*dynamicpb.Message, error) {
	m := dynamicpb.NewMessage(c.desc)
	err := protojson.UnmarshalOptions{Resolver: c.types, RecursionLimit: 10_000}.Unmarshal(value, m)
	return m, err
}

// parsed is the message that was written, as Google's library reads it.
func parsed(t testing.TB, c *Codec, data []byte) *dynamicpb.Message {
	t.Helper()
	body, ok := bytes.CutPrefix(data, c.indexes)
	if !ok {
		t.Fatalf("%x does not begin with the indexes %x", data, c.indexes)
	}
	m := dynamicpb.NewMessage(c.desc)
	if err := (proto.UnmarshalOptions{Resolver: c.types}).Unmarshal(body, m); err != nil {
		t.Fatalf("%x cannot be read: %v", data, err)
	}
	return m
}

// encode writes a value and checks it against the oracle, which must take it, too.
func encode(t testing.TB, c *Codec, value string) []byte {
	t.Helper()
	data, err := c.Encode([]byte("before"), []byte(value))
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	data, ok := bytes.CutPrefix(data, []byte("before"))
	if !ok {
		t.Fatalf("what was in dst is gone: %q", data)
	}
	want, err := oracle(c, []byte(value))
	if err != nil {
		t.Fatalf("%s is taken, but by the oracle refused: %v", value, err)
	}
	if got := parsed(t, c, data); !proto.Equal(got, want) {
		t.Fatalf("%s:\ngot  %v\nwant %v", value, got, want)
	}
	return data
}

// decode reads back what was written.
func decode(t testing.TB, c *Codec, data []byte) string {
	t.Helper()
	text, err := c.Decode([]byte("before"), data)
	if err != nil {
		t.Fatalf("%x: %v", data, err)
	}
	text, ok := bytes.CutPrefix(text, []byte("before"))
	if !ok {
		t.Fatalf("what was in dst is gone: %q", text)
	}
	return string(text)
}

// refused is the error of a value, with dst unchanged.
func refused(t testing.TB, c *Codec, value string) *codec.ValueError {
	t.Helper()
	dst := append(make([]byte, 0, 1024), "before"...)
	got, err := c.Encode(dst, []byte(value))
	bad, ok := errors.AsType[*codec.ValueError](err)
	if !ok {
		t.Fatalf("%s: error %v (%T), data %x", value, err, err, got)
	}
	if string(got) != "before" {
		t.Fatalf("%s: dst became %q", value, got)
	}
	return bad
}
