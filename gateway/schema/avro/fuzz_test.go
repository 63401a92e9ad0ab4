package avro

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	lib "github.com/twmb/avro"

	"sluice/gateway/schema/codec"
)

// fuzzSchemas have every type, in unions and nested.
func fuzzSchemas() []string {
	var all []string
	for _, s := range allCases() {
		all = append(all, s.schema)
	}
	return append(all, everything)
}

const everything = `{"type":"record","name":"All","namespace":"t","fields":[
	{"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
	{"name":"s","type":"string"},{"name":"y","type":"bytes"},{"name":"x","type":{"type":"fixed","name":"X","size":2}},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
	{"name":"a","type":{"type":"array","items":["null","int","string"]}},{"name":"m","type":{"type":"map","values":["double","All","null"]}},
	{"name":"u","type":["null","boolean","long","double","string","bytes","X","E",{"type":"array","items":"All"},{"type":"map","values":"long"},{"type":"record","name":"R","fields":[{"name":"string","type":["null","string"],"default":null}]}],"default":null},
	{"name":"dt","type":{"type":"int","logicalType":"date"},"default":0},{"name":"ts","type":{"type":"long","logicalType":"timestamp-micros"},"default":0},
	{"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3},"default":"\u0000"},{"name":"id","type":{"type":"string","logicalType":"uuid"},"default":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}]}`

// FuzzEncode holds that nothing makes Encode panic, that what it writes is Avro, which another implementation reads, and that the
// value which is read back is written the same.
func FuzzEncode(f *testing.F) {
	schemas := fuzzSchemas()
	var codecs []*Codec
	var theirs []*lib.Schema
	for i, s := range schemas {
		codecs, theirs = append(codecs, mustCompile(f, s, codec.Options{})), append(theirs, lib.MustParse(s))
		if i < len(allCases()) {
			for _, g := range allCases()[i].good {
				f.Add(i, []byte(g.in))
			}
			for _, b := range allCases()[i].bad {
				f.Add(i, []byte(b.in))
			}
		}
	}
	f.Add(len(schemas)-1, []byte(`{"n":null,"b":true,"i":1,"l":2,"f":1.5,"d":0.1,"s":"x","y":"\u00ff","x":"ab","e":"B","a":[null,1,"x"],"m":{"k":1.5},"u":{"t.R":{"string":"x"}}}`))
	f.Fuzz(func(t *testing.T, which int, value []byte) {
		if which < 0 {
			return
		}
		which %= len(codecs)
		c := codecs[which]
		data, err := c.Encode(nil, value)
		if err != nil {
			wantValueError(t, err)
			return
		}
		back, err := c.Decode(nil, data)
		if err != nil {
			t.Fatalf("%s: %s was written as %x, which cannot be read: %v", schemas[which], value, data, err)
		}
		again, err := c.Encode(nil, back)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%s: %s was written as %x and read as %s, which is written as %x: %v", schemas[which], value, data, back, again, err)
		}
		var v any
		if rest, err := theirs[which].Decode(data, &v); err != nil || len(rest) > 0 {
			t.Fatalf("%s: %x: twmb/avro: %v, %d bytes left", schemas[which], data, err, len(rest))
		}
	})
}

// FuzzDecode holds that nothing makes Decode panic, and that what it reads is JSON which is written and read the same.
func FuzzDecode(f *testing.F) {
	schemas := fuzzSchemas()
	var codecs []*Codec
	for i, s := range schemas {
		codecs = append(codecs, mustCompile(f, s, codec.Options{MaxBytes: 1 << 20}))
		f.Add(i, []byte("\x02\x04\x06\x00"))
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		if which < 0 {
			return
		}
		c := codecs[which%len(codecs)]
		text, err := c.Decode(nil, data)
		if err != nil {
			wantValueError(t, err)
			return
		}
		written, err := c.Encode(nil, text)
		if err != nil { // what a writer must not write: a decimal with too many digits, a key twice
			wantValueError(t, err)
			return
		}
		if back, err := c.Decode(nil, written); err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%x was read as %s, which is written as %x and read as %s: %v", data, text, written, back, err)
		}
	})
}

func wantValueError(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*codec.ValueError](err); !ok || e.Want == "" || e.Found == "" {
		t.Fatalf("%T %v", err, err)
	}
}

// FuzzCompile holds that no schema makes Compile panic.
func FuzzCompile(f *testing.F) {
	for _, s := range fuzzSchemas() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		c, err := Compile(schema, nil, codec.Options{})
		if err != nil {
			return
		}
		if c.Describe().Type == "" {
			t.Fatalf("%q has no type", schema)
		}
		if _, err := c.Encode(nil, []byte(`{}`)); err != nil {
			wantValueError(t, err)
		}
	})
}

// TestOtherImplementation holds that random values are written as twmb/avro writes them.
func TestOtherImplementation(t *testing.T) {
	const schema = `{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"long"}},{"name":"m","type":{"type":"map","values":"double"}},
		{"name":"s","type":"string"},{"name":"u","type":["null","R"]},{"name":"y","type":"bytes"}]}`
	c, theirs := mustCompile(t, schema, codec.Options{}), lib.MustParse(schema)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // values for a test
	var value func(depth int) map[string]any
	value = func(depth int) map[string]any {
		v := map[string]any{"s": string(rune(r.IntN(0xD000))), "y": []byte{byte(r.Uint32()), byte(r.Uint32())}, "u": nil}
		var a []any
		for range r.IntN(5) {
			a = append(a, r.Int64()-r.Int64())
		}
		v["a"], v["m"] = append([]any{}, a...), map[string]any{}
		if r.IntN(2) == 0 {
			v["m"] = map[string]any{"k": r.NormFloat64()}
		}
		if depth > 0 {
			v["u"] = value(depth - 1)
		}
		return v
	}
	for i := range 300 {
		want, err := theirs.Encode(value(i % 4))
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.Decode(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Encode(nil, text); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: we write %x, %v; twmb/avro %x", text, got, err, want)
		}
	}
}
