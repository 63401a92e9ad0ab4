package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/record"
	"sluice/gateway/schema/codec"
)

const orderProto = `syntax = "proto3"; package shop; import "customer.proto";
message Line { string sku = 1; } message Order { int64 id = 1; shop.Customer by = 2; repeated Line lines = 3; }`

const orderJSON = `{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Order","type":"object","required":["id"],
	"properties":{"id":{"type":"integer","minimum":1},"by":{"$ref":"customer.json"}}}`

// TestFormats holds each format from its file over the registry to what is written and back, with what it refers to.
func TestFormats(t *testing.T) {
	f := newFake(t)
	for subject, s := range map[string]sr.Schema{
		"customer-proto": {Schema: `syntax = "proto3"; package shop; message Customer { string name = 1; }`, Type: sr.TypeProtobuf},
		"customer-json":  {Schema: `{"type":"object","properties":{"name":{"type":"string"}}}`, Type: sr.TypeJSON},
	} {
		if _, _, err := f.RegisterSchema(subject, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ format, file, more, in, written, back, bad, path, subject string }{
		{
			"protobuf", orderProto, "value.schema.references = ['customer.proto=customer-proto:1']\nvalue.schema.message = 'shop.Order'\nvalue.subject.name.strategy = 'RECORD_NAME'",
			`{"id":"7","by":{"name":"Ada"}}`, "\x02\x02" + "\x08\x07\x12\x05\x0a\x03Ada", `{"id":"7","by":{"name":"Ada"}}`, `{"id":"x"}`, "/id", "shop.Order",
		},
		{
			"jsonschema", orderJSON, "value.schema.references = ['customer.json=customer-json:1']\nvalue.json.compact = true\nvalue.subject.name.strategy = 'TOPIC_RECORD_NAME'",
			`{"id": 7, "by": {"name":"Ada"}}`, `{"id":7,"by":{"name":"Ada"}}`, `{"id":7,"by":{"name":"Ada"}}`, `{"id":1,"by":{"name":2}}`, "/by/name", "orders-Order",
		},
	} {
		r, _ := open(t, schemaConfig(f.URL()))
		file := schemaFile(t, "schema", c.file)
		s := serializer(t, r, fmt.Sprintf("value.serializer = '%s'\nvalue.schema.file = '%s'\nauto.register.schemas = true\n%s", c.format, file, c.more))
		got := serialize(t, s, "k="+c.in, "k="+c.bad)
		id, rest, ok := ParseFrame([]byte(got[0].value))
		if !ok || string(rest) != c.written || got[0].err != nil {
			t.Errorf("%s: wrote %q, %v", c.format, got[0].value, got[0].err)
			continue
		}
		if e := got[1].err; e == nil || e.Code != record.SchemaMismatch || e.Mismatch.Path != c.path || e.Mismatch.Subject != c.subject || e.Mismatch.SchemaID != id {
			t.Errorf("%s: %+v", c.format, e)
		}
		if found, ok := f.GetSchema(c.subject, 1); !ok || found.ID != id {
			t.Errorf("%s: not in subject %s", c.format, c.subject)
		}
		out, known, err := r.Decode(t.Context(), nil, []byte(got[0].value), codec.Options{})
		if err != nil || string(out) != c.back || known.Format.Name() != c.format {
			t.Errorf("%s: read %s, %v", c.format, out, err)
		}
		if st := r.Stats.Encodes[known.Format].Load(); st != 1 {
			t.Errorf("%s: %d encodes", c.format, st)
		}
	}
}

// TestFormatOfSubject holds that a topic is not written with a schema of another format than it says.
func TestFormatOfSubject(t *testing.T) {
	f := newFake(t)
	mustRegister(t, f, "orders-value", orderV1)
	r, _ := open(t, schemaConfig(f.URL()))
	got := serialize(t, serializer(t, r, "value.serializer = 'protobuf'"), `k={"id":1}`)[0].err
	if got == nil || got.Code != record.SchemaRefused || !strings.Contains(got.Message, "it is one of avro, and value.serializer is protobuf") {
		t.Errorf("%v", got)
	}
}
