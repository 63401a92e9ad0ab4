package jsonschema

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/nodetest"
)

type interopCase struct {
	Draft      int                        `json:"draft"`
	Schema     json.RawMessage            `json:"schema"`
	References map[string]json.RawMessage `json:"references"`
	Value      json.RawMessage            `json:"value"`
}

type interopAnswer struct {
	Valid bool   `json:"valid"`
	Path  string `json:"path"`
	Error string `json:"error"`
}

// shared are values for the schema in testdata, which both sides are to take or refuse at the same place.
var shared = []string{
	`{"id":"order-1","number":1}`,
	`{"id":"order-1","number":1.0,"priority":null,"status":"NEW","labels":{"a":""},"lines":[{"sku":"a","quantity":1,"price":0.25}]}`,
	`{"id":"order-1","number":1,"createdAt":"2024-02-29T12:00:00.5+01:00"}`,
	`{"id":"order-1","number":1,"createdAt":"2023-02-29T12:00:00Z"}`,
	`{"id":"order-1","number":1,"createdAt":"2024-02-29"}`,
	`{"id":"order-1","number":1.5}`, `{"id":"order-1","number":0}`, `{"id":"order-1","number":"1"}`, `{"id":"order-1\n","number":1}`,
	`{"id":"order-1","number":1,"lines":[{},{"sku":"a"}]}`, `{"id":"order-1","number":1,"lines":[{"sku":"a","price":0.3}]}`, `[]`, `{}`,
	`{"id":"order-1","number":1,"extra":null}`, `{"id":"order-1","number":1,"labels":{"a":1}}`, `{"id":"order-1","number":1,"priority":9}`,
}

// differs are schemas for which ajv, by its own account, does not keep to the draft.
var differs = map[string]string{
	`"const": 1, "type": "integer"`:                "keywords of later drafts count",
	`"if": true, "then": false, "type": "integer"`: "keywords of later drafts count",
	`"properties": {"a": {"$ref": "#/definitions/n", "maximum": 1}}, "definitions": {"n": {"type": "number"}}`: "keywords beside $ref count",
}

// TestAjvTakesAndRefusesTheSame has npm ajv check the values that this package takes, and those that it refuses.
func TestAjvTakesAndRefusesTheSame(t *testing.T) {
	node := nodetest.Find(t, "ajv")
	var cases []interopCase
	var codecs []*Codec
	add := func(draft int, schema, value string, refs map[string]json.RawMessage) {
		s := DefaultSettings()
		s.Draft = draft
		var list []codec.Reference
		for name, text := range refs {
			list = append(list, codec.Reference{Name: name, Schema: text})
		}
		c, err := CompileWith([]byte(schema), list, codec.Options{}, s)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, interopCase{draft, json.RawMessage(schema), refs, json.RawMessage(value)})
		codecs = append(codecs, c)
	}
	text, err := os.ReadFile("testdata/order.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range shared {
		add(7, string(text), value, nil)
	}
	for _, d := range drafts {
		for _, value := range []string{d.good, d.bad} {
			if _, ok := differs[d.schema]; ok && value == d.good {
				continue
			}
			add(d.number, fmt.Sprintf(`{"$schema": %q, %s}`, d.draft, d.schema), value, nil)
		}
	}
	refs := map[string]json.RawMessage{
		"money.json": json.RawMessage(`{"type": "object", "properties": {"units": {"type": "integer"}}}`),
		"more.json":  json.RawMessage(`{"$id": "http://x.example/more.json", "definitions": {"m": {"type": "null"}}}`),
	}
	for _, value := range []string{`[{"units": 1}]`, `[{"units": "x"}]`, `[{}, null]`, `[{}, 1]`} {
		add(7, `{"items": [{"$ref": "money.json"}, {"$ref": "http://x.example/more.json#/definitions/m"}]}`, value, refs)
	}
	for i, a := range nodetest.Ask[interopAnswer](t, node, cases, len(cases)) {
		_, err := codecs[i].Encode(nil, cases[i].Value)
		if a.Error != "" || a.Valid != (err == nil) {
			t.Errorf("%s of draft %d: %v, and ajv says %+v\n%s", cases[i].Value, cases[i].Draft, err, a, cases[i].Schema)
		}
	}
}
