package main

import (
	"strings"
	"testing"

	"sluice/guest-sdk/go/sluicetest"
)

func check(t *testing.T, config string, r sluicetest.Record) string {
	t.Helper()
	g := new(guard)
	if err := sluicetest.Configure(t, g.configure, config); err != nil {
		t.Fatal(err)
	}
	v := sluicetest.OnSend(t, g.onSend, sluicetest.Batch{Records: []sluicetest.Record{r}}).Verdicts[0]
	if v.Changed != 0 {
		t.Errorf("it changed the record: 0x%x", v.Changed)
	}
	return v.Failed
}

func TestTypes(t *testing.T) {
	values := map[string]string{ // by the type that fits best
		"string": `""`, "integer": `-12`, "number": `1.0`, "boolean": `false`, "object": `{}`, "array": `[]`, "null": `null`,
	}
	for typ := range values {
		for is, v := range values {
			want := ""
			if is != typ && !(typ == "number" && is == "integer") {
				word := is
				if is == "integer" {
					word = "number"
				}
				want = "/a/b is of type " + word + ": it must be " + typ
			}
			for _, table := range []string{"required", "optional"} {
				got := check(t, `{"`+table+`":{"/a/b":"`+typ+`"}}`, sluicetest.Record{Value: []byte(`{"a":{"b":` + v + `}}`)})
				if got != want {
					t.Errorf("%s %s, value %s: failed for %q, want %q", table, typ, v, got, want)
				}
			}
		}
	}
}

func TestGuard(t *testing.T) {
	const config = `{
		"required":{"/id":"integer","/name":["string","null"],"/items/0/sku":"string"},
		"optional":{"/note":"string"},
		"max_sizes":{"/note":5,"/items":2,"":4},
		"max_key_bytes":3,"max_value_bytes":200}`
	for _, c := range []struct{ name, key, value, want string }{
		{"good", "abc", `{"id":1,"name":null,"items":[{"sku":"x"}]}`, ""},
		{"another good one", "", `{"id":1,"name":"n","items":[{"sku":"x"},1],"note":"äöüß€"}`, ""},
		{"missing", "", `{"name":"n","items":[{"sku":"x"}]}`, "/id is missing: it must be integer"},
		{"two types", "", `{"id":1,"name":2,"items":[{"sku":"x"}]}`, "/name is of type number: it must be string or null"},
		{"deep", "", `{"id":1,"name":"n","items":[{}]}`, "/items/0/sku is missing: it must be string"},
		{"optional", "", `{"id":1,"name":"n","items":[{"sku":"x"}],"note":1}`, "/note is of type number: it must be string"},
		{"long string", "", `{"id":1,"name":"n","items":[{"sku":"x"}],"note":"123\u00e456"}`, "/note has 6 characters: at most 5 are allowed (max_sizes)"},
		{"long array", "", `{"id":1,"name":"n","items":[{"sku":"x"},2,3]}`, "/items has 3 elements: at most 2 are allowed (max_sizes)"},
		{"large object", "", `{"id":1,"name":"n","items":[{"sku":"x"}],"d":1,"e":1}`, " has 5 members: at most 4 are allowed (max_sizes)"},
		{"large key", "abcd", `{}`, "the key is larger than max_key_bytes"},
		{"large value", "", `"` + strings.Repeat("x", 199) + `"`, "the value is larger than max_value_bytes"},
		{"no JSON", "", `{"id":}`, "not JSON: unexpected character at byte 6"},
		{"empty", "", ``, "not JSON: the text ends too early at byte 0"},
		{"another type", "", `[1]`, "/id is missing: it must be integer"},
	} {
		if got := check(t, config, sluicetest.Record{Key: []byte(c.key), Value: []byte(c.value)}); got != c.want {
			t.Errorf("%s: failed for %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNullValue(t *testing.T) {
	for config, want := range map[string]string{
		`{"required":{"/a":"string"}}`:                     "",
		`{"required":{"/a":"string"},"null_value":"pass"}`: "",
		`{"null_value":"fail"}`:                            `the value is null (null_value = "fail")`,
	} {
		if got := check(t, config, sluicetest.Record{}); got != want {
			t.Errorf("%s: failed for %q, want %q", config, got, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	const types = ` must be a type or a list of types: string, integer, number, boolean, object, array, null`
	for config, want := range map[string]string{
		`{"required":{"/a":"int"}}`:            `config /required/~1a: "int"` + types,
		`{"required":{"/a":["string","int"]}}`: `config /required/~1a: ["string","int"]` + types,
		`{"required":{"/a":[]}}`:               `config /required/~1a: []` + types,
		`{"optional":{"/a":1}}`:                `config /optional/~1a: 1` + types,
		`{"required":{"a":"string"}}`:          `config /required/a: "string" stands at a key that is no JSON Pointer: a JSON Pointer is empty or begins with a slash`,
		`{"required":["/a"]}`:                  `config /required: ["/a"] must be a table of JSON Pointers, such as {"/id" = ...}`,
		`{"max_sizes":{"/a":-1}}`:              `config /max_sizes/~1a: -1 must be an integer, 0 or more: how many characters, elements or members there may be`,
		`{"max_sizes":{"/a":"1"}}`:             `config /max_sizes/~1a: "1" must be an integer, 0 or more: how many characters, elements or members there may be`,
		`{"max_key_bytes":-1}`:                 `config /max_key_bytes: -1 must be 0 or more`,
		`{"max_value_bytes":"1"}`:              `config /max_value_bytes: "1" must be an integer of at most 64 bits`,
		`{"null_value":"drop"}`:                `config /null_value: "drop" must be "pass" or "fail"`,
		`{"requird":{}}`:                       `config: unknown key "requird", known are required, optional, max_sizes, max_key_bytes, max_value_bytes, null_value`,
	} {
		err := sluicetest.Configure(t, new(guard).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
