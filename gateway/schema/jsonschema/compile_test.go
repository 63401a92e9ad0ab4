package jsonschema

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

const (
	draft4 = `http://json-schema.org/draft-04/schema#`
	draft6 = `http://json-schema.org/draft-06/schema#`
	draft7 = `http://json-schema.org/draft-07/schema#`
	d2019  = `https://json-schema.org/draft/2019-09/schema`
	d2020  = `https://json-schema.org/draft/2020-12/schema`
)

// The library has the public test suite. These are the differences between drafts that show whether the right one is chosen.
var drafts = []struct {
	draft  string
	number int
	schema string // without braces
	good   string
	bad    string
}{
	{draft4, 4, `"maximum": 5, "exclusiveMaximum": true`, `4`, `5`},
	{draft4, 4, `"const": 1, "type": "integer"`, `2`, `2.5`}, // const came with 6
	{draft4, 4, `"id": "http://x.example/y", "definitions": {"a": {"type": "null"}}, "items": {"$ref": "y#/definitions/a"}`, `[null]`, `[1]`},
	{draft6, 6, `"exclusiveMaximum": 5, "const": 4`, `4`, `3`},
	{draft6, 6, `"if": true, "then": false, "type": "integer"`, `1.0`, `"x"`}, // if came with 7
	{draft7, 7, `"if": {"minimum": 5}, "then": {"maximum": 6}`, `6`, `7`},
	{draft7, 7, `"items": [{"type": "null"}], "additionalItems": false`, `[null]`, `[null, 1]`},
	{draft7, 7, `"properties": {"a": {"$ref": "#/definitions/n", "maximum": 1}}, "definitions": {"n": {"type": "number"}}`, `{"a": 5}`, `{"a": "x"}`}, // beside $ref
	{d2019, 2019, `"properties": {"a": {"$ref": "#/$defs/n", "maximum": 1}}, "$defs": {"n": {"type": "number"}}`, `{"a": 1}`, `{"a": 5}`},
	{d2019, 2019, `"dependentRequired": {"a": ["b"]}, "unevaluatedProperties": false, "properties": {"a": true, "b": true}`, `{"a": 1, "b": 1}`, `{"a": 1}`},
	{d2019, 2019, `"$recursiveAnchor": true, "properties": {"n": {"$recursiveRef": "#"}}, "additionalProperties": false`, `{"n": {"n": {}}}`, `{"n": {"m": {}}}`},
	{d2020, 2020, `"prefixItems": [{"type": "null"}], "items": false`, `[null]`, `[null, 1]`},
	{d2020, 2020, `"$dynamicAnchor": "me", "properties": {"n": {"$dynamicRef": "#me"}}, "additionalProperties": false`, `{"n": {"n": {}}}`, `{"n": {"m": {}}}`},
	{d2020, 2020, `"contains": {"type": "null"}, "minContains": 2`, `[null, null]`, `[null]`},
}

func TestDraftIsThatOfSchemaOrOfTheSettings(t *testing.T) {
	for _, c := range drafts {
		named := compiled(t, fmt.Sprintf(`{"$schema": %q, %s}`, c.draft, c.schema))
		s := DefaultSettings()
		s.Draft = c.number
		unnamed, err := CompileWith([]byte("{"+c.schema+"}"), nil, codec.Options{}, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*Codec{named, unnamed} {
			taken(t, m, c.good)
			if err := refused(t, m, c.bad); err.Found == "" {
				t.Errorf("%s: %v", c.bad, err)
			}
		}
	}
	taken(t, compiled(t, `{"$defs": {}, "prefixItems": [false], "items": [true]}`), `[1]`) // by default it is 7
	s := DefaultSettings()
	s.Draft = 8
	if _, err := CompileWith([]byte(`true`), nil, codec.Options{}, s); err == nil || err.Error() != "draft 8 is not known: 4, 6, 7, 2019 or 2020" {
		t.Error(err)
	}
}

func TestFormatsCanBeIgnored(t *testing.T) {
	for _, draft := range []string{"http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"} {
		for _, format := range append(formats(), "unknown") {
			schema := fmt.Sprintf(`{"$schema": %q, "format": %q}`, draft, format)
			s := DefaultSettings()
			s.IgnoreFormat = true
			ignored, err := CompileWith([]byte(schema), nil, codec.Options{}, s)
			if err != nil {
				t.Fatal(err)
			}
			value := `"\u0000 %{"`
			taken(t, ignored, value)
			if format == "unknown" {
				taken(t, compiled(t, schema), value)
			} else if err := refused(t, compiled(t, schema), value); err.Want != fmt.Sprintf("format %q by #/format", format) {
				t.Error(err)
			}
		}
	}
}

func TestReferencesAreFound(t *testing.T) {
	money := codec.Reference{Name: "money.json", Schema: []byte(`{"type": "object", "properties": {"units": {"type": "integer"}, "next": {"$ref": "deep/more.json#/definitions/m"}}}`)}
	more := codec.Reference{Name: "deep/more.json", Schema: []byte(`{"$id": "http://x.example/more.json", "definitions": {"m": {"type": "null"}}, "properties": {"a": {"$ref": "money.json"}}}`)}
	absolute := codec.Reference{Name: "http://y.example/a/b.json", Schema: []byte(`{"maximum": 5}`)}
	odd := codec.Reference{Name: "Some Name", Schema: []byte(`{"$id": "urn:example:odd", "type": "string"}`)}
	refs := []codec.Reference{money, more, absolute, odd}
	for _, c := range []struct{ schema, good, bad, want string }{
		{`{"$ref": "money.json"}`, `{"units": 1}`, `{"units": "x"}`, "/units: expected integer by money.json#/properties/units/type"},
		{`{"$ref": "money.json"}`, `{"next": null}`, `{"next": 1}`, "/next: expected null by deep/more.json#/definitions/m/type"},
		{`{"$id": "http://z.example/s/root.json", "items": {"$ref": "money.json#/properties/units"}}`, `[1]`, `["x"]`, "/0: expected integer by http://z.example/s/money.json#/properties/units/type"},
		{`{"$ref": "http://x.example/more.json"}`, `{"a": {"units": 1}}`, `{"a": {"units": 1.5}}`, "/a/units: expected integer by http://x.example/money.json#/properties/units/type"},
		{`{"$ref": "http://y.example/a/b.json"}`, `5`, `6`, "expected at most 5 by http://y.example/a/b.json#/maximum"},
		{`{"$id": "http://y.example/a/", "allOf": [{"$ref": "b.json"}]}`, `5`, `6`, "expected at most 5 by"},
		{`{"$ref": "Some Name"}`, `"x"`, `1`, "expected string by"},
		{`{"$ref": "urn:example:odd"}`, `"x"`, `1`, "expected string by urn:example:odd#/type"},
		{`{"$id": "http://z.example/root.json", "items": {"$ref": "http://z.example/root.json"}, "type": "array"}`, `[[]]`, `[1]`, "/0: expected array by #/type"},
		{`{"$ref": "http://json-schema.org/draft-07/schema#"}`, `{"type": "null"}`, `{"type": "nil"}`, "/type: "},
	} {
		m := compiled(t, c.schema, refs...)
		taken(t, m, c.good)
		if err := refused(t, m, c.bad); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.schema, err, c.want)
		}
	}
}

func TestCompileErrorsSayWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "there.json")
	if err := os.WriteFile(path, []byte(`{"type": "null"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ schema, want string }{
		{`{`, `the schema: the value: expected JSON with "}", found the end at byte 1`},
		{``, `the schema: the value: expected JSON with a value, found the end at byte 0`},
		{`{"type": "null", "type": "string"}`, `the schema: /type: expected each member once`},
		{`{"type": "nil"}`, `by http://json-schema.org/draft-07/schema#/properties/type/anyOf, found "nil"`},
		{`{"properties": {"a": 5}}`, `no valid JSON Schema: /properties/a: expected boolean or object by http://json-schema.org/draft-07/schema#/type, found 5`},
		{`{"$ref": "none.json"}`, `no reference is called "none.json"`},
		{`{"$ref": "file://` + path + `"}`, `no reference is called "file://`},
		{`{"$ref": "` + path + `"}`, `no reference is called`},
		{`{"$ref": "http://127.0.0.1:1/x.json"}`, `no reference is called "http://127.0.0.1:1/x.json"`},
		{`{"$schema": "http://127.0.0.1:1/meta.json"}`, `no reference is called "http://127.0.0.1:1/meta.json"`},
		{`{"$ref": "#/definitions/none"}`, `json-pointer in "registry:///schema.json#/definitions/none" not found`},
		{`{"pattern": "a("}`, `pattern "a(": error parsing regexp: missing closing )`},
		{`{"pattern": "^(?!a)"}`, "patterns with lookaround or backreferences cannot be used"},
		{`{"patternProperties": {"(a)\\1": true}}`, "patterns with lookaround or backreferences cannot be used"},
	} {
		if _, err := Compile([]byte(c.schema), nil, codec.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.schema, err, c.want)
		}
	}
	if _, err := Compile([]byte(`true`), []codec.Reference{{Name: "r", Schema: []byte(`{"a":}`)}}, codec.Options{}); err == nil || !strings.HasPrefix(err.Error(), "reference r: /a: ") {
		t.Error(err)
	}
}

func TestPatternsOfECMA(t *testing.T) {
	for pattern, value := range map[string]string{
		`^\\u00e9\\u0041$`: `"éA"`, `^\\cJ$`: `"\n"`, `^\\\\u0041$`: `"\\u0041"`, `^[\\u0041-\\u0043]+$`: `"ABC"`, `^\\/\\.\\-$`: `"/.-"`, `^\\p{L}(?<n>x)$`: `"éx"`,
	} {
		c := compiled(t, `{"pattern": "`+pattern+`"}`)
		taken(t, c, value)
		if err := refused(t, c, `"none of these"`); err.Found != `"none of these"` {
			t.Error(err)
		}
	}
}
