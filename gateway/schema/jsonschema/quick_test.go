package jsonschema

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

// generator writes schemas and values from a small world, so that values meet rules often.
type generator struct {
	next func(n int) int
}

func (g generator) pick(from ...string) string { return from[g.next(len(from))] }

func (g generator) value(depth int) string {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch g.next(kinds) {
	case 0:
		return g.pick("null", "true", "false")
	case 1, 2:
		return g.pick("0", "1", "2", "-1", "1.5", "0.3", "2.0", "1e1", "-0", "10", "9007199254740993", "9007199254740992", "123456789012345678901234567890", "0.000000000000000001")
	case 3:
		return g.pick(`""`, `"a"`, `"ab"`, `"é"`, `"abc"`, `"2024-02-29"`, `"1"`)
	case 4:
		return "[" + g.join(func() string { return g.value(depth - 1) }) + "]"
	default:
		return "{" + g.members(func() string { return g.value(depth - 1) }) + "}"
	}
}

func (g generator) join(f func() string) string {
	var all []string
	for range g.next(4) {
		all = append(all, f())
	}
	return strings.Join(all, ",")
}

func (g generator) members(f func() string) string {
	var all []string
	for _, name := range []string{"a", "b", "c"} {
		if g.next(2) == 0 {
			all = append(all, fmt.Sprintf("%q:%s", name, f()))
		}
	}
	return strings.Join(all, ",")
}

func (g generator) schema(depth int) string {
	if g.next(12) == 0 || depth == 0 {
		return g.pick("true", "false", "{}", `{"type":"null"}`, `{"type":"string"}`, `{"type":"integer"}`, `{"$ref":"#"}`, `{"$ref":"#/definitions/d"}`)
	}
	rules := map[string]string{}
	for range 1 + g.next(3) {
		name, rule := g.rule(depth - 1)
		rules[name] = rule
	}
	var all []string
	for name := range strings.FieldsSeq("$ref type enum const format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern minItems maxItems uniqueItems items additionalItems contains minProperties maxProperties required properties patternProperties additionalProperties propertyNames dependencies allOf anyOf oneOf not if then else unevaluatedProperties") {
		if rule, ok := rules[name]; ok {
			all = append(all, fmt.Sprintf("%q:%s", name, rule))
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func (g generator) rule(depth int) (string, string) {
	sub := func() string { return g.schema(depth) }
	number := func() string { return g.pick("0", "1", "2", "-1", "1.5", "0.1", "9007199254740993", "1e2") }
	count := func() string { return g.pick("0", "1", "2", "3") }
	some := func() string { return "[" + sub() + "," + g.join(sub) + "true]" }
	name := g.pick("$ref", "type", "type", "enum", "const", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "items", "items", "additionalItems", "minProperties", "maxProperties",
		"required", "properties", "properties", "patternProperties", "additionalProperties", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
		"contains", "propertyNames", "dependencies", "unevaluatedProperties")
	switch name {
	case "$ref":
		return name, g.pick(`"#"`, `"#/definitions/d"`, `"#/definitions/e"`)
	case "type":
		return name, g.pick(`"null"`, `"boolean"`, `"object"`, `"array"`, `"number"`, `"string"`, `"integer"`, `["null","integer"]`, `["string","object","array"]`)
	case "enum":
		return name, "[" + g.value(1) + "," + g.value(1) + "," + g.value(0) + "]"
	case "const":
		return name, g.value(1)
	case "format":
		return name, g.pick(`"date"`, `"regex"`, `"unknown"`)
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		return name, number()
	case "multipleOf":
		return name, g.pick("1", "2", "0.1", "1.5", "0.0000000000001", "1e30")
	case "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
		return name, count()
	case "pattern":
		return name, g.pick(`"^a"`, `"b$"`, `"^.{2}$"`)
	case "uniqueItems":
		return name, "true"
	case "items":
		if g.next(2) == 0 {
			return name, some()
		}
		return name, sub()
	case "required":
		return name, g.pick(`["a"]`, `["a","b"]`, `[]`)
	case "properties":
		return name, "{" + g.members(sub) + "}"
	case "patternProperties":
		return name, `{"^[ab]":` + sub() + "}"
	case "dependencies":
		return name, `{"a":` + g.pick(`["b"]`, sub()) + "}"
	case "allOf", "anyOf", "oneOf":
		return name, some()
	default:
		return name, sub()
	}
}

// agree has the quick check and the library look at the same values.
func agree(t *testing.T, g generator, values int) (sure int) {
	t.Helper()
	s := DefaultSettings()
	s.Draft = []int{4, 6, 7, 2019, 2020}[g.next(5)]
	schema := fmt.Sprintf(`{"definitions":{"d":%s,"e":%s},"allOf":[%s]}`, g.schema(2), g.schema(1), g.schema(3))
	c, err := CompileWith([]byte(schema), nil, codec.Options{}, s)
	if err != nil {
		return 0 // such as a list of items in 2020-12
	}
	for range values {
		value := g.value(2)
		r := reader{}
		v, err := r.read([]byte(value), 64, 400)
		if err != nil {
			t.Fatal(value, err)
		}
		quick, wrong := c.quick.check(v), c.schema.Validate(v)
		if quick == fits && wrong != nil || quick == fails && wrong == nil {
			t.Fatalf("draft %d %s\n%s: the quick check says %d, the library %v", s.Draft, schema, value, quick, wrong)
		}
		if quick != unsure {
			sure++
		}
	}
	return sure
}

func TestQuickCheckAgreesWithTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sure := 0
	for range 6000 {
		sure += agree(t, generator{next: r.IntN}, 8)
	}
	if sure < 8000 {
		t.Errorf("it was sure of only %d values", sure)
	}
}

func FuzzQuickCheckAgreesWithTheLibrary(f *testing.F) {
	f.Add([]byte("some bytes to begin with, so that there is a schema"))
	f.Fuzz(func(t *testing.T, data []byte) {
		i := 0
		agree(t, generator{next: func(n int) int {
			if i++; i > len(data) {
				return 0
			}
			return int(data[i-1]) % n
		}}, 5)
	})
}

// Most values of most schemas need only the quick check.
func TestQuickCheckIsSureOfOrdinaryValues(t *testing.T) {
	c := order(t)
	for _, value := range append(shared[:3:3], string(value())) {
		r := reader{}
		v, err := r.read([]byte(value), 64, 400)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.quick.check(v); got != fits {
			t.Errorf("%s: %d", value, got)
		}
	}
	for n, want := range map[json.Number]verdict{"1": fits, "-1.00": fits, "1.5": fails, "1e1": unsure, "123456789012345678901": fits, "1.00000000000000000000": unsure} {
		if got := integer.take(number, n); got != want {
			t.Errorf("%s: %d", n, got)
		}
	}
}
