package avro

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	lib "github.com/twmb/avro"

	"sluice/gateway/schema/codec"
)

func mustCompile(t testing.TB, schema string, o codec.Options, refs ...codec.Reference) *Codec {
	t.Helper()
	c, err := Compile([]byte(schema), refs, o)
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return c
}

func allCases() []schemaCase {
	return slices.Concat(primitiveCases(), namedCases(), unionCases(), logicalCases())
}

// TestGoodValues holds what is written byte for byte, that it is read back, and that another implementation reads it.
func TestGoodValues(t *testing.T) {
	for _, s := range allCases() {
		c := mustCompile(t, s.schema, codec.Options{})
		for _, g := range s.good {
			t.Run(s.name+" "+g.in, func(t *testing.T) {
				got, err := c.Encode([]byte("before"), []byte(g.in))
				if err != nil {
					t.Fatal(err)
				}
				data, ok := strings.CutPrefix(string(got), "before")
				if !ok || hex.EncodeToString([]byte(data)) != g.hex {
					t.Fatalf("wrote %x, want %s", data, g.hex)
				}
				want := g.out
				if want == "" {
					want = g.in
				}
				back, err := c.Decode(nil, []byte(data))
				if err != nil || string(back) != want {
					t.Errorf("read back %s, %v; want %s", back, err, want)
				}
				var v any
				if rest, err := lib.MustParse(s.schema).Decode([]byte(data), &v); err != nil || len(rest) > 0 {
					t.Errorf("twmb/avro: %v, %d bytes left", err, len(rest))
				}
			})
		}
	}
}

// TestBadValues holds the place of what does not fit, and the words about it.
func TestBadValues(t *testing.T) {
	for _, s := range allCases() {
		c := mustCompile(t, s.schema, codec.Options{})
		for _, b := range s.bad {
			t.Run(s.name+" "+b.in, func(t *testing.T) {
				dst, err := c.Encode([]byte("before"), []byte(b.in))
				e, ok := errors.AsType[*codec.ValueError](err)
				if !ok || string(dst) != "before" {
					t.Fatalf("Encode = %x, %v", dst, err)
				}
				if e.Path != b.path || !strings.Contains(e.Want, b.want) || !strings.Contains(e.Found, b.found) {
					t.Errorf("got %+v, want %+v", *e, b)
				}
			})
		}
	}
}

func TestDefaultsAreWritten(t *testing.T) {
	i := slices.IndexFunc(namedCases(), func(s schemaCase) bool { return s.name == "defaults" })
	schema := namedCases()[i].schema
	c := mustCompile(t, schema, codec.Options{})
	got, err := c.Encode(nil, []byte(`{"must":1}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"a":7,"b":"x","c":null,"d":3,"e":[1,2],"f":{"t":true},"g":"\u00ff","h":"Q","i":{"x":0.5},"j":"z","k":1.5,"l":true,"must":1}`
	if back, err := c.Decode(nil, got); err != nil || string(back) != want {
		t.Errorf("got %s, %v\nwant %s", back, err, want)
	}
	var v any
	theirs := lib.MustParse(schema)
	if err := theirs.DecodeJSON([]byte(`{"must":1}`), &v); err != nil {
		t.Fatal(err)
	}
	if other, err := theirs.Encode(v); err != nil || string(other) != string(got) {
		t.Errorf("twmb/avro writes %x, %v; we %x", other, err, got)
	}
}

func TestReferences(t *testing.T) {
	refs := []codec.Reference{
		{Name: "shop.Address", Schema: []byte(address)},
		{Name: "shop.Customer", Schema: []byte(`{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"at","type":"Address"},{"name":"also","type":["null","shop.Address"],"default":null}]}`)},
	}
	c := mustCompile(t, `{"type":"record","name":"Order","namespace":"shop.v2","fields":[{"name":"by","type":"shop.Customer"},{"name":"to","type":"shop.Address"}]}`, codec.Options{}, refs...)
	if c.RecordName() != "shop.v2.Order" {
		t.Errorf("RecordName = %q", c.RecordName())
	}
	got, err := c.Encode(nil, []byte(`{"by":{"at":{"street":"a","no":1}},"to":{"street":"b","no":2}}`))
	if want := "026102" + "00" + "026204"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("wrote %x, %v; want %s", got, err, want)
	}
	if _, err := Compile([]byte(`{"type":"record","name":"O","fields":[{"name":"by","type":"shop.Customer"}]}`), nil, codec.Options{}); err == nil || !strings.Contains(err.Error(), "shop.Customer") {
		t.Errorf("without what it refers to: %v", err)
	}
	if _, err := Compile([]byte(`"int"`), []codec.Reference{{Name: "x", Schema: []byte(`{`)}}, codec.Options{}); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("a reference that is no schema: %v", err)
	}
}

func TestBadSchemas(t *testing.T) {
	for _, s := range []string{
		``, `{`, `"nothing"`, `{"type":"record","name":"R"}`, `{"type":"enum","name":"E","symbols":["a","a"]}`, `{"type":"fixed","name":"F","size":-1}`,
		`["int","int"]`, `{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}`,
	} {
		if _, err := Compile([]byte(s), nil, codec.Options{}); err == nil || !strings.HasPrefix(err.Error(), "avro: ") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestIgnoreUnknown(t *testing.T) {
	c := mustCompile(t, address, codec.Options{IgnoreUnknown: true})
	got, err := c.Encode(nil, []byte(`{"x":{"deep":[1,"\u0061",{}]},"street":"x","y":null,"no":1}`))
	if err != nil || hex.EncodeToString(got) != "027802" {
		t.Errorf("wrote %x, %v", got, err)
	}
	for _, in := range []string{`{"street":"x","no":1,"x":{]}`, `{"street":"x","no":1,"x":"\q"}`, `{"street":"x","no":1,"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`} {
		if _, err := c.Encode(nil, []byte(in)); err == nil {
			t.Errorf("%s: no error", in)
		}
	}
}

// TestStrict holds that values have the JSON of the specification only, and decoded unions their tags.
func TestStrict(t *testing.T) {
	c := mustCompile(t, `{"type":"record","name":"R","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}},{"name":"t","type":["null",{"type":"int","logicalType":"date"}]}]}`, codec.Options{Strict: true})
	got, err := c.Encode(nil, []byte(`{"d":"12","t":{"int":1}}`))
	if err != nil || hex.EncodeToString(got) != "0431320202" {
		t.Errorf("wrote %x, %v", got, err)
	}
	if back, err := c.Decode(nil, got); err != nil || string(back) != `{"d":"12","t":{"int":1}}` {
		t.Errorf("read %s, %v", back, err)
	}
	if _, err := c.Encode(nil, []byte(`{"d":1.5,"t":null}`)); err == nil {
		t.Error("a number was taken for bytes")
	}
}

func TestDepth(t *testing.T) {
	c := mustCompile(t, `{"type":"record","name":"Node","fields":[{"name":"n","type":{"type":"array","items":"Node"}}]}`, codec.Options{MaxDepth: 10})
	deep := func(n int) []byte { return []byte(strings.Repeat(`{"n":[`, n) + strings.Repeat(`]}`, n)) }
	data, err := c.Encode(nil, deep(5))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := c.Decode(nil, data); err != nil || string(back) != string(deep(5)) {
		t.Errorf("%s, %v", back, err)
	}
	if _, err := c.Encode(nil, deep(6)); err == nil || !strings.Contains(err.Error(), "schema.max.depth") {
		t.Errorf("%v", err)
	}
	if _, err := c.Decode(nil, []byte(strings.Repeat("\x02", 100))); err == nil || !strings.Contains(err.Error(), "schema.max.depth") {
		t.Errorf("%v", err)
	}
}

// TestHalfFittingUnions holds that branches which fit half are not tried for ever.
func TestHalfFittingUnions(t *testing.T) {
	// Two branches at each level that differ in the innermost value only.
	inner := `"int"`
	for i := range 30 {
		inner = fmt.Sprintf(`[{"type":"record","name":"P%[1]d","fields":[{"name":"x","type":%[2]s},{"name":"q","type":"int"}]},{"type":"record","name":"Q%[1]d","fields":[{"name":"x","type":%[3]s},{"name":"r","type":"int"}]}]`, i, inner, otherOf(i))
	}
	c := mustCompile(t, inner, codec.Options{MaxDepth: 1000})
	value := strings.Repeat(`{"x":`, 30) + `"no"` + strings.Repeat(`}`, 30)
	if _, err := c.Encode(nil, []byte(value)); err == nil {
		t.Error("it fits")
	}
}

// otherOf is a type that a value of level i may be too, without defining the level again.
func otherOf(i int) string {
	if i == 0 {
		return `"string"`
	}
	return fmt.Sprintf(`["P%[1]d","Q%[1]d"]`, i-1)
}

func TestManyItems(t *testing.T) {
	for _, n := range []int{63, 64, 8191, 8192, 100000} {
		c := mustCompile(t, `{"type":"array","items":{"type":"map","values":"int"}}`, codec.Options{})
		in := "[" + strings.Repeat(`{"a":1},`, n-1) + `{"b":2}]`
		data, err := c.Encode(nil, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := c.Decode(nil, data); err != nil || string(back) != in {
			t.Errorf("%d items: %v", n, err)
		}
	}
	var in strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&in, `,"k%d":%d`, i, i)
	}
	c := mustCompile(t, `{"type":"map","values":"int"}`, codec.Options{})
	object := "{" + in.String()[1:] + "}"
	data, err := c.Encode(nil, []byte(object))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := c.Decode(nil, data); err != nil || string(back) != object {
		t.Errorf("%v", err)
	}
	if _, err := c.Encode(nil, []byte(object[:len(object)-1]+`,"k500":0}`)); err == nil || !strings.Contains(err.Error(), "/k500: expected int, found the same key twice") {
		t.Errorf("%v", err)
	}
}

func TestDecodeBad(t *testing.T) {
	for _, b := range []struct{ schema, data, path, words string }{
		{`"int"`, "", "", "the end of the data"},
		{`"int"`, "80", "", "the end of the data"},
		{`"int"`, "feffffffffffffffff01", "", "expected int"},
		{`"long"`, "ffffffffffffffffffff01", "", "at most 64 bits"},
		{`"int"`, "0202", "", "1 more bytes"},
		{`"boolean"`, "02", "", "the byte 2"},
		{`"string"`, "06ff", "", "the end of the data"},
		{`"string"`, "02ff", "", "UTF-8"},
		{`"string"`, "01", "", "a length of -1"},
		{`"string"`, "feffffffffffffffff01", "", "the end of the data"},
		{`"double"`, "00", "", "the end"},
		{`["null","int"]`, "04", "", "branch number 2"},
		{`["null","int"]`, "01", "", "branch number -1"},
		{`{"type":"enum","name":"E","symbols":["A"]}`, "02", "", "symbol number 1"},
		{`{"type":"array","items":"int"}`, "0402", "/1", "the end"},
		{`{"type":"array","items":"null"}`, "feffffffffffffffff01", "/", "larger than allowed"},
		{`{"type":"array","items":"null"}`, "ffffffffffffffffff0100", "", "count of a block"},
		{`{"type":"map","values":"int"}`, "020261", "/a", "the end"},
		{address, "0278", "/no", "the end"},
	} {
		c := mustCompile(t, b.schema, codec.Options{MaxBytes: 1000})
		data, _ := hex.DecodeString(b.data)
		_, err := c.Decode(nil, data)
		e, ok := errors.AsType[*codec.ValueError](err)
		if !ok || !strings.HasPrefix(e.Path, b.path) || !strings.Contains(err.Error(), b.words) {
			t.Errorf("%s %s: %v", b.schema, b.data, err)
		}
	}
}

// TestBlocks holds that arrays of several blocks, and of blocks with their size, are read.
func TestBlocks(t *testing.T) {
	c := mustCompile(t, `{"type":"array","items":"int"}`, codec.Options{})
	data, _ := hex.DecodeString("0202" + "030404" + "06" + "00")
	if back, err := c.Decode(nil, data); err != nil || string(back) != "[1,2,3]" {
		t.Errorf("%s, %v", back, err)
	}
}
