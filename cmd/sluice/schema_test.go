package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"sluice/gateway/deadletter"
)

const (
	orderV1 = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}`
	orderV2 = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`
)

// schemaRig is a folder with a configuration whose registry is a fake one.
type schemaRig struct {
	*dltRig

	dir      string
	registry *srfake.Registry
}

func newSchemaRig(t *testing.T, tables string) *schemaRig {
	t.Helper()
	r := &schemaRig{dltRig: newDltRig(t), registry: srfake.New()}
	t.Cleanup(r.registry.Close)
	r.dir = filepath.Dir(r.file)
	for name, text := range map[string]string{"v1.avsc": orderV1, "v2.avsc": orderV2, "bad.avsc": `{"type":"nothing"}`} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.write(r.settings(fmt.Sprintf("[schema]\nregistry.url = %q\n%s", r.registry.URL(), tables)))
	return r
}

func (r *schemaRig) run(stdin string, args ...string) (stdout, stderr string, status int) {
	r.t.Helper()
	root := newRoot()
	var out, errOut bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errOut)
	root.SetIn(strings.NewReader(stdin))
	root.SetArgs(append([]string{"schema"}, append(args, "--config", r.file)...))
	if err := root.Execute(); err != nil {
		return out.String(), err.Error(), exitStatus(err)
	}
	return out.String(), errOut.String(), 0
}

func (r *schemaRig) good(want, stdin string, args ...string) {
	r.t.Helper()
	if out, stderr, status := r.run(stdin, args...); status != 0 || out != want {
		r.t.Errorf("%q: %d\n%s%s\nwant %s", args, status, out, stderr, want)
	}
}

func (r *schemaRig) bad(status int, want, stdin string, args ...string) {
	r.t.Helper()
	if out, stderr, got := r.run(stdin, args...); got != status || !strings.Contains(out+stderr, want) {
		r.t.Errorf("%q: %d\n%s%s\nwant %d %s", args, got, out, stderr, status, want)
	}
}

func TestSchemaCommands(t *testing.T) {
	r := newSchemaRig(t, "[topics.orders]\nvalue.serializer = 'avro'\nvalue.schema.ignore.unknown = true\n[topics.bad]\nvalue.serializer = 'avro'\n[topics.plain]\n")
	v1, v2 := filepath.Join(r.dir, "v1.avsc"), filepath.Join(r.dir, "v2.avsc")
	r.bad(1, "error 40401", "", "show", "orders")
	r.good("orders-value: ok\n", "", "check", "orders-value", v1)
	r.good("1\n", "", "register", "orders-value", v1)
	r.good("{\n  \"id\": 2,\n  \"subject\": \"orders-value\"\n}\n", "", "register", "orders-value", v2, "--json")
	r.good(orderV2+"\n", "", "show", "orders")
	r.good(orderV1+"\n", "", "show", "orders-value", "--version", "1")
	r.good(orderV1+"\n", "", "show", "1")
	r.bad(1, "unknown primitive", "", "register", "orders-value", filepath.Join(r.dir, "bad.avsc"))
	r.bad(1, `expected`, `{"id":"x"}`, "encode", "orders")
	r.bad(1, "line 2: value at /id: expected long", "{\"id\":1}\n{\"id\":null}", "encode", "orders")
	r.good("AAAAAAIEAA==\nAAAAAAIGAA==\n", "{\"id\":2,\"x\":1}\n\n{\"id\":3}\n", "encode", "orders")
	r.good("AAAAAAIEAA==\n", "{\n  \"id\": 2\n}\n", "encode", "orders") // one value over several lines
	r.bad(1, "line 1: value: expected JSON with", "{\"id\":2\n{\"id\":3}\n", "encode", "orders")
	r.bad(1, "it is not in base64; there are --as hex and --as raw", "!", "decode")
	r.bad(1, "it is not in hexadecimal", "xyz", "decode", "--as", "hex")
	r.bad(1, "/x: expected a member of record shop.Order", `{"id":2,"x":1}`, "encode", "orders-value")
	r.good("000000000104\n", `{"id":2}`, "encode", "orders-value", "--version", "1", "--as", "hex")
	r.good("\x00\x00\x00\x00\x01\x04", "{\"id\":2}\n", "encode", "1", "--as", "raw")
	r.good(`{"id":2,"note":null}`+"\n"+`{"id":2}`+"\n", "AAAAAAIEAA==\nAAAAAAEE", "decode")
	r.good(`{"schema_id":1,"type":"avro","value":{"id":2}}`+"\n", "000000000104", "decode", "--as", "hex", "--json")
	r.bad(1, "does not fit the schema with id 1: the value: expected nothing more, found 1 more bytes", "\x00\x00\x00\x00\x01\x04\x04", "decode", "--as", "raw")
	r.bad(1, "error 40403", "AAAAAGMC", "decode")
	r.bad(1, "the frame of a schema registry", "AQ==", "decode")
	r.bad(2, "--as", "", "decode", "--as", "morse")
	r.bad(2, "--limit -1", "", "decode", "orders", "--limit", "-1")
	r.bad(2, "a subject goes with a file", "", "check", "orders-value")
	r.bad(2, "name=subject:version", "", "register", "s", v1, "--reference", "x")
	r.bad(2, "--type", "", "register", "s", v1, "--type", "xml")
	r.bad(1, "bad value: the schema registry was asked for", "", "check")
	out, _, _ := r.run("", "check", "--json")
	var checked []checkedSchema
	if err := json.Unmarshal([]byte(out), &checked); err != nil || len(checked) != 2 || checked[0].OK == checked[1].OK {
		t.Errorf("%s, %v", out, err)
	}
	var shown shownSchema
	out, _, _ = r.run("", "show", "orders", "--json")
	if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.ID != 2 || shown.Version != 2 || shown.Record != "shop.Order" || shown.Schema != orderV2 {
		t.Errorf("%s, %v", out, err)
	}
}

// TestSchemaShowDescribes holds that of each format is told what its values are.
func TestSchemaShowDescribes(t *testing.T) {
	r := newSchemaRig(t, "[topics.orders]\nvalue.serializer = 'avro'\n[topics.\"p*\"]\nvalue.serializer = 'protobuf'\nvalue.schema.message = 'B'\n[topics.raw]\n")
	for _, s := range []struct {
		subject string
		schema  sr.Schema
	}{
		{"orders-value", sr.Schema{Schema: `{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"lines","type":{"type":"array","items":` +
			`{"type":"record","name":"Line","fields":[{"name":"sku","type":"string","default":"none"},{"name":"more","type":["null","Order"],"default":null}]}}}]}`}},
		{"p1-value", sr.Schema{Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message A { message In { bool b = 1; } map<string, In> m = 1; } message B { oneof x { A a = 1; int32 n = 2; } repeated B more = 3; }`}},
		{"plain", sr.Schema{Type: sr.TypeJSON, Schema: `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["id"],"properties":{"id":{"type":"integer"},` +
			`"lines":{"type":"array","items":{"$ref":"#/definitions/line"}},"kind":{"enum":["a",1]},"any":{}},"definitions":{"line":{"type":"object","properties":{"at":{"type":"string","format":"date-time"},"more":{"$ref":"#"}}}}}`}},
	} {
		if _, _, err := r.registry.RegisterSchema(s.subject, s.schema); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"orders"}, "subject orders-value, version 1, id 1, avro Order\na value is record Order\n  id     long, required\n  lines  array of record Line, required\n" +
			"    sku   string, default \"none\"\n    more  one of null, record Order, default null\n"},
		{[]string{"orders", "--version", "1"}, "subject orders-value, version 1, id 1"},
		{[]string{"p1"}, "subject p1-value, version 1, id 2, protobuf B\nmessage A: indexes 0\nmessage A.In: indexes 0,0\nmessage B: indexes 1\na value is message B\n" +
			"  a     A, oneof x\n    m  map<string, A.In>\n      b  bool\n  n     int32, oneof x\n  more  repeated B\n"},
		{[]string{"p1-value", "--message", "A.In"}, "a value is message A.In\n  b  bool\n"}, // the pattern of a topic fits the subject, too
		{[]string{"plain"}, "subject plain, version 1, id 3, jsonschema \ndraft 4\na value is object\n  any    any value\n  id     integer, required\n  kind   one of \"a\", 1\n" +
			"  lines  array\n    at    string, format date-time\n    more  object\n"},
	} {
		if _, stderr, status := r.run("", append([]string{"show"}, c.args...)...); status != 0 || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: %d\n%s\nwant %s", c.args, status, stderr, c.want)
		}
	}
	r.bad(1, `topic raw is written without a schema of its own: value.serializer = "raw"; name a subject or an id`, "", "show", "raw")
	r.bad(1, `topic orders is written without a schema of its own: key.serializer = "raw"`, "", "show", "orders", "--key")
	r.bad(1, `version 7 of subject "orders-value"`, "", "show", "orders", "--version", "7")
	r.bad(1, `the schema has no message "C"`, "", "show", "p1", "--message", "C")
	r.good("AAAAAAIACgUKAWsSAA==\n", `{"m":{"k":{}}}`, "encode", "p1", "--message", "A")
}

// TestSchemaDecodesTopics holds that what is in Kafka is printed with its schemas, and what has none as it is.
func TestSchemaDecodesTopics(t *testing.T) {
	r := newSchemaRig(t, "[topics.orders]\n")
	if _, _, err := r.registry.RegisterSchema("s", sr.Schema{Schema: orderV1}); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"\x00\x00\x00\x00\x01\x04", `{"a":1}`, "text", "\xff", "\x00\x00\x00\x00\x09\x04"} {
		r.put(&kgo.Record{Topic: "orders", Partition: 0, Key: []byte("k"), Value: []byte(value)})
	}
	out, stderr, status := r.run("", "decode", "orders")
	want := `{"partition":0,"offset":0,"key":"k","value_schema_id":1,"value":{"id":2}}
{"partition":0,"offset":1,"key":"k","value":{"a":1}}
{"partition":0,"offset":2,"key":"k","value":"text"}
{"partition":0,"offset":3,"key":"k","value":null,"value_base64":"/w=="}
{"partition":0,"offset":4,"key":"k","value":null,"value_base64":"AAAAAAkE","error":"the schema registry was asked for the schema with id 9 and answered 404 (error 40403): `
	if status != 1 || !strings.HasPrefix(out, want) || !strings.Contains(stderr, "1 records could not be decoded") {
		t.Errorf("%d\n%s%s\nwant %s", status, out, stderr, want)
	}
	r.good(`{"partition":0,"offset":1,"key":"k","value":{"a":1}}`+"\n", "", "decode", "orders", "0@1")
	r.bad(1, `topic "orders" has no record at 0@99`, "", "decode", "orders", "0@99")
	r.bad(1, `topic "orders" has no record at 9@0`, "", "decode", "orders", "9@0")
}

// TestCheckLooksAtSchemas holds that check finds what is wrong with schemas, with the line, and changes nothing.
func TestCheckLooksAtSchemas(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	registry := srfake.New()
	defer registry.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"v1.avsc": orderV1, "bad.avsc": `{"type":"nothing"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tables := fmt.Sprintf(`[schema]
registry.url = %q
[topics.new]
value.serializer = "avro"
value.schema.file = "v1.avsc"
auto.register.schemas = true
[topics.missing]
value.serializer = "avro"
[topics.bad]
value.serializer = "avro"
value.schema.file = "bad.avsc"
[topics."logs.*"]
value.serializer = "avro"
`, registry.URL())
	_, stderr, status := checkIn(t, dir, tables)
	for _, want := range []string{
		`config.toml:13: topics.missing.value.serializer: the schema registry was asked for the latest version of subject "missing-value" and answered 404 (error 40401)`,
		`config.toml:15: topics.bad.value.serializer: value.schema.file: `,
	} {
		if !strings.Contains(stderr, want) || status != exitFailed {
			t.Errorf("%d, no %s in\n%s", status, want, stderr)
		}
	}
	if strings.Contains(stderr, "topics.new") || strings.Contains(stderr, "logs") || registry.SubjectExists("new-value") {
		t.Errorf("%s", stderr)
	}
	registry.Close()
	_, stderr, status = checkIn(t, dir, strings.ReplaceAll(tables, "bad.avsc", "v1.avsc"))
	if status != 0 || !strings.Contains(stderr, "note: ") || !strings.Contains(stderr, "topics.missing.value.serializer: the schema was not looked at: ") {
		t.Errorf("%d %s", status, stderr)
	}
}

// TestReplayOfSchemas holds that letters do not go straight to a topic whose records have a schema.
func TestReplayOfSchemas(t *testing.T) {
	r := newSchemaRig(t, "[topics.orders]\nvalue.serializer = 'avro'\ndead_letter.enable = true\n[topics.\"*.DLT\"]\n[topics.other]\n")
	r.put(sluices(deadletter.Letter{ID: "1", Topic: "orders", Partition: 0, Offset: -1, Timestamp: 1}, nil, []byte(`{"id":1}`)))
	_, stderr, status := r.dlt("replay", "orders", "--via", "kafka")
	if status != 1 || !strings.Contains(stderr, "records of topic orders are written with value.serializer = avro") || len(r.committed("orders")) != 0 {
		t.Errorf("%d %s", status, stderr)
	}
	if _, stderr, status = r.dlt("replay", "orders", "--via", "kafka", "--to", "other"); status != 0 || len(r.committed("other")) != 1 {
		t.Errorf("%d %s", status, stderr)
	}
}
