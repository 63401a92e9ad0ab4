package protobuf

import (
	"strings"
	"testing"
)

// Each value is written, compared with what Google's library makes of it, and read back. An empty back is the value itself.
var good = []struct{ file, message, value, back string }{
	{"shop.proto", "", `{}`, ""},
	{"shop.proto", "", `{"id":"a","number":"7","priority":0,"status":"NEW","labels":{"x":"y"}}`, ""},
	{"shop.proto", "", `{"number":7,"status":2,"created_at":"2024-02-29T12:00:00Z"}`, `{"number":"7","status":"PAID","createdAt":"2024-02-29T12:00:00Z"}`},
	{"shop.proto", "", ` { "id" : null , "lines" : null , "labels" : null, "card":null, "invoice":"i" } `, `{"invoice":"i"}`},
	{"shop.proto", "", `{"cash":false}`, ""},
	{"shop.proto", "", `{"card":{}}`, ""},
	{"shop.proto", "", `{"id":"","number":0,"status":"UNKNOWN","lines":[],"labels":{},"signature":""}`, `{}`},
	{"shop.proto", "", `{"lines":[{"sku":"s","quantity":2,"price":0.5,"discount":{"percent":-10},"parts":[{},{"sku":"t"}]},{}]}`, ""},
	{"shop.proto", "", `{"total":{"currency":"EUR","units":"-9007199254740993","nanos":1},"byPosition":{"-1":{"sku":"s"},"2147483647":{}}}`, ""},
	{"shop.proto", "", `{"status":77}`, ""},
	{"shop.proto", "", `{"labels":{"\u0000":"é\ud834\udd1e\n","":""}}`, `{"labels":{"":"","\u0000":"é𝄞\n"}}`},
	{"shop.proto", "", `{"id":"` + strings.Repeat("x", 300) + `","lines":[{"sku":"` + strings.Repeat("y", 20000) + `"}]}`, ""},

	{"shop.proto", "Scalars", `{"double":1.5,"float":-2.25,"int32":-1,"int64":"-9223372036854775808","uint32":4294967295,"uint64":"18446744073709551615"}`, ""},
	{"shop.proto", "Scalars", `{"sint32":-2147483648,"sint64":"9223372036854775807","fixed32":1,"fixed64":"2","sfixed32":-3,"sfixed64":"-4"}`, ""},
	{"shop.proto", "Scalars", `{"double":"NaN","float":"Infinity"}`, ""},
	{"shop.proto", "Scalars", `{"double":"-Infinity","float":"1.5e3"}`, `{"double":"-Infinity","float":1500}`},
	{"shop.proto", "Scalars", `{"double":-0.0,"float":-0}`, `{"double":-0,"float":-0}`},
	{"shop.proto", "Scalars", `{"int32":"1e3","int64":1.0,"uint32":1.50e2,"uint64":100e-2,"sint32":-0,"fixed32":0e99999999999}`, `{"int32":1000,"int64":"1","uint32":150,"uint64":"1"}`},
	{"shop.proto", "Scalars", `{"int64":0.0000000000000000001e19,"uint64":1844674407370955161500000e-5}`, `{"int64":"1","uint64":"18446744073709551615"}`},
	{"shop.proto", "Scalars", `{"bool":true,"string":"x","bytes":"AP+/","enum":"LOST"}`, ""},
	{"shop.proto", "Scalars", `{"bytes":"_-8"}`, `{"bytes":"/+8="}`},
	{"shop.proto", "Scalars", `{"bytes":"/+8"}`, `{"bytes":"/+8="}`},
	{"shop.proto", "Scalars", `{"packed":[0,-1,2147483647],"unpacked":["0",1],"strings":["","a"],"enums":["NEW",0,-1]}`, `{"packed":[0,-1,2147483647],"unpacked":["0","1"],"strings":["","a"],"enums":["NEW","UNKNOWN","LOST"]}`},
	{"shop.proto", "Scalars", `{"maybe":"","other":"o","far":"f"}`, ""},
	{"shop.proto", "Scalars", `{"renamed_field":"o"}`, `{"other":"o"}`},
	{"shop.proto", "Scalars", `{"byBool":{"false":0,"true":1},"byUint64":{"18446744073709551615":"NEW","0":0},"bySfixed32":{"-5":"AA=="}}`, `{"byBool":{"false":0,"true":1},"byUint64":{"0":"UNKNOWN","18446744073709551615":"NEW"},"bySfixed32":{"-5":"AA=="}}`},

	{"shop.proto", "Known", `{"timestamp":"0001-01-01T00:00:00Z","timestamps":["9999-12-31T23:59:59.999999999Z","1969-12-31T23:59:59.5Z"]}`, `{"timestamp":"0001-01-01T00:00:00Z","timestamps":["9999-12-31T23:59:59.999999999Z","1969-12-31T23:59:59.500Z"]}`},
	{"shop.proto", "Known", `{"timestamp":"2024-01-01T01:00:00+02:00"}`, `{"timestamp":"2023-12-31T23:00:00Z"}`},
	{"shop.proto", "Known", `{"duration":"-0.5s"}`, `{"duration":"-0.500s"}`},
	{"shop.proto", "Known", `{"duration":"315576000000.999999999s"}`, ""},
	{"shop.proto", "Known", `{"mask":"a.bC,dEF"}`, ""},
	{"shop.proto", "Known", `{"mask":""}`, ""},
	{"shop.proto", "Known", `{"struct":{"a":null,"b":[1,"x",true,{"c":[]}],"d":{}}}`, ""},
	{"shop.proto", "Known", `{"value":null,"null":null,"values":[null,1.5,"s",false,{},[]],"map":{"k":null}}`, `{"value":null,"values":[null,1.5,"s",false,{},[]],"map":{"k":null}}`},
	{"shop.proto", "Known", `{"list":[[[]],{"a":1}],"empty":{}}`, ""},
	{"shop.proto", "Known", `{"null":"NULL_VALUE"}`, `{}`},
	{"shop.proto", "Known", `{"double":0,"float":1.5,"int64":"0","uint64":"1","int32":0,"uint32":1,"bool":false,"string":"","bytes":""}`, ""},
	{"shop.proto", "Known", `{"double":null,"string":null}`, `{}`},
	{"shop.proto", "Known", `{"any":{"@type":"type.googleapis.com/shop.Money","units":"5"}}`, ""},
	{"shop.proto", "Known", `{"any":{"units":5,"@type":"x/shop.Money"}}`, `{"any":{"@type":"x/shop.Money","units":"5"}}`},
	{"shop.proto", "Known", `{"any":{"@type":"a/google.protobuf.Timestamp","value":"1970-01-01T00:00:00Z"}}`, ""},
	{"shop.proto", "Known", `{"any":{"@type":"a/google.protobuf.Any","value":{"@type":"b/google.protobuf.Int32Value","value":3}}}`, ""},
	{"shop.proto", "Known", `{"any":{"@type":"a/google.protobuf.Empty"}}`, ""},
	{"shop.proto", "Known", `{"any":{"@type":"a/google.protobuf.Empty","value":{}}}`, `{"any":{"@type":"a/google.protobuf.Empty"}}`},
	{"shop.proto", "Known", `{"any":{"@type":"a/shop.Order.Line.Discount","percent":1}}`, ""},
	{"shop.proto", "Known", `{"any":{}}`, ""},

	{"legacy.proto", "", `{"name":""}`, ""},
	{"legacy.proto", "", `{"name":"n","level":7,"kind":"ALERT","tag":[{"key":"k"},{"key":"","value":"v"}],"origin":{"host":"h"},"inner":{"text":""}}`, ""},
	{"legacy.proto", "", `{"name":"n","Tag":[{"key":"k"}],"Origin":{}}`, `{"name":"n","tag":[{"key":"k"}],"origin":{}}`},
	{"legacy.proto", "", `{"name":"n","plain":[1,2],"packed":[3,4],"kinds":{"a":"INFO","b":5}}`, `{"name":"n","plain":[1,2],"packed":[3,4],"kinds":{"a":"INFO","b":"ALERT"}}`},
	{"legacy.proto", "", `{"name":"n","[legacy.trace]":"t","[legacy.codes]":[1,2],"[legacy.Scope.note]":{"text":"x"}}`, `{"name":"n","[legacy.Scope.note]":{"text":"x"},"[legacy.codes]":[1,2],"[legacy.trace]":"t"}`},

	{"editions.proto", "", `{"explicit":0,"implicit":0,"must":"","delimited":{"text":"x"},"expanded":[1,2],"closed":"ONE"}`, `{"explicit":0,"must":"","delimited":{"text":"x"},"expanded":[1,2],"closed":"ONE"}`},
}

func TestValuesAreWrittenAndReadBack(t *testing.T) {
	for _, c := range good {
		t.Run(c.value[:min(len(c.value), 60)], func(t *testing.T) {
			m := compile(t, c.file, c.message)
			want := c.back
			if want == "" {
				want = c.value
			}
			if got := decode(t, m, encode(t, m, c.value)); got != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
		})
	}
}

var bad = []struct{ file, message, value, want string }{
	{"shop.proto", "", `[]`, `the value: expected message shop.Order (an object), found an array`},
	{"shop.proto", "", `null`, `the value: expected message shop.Order (an object), found null`},
	{"shop.proto", "", `{"colour":1}`, `/colour: expected a field of message shop.Order, found an unknown name`},
	{"shop.proto", "", `{"lines":[{},{"a/b~c":1}]}`, `/lines/1/a~1b~0c: expected a field of message shop.Order.Line, found an unknown name`},
	{"shop.proto", "", `{"id":5}`, `/id: expected string, found 5`},
	{"shop.proto", "", `{"id":["a"]}`, `/id: expected string, found an array`},
	{"shop.proto", "", `{"priority":2147483648}`, `/priority: expected int32, found 2147483648`},
	{"shop.proto", "", `{"priority":1.5}`, `/priority: expected int32, found 1.5`},
	{"shop.proto", "", `{"priority":"1 "}`, `/priority: expected int32, found "1 "`},
	{"shop.proto", "", `{"priority":true}`, `/priority: expected int32, found true`},
	{"shop.proto", "", `{"status":"BROKEN"}`, `/status: expected enum shop.Status, found "BROKEN"`},
	{"shop.proto", "", `{"status":"1"}`, `/status: expected enum shop.Status, found "1"`},
	{"shop.proto", "", `{"status":4294967296}`, `/status: expected enum shop.Status, found 4294967296`},
	{"shop.proto", "", `{"lines":{}}`, `/lines: expected repeated shop.Order.Line (an array), found an object`},
	{"shop.proto", "", `{"lines":[null]}`, `/lines/0: expected message shop.Order.Line (an object), found null`},
	{"shop.proto", "", `{"lines":[{},{"quantity":-1}]}`, `/lines/1/quantity: expected uint32, found -1`},
	{"shop.proto", "", `{"labels":[]}`, `/labels: expected map<string, string> (an object), found an array`},
	{"shop.proto", "", `{"labels":{"a":null}}`, `/labels/a: expected string, found null`},
	{"shop.proto", "", `{"labels":{"a":"1","\u0061":"2"}}`, `/labels: expected each key once, found one a second time`},
	{"shop.proto", "", `{"byPosition":{"01":{}}}`, `/byPosition/01: expected int32 as the key of a map, found "01"`},
	{"shop.proto", "", `{"byPosition":{"1e1":{}}}`, `/byPosition/1e1: expected int32 as the key of a map, found "1e1"`},
	{"shop.proto", "", `{"byPosition":{"1":{"sku":1}}}`, `/byPosition/1/sku: expected string, found 1`},
	{"shop.proto", "", `{"card":{},"cash":true}`, `/cash: expected one field of oneof payment, found a second one`},
	{"shop.proto", "", `{"id":"a","id":"b"}`, `/id: expected each field once, found it a second time`},
	{"shop.proto", "", `{"id":null,"id":"b"}`, `/id: expected each field once, found it a second time`},
	{"shop.proto", "", `{"createdAt":"","created_at":""}`, `/createdAt: expected google.protobuf.Timestamp (a time as 2006-01-02T15:04:05.999Z, from year 1 to 9999), found ""`},
	{"shop.proto", "", `{"createdAt":null,"created_at":null}`, `/created_at: expected each field once, found it a second time`},
	{"shop.proto", "", `{"signature":"a"}`, `/signature: expected bytes in base64, found "a"`},
	{"shop.proto", "", `{"signature":"a+_b"}`, `/signature: expected bytes in base64, found "a+_b"`},
	{"shop.proto", "", `{"id":"a"`, `the value: expected JSON with "}", found the end at byte 9`},
	{"shop.proto", "", `{"id":"a"} x`, `the value: expected JSON with the end, found 'x' at byte 11`},
	{"shop.proto", "", `{"id":"\ud800"}`, `/id: expected JSON with surrogates in pairs, found '\\' at byte 7`},
	{"shop.proto", "", ``, `the value: expected JSON with a value, found the end at byte 0`},
	{"shop.proto", "", `{"lines":` + strings.Repeat(`[`, 100), `/lines/0: expected message shop.Order.Line (an object), found an array`},
	{"shop.proto", "", strings.Repeat(`{"lines":[{"parts":[`, 1) + strings.Repeat(`{"parts":[`, 40) + strings.Repeat(`]}`, 40) + `]}]}`, strings.Repeat("/parts/0", 30) + `: expected at most 64 levels of nesting (schema.max.depth), found one more`},

	{"shop.proto", "Scalars", `{"float":1e39}`, `/float: expected float, found 1e39`},
	{"shop.proto", "Scalars", `{"double":"inf"}`, `/double: expected double, found "inf"`},
	{"shop.proto", "Scalars", `{"double":"0x1p4"}`, `/double: expected double, found "0x1p4"`},
	{"shop.proto", "Scalars", `{"uint64":18446744073709551616}`, `/uint64: expected uint64, found 18446744073709551616`},
	{"shop.proto", "Scalars", `{"int64":1e999999999999}`, `/int64: expected int64, found 1e999999999999`},
	{"shop.proto", "Scalars", `{"int64":1e-999999999999}`, `/int64: expected int64, found 1e-999999999999`},
	{"shop.proto", "Scalars", `{"packed":[1,"x"]}`, `/packed/1: expected int32, found "x"`},
	{"shop.proto", "Scalars", `{"byBool":{"yes":1}}`, `/byBool/yes: expected bool as the key of a map, found "yes"`},
	{"shop.proto", "Scalars", `{"byUint64":{"-1":0}}`, `/byUint64/-1: expected uint64 as the key of a map, found "-1"`},
	{"shop.proto", "Scalars", `{"string":"\u0000\q"}`, `/string: expected JSON with a known escape, found '\\' at byte 17`},

	{"shop.proto", "Known", `{"timestamp":"2024-01-01"}`, `/timestamp: expected google.protobuf.Timestamp (a time as 2006-01-02T15:04:05.999Z, from year 1 to 9999), found "2024-01-01"`},
	{"shop.proto", "Known", `{"timestamp":"0000-01-01T00:00:00Z"}`, `found "0000-01-01T00:00:00Z"`},
	{"shop.proto", "Known", `{"timestamp":"2024-01-01T00:00:00.1234567890Z"}`, `found "2024-01-01T00:00:00.1234567890Z"`},
	{"shop.proto", "Known", `{"timestamp":"2024-01-01T00:00:00,5Z"}`, `found "2024-01-01T00:00:00,5Z"`},
	{"shop.proto", "Known", `{"timestamp":1700000000}`, `found 1700000000`},
	{"shop.proto", "Known", `{"duration":"1"}`, `/duration: expected google.protobuf.Duration (seconds as 1.5s, up to 315576000000), found "1"`},
	{"shop.proto", "Known", `{"duration":"315576000001s"}`, `found "315576000001s"`},
	{"shop.proto", "Known", `{"duration":"1.0123456789s"}`, `found "1.0123456789s"`},
	{"shop.proto", "Known", `{"mask":"a_b"}`, `/mask: expected google.protobuf.FieldMask (names of fields, separated by commas), found "a_b"`},
	{"shop.proto", "Known", `{"mask":"a,,b"}`, `found "a,,b"`},
	{"shop.proto", "Known", `{"struct":[]}`, `/struct: expected`},
	{"shop.proto", "Known", `{"struct":{"a":{"b":[1e999]}}}`, `/struct/a/b/0: expected double, found 1e999`},
	{"shop.proto", "Known", `{"empty":{"a":1}}`, `/empty/a: expected a field of message google.protobuf.Empty, found an unknown name`},
	{"shop.proto", "Known", `{"int32":"x"}`, `/int32: expected int32, found "x"`},
	{"shop.proto", "Known", `{"int32":{"value":1}}`, `/int32: expected int32, found an object`},
	{"shop.proto", "Known", `{"any":{"units":5}}`, `/any/@type: expected the type of the message, found nothing`},
	{"shop.proto", "Known", `{"any":{"@type":"x/shop.Nothing"}}`, `/any/@type: expected a message of the schema or its references, found "x/shop.Nothing"`},
	{"shop.proto", "Known", `{"any":{"@type":1}}`, `/any/@type: expected one string, found 1`},
	{"shop.proto", "Known", `{"any":{"@type":"x/shop.Money","@type":"x/shop.Money"}}`, `/any/@type: expected one string, found "x/shop.Money"`},
	{"shop.proto", "Known", `{"any":{"@type":"x/shop.Money","units":"x"}}`, `/any/units: expected int64, found "x"`},
	{"shop.proto", "Known", `{"any":{"@type":"x/google.protobuf.Duration"}}`, `/any/value: expected google.protobuf.Duration`},
	{"shop.proto", "Known", `{"any":{"@type":"x/google.protobuf.Duration","value":"1s","other":1}}`, `/any/other: expected one member "value", found another member`},
	{"shop.proto", "Known", `{"any":[]}`, `/any: expected google.protobuf.Any (an object with "@type"), found an array`},

	{"legacy.proto", "", `{}`, `/name: expected string, which is required, found nothing`},
	{"legacy.proto", "", `{"name":null}`, `/name: expected string, which is required, found nothing`},
	{"legacy.proto", "", `{"name":"n","tag":[{"value":"v"}]}`, `/tag/0/key: expected string, which is required, found nothing`},
	{"legacy.proto", "", `{"name":"n","kind":2}`, `/kind: expected enum legacy.Kind, found 2`},
	{"legacy.proto", "", `{"name":"n","kinds":{"a":2}}`, `/kinds/a: expected enum legacy.Kind, found 2`},
	{"legacy.proto", "", `{"name":"n","[legacy.nothing]":1}`, `/[legacy.nothing]: expected a field of message legacy.Event, found an unknown name`},
	{"editions.proto", "", `{}`, `/must: expected string, which is required, found nothing`},
	{"editions.proto", "", `{"must":"","closed":2}`, `/closed: expected enum modern.Closed, found 2`},
}

func TestErrorsNamePathTypeAndValue(t *testing.T) {
	for _, c := range bad {
		t.Run(c.value[:min(len(c.value), 60)], func(t *testing.T) {
			m := compile(t, c.file, c.message)
			if err := refused(t, m, c.value); !strings.Contains(err.Error(), c.want) {
				t.Errorf("\ngot  %v\nwant %s", err, c.want)
			}
		})
	}
}
