package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"sluice/gateway/schema/codec"
)

// FuzzEncode has values of every kind for a schema with every kind of rule: what is taken is JSON, and decode(encode(x)) = x.
func FuzzEncode(f *testing.F) {
	c := order(f)
	all, err := Compile([]byte(`{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$dynamicAnchor": "n",
		"type": ["object", "array", "string", "number", "boolean", "null"],
		"properties": {"a": {"$dynamicRef": "#n"}, "u": {"uniqueItems": true}, "d": {"multipleOf": 0.1, "minimum": -1e300}, "f": {"format": "uri"}},
		"patternProperties": {"^p": {"maxLength": 3}}, "propertyNames": {"maxLength": 10}, "dependentRequired": {"a": ["b"]},
		"prefixItems": [true, {"enum": [1, "x", null, {"y": [1.0]}]}], "contains": {"type": "null"}, "minContains": 0,
		"unevaluatedProperties": {"oneOf": [{"type": "integer"}, {"type": "string", "format": "ipv6"}, {"not": {"type": ["number", "string"]}}]}
	}`), nil, codec.Options{Compact: true})
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range []string{
		`{"id":"order-1","number":1,"lines":[{"sku":"a","price":0.5}]}`, `{"a":{"a":[1,{"y":[1]}]},"b":1}`, ` [ null , 1 ] `, `{"u":[1,2,1.0]}`,
		`{"u":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,1e99]}`, `{"d":1e-400}`, `{"d":-0.0}`, `{"f":"http://[::1]"}`, `{"p1":"abcd"}`, `"\ud800"`,
	} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, m := range []*Codec{c, all} {
			data, err := m.Encode(nil, value)
			if err != nil {
				if _, ok := errors.AsType[*codec.ValueError](err); !ok || len(data) > 0 {
					t.Fatalf("%q: %v (%T) and %q", value, err, err, data)
				}
				continue
			}
			var want bytes.Buffer
			if err := json.Compact(&want, value); err != nil {
				t.Fatalf("%q is taken: %v", value, err)
			}
			if m.o.Compact && !bytes.Equal(data, want.Bytes()) || !m.o.Compact && !bytes.Equal(data, value) {
				t.Fatalf("%q became %q", value, data)
			}
			back, err := m.Decode(nil, data)
			if err != nil || !bytes.Equal(back, data) {
				t.Fatalf("%q was read back as %q, %v", data, back, err)
			}
		}
	})
}

// FuzzCompile compiles whatever a registry may answer, and checks a value with it.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`true`, `{"$ref":"#"}`, `{"items":[{"$ref":"#/items/0"}],"$id":"a"}`, `{"$schema":"https://json-schema.org/draft/2020-12/schema","$dynamicRef":"#x"}`,
		`{"properties":{"a":{"pattern":"\\u0041{2}"}},"dependencies":{"a":["b"],"c":{}},"enum":[1,{"a":null}]}`, `{"$schema":"other.json","$ref":"other.json#/definitions/a"}`,
		`{"id":"#a","$ref":"#a"}`, `{"multipleOf":0.1,"maximum":1e300,"const":1.0,"format":"regex"}`,
	} {
		f.Add([]byte(s), []byte(`{"a":["b",1.5,null]}`))
	}
	other := []codec.Reference{{Name: "other.json", Schema: []byte(`{"definitions":{"a":{"type":"null"}}}`)}}
	f.Fuzz(func(t *testing.T, schema, value []byte) {
		c, err := Compile(schema, other, codec.Options{})
		if err != nil {
			return
		}
		if c.Describe().Type == "" {
			t.Fatalf("%q has no type", schema)
		}
		if out, err := c.Encode(nil, value); err == nil && !bytes.Equal(out, value) {
			t.Fatalf("%q became %q", value, out)
		}
	})
}
