package jsonschema

import (
	"fmt"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

func TestLimitsOfSchemasAreNamed(t *testing.T) {
	l := Limits{SchemaBytes: 2000, References: 2, Nesting: 8, Objects: 10, Regexp: 1000, Regexps: 2500, Places: 30, Digits: 20, Visits: 20}
	alternatives := strings.TrimSuffix(strings.Repeat(`true,`, 20), ",")
	for want, c := range map[string]struct {
		schema string
		refs   []codec.Reference
	}{
		"the schema and its references have 2001 bytes, and the limit is 2000 (schema.max.bytes)":                  {strings.Repeat(" ", 1001), []codec.Reference{{Name: "a", Schema: make([]byte, 1000)}}},
		"3 references, and the limit is 2 (schema.max.references)":                                                 {"true", make([]codec.Reference, 3)},
		"expected at most 8 levels of nesting (schema.jsonschema.max.nesting)":                                     {strings.Repeat(`{"not":`, 9) + "true" + strings.Repeat("}", 9), nil},
		"the schema and its references have more than 10 objects (schema.jsonschema.max.objects)":                  {`{"anyOf":[{},{},{},{},{}]}`, []codec.Reference{{Name: "a", Schema: []byte(`{"anyOf":[{},{},{},{}]}`)}}},
		"8 objects times 4 of them with an $id or an odd $ref are more than 30 (schema.jsonschema.max.places)":     {`{"$id":"a","allOf":[{"$id":"b"},{"$id":"c"},{"$ref":"#/x/y"},{"$ref":"#/definitions/z"},{},{},{}]}`, nil},
		"a number with at most 20 digits (schema.jsonschema.max.digits)":                                           {`{"maximum": 1e20}`, nil},
		`pattern "((a{10}){10}){10}": the pattern has more than 1000 instructions (schema.jsonschema.max.pattern)`: {`{"pattern": "((a{10}){10}){10}"}`, nil},
		"the patterns of the schema have more than 2500 instructions together (schema.jsonschema.max.patterns)":    {`{"allOf": [{"pattern": "a{400}"},{"pattern": "b{400}"},{"pattern": "c{400}"},{"pattern": "d{400}"}]}`, nil},
		"the schemas at registry:///schema.json# look at one part of a value more than 20 times":                   {`{"anyOf": [` + alternatives + `]}`, nil},
		"the schema looks at one part of a value more than 20 times (schema.jsonschema.max.visits)":                {`{"allOf": [{"properties": {"a": {"anyOf": [true,true,true,true,true,true,true,true,true,true]}}},{"properties": {"a": {"anyOf": [true,true,true,true,true,true,true,true,true,true]}}}]}`, nil},
	} {
		s := DefaultSettings()
		s.Limits = l
		if _, err := CompileWith([]byte(c.schema), c.refs, codec.Options{}, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestPatternsBoundTheSizeOfValues(t *testing.T) {
	s := DefaultSettings()
	s.Limits.Matching = 1000
	c, err := CompileWith([]byte(`{"pattern": "a{50}"}`), nil, codec.Options{}, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := refused(t, c, `"123456789"`); err.Error() != "the value: expected at most 9 bytes, to be matched by the patterns of the schema (schema.jsonschema.max.matching), found 11" {
		t.Error(err)
	}
}

// A schema that looks at each level of a value twice as often as at the one above bounds how deep values are.
func TestSchemasThatDoubleTheirWorkBoundTheDepth(t *testing.T) {
	for name, c := range map[string]struct {
		schema string
		depth  int
	}{
		"a list":               {`{"properties": {"next": {"$ref": "#"}}}`, 64},
		"a tree":               {`{"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "more": {"items": {"$ref": "#"}}}}`, 64},
		"named or any":         {`{"properties": {"left": {"$ref": "#"}}, "additionalProperties": {"$ref": "#"}}`, 64},
		"first or any":         {`{"items": [{"$ref": "#"}, {"$ref": "#"}], "additionalItems": {"$ref": "#"}}`, 64},
		"object or array":      {`{"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"type": "object", "additionalProperties": {"$ref": "#"}}]}`, 64},
		"JSON Schema":          {`{"$ref": "http://json-schema.org/draft-07/schema#"}`, 64},
		"JSON Schema 2019":     {`{"$schema": "https://json-schema.org/draft/2019-09/schema", "$ref": "https://json-schema.org/draft/2019-09/schema"}`, 64},
		"JSON Schema 2020":     {`{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "https://json-schema.org/draft/2020-12/schema"}`, 64},
		"twice":                {`{"properties": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}}`, 9},
		"twice, two ways":      {`{"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"patternProperties": {"a": {"$ref": "#"}}}]}`, 8},
		"ten times":            {`{"items": {"allOf": [{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}}`, 2},
		"twice by $dynamicRef": {`{"$schema": "https://json-schema.org/draft/2020-12/schema", "$dynamicAnchor": "x", "items": {"anyOf": [{"$dynamicRef": "#x"}, {"$dynamicRef": "#x"}]}}`, 9},
	} {
		c2, err := Compile([]byte(c.schema), nil, codec.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if deep := strings.Repeat("[", 65) + strings.Repeat("]", 65); c.depth < 64 {
			if err := refused(t, c2, deep); !strings.Contains(err.Want, "(schema.jsonschema.max.visits: each level doubles") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if c2.depth != c.depth {
			t.Errorf("%s: values may be nested %d deep, want %d", name, c2.depth, c.depth)
		}
	}
}

// Schemas and values that make validators slow are refused, or done with work that their size bounds. The test has no clock: it ends or not.
func TestHostileSchemasAndValuesEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var laughs, ids, anchors, chain, odd, props strings.Builder
	for i := range 60 {
		fmt.Fprintf(&laughs, `"a%d": {"allOf": [{"$ref": "#/definitions/a%d"}, {"$ref": "#/definitions/a%d"}]},`, i, i+1, i+1)
	}
	for i := range 6_000 {
		fmt.Fprintf(&ids, `"a%d": {"$id": "i%d"},`, i, i)
		fmt.Fprintf(&anchors, `"a%d": {"$id": "#i%d"},`, i, i)
		fmt.Fprintf(&chain, `"a%d": {"$ref": "#/definitions/a%d"},`, i, i+1)
	}
	for i := range 700 {
		fmt.Fprintf(&odd, `"a%d": {"$ref": "#/x/%d"},`, i, i)
	}
	for i := range 4_900 {
		fmt.Fprintf(&props, `"a%d": {"items": {"$ref": "#"}},`, i)
	}
	deep := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	for name, c := range map[string]struct{ schema, value string }{
		"laughs":           {`{"$ref": "#/definitions/a0", "definitions": {` + laughs.String() + `"a60": {}}}`, `1`},
		"twice":            {`{"properties": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, "b": false}}`, deep(`{"a":`, `{"b":1}`, `}`, 60)},
		"ids":              {`{"definitions": {` + ids.String() + `"a": true}}`, `1`},
		"anchors":          {`{"definitions": {` + anchors.String() + `"a": true}}`, `1`},
		"chain":            {`{"$ref": "#/definitions/a0", "definitions": {` + chain.String() + `"a6000": {"type": "null"}}}`, `1`},
		"unknown places":   {`{"properties": {` + odd.String() + `"a": true}, "x": [` + strings.Repeat(`{},`, 699) + `{}]}`, `{"a1": 1}`},
		"many properties":  {`{"properties": {` + props.String() + `"a": true}}`, `{"a1": [{"a2": [{"a3": []}]}]}`},
		"nested patterns":  {`{"pattern": "` + deep(`(`, `a*`, `)*`, 300) + `"}`, `"` + strings.Repeat("a", 10_000) + `b"`},
		"repeated pattern": {`{"pattern": "(` + strings.Repeat(`[a-z0-9]`, 300) + `){1000}"}`, `""`},
		"long pattern":     {`{"pattern": "` + strings.Repeat(`a?`, 2_000) + `$"}`, `"` + strings.Repeat("a", 5_000) + `"`},
		"huge numbers":     {`{"items": {"multipleOf": 1e-300, "maximum": 1e300}}`, `[` + strings.Repeat(`1e399,`, 20_000) + `1]`},
		"unique objects":   {`{"uniqueItems": true}`, `[` + strings.Repeat(`{"a":{"b":[1,2]}},`, 20_000) + `1]`},
		"unique numbers":   {`{"uniqueItems": true}`, `[` + numbers(50_000) + `1]`},
		"deep values":      {`{"items": {"$ref": "#"}}`, deep(`[`, ``, `]`, 500_000)},
		"many errors":      {`{"items": {"type": "null"}}`, `[` + strings.Repeat(`1,`, 100_000) + `1]`},
		"unevaluated":      {`{"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "unevaluatedItems": false, "$defs": {"a": {"contains": {"type": "number"}}}}`, `[` + strings.Repeat(`1,`, 100_000) + `1]`},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Compile([]byte(c.schema), nil, codec.Options{})
			if err != nil {
				t.Log(err)
				return
			}
			if out, err := m.Encode(nil, []byte(c.value)); err == nil && string(out) != c.value {
				t.Error("the value became another one")
			}
		})
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String()
}
