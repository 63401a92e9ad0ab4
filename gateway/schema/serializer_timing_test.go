package schema

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/record"
)

// order is a value of 256 bytes.
const order = `{"id":918273645,"customer":{"id":"c-4711","name":"Ada Lov","vip":true},"placed":1714979289123,"total":199.95,"currency":"EUR",` +
	`"lines":[{"sku":"A-100","qty":2,"price":49.5},{"sku":"B-200","qty":1,"price":100.95}],"note":null,"tags":["web","repeat","gift1"]}`

const orderSchema = `{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},
	{"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"id","type":"string"},{"name":"name","type":"string"},{"name":"vip","type":"boolean"}]}},
	{"name":"placed","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"total","type":"double"},{"name":"currency","type":"string"},
	{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"},{"name":"qty","type":"int"},{"name":"price","type":"double"}]}}},
	{"name":"note","type":["null","string"],"default":null},{"name":"tags","type":{"type":"array","items":"string"}}]}`

// serializerKinds are settings by what they are called in figures; "" is raw.
func serializerKinds() []struct{ name, settings string } {
	return []struct{ name, settings string }{
		{"raw", ""},
		{"string", "value.serializer = 'string'"},
		{"json", "value.serializer = 'json'"},
		{"json-compact", "value.serializer = 'json'\nvalue.json.compact = true"},
		{"avro", "value.serializer = 'avro'"},
		{"protobuf", "value.serializer = 'protobuf'\nvalue.schema.subject = 'orders-proto'"},
		{"jsonschema", "value.serializer = 'jsonschema'\nvalue.schema.subject = 'orders-json'"},
		{"framed, by id", "value.serializer = 'confluent-framed'\nvalue.framed.verify = 'id'"},
		{"framed avro", "value.serializer = 'confluent-framed'"},
		{"framed protobuf", "value.serializer = 'confluent-framed'"},
		{"framed jsonschema", "value.serializer = 'confluent-framed'"},
		{"key.from", "key.from = 'json:/customer/id'"},
	}
}

// ordersRegistry has the schema of an order in each format.
func ordersRegistry(t testing.TB) *Registry {
	t.Helper()
	f := newFake(t)
	for subject, s := range map[string]sr.Schema{
		"orders-proto": {Type: sr.TypeProtobuf, Schema: `syntax = "proto3"; message Order { int64 id = 1; Customer customer = 2; int64 placed = 3; double total = 4; string currency = 5;
			repeated Line lines = 6; optional string note = 7; repeated string tags = 8; message Customer { string id = 1; string name = 2; bool vip = 3; }
			message Line { string sku = 1; int32 qty = 2; double price = 3; } }`},
		"orders-json": {Type: sr.TypeJSON, Schema: `{"type":"object","required":["id","total"],"properties":{"id":{"type":"integer"},"customer":{"type":"object","properties":{"id":{"type":"string"}}},
			"total":{"type":"number","minimum":0},"currency":{"enum":["EUR","USD"]},"lines":{"type":"array","items":{"type":"object","properties":{"qty":{"type":"integer"}}}}}}`},
	} {
		if _, _, err := f.RegisterSchema(subject, s); err != nil {
			t.Fatal(err)
		}
	}
	mustRegister(t, f, "orders-value", orderSchema)
	r, _ := open(t, schemaConfig(f.URL()))
	return r
}

// valueFor is an order as the serializer of that kind takes it.
func valueFor(t testing.TB, r *Registry, kind string) []byte {
	t.Helper()
	form, ok := strings.CutPrefix(kind, "framed")
	if !ok {
		return []byte(order)
	}
	subject := map[string]string{" protobuf": "orders-proto", " jsonschema": "orders-json"}[form]
	s, err := r.Select(t.Context(), &Selector{Topic: "orders", Part: Value, Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	framed, bad := s.Encode(nil, []byte(order))
	if bad != nil {
		t.Fatal(bad)
	}
	return framed
}

// filled is a batch of 100 records.
func filled(pool *record.Pool, value []byte) *record.Batch {
	b := pool.Batch()
	for range 100 {
		r := b.Add("orders")
		r.Value = b.Copy(value)
	}
	b.Start()
	return b
}

// BenchmarkSerialize is the cost of a batch of 100 records with its copying into the batch; raw is only that.
func BenchmarkSerialize(b *testing.B) {
	r := ordersRegistry(b)
	for _, k := range serializerKinds() {
		b.Run(k.name, func(b *testing.B) {
			s, value := serializer(b, r, k.settings), valueFor(b, r, k.name)
			pool := new(record.Pool)
			b.ReportAllocs()
			for b.Loop() {
				batch := filled(pool, value)
				if s != nil {
					s.Serialize(batch)
				}
				if len(batch.Failed) > 0 {
					b.Fatal(batch.Failed[0].Err)
				}
				batch.Free()
			}
		})
	}
}
