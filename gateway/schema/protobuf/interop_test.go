package protobuf

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/schema/nodetest"
)

// plain are the values whose object in protobufjs is another than their JSON: it has well-known types as they are on the wire.
var plain = map[string]string{
	`{"number":7,"status":2,"created_at":"2024-02-29T12:00:00Z"}`: `{"number":"7","status":"PAID","createdAt":{"seconds":"1709208000"}}`,
	`{"maybe":"","other":"o","far":"f"}`:                          `{"maybe":"","renamedField":"o","far":"f"}`, // protobufjs knows no json_name
	`{"renamed_field":"o"}`:                                       `{"renamedField":"o"}`,
	`{"status":77}`:                                               `{"status":77}`,
	`{"duration":"-0.5s"}`:                                        `{"duration":{"nanos":-500000000}}`,
	`{"duration":"315576000000.999999999s"}`:                      `{"duration":{"seconds":"315576000000","nanos":999999999}}`,
	`{"timestamp":"2024-01-01T01:00:00+02:00"}`:                   `{"timestamp":{"seconds":"1704063600"}}`,
	`{"mask":"a.bC,dEF"}`:                                         `{"mask":{"paths":["a.b_c","d_e_f"]}}`,
	`{"mask":""}`:                                                 `{"mask":{}}`,
	`{"struct":{"a":null,"b":[1,"x",true,{"c":[]}],"d":{}}}`:      `{"struct":{"fields":{"a":{"nullValue":"NULL_VALUE"},"b":{"listValue":{"values":[{"numberValue":1},{"stringValue":"x"},{"boolValue":true},{"structValue":{"fields":{"c":{"listValue":{}}}}}]}},"d":{"structValue":{}}}}}`,
	`{"list":[[[]],{"a":1}],"empty":{}}`:                          `{"list":{"values":[{"listValue":{"values":[{"listValue":{}}]}},{"structValue":{"fields":{"a":{"numberValue":1}}}}]},"empty":{}}`,
	`{"null":"NULL_VALUE"}`:                                       `{}`,
	`{"double":0,"float":1.5,"int64":"0","uint64":"1","int32":0,"uint32":1,"bool":false,"string":"","bytes":""}`: `{"double":{},"float":{"value":1.5},"int64":{},"uint64":{"value":"1"},"int32":{},"uint32":{"value":1},"bool":{},"string":{},"bytes":{}}`,
	`{"double":null,"string":null}`:                              `{}`,
	`{"any":{"@type":"a/shop.Order.Line.Discount","percent":1}}`: `{"any":{"@type":"a/shop.Order.Line.Discount","percent":1}}`,
}

type interopCase struct {
	Root    string `json:"root"`
	Message string `json:"message"`
	Body    []byte `json:"body"`

	codec *Codec
	value string
	want  string // the object
	back  string // the JSON of what protobufjs writes
}

type interopAnswer struct {
	Object json.RawMessage `json:"object"`
	Body   []byte          `json:"body"`
	Error  string          `json:"error"`
}

// TestProtobufjsReadsAndWritesTheSame has npm protobufjs decode what was written, and reads what protobufjs writes.
func TestProtobufjsReadsAndWritesTheSame(t *testing.T) {
	node := nodetest.Find(t, "protobufjs")
	var cases []interopCase
	for _, g := range good {
		c := compile(t, g.file, g.message)
		data := encode(t, c, g.value)
		back := decode(t, c, data)
		want, ok := plain[g.value]
		if !ok && g.message == "Known" || g.file == "editions.proto" || bytes.Contains([]byte(g.value), []byte("[legacy")) || bytes.Contains([]byte(g.value), []byte(`":-0.0`)) {
			continue // protobufjs names extensions otherwise, and takes LEGACY_REQUIRED otherwise
		}
		if !ok {
			want = back
		}
		cases = append(cases, interopCase{g.file, c.RecordName(), bytes.TrimPrefix(data, c.indexes), c, g.value, want, back})
	}
	if len(cases) < 30 {
		t.Fatalf("only %d cases", len(cases))
	}
	files := map[string]string{"shop/money.proto": string(read(t, "money.proto"))}
	for _, name := range []string{"shop.proto", "legacy.proto"} {
		files[name] = string(read(t, name))
	}
	for i, a := range nodetest.Ask[interopAnswer](t, node, map[string]any{"files": files, "cases": cases}, len(cases)) {
		c := cases[i]
		if a.Error != "" {
			t.Errorf("%s: protobufjs: %s", c.value, a.Error)
			continue
		}
		if diff := cmp.Diff(tree(t, []byte(c.want)), tree(t, a.Object)); diff != "" {
			t.Errorf("%s is read by protobufjs as (-want +got)\n%s", c.value, diff)
		}
		if got := decode(t, c.codec, append(bytes.Clone(c.codec.indexes), a.Body...)); got != c.back {
			t.Errorf("%s is written by protobufjs as\n%s\nwant %s", c.value, got, c.back)
		}
	}
}

func tree(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
