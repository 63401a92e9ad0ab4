package protobuf

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"sluice/gateway/schema/codec"
)

// TestCheckTakesWhatIsWritten holds that all that Encode writes is taken, and that what is left when the end is cut off is taken only if
// it can be read.
func TestCheckTakesWhatIsWritten(t *testing.T) {
	for _, g := range good {
		c := compile(t, g.file, g.message)
		data := encode(t, c, g.value)
		if err := c.Check(data); err != nil {
			t.Errorf("%s %s: %v", g.file, g.value, err)
		}
		for n := range data {
			if (c.Check(data[:n]) == nil) != (readable(c, data[:n]) == nil) {
				t.Errorf("%s %s: %x: check says %v, the library %v", g.file, g.value, data[:n], c.Check(data[:n]), readable(c, data[:n]))
			}
		}
	}
}

// readable is what Google's library says of a message.
func readable(c *Codec, data []byte) error {
	d, data, err := c.chosen(data)
	if err != nil {
		return err
	}
	m := dynamicpb.NewMessage(d)
	if err := proto.Unmarshal(data, m); err != nil {
		return err
	}
	for _, f := range c.requiredOf(d) { // of editions, too, which the library does not see
		if !m.Has(f) {
			return errors.New("not all that is required")
		}
	}
	return nil
}

func TestCheckRefuses(t *testing.T) {
	for _, b := range []struct{ file, message, data, want string }{
		{"shop.proto", "", "", "the value: expected message indexes before the message, found none that can be read"},
		{"shop.proto", "", "\x00\x0a", "the value: expected message shop.Order, found bytes that cannot be read"},
		{"shop.proto", "", "\x00\x0a\x01\xff", "/id: expected string in UTF-8, found bytes that are not"},
		{"shop.proto", "", "\x00\x08\x01", "/id: expected a field of kind string, found wire type 0"},
		{"shop.proto", "", "\x00\x0b", "the value: expected message shop.Order, found bytes that cannot be read"},
		{"legacy.proto", "", "\x00", "/name: expected a value, which is required, found nothing"},
	} {
		err := compile(t, b.file, b.message).Check([]byte(b.data))
		if err == nil || err.Error() != b.want {
			t.Errorf("%s %q: %v, want %s", b.file, b.data, err, b.want)
		}
	}
}

// TestCheckTakesIndexesOfOtherClients: a map before a nested message counts in Python, and does not in Java.
func TestCheckTakesIndexesOfOtherClients(t *testing.T) {
	c, err := Compile([]byte(`syntax = "proto3"; message A { map<string, string> m = 1; message In { int32 x = 2; } message Other { string y = 2; } }`), nil, codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for data, ok := range map[string]bool{
		"\x04\x00\x00\x10\x05":     true,  // Java's A.In
		"\x04\x00\x02\x10\x05":     true,  // Python's A.In, and Java's A.Other, which has no such field
		"\x04\x00\x04\x12\x01y":    true,  // Python's A.Other
		"\x04\x00\x04\x10\x05":     false, // which has no such field
		"\x04\x00\x06\x10\x05":     false,
		"\x04\x00\x02\x15\x05\x00": false,
	} {
		if err := c.Check([]byte(data)); (err == nil) != ok {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// FuzzCheck holds that what Check takes can be read, and that it refuses what cannot.
func FuzzCheck(f *testing.F) {
	codecs := []*Codec{compile(f, "shop.proto", "Known"), compile(f, "shop.proto", "Scalars"), compile(f, "shop.proto", ""), compile(f, "legacy.proto", "")}
	for _, g := range good {
		for i := range codecs {
			f.Add(byte(i), encode(f, compile(f, g.file, g.message), g.value))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		c := codecs[int(which)%len(codecs)]
		err := c.Check(data)
		if err != nil {
			if e, ok := errors.AsType[*codec.ValueError](err); !ok || e.Want == "" || e.Found == "" {
				t.Fatalf("%x: %v (%T)", data, err, err)
			}
			return
		}
		path, n := readIndexes(data)
		read := false
		for _, d := range []protoreflect.MessageDescriptor{at(c.file, path), byDescriptors(c.file, path)} {
			read = read || d != nil && proto.Unmarshal(data[n:], dynamicpb.NewMessage(d)) == nil
		}
		if !read {
			t.Fatalf("%x is taken, and cannot be read", data)
		}
	})
}
