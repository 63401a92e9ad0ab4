package protobuf

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"

	"sluice/gateway/schema/codec"
)

// nested has what makes message indexes hard: maps and groups, which make messages that no text declares.
const nested = `syntax = "proto2";
package n;
message A {
  map<string, string> m = 1;
  optional group G = 2 { optional int32 x = 1; }
  message B { optional int32 b = 1; message C { optional int32 c = 1; } message D {} }
}
message E { optional int32 e = 1; }
`

// The bytes are those of Confluent's wire format: docs.confluent.io, "Wire format", Protobuf.
func TestMessageIndexes(t *testing.T) {
	for _, c := range []struct{ message, name, value, want string }{
		{"", "n.A", `{}`, "00"},
		{"0", "n.A", `{}`, "00"},
		{"A", "n.A", `{"m":{"k":"v"}}`, "000a060a016b120176"},
		{"n.A", "n.A", `{}`, "00"},
		{"E", "n.E", `{"e":1}`, "02020801"},
		{"1", "n.E", `{}`, "0202"},
		{".n.E", "n.E", `{}`, "0202"},
		{"n.A.B", "n.A.B", `{}`, "040000"},
		{"A.B.C", "n.A.B.C", `{"c":1}`, "060000000801"},
		{"0, 0, 1", "n.A.B.D", `{}`, "06000002"},
	} {
		m, err := Compile([]byte(nested), nil, codec.Options{Message: c.message})
		if err != nil {
			t.Fatalf("%q: %v", c.message, err)
		}
		if m.RecordName() != c.name {
			t.Errorf("%q is %s, want %s", c.message, m.RecordName(), c.name)
		}
		data, err := m.Encode(nil, []byte(c.value))
		if got := hex.EncodeToString(data); err != nil || got != c.want {
			t.Errorf("%q: %s, %v, want %s", c.message, got, err, c.want)
		}
		first, err := Compile([]byte(nested), nil, codec.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := first.Decode(nil, data); err != nil || string(text) != c.value {
			t.Errorf("%q: a codec of another message reads %s, %v, want %s", c.message, text, err, c.value)
		}
	}
}

// Some writers, as that of Rust's prost, leave out keys and values that are zero.
func TestEntriesOfMapsMayLackKeyAndValue(t *testing.T) {
	for message, c := range map[string][2]string{
		"Order":   {"3200", `{"labels":{"":""}}`},
		"Scalars": {"ba0100c20100ca0100", `{"byBool":{"false":0},"byUint64":{"0":"UNKNOWN"},"bySfixed32":{"0":""}}`},
		"Known":   {"22060a0412022000", `{"struct":{"":false}}`},
	} {
		m := compile(t, "shop.proto", message)
		raw, err := hex.DecodeString(c[0])
		if err != nil {
			t.Fatal(err)
		}
		body := append(append([]byte(nil), m.indexes...), raw...)
		if got := decode(t, m, body); got != c[1] {
			t.Errorf("%s: got %s, want %s", message, got, c[1])
		}
	}
}

func TestDecodeRefusesWhatItCannotRead(t *testing.T) {
	c, err := Compile([]byte(nested), nil, codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{
		"":                                       "the value: expected message indexes before the message, found none that can be read",
		"80":                                     "message indexes before the message",
		"01":                                     "message indexes before the message", // -1 of them
		"0201":                                   "message indexes before the message", // index -1
		"02":                                     "message indexes before the message",
		"8402":                                   "message indexes before the message", // 130 of them
		"0204":                                   "expected message indexes of the schema, found [2]",
		"0602020a":                               "expected message indexes of the schema, found [1 1 5]",
		"00ff":                                   "expected message n.A, found",
		"000a050a01610801":                       "expected a message of the schema, found bytes that cannot be read", // a key twice, of two types
		"000a05":                                 "expected message n.A, found",
		"00" + strings.Repeat("0a8080808008", 4): "expected message n.A, found",
	} {
		raw, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Decode([]byte("before"), raw); err == nil || !strings.Contains(err.Error(), want) || string(got) != "before" {
			t.Errorf("%s: %q, %v, want %s", data, got, err, want)
		}
	}
}

func TestCompileErrorsSayWhatIsWrong(t *testing.T) {
	const head = "syntax = \"proto3\";\n"
	for _, c := range []struct {
		schema, message, want string
		refs                  []codec.Reference
	}{
		{schema: head, want: "the schema has no message"},
		{schema: "", want: "the schema has no message"},
		{schema: head + "message A {", want: "schema.proto:2:12: syntax error"},
		{schema: head + "message A { B b = 1; }", want: "schema.proto:2:13: field A.b: unknown type B"},
		{schema: head + `import "b.proto"; message A {}`, want: `no reference is called "b.proto"`},
		{schema: head + `import "/etc/passwd"; message A {}`, want: `no reference is called "/etc/passwd"`},
		{schema: head + `import "google/protobuf/none.proto"; message A {}`, want: `no reference is called "google/protobuf/none.proto"`},
		{schema: head + "message A {} message B {}", message: "C", want: `the schema has no message "C", it has A, B`},
		{schema: head + "message A {}", message: "1", want: "the schema has no message at index 1"},
		{schema: head + "message A {}", message: "0,0", want: "the schema has no message at index 0,0"},
		{schema: head + "message A { map<string, string> m = 1; }", message: "A.MEntry", want: `the schema has no message "A.MEntry"`},
		{schema: `syntax = "proto2"; message A { option message_set_wire_format = true; extensions 4 to max; }`, want: "message A is a message set"},
		{
			schema: head + `import "b.proto"; message A {}`, want: "cycle found in imports",
			refs: []codec.Reference{{Name: "b.proto", Schema: []byte(head + `import "b.proto";`)}},
		},
		{
			schema: head + `import "b.proto"; message A {}`, want: "cycle found in imports",
			refs: []codec.Reference{{Name: "b.proto", Schema: []byte(head + `import "c.proto";`)}, {Name: "c.proto", Schema: []byte(head + `import "b.proto";`)}},
		},
		{
			schema: head + `import "b.proto"; message A {}`, want: `symbol "A" already defined at b.proto:1:`,
			refs: []codec.Reference{{Name: "b.proto", Schema: []byte(`syntax = "proto3"; message A {}`)}},
		},
		{
			schema: head + "message A {}", want: `two references are called "b"`,
			refs: []codec.Reference{{Name: "b"}, {Name: "b"}},
		},
	} {
		_, err := Compile([]byte(c.schema), c.refs, codec.Options{Message: c.message})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.schema, err, c.want)
		}
	}
}

func TestReferencesAndBuiltinsAreFound(t *testing.T) {
	refs := []codec.Reference{
		{Name: "schema.proto", Schema: []byte(`syntax = "proto3"; package b; import public "c/d.proto"; message B { int32 x = 1; }`)},
		{Name: "c/d.proto", Schema: []byte(`syntax = "proto2"; package d; message D { required string s = 1; }`)},
		{Name: "unused.proto", Schema: []byte(`this is not even Protobuf`)},
		{Name: "google/protobuf/timestamp.proto", Schema: []byte(`syntax = "proto3"; package google.protobuf; message Timestamp { string other = 1; }`)},
	}
	schema := `syntax = "proto3"; package a;
import "schema.proto"; import "confluent/meta.proto"; import "confluent/type/decimal.proto"; import "google/protobuf/timestamp.proto";
option (confluent.file_meta).doc = "f";
message A {
  option (confluent.message_meta) = { doc: "m", params: [{ key: "k", value: "v" }] };
  b.B b = 1 [(confluent.field_meta) = { tags: ["pii"] }];
  d.D d = 2;
  confluent.type.Decimal price = 3;
  google.protobuf.Timestamp at = 4;
}`
	c, err := Compile([]byte(schema), refs, codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const value = `{"b":{"x":1},"d":{"s":""},"price":{"value":"AQ==","precision":3,"scale":2},"at":"1970-01-01T00:00:01Z"}`
	if got := decode(t, c, encode(t, c, value)); got != value {
		t.Errorf("got  %s\nwant %s", got, value)
	}
	if err := refused(t, c, `{"d":{}}`); err.Path != "/d/s" {
		t.Errorf("path %s", err.Path)
	}
}

// The registry answers this to GET /schemas/ids/1?format=serialized.
func TestSerializedDescriptors(t *testing.T) {
	text := compile(t, "shop.proto", "Scalars")
	fd := protodesc.ToFileDescriptorProto(text.file)
	raw, err := proto.Marshal(fd)
	if err != nil {
		t.Fatal(err)
	}
	money := base64.StdEncoding.EncodeToString(mustMarshal(t, text, "shop/money.proto"))
	refs := []codec.Reference{{Name: "shop/money.proto", Schema: []byte(money)}}
	c, err := Compile([]byte(base64.StdEncoding.EncodeToString(raw)+"\n"), refs, codec.Options{Message: "Scalars"})
	if err != nil {
		t.Fatal(err)
	}
	const value = `{"int32":5,"other":"o","byBool":{"true":1}}`
	if got, want := encode(t, c, value), encode(t, text, value); string(got) != string(want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if got := decode(t, c, encode(t, c, value)); got != value {
		t.Errorf("got %s", got)
	}
}

func mustMarshal(t *testing.T, c *Codec, imported string) []byte {
	t.Helper()
	for i := range c.file.Imports().Len() {
		if fd := c.file.Imports().Get(i); fd.Path() == imported {
			raw, err := proto.Marshal(protodesc.ToFileDescriptorProto(fd.FileDescriptor))
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
	t.Fatalf("%s is not imported", imported)
	return nil
}

func TestOptions(t *testing.T) {
	const schema = `syntax = "proto3"; message A { A a = 1; string s = 2; }`
	loose, err := Compile([]byte(schema), nil, codec.Options{IgnoreUnknown: true, MaxDepth: 3, MaxBytes: 20})
	if err != nil {
		t.Fatal(err)
	}
	data, err := loose.Encode(nil, []byte(`{"x":{"y":[1]},"a":{"z":null,"s":"t"}}`))
	if got := decode(t, loose, data); err != nil || got != `{"a":{"s":"t"}}` {
		t.Errorf("%s, %v", got, err)
	}
	if err := refused(t, loose, `{"a":{"a":{"a":{}}}}`); err.Error() != "/a/a/a: expected at most 3 levels of nesting (schema.max.depth), found one more" {
		t.Error(err)
	}
	if err := refused(t, loose, `{"x":[[[]]]}`); err.Want != "at most 3 levels of nesting (schema.max.depth)" {
		t.Error(err)
	}
	if err := refused(t, loose, `{"s":"0123456789012345678"}`); err.Error() != "the value: expected at most 20 bytes when written, found 22" {
		t.Error(err)
	}
	if _, err := loose.Decode(nil, []byte("\x00\x12\x0dabcdefghijklm")); err == nil || !strings.Contains(err.Error(), "at most 20 bytes") {
		t.Error(err)
	}
}

func TestLimitsOfSchemasAreNamed(t *testing.T) {
	l := Limits{SchemaBytes: 2000, References: 2, Nesting: 5, Messages: 50, NameBytes: 10_000, Time: time.Minute}
	const head = `syntax = "proto3"; `
	for want, c := range map[string]struct {
		schema string
		refs   []codec.Reference
	}{
		"the schema and its references have 2001 bytes, and the limit is 2000 (schema.max.bytes)":         {head + strings.Repeat(" ", 1001-len(head)), []codec.Reference{{Name: "a", Schema: make([]byte, 1000)}}},
		"3 references, and the limit is 2 (schema.max.references)":                                        {head, make([]codec.Reference, 3)},
		"schema.proto is nested more than 5 levels deep (schema.protobuf.max.nesting)":                    {head + strings.Repeat("message A {", 6) + strings.Repeat("}", 6), nil},
		"r is nested more than 5 levels deep (schema.protobuf.max.nesting)":                               {head + `import "r"; message A {}`, []codec.Reference{{Name: "r", Schema: []byte(`option (a) = { b: [[[[[[`)}}},
		"the schema has more than 50 messages, with those that it imports (schema.protobuf.max.messages)": {head + "message A {" + manyMessages(50) + "}", nil},
	} {
		if _, err := CompileWithin([]byte(c.schema), c.refs, codec.Options{}, l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	l.NameBytes = 10
	if _, err := CompileWithin([]byte(head+"package a; message A { enum E { Z = 0; } int32 i = 1; }"), nil, codec.Options{}, l); err == nil ||
		err.Error() != "the full names of the schema have more than 10 bytes together (schema.protobuf.max.name.bytes)" {
		t.Error(err)
	}
	l.NameBytes = 1000
	l.Time = -1
	if _, err := CompileWithin([]byte(head+"message A {"+manyMessages(40)+"}"), nil, codec.Options{}, l); err == nil || !strings.Contains(err.Error(), "(schema.protobuf.compile.timeout.ms)") {
		t.Error(err)
	}
	l.Time = time.Minute
	// What only looks deep.
	shallow := head + "message A { // {{{{{{{{\n /* {{{{{{{ */ optional string s = 1 [json_name = \"{{{{\\\"{{{{\"]; }"
	if _, err := CompileWithin([]byte(shallow), nil, codec.Options{}, l); err != nil {
		t.Error(err)
	}
}

func manyMessages(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "message M%d {}", i)
	}
	return b.String()
}

// Schemas that make compilers slow are compiled or refused with work that their size bounds. The test has no clock: it ends or not.
func TestHostileSchemasEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const head = `syntax = "proto3"; `
	var fields, reserved, values strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&fields, "string f%d = %d;", i, i+1)
		fmt.Fprintf(&reserved, "reserved %d;", 2*i+1)
		fmt.Fprintf(&values, "V%d = %d;", i, i)
	}
	for name, schema := range map[string]string{
		"deep messages":    head + strings.Repeat("message A {", 90_000),
		"deep options":     head + "option (a) = " + strings.Repeat("{ a ", 200_000),
		"deep parentheses": head + "option " + strings.Repeat("(", 500_000),
		"fields":           head + "message A {" + fields.String() + "}",
		"reserved":         head + "message A {" + reserved.String() + "}",
		"values":           head + "enum A {" + values.String() + "}",
		"messages":         head + manyMessages(60_000),
		"a long name":      head + "message " + strings.Repeat("A", 900_000) + " {}",
		"a long package":   head + "package " + strings.Repeat("a.", 400_000) + "a; message A { A a = 1; }",
		"long options":     head + "option " + strings.Repeat("a.", 400_000) + "a = 1;",
		"long names":       head + "package " + strings.Repeat("a.", 200_000) + "a; " + manyMessages(30_000),
		"base64":           strings.Repeat("CgRh", 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Compile([]byte(schema), nil, codec.Options{})
			if err == nil && c.RecordName() == "" {
				t.Error("no name and no error")
			}
		})
	}
}

func TestOneCodecForManyGoroutines(t *testing.T) {
	c := compile(t, "shop.proto", "Known")
	const value = `{"struct":{"a":null,"b":[1,"x",true,{"c":[]}],"d":{}},"any":{"@type":"x/shop.Money","units":"5"}}`
	want := string(encode(t, c, value))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				data, err := c.Encode(nil, []byte(value))
				if err != nil || len(data) != len(want) {
					t.Errorf("%x, %v", data, err)
				}
				if text, err := c.Decode(nil, data); err != nil || len(text) != len(value) {
					t.Errorf("%s, %v", text, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestImportsAndAliases holds that what a reference imports in public is seen, that messages refer to each other over files, and that an
// enum may have two names for a number, of which the first is read back.
func TestImportsAndAliases(t *testing.T) {
	refs := []codec.Reference{
		{Name: "base.proto", Schema: []byte(`syntax = "proto3"; package base; enum Size { option allow_alias = true; NONE = 0; SMALL = 1; LITTLE = 1; } message Box { Size size = 1; Box inner = 2; }`)},
		{Name: "all.proto", Schema: []byte(`syntax = "proto3"; package all; import public "base.proto"; message Shelf { repeated base.Box boxes = 1; }`)},
	}
	c, err := Compile([]byte(`syntax = "proto3"; package top; import "all.proto"; message Room { all.Shelf shelf = 1; oneof what { base.Box box = 2; base.Size size = 3; } }`), refs, codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for in, out := range map[string]string{
		`{"shelf":{"boxes":[{"size":"LITTLE"},{"inner":{"size":"SMALL"}}]},"box":{}}`: `{"shelf":{"boxes":[{"size":"SMALL"},{"inner":{"size":"SMALL"}}]},"box":{}}`,
		`{"size":"NONE"}`: `{"size":"NONE"}`,
	} {
		if got := decode(t, c, encode(t, c, in)); got != out {
			t.Errorf("%s is read back as %s", in, got)
		}
	}
	if err := refused(t, c, `{"shelf":{"boxes":[{"inner":{"size":"HUGE"}}]}}`); err.Error() != `/shelf/boxes/0/inner/size: expected enum base.Size, found "HUGE"` {
		t.Error(err)
	}
	if _, err := Compile([]byte(`syntax = "proto3"; import "all.proto"; import "gone.proto"; message A {}`), refs, codec.Options{}); err == nil || !strings.Contains(err.Error(), `no reference is called "gone.proto"`) {
		t.Error(err)
	}
}
