package schema

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/record"
)

func TestFramed(t *testing.T) {
	f := newFake(t)
	id := mustRegister(t, f, "orders-value", orderV1)
	r, _ := open(t, schemaConfig(f.URL()))
	s := serializer(t, r, "value.serializer = 'confluent-framed'")
	got := serialize(t, s, "k="+frame(id)+"\x02", "k="+frame(99)+"\x02", `k={"id":1}`, "k=\x00\x00", "k=<null>", "k="+frame(id)+"\x04")
	if got[0].value != frame(id)+"\x02" || got[0].err != nil || got[4].err != nil || got[5].err != nil {
		t.Errorf("%+v", got)
	}
	if e := got[1].err; e == nil || e.Code != record.SchemaRefused || !strings.Contains(e.Message, "id 99") || !strings.Contains(e.Message, "40403") {
		t.Errorf("%v", e)
	}
	for i, found := range map[int]string{2: "the byte 0x7b", 3: "2 bytes"} {
		if e := got[i].err; e == nil || e.Code != record.SchemaMismatch || e.Mismatch.Found != found {
			t.Errorf("%v", e)
		}
	}
	if f.requests.Load() != 2 {
		t.Errorf("%d requests", f.requests.Load())
	}
}

// TestFramedWhileDown holds that a registry that does not answer is asked once for a batch, and that ids which are known go on.
func TestFramedWhileDown(t *testing.T) {
	f := newFake(t)
	id := mustRegister(t, f, "orders-value", orderV1)
	r, _ := open(t, schemaConfig(f.URL()))
	s := serializer(t, r, "value.serializer = 'confluent-framed'")
	serialize(t, s, "k="+frame(id)+"\x02")
	f.setFail(answers(503, 0, "down"))
	before := f.requests.Load()
	got := serialize(t, s, "k="+frame(7), "k="+frame(8), "k="+frame(id)+"\x02", "k="+frame(9))
	for i, want := range []bool{true, true, false, true} {
		if bad := got[i].err != nil && got[i].err.Code == record.SchemaUnavailable; bad != want {
			t.Errorf("record %d: %v", i, got[i].err)
		}
	}
	if n := f.requests.Load() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestFramedValuesAreVerified holds that of each format what cannot be read with the schema of the frame is refused at its place, and that
// framed.verify = "id" passes it.
func TestFramedValuesAreVerified(t *testing.T) {
	f := newFake(t)
	ids := map[string]int{}
	for name, s := range map[string]sr.Schema{
		"avro": {Schema: orderV2}, "proto": {Schema: `syntax = "proto3"; message A { int64 id = 1; B b = 2; } message B { string name = 1; }`, Type: sr.TypeProtobuf},
		"json": {Schema: `{"type":"object","properties":{"id":{"type":"integer"}}}`, Type: sr.TypeJSON}, "look": {Schema: `{"pattern":"(?=a)b"}`, Type: sr.TypeJSON},
	} {
		id, _, err := f.RegisterSchema(name, s)
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = id
	}
	r, _ := open(t, schemaConfig(f.URL()))
	verifies, passes := serializer(t, r, "value.serializer = 'confluent-framed'"), serializer(t, r, "value.serializer = 'confluent-framed'\nvalue.framed.verify = 'id'")
	for _, c := range []struct{ schema, data, path, want, found string }{
		{"avro", "\x02\x00", "", "", ""},
		{"avro", "\x02\x02\x02a", "", "", ""},
		{"avro", "\x02", "/note", "a number", "the end of the data at byte 1"},
		{"avro", "\x02\x04", "/note", "one of null, string", "branch number 2"},
		{"avro", "\x02\x02\x02\xff", "/note", "string in UTF-8", "bytes that are not"},
		{"avro", "\x02\x00\x00", "", "nothing more", "1 more bytes"},
		{"avro", `{"id":1}`, "/note", "one of null, string", "branch number 17"},
		{"proto", "\x00\x08\x07\x12\x03\x0a\x01a", "", "", ""},
		{"proto", "\x02\x02\x0a\x01a", "", "", ""},
		{"proto", "\x00\x08\x07\x12\x03\x0a\x01\xff", "/b/name", "string in UTF-8", "bytes that are not"},
		{"proto", "\x02\x04\x0a\x01a", "", "message indexes of the schema", "[2]"},
		{"proto", "\x00\x0a\x01a", "/id", "a field of kind int64", "wire type 2"},
		{"proto", "\x00\x08", "", "message A", "bytes that cannot be read"},
		{"proto", "", "", "message indexes before the message", "none that can be read"},
		{"json", `{"id":1}`, "", "", ""},
		{"json", `{"id":"1"}`, "/id", "integer", `"1"`},
		{"json", `{"id":1`, "", `JSON with "}"`, "the end at byte 7"},
	} {
		record := "k=" + frame(ids[c.schema]) + c.data
		got, passed := serialize(t, verifies, record)[0], serialize(t, passes, record)[0]
		if passed.err != nil || passed.value != record[2:] {
			t.Errorf("%s %q is not passed: %+v", c.schema, c.data, passed)
		}
		if c.want == "" {
			if got.err != nil || got.value != record[2:] {
				t.Errorf("%s %q: %+v", c.schema, c.data, got)
			}
			continue
		}
		if got.err == nil || got.err.Mismatch == nil || got.err.Mismatch.Path != c.path || got.err.Mismatch.Found != c.found || !strings.HasPrefix(got.err.Mismatch.Expected, c.want) || got.err.Mismatch.SchemaID != ids[c.schema] {
			t.Errorf("%s %q: %v, want %s: %s, %s", c.schema, c.data, got.err, c.path, c.want, c.found)
		}
	}
	record := "k=" + frame(ids["look"]) + `"b"`
	if got := serialize(t, verifies, record)[0].err; got == nil || got.Mismatch != nil || !strings.Contains(got.Message, `value.framed.verify = "id"`) {
		t.Errorf("%v", got)
	}
	if got := serialize(t, passes, record)[0]; got.err != nil {
		t.Errorf("%v", got.err)
	}
}
