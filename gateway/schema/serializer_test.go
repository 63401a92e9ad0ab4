package schema

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"sluice/gateway/record"
)

func pemOf(srv *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
}

// frame is the frame of a schema.
func frame(id int) string { return string(AppendFrame(nil, id)) }

func TestWithoutRegistry(t *testing.T) {
	r, _ := open(t, schemaConfig())
	for _, c := range []struct{ settings, in, key, value, err string }{
		{"value.serializer = 'json'", `k={"a" : [1, 2]}`, "k", `{"a" : [1, 2]}`, ""},
		{"value.serializer = 'json'\nvalue.json.compact = true", "k= {\"a b\" :\t[1, \"\\\" x\"]}\n", "k", `{"a b":[1,"\" x"]}`, ""},
		{"value.serializer = 'json'", `k={"a"`, "", "", `value: expected JSON with a colon, found the end at byte 4`},
		{"value.serializer = 'json'", "k=\"\xff\"", "", "", "value: expected JSON with valid UTF-8, found byte 0xff at byte 1"},
		{"value.serializer = 'json'", "k=<null>", "k", "<null>", ""},
		{"value.serializer = 'json'", "k=", "", "", "value: expected JSON"},
		{"key.serializer = 'json'", "a b=x", `"a b"`, "x", ""},
		{"key.serializer = 'json'", `{"a":1}=x`, `{"a":1}`, "x", ""},
		{"key.serializer = 'json'", `{"a"=x`, "", "", "key: expected JSON"},
		{"key.serializer = 'string'", `"a \"b"=x`, `a "b`, "x", ""},
		{"key.serializer = 'string'", `ab=x`, `ab`, "x", ""},
		{"key.serializer = 'string'", `"=x`, `"`, "x", ""},
		{"value.serializer = 'string'", "k=\xff", "", "", "value: expected text in UTF-8"},
		{"value.serializer = 'string'", `k="x"`, "k", "x", ""},
		{"key.from = 'json:/a/0/b~1c'", `<null>={"a":[{"b/c":"x y"}]}`, "x y", `{"a":[{"b/c":"x y"}]}`, ""},
		{"key.from = 'json:/a'", `<null>={"a": {"b": 1 }}`, `{"b":1}`, `{"a": {"b": 1 }}`, ""},
		{"key.from = 'json:/a'", `<null>={"\u0061":"\u00e9\""}`, `é"`, `{"\u0061":"\u00e9\""}`, ""},
		{"key.from = 'json:/a'", `<null>={"a":1,"a":2}`, `2`, `{"a":1,"a":2}`, ""},
		{"key.from = 'json:/a'", `<null>={"a":null}`, `<null>`, `{"a":null}`, ""},
		{"key.from = 'json:/a'", `<null>={"b":[{},"]",1]}`, `<null>`, `{"b":[{},"]",1]}`, ""},
		{"key.from = 'json:/a/01'", `<null>={"a":[1,2]}`, `<null>`, `{"a":[1,2]}`, ""},
		{"key.from = 'json:/a/5'", `<null>={"a":[1,2]}`, `<null>`, `{"a":[1,2]}`, ""},
		{"key.from = 'json:/a/b'", `<null>={"a":"b"}`, `<null>`, `{"a":"b"}`, ""},
		{"key.from = 'json:'", `<null>= 17 `, `17`, ` 17 `, ""},
		{"key.from = 'json:/a'", `k={"a":1}`, `k`, `{"a":1}`, ""},
		{"key.from = 'json:/a'", `<null>=text`, "", "", "value: expected JSON"},
		{"key.from = 'json:/a'", `<null>=<null>`, "<null>", "<null>", ""},
	} {
		got := serialize(t, serializer(t, r, c.settings), c.in)[0]
		switch {
		case c.err != "" && (got.err == nil || got.err.Code != record.SchemaMismatch || !strings.Contains(got.err.Message, c.err)):
			t.Errorf("%s: %s: %v, want %s", c.settings, c.in, got.err, c.err)
		case c.err == "" && (got.err != nil || got.key != c.key || got.value != c.value):
			t.Errorf("%s: %s: got %q=%q, %v", c.settings, c.in, got.key, got.value, got.err)
		}
	}
	if r.Stats.Encodes[JSON].Load() == 0 || r.Stats.Mismatches.Load() == 0 {
		t.Error("nothing was counted")
	}
}

// TestTakenOut holds what becomes of headers and timestamps that stand in values.
func TestTakenOut(t *testing.T) {
	r, _ := open(t, schemaConfig())
	s := serializer(t, r, "header.from = ['tenant=json:/t', 'n=json:/n', 'none=json:/x']\ntimestamp.from = 'json:/at'")
	b := new(record.Pool).Batch()
	for _, v := range []string{`{"t":"acme","n":{"a": 1},"at":"2024-05-06T07:08:09.5Z"}`, `{"at":17}`, `{"at":17}`, `{"at":"yesterday"}`, `{"at":-1}`, `{"at":null,"t":"\u0041"}`} {
		r := b.Add("orders")
		r.Value = []byte(v)
		r.Headers = b.NewHeaders(1)
		r.Headers[0] = record.Header{Key: "n", Value: []byte("sent")}
	}
	b.Records[0].Headers = nil
	b.Records[2].Timestamp = 5
	b.Start()
	b.Hold()
	b.Done = func(*record.Batch) {}
	s.Serialize(b)
	var got []string
	for i := range b.Records {
		text := fmt.Sprint(b.Records[i].Timestamp)
		for _, h := range b.Records[i].Headers {
			text += fmt.Sprintf(" %s=%s", h.Key, h.Value)
		}
		got = append(got, text)
	}
	want := []string{`1714979289500 tenant=acme n={"a":1}`, `17 n=sent`, `5 n=sent`, `-1 n=sent`, `-1 n=sent`, `-1 n=sent tenant=A`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if len(b.Failed) != 2 || b.Failed[0].Index != 3 || b.Failed[1].Index != 4 || b.Failed[0].Err.Mismatch.Path != "/at" {
		t.Errorf("%+v", b.Failed)
	}
}

// TestOneBadRecordFailsAlone holds that of a batch only what does not fit is refused, and what its sender is told.
func TestOneBadRecordFailsAlone(t *testing.T) {
	f := newFake(t)
	id := mustRegister(t, f, "orders-value", orderV1)
	r, _ := open(t, schemaConfig(f.URL()))
	got := serialize(t, serializer(t, r, "value.serializer = 'avro'"), `a={"id":1}`, `b={"id":"x"}`, `c={"id":2}`, `d=<null>`)
	if got[0].err != nil || got[0].value != frame(id)+"\x02" || got[2].value != frame(id)+"\x04" || got[3].value != "<null>" || got[3].err != nil {
		t.Errorf("%+v", got)
	}
	e := got[1].err
	want := record.Mismatch{Part: "value", Path: "/id", Expected: "long", Found: `"x"`, Subject: "orders-value", SchemaID: id}
	if e == nil || e.Code != record.SchemaMismatch || *e.Mismatch != want || got[1].value != `{"id":"x"}` {
		t.Errorf("%+v", e)
	}
	if f.requests.Load() != 1 || r.Stats.Encodes[Avro].Load() != 2 || r.Stats.Mismatches.Load() != 1 {
		t.Errorf("%d requests, %d encodes", f.requests.Load(), r.Stats.Encodes[Avro].Load())
	}
}

// TestSelectors holds which schema is written with, and in which subject it is looked for.
func TestSelectors(t *testing.T) {
	f := newFake(t)
	v1, v2 := mustRegister(t, f, "orders-value", orderV1), mustRegister(t, f, "orders-value", orderV2)
	mustRegister(t, f, "shop.Order", orderV1)
	mustRegister(t, f, "orders-shop.Order", orderV1)
	key := mustRegister(t, f, "orders-key", `"string"`)
	file := schemaFile(t, "order.avsc", orderV1)
	for _, c := range []struct {
		settings, subject string
		id                int
	}{
		{"", "orders-value", v2},
		{"use.latest.version = true", "orders-value", v2},
		{"value.schema.version = 1", "orders-value", v1},
		{fmt.Sprintf("value.schema.id = %d", v1), "orders-value", v1},
		{fmt.Sprintf("value.schema.id = %d\nvalue.subject.name.strategy = 'RECORD_NAME'", v1), "shop.Order", v1},
		{"value.schema.file = '" + file + "'", "orders-value", v1},
		{"value.schema.file = '" + file + "'\nvalue.subject.name.strategy = 'RECORD_NAME'", "shop.Order", v1},
		{"value.schema.file = '" + file + "'\nvalue.subject.name.strategy = 'TOPIC_RECORD_NAME'\nnormalize.schemas = true", "orders-shop.Order", v1},
		{"value.schema.subject = 'shop.Order'", "shop.Order", v1},
	} {
		r, _ := open(t, schemaConfig(f.URL()))
		got := serialize(t, serializer(t, r, "value.serializer = 'avro'\n"+c.settings), `k={"id":1}`, `k={"id":true}`)
		if !strings.HasPrefix(got[0].value, frame(c.id)) || got[0].err != nil || got[1].err == nil || got[1].err.Mismatch.Subject != c.subject {
			t.Errorf("%s: %q, %v, %v", c.settings, got[0].value, got[0].err, got[1].err)
		}
	}
	r, _ := open(t, schemaConfig(f.URL()))
	for in, want := range map[string]string{"abc=x": frame(key) + "\x06abc", `"abc"=x`: frame(key) + "\x06abc", "12=x": frame(key) + "\x0412"} {
		if got := serialize(t, serializer(t, r, "key.serializer = 'avro'"), in)[0]; got.key != want || got.err != nil {
			t.Errorf("%s: %q, %v", in, got.key, got.err)
		}
	}
}

// TestRegistering holds that a schema is registered once, and that the registry's own words are passed on if it refuses.
func TestRegistering(t *testing.T) {
	f := newFake(t)
	file := schemaFile(t, "order.avsc", orderV1)
	settings := "value.serializer = 'avro'\nvalue.schema.file = '" + file + "'\n"
	r, _ := open(t, schemaConfig(f.URL()))
	if got := serialize(t, serializer(t, r, settings), `k={"id":1}`)[0]; got.err == nil || got.err.Code != record.SchemaRefused || !strings.Contains(got.err.Message, "40401") {
		t.Errorf("not registered, and not to be: %+v", got)
	}
	for _, c := range []struct {
		status, code int
		want         record.Code
	}{{409, 409, record.SchemaRefused}, {422, 42201, record.SchemaRefused}, {500, 50001, record.SchemaUnavailable}} {
		r, _ := open(t, schemaConfig(f.URL()))
		f.setFail(answers(c.status, c.code, "Schema being registered is incompatible"))
		got := serialize(t, serializer(t, r, settings+"auto.register.schemas = true"), `k={"id":1}`)[0].err
		if got == nil || got.Code != c.want || !strings.Contains(got.Message, fmt.Sprintf("answered %d (error %d): Schema being registered is incompatible", c.status, c.code)) {
			t.Errorf("%d: %v", c.status, got)
		}
	}
	f.setFail(nil)
	r, _ = open(t, schemaConfig(f.URL()))
	s := serializer(t, r, settings+"auto.register.schemas = true")
	for range 3 {
		if got := serialize(t, s, `k={"id":1}`)[0]; got.err != nil || got.value != frame(1)+"\x02" {
			t.Errorf("%+v", got)
		}
	}
	if n := f.count("POST /subjects/orders-value/versions"); n != 1+3 {
		t.Errorf("%d requests", n)
	}
	if s.Changed() {
		t.Error("changed")
	}
	if err := os.WriteFile(file, []byte(orderV2), 0o600); err != nil {
		t.Fatal(err)
	}
	if !s.Changed() {
		t.Error("not changed")
	}
}

// TestWrongSchemas holds that what cannot be used is told when the topic is built, if that is known then, and else to the sender.
func TestWrongSchemas(t *testing.T) {
	f := newFake(t)
	r, _ := open(t, schemaConfig(f.URL()))
	for settings, want := range map[string]string{
		"value.schema.file = '" + schemaFile(t, "a", `{"type":"nothing"}`) + "'": "value.schema.file: ",
		"value.schema.file = '" + schemaFile(t, "b", " \n") + "'":                "is empty",
		"value.schema.file = '/none/such'":                                       "no such file",
	} {
		if _, err := NewSerializer(topicOf(t, "value.serializer = 'avro'\n"+settings), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", settings, err)
		}
	}
	file := schemaFile(t, "c", `"int"`)
	got := serialize(t, serializer(t, r, "value.serializer = 'avro'\nvalue.schema.file = '"+file+"'\nvalue.subject.name.strategy = 'RECORD_NAME'"), "k=1")[0].err
	if got == nil || got.Code != record.SchemaRefused || !strings.Contains(got.Message, "it has no name, and the subject name strategy is RECORD_NAME") {
		t.Errorf("%v", got)
	}
	none, _ := open(t, schemaConfig())
	if _, err := NewSerializer(topicOf(t, "value.serializer = 'avro'"), none); err == nil || !strings.Contains(err.Error(), "schema.registry.url") {
		t.Errorf("%v", err)
	}
	if s, err := NewSerializer(topicOf(t, ""), none); s != nil || err != nil {
		t.Errorf("a topic without anything has a serializer: %v, %v", s, err)
	}
}

// TestVerbatim holds that dead letters, and records of other topics, are left as they are.
func TestVerbatim(t *testing.T) {
	r, _ := open(t, schemaConfig())
	s := serializer(t, r, "value.serializer = 'json'")
	b := new(record.Pool).Batch()
	b.Add("orders").Value = []byte("no JSON")
	b.Add("other").Value = []byte("no JSON")
	b.Start()
	b.Hold()
	b.Done = func(*record.Batch) {}
	b.Verbatim = true
	s.Serialize(b)
	if len(b.Failed) != 0 {
		t.Errorf("%+v", b.Failed)
	}
	b.Verbatim = false
	s.Serialize(b)
	if len(b.Failed) != 1 || b.Failed[0].Index != 0 {
		t.Errorf("%+v", b.Failed)
	}
}
