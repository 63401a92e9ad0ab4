package jsonschema

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"sluice/gateway/schema/codec"
)

func order(t testing.TB) *Codec {
	t.Helper()
	text, err := os.ReadFile("testdata/order.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, string(text))
}

func compiled(t testing.TB, schema string, refs ...codec.Reference) *Codec {
	t.Helper()
	c, err := Compile([]byte(schema), refs, codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refused is the error of a value, with dst unchanged.
func refused(t testing.TB, c *Codec, value string) *codec.ValueError {
	t.Helper()
	dst := append(make([]byte, 0, 1024), "before"...)
	got, err := c.Encode(dst, []byte(value))
	bad, ok := errors.AsType[*codec.ValueError](err)
	if !ok {
		t.Fatalf("%s: error %v (%T)", value, err, err)
	}
	if string(got) != "before" {
		t.Fatalf("%s: dst became %q", value, got)
	}
	return bad
}

func taken(t testing.TB, c *Codec, value string) {
	t.Helper()
	if got, err := c.Encode([]byte("before"), []byte(value)); err != nil || string(got) != "before"+value {
		t.Errorf("%s: %q, %v", value, got, err)
	}
	if got, err := c.Decode([]byte("before"), []byte(value)); err != nil || string(got) != "before"+value {
		t.Errorf("%s: read back as %q, %v", value, got, err)
	}
}

func TestValuesPassAsTheyAre(t *testing.T) {
	c := order(t)
	if c.RecordName() != "Order" {
		t.Error(c.RecordName())
	}
	for _, value := range []string{
		`{"id":"order-1","number":1}`,
		" {\n\t\"number\" : 9007199254740993 , \"id\":\"order-1\"} \r\n",
		`{"id":"order-1","number":123456789012345678901234567890,"priority":null,"status":"NEW","labels":{"é":"\u00e9"}}`,
		`{"id":"order-1","number":1.0,"lines":[{"sku":"a","quantity":1e2,"price":0.250},{"sku":"b","other":[{}]}],"createdAt":"2024-02-29T12:00:00+01:00"}`,
	} {
		taken(t, c, value)
	}
}

func TestCompactLeavesOutWhiteSpaceOnly(t *testing.T) {
	c, err := Compile([]byte(`true`), nil, codec.Options{Compact: true, MaxBytes: 40})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		" { \"a b\" :\t[ 1.50 ,\r\n\"x \\\" y\\\\\" , \" \" ] } ": `{"a b":[1.50,"x \" y\\"," "]}`,
		" 1e2 ": "1e2",
	} {
		if got, err := c.Encode([]byte("before"), []byte(value)); err != nil || string(got) != "before"+want {
			t.Errorf("%q, %v, want %s", got, err, want)
		}
	}
	if err := refused(t, c, `"`+strings.Repeat("x", 40)+`"`); err.Error() != "the value: expected at most 40 bytes when written, found 42" {
		t.Error(err)
	}
}

func TestErrorsNamePathRuleAndValue(t *testing.T) {
	m := order(t)
	for _, c := range []struct{ value, want string }{
		{`[]`, `the value: expected object by #/type, found an array`},
		{`{}`, `/id: expected a value by #/required, found nothing`},
		{`{"id":"order-1","number":1,"b":1,"a/b":2}`, `/a~1b: expected a known name by #/additionalProperties, found an unknown name`},
		{`{"id":"order-1","number":0}`, `/number: expected at least 1 by #/properties/number/minimum, found 0`},
		{`{"id":"order-1","number":1.5}`, `/number: expected integer by #/properties/number/type, found 1.5`},
		{`{"id":"order-1","number":"1"}`, `/number: expected integer by #/properties/number/type, found "1"`},
		{`{"id":"","number":1}`, `/id: expected at least 1 characters by #/properties/id/minLength, found 0`},
		{`{"id":"order-x","number":1}`, `/id: expected a string that matches ^order-[0-9]+$ by #/properties/id/pattern, found "order-x"`},
		{`{"id":"order-1","number":1,"priority":4}`, `/priority: expected one of 1, 2, 3, null by #/properties/priority/enum, found 4`},
		{`{"id":"order-1","number":1,"priority":"x"}`, `/priority: expected null or integer by #/properties/priority/type, found "x"`},
		{`{"id":"order-1","number":1,"createdAt":"no"}`, `/createdAt: expected format "date-time" by #/properties/createdAt/format, found "no"`},
		{`{"id":"order-1","number":1,"labels":{"a":1}}`, `/labels/a: expected string by #/properties/labels/additionalProperties/type, found 1`},
		{`{"id":"order-1","number":1,"lines":[{"sku":"a"},{"sku":"b","quantity":0,"price":0.3}]}`, `/lines/1/price: expected a multiple of 0.25 by #/definitions/line/properties/price/multipleOf, found 0.3`},
		{`{"id":"order-1","number":1,"lines":[{"sku":"a","quantity":0}]}`, `/lines/0/quantity: expected more than 0 by #/definitions/line/properties/quantity/exclusiveMinimum, found 0`},
		{`{"id":"order-1","number":1,"lines":[1,{}]}`, `/lines/0: expected object by #/definitions/line/type, found 1`},
		{`{"id":"order-1","number":1`, `the value: expected JSON with "}", found the end at byte 26`},
		{`{"id":"order-1","id":"order-2","number":1}`, `/id: expected each member once, found it a second time`},
		{`{"id":"order-1","number":1,"labels":{"a":"\ud800"}}`, `/labels/a: expected JSON with surrogates in pairs, found '\\' at byte 42`},
		{`{"id":"order-1","number":1e401}`, `/number: expected a number with at most 400 digits (schema.jsonschema.max.digits), found one with more`},
		{`{"id":"order-1","number":1e-9999999999999999999}`, `/number: expected a number with at most 400 digits (schema.jsonschema.max.digits), found one with more`},
		{strings.Repeat(`[`, 100), `/0/0: expected at most 64 levels of nesting (schema.max.depth), found one more`},
	} {
		for range 5 { // the library goes through maps
			if err := refused(t, m, c.value); !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%s\ngot  %v\nwant %s", c.value, err, c.want)
				break
			}
		}
	}
}

func TestEachRuleHasItsWords(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{`{"const": {"a": 1}}`, `2`, `expected an object by #/const, found 2`},
		{`{"const": "x"}`, `2`, `expected "x" by #/const, found 2`},
		{`{"maxLength": 2}`, `"abc"`, `expected at most 2 characters by #/maxLength, found 3`},
		{`{"maximum": 1.5}`, `2`, `expected at most 1.5 by #/maximum, found 2`},
		{`{"exclusiveMaximum": 9007199254740993}`, `9007199254740993`, `expected less than 9007199254740993 by #/exclusiveMaximum`},
		{`{"minItems": 1}`, `[]`, `expected at least 1 elements by #/minItems, found 0`},
		{`{"maxItems": 1}`, `[1,2]`, `expected at most 1 elements by #/maxItems, found 2`},
		{`{"items": [true], "additionalItems": false}`, `[1,2,3]`, `expected no further elements by #/additionalItems, found 2`},
		{`{"uniqueItems": true}`, `[1,2,1.0]`, `expected elements that all differ by #/uniqueItems, found the same at 0 and 2`},
		{`{"contains": {"type":"null"}}`, `[1]`, `expected an element that fits by #/contains, found an array`},
		{`{"minProperties": 1}`, `{}`, `expected at least 1 members by #/minProperties, found 0`},
		{`{"maxProperties": 0}`, `{"a":1}`, `expected at most 0 members by #/maxProperties, found 1`},
		{`{"propertyNames": {"maxLength": 1}}`, `{"ab":1}`, `expected names that fit by #/propertyNames, found "ab"`},
		{`{"dependencies": {"a": ["b"]}}`, `{"a":1}`, `/b: expected a value, since "a" is there, by #/dependencies/a`},
		{`{"not": {"type": "null"}}`, `null`, `expected a value that does not fit by #, found null`},
		{`false`, `null`, `expected nothing by #, found null`},
		{`{"anyOf": [{"type":"null"}, {"type":["string","integer"]}]}`, `1.5`, `the value: expected null or integer or string by #/anyOf, found 1.5`},
		{`{"anyOf": [{"type":"null"}, {"minimum":5}]}`, `1`, `the value: expected a value that fits one of 2 alternatives by #/anyOf, found 1`},
		{`{"oneOf": [{"type":"null"}, {"type":"object","properties":{"a":{"type":"string"}}}]}`, `{"a":1}`, `/a: expected string by #/oneOf/1/properties/a/type, found 1`},
		{`{"oneOf": [{"minimum":1}, true, {"minimum":2}]}`, `1`, `expected a value that fits one alternative by #/oneOf, found one that fits those at 0 and 1`},
		{`{"allOf": [{"maximum":5}, {"maximum":4}]}`, `6`, `expected at most 5 by #/allOf/0/maximum, found 6`},
		{`{"if": {"type":"string"}, "then": {"minLength":1}, "else": {"minimum":1}}`, `""`, `by #/then/minLength`},
		{`{"$ref": "#"}`, `1`, `expected a schema without a cycle of references`},
		{`{"type":"string"}`, `"` + strings.Repeat("é", 50) + `" x`, `expected JSON with the end`},
		{`{"type":"null"}`, `"` + strings.Repeat("é", 50) + `"`, `expected null by #/type, found a string of 100 bytes`},
	} {
		if err := refused(t, compiled(t, c.schema), c.value); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.schema, err, c.want)
		}
	}
}

func TestOneCodecForManyGoroutines(t *testing.T) {
	c := order(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				taken(t, c, `{"id":"order-1","number":1,"lines":[{"sku":"a","price":0.5}]}`)
				if _, err := c.Encode(nil, []byte(`{"id":"order-1","number":0}`)); err == nil {
					t.Error("0 is taken")
				}
			}
		})
	}
	wg.Wait()
}
