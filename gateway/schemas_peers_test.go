package gateway

// avscPeer has two versions of a schema, one with a reference, logical types and a union.
func avscPeer() peer {
	const customer = `{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"name","type":"string"},{"name":"tags","type":{"type":"map","values":"string"}}]}`
	const order = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"by","type":"Customer"},
		{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["OLD","NEW"]}},
		{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"note","type":["null","string"],"default":null}]}`
	return peer{
		format: "avro", library: "avsc", script: "registry.js",
		schemas: []peerSchema{
			{Subject: "order", Text: orderV1},
			{Subject: "order", Text: orderV2},
			{Subject: "customer", Text: customer},
			{Subject: "sale", Text: order, References: []peerReference{{"shop.Customer", "customer", 1}}},
		},
		sent: []peerValue{
			{settings: "value.schema.subject = 'order'\nvalue.schema.version = 1", id: 1, json: `{"id":1}`},
			{settings: "value.schema.subject = 'order'", id: 2, json: `{"id":2,"note":"é"}`, object: `{"id":2,"note":{"string":"é"}}`},
			{
				settings: "value.schema.id = 4", id: 4,
				json:   `{"id":7,"by":{"name":"Ada","tags":{"a":"b"}},"at":"2024-02-29T12:00:00Z","kind":"NEW","price":"12.50"}`,
				object: `{"id":7,"by":{"name":"Ada","tags":{"a":"b"}},"at":1709208000000,"kind":"NEW","price":"\u0004\u00e2","note":null}`,
			},
		},
		written: []peerValue{
			{id: 2, object: `{"id":-3,"note":null}`, json: `{"id":-3,"note":null}`},
			{
				id: 4, object: `{"id":7,"by":{"name":"Ada","tags":{"a":"b"}},"at":1709208000000,"kind":"OLD","price":"\u0004\u00e2","note":{"string":"x"}}`,
				json: `{"id":7,"by":{"name":"Ada","tags":{"a":"b"}},"at":"2024-02-29T12:00:00Z","kind":"OLD","price":"12.50","note":"x"}`,
			},
		},
	}
}

// protobufjsPeer has messages that are not the first of their file, an import and a well-known type.
func protobufjsPeer() peer {
	const money = `syntax = "proto3"; package shop; message Money { string currency = 1; int64 units = 2; }`
	const order = `syntax = "proto3"; package shop;
import "shop/money.proto"; import "google/protobuf/timestamp.proto";
message Ignored { message Inner { string x = 1; } map<string, string> first = 1; }
message Order {
  int64 id = 1; Status status = 2; map<string, int32> counts = 3; Money price = 4; google.protobuf.Timestamp at = 5;
  oneof pay { string card = 6; bool cash = 7; }
  repeated Line lines = 8; bytes signature = 9;
  enum Status { NEW = 0; PAID = 1; }
  message Line { repeated int32 steps = 1; string sku = 2; }
}`
	return peer{
		format: "protobuf", library: "protobufjs", script: "registry.mjs",
		schemas: []peerSchema{
			{Subject: "money", Type: "PROTOBUF", Text: money},
			{Subject: "order", Type: "PROTOBUF", Text: order, References: []peerReference{{"shop/money.proto", "money", 1}}},
		},
		sent: []peerValue{
			{settings: "value.schema.id = 1", id: 1, message: "shop.Money", json: `{"currency":"EUR","units":"12"}`},
			{settings: "value.schema.subject = 'order'", id: 2, message: "shop.Ignored", json: `{"first":{"a":"b"}}`},
			{
				settings: "value.schema.subject = 'order'\nvalue.schema.message = 'shop.Order'", id: 2, message: "shop.Order",
				json:   `{"id":7,"status":"PAID","counts":{"a":1,"b":-2},"price":{"currency":"EUR","units":5},"at":"2024-02-29T12:00:00Z","cash":false,"lines":[{"steps":[1,-1]},{"sku":"x"}],"signature":"AP8="}`,
				object: `{"id":"7","status":"PAID","counts":{"a":1,"b":-2},"price":{"currency":"EUR","units":"5"},"at":{"seconds":"1709208000"},"cash":false,"lines":[{"steps":[1,-1]},{"sku":"x"}],"signature":"AP8="}`,
			},
			{settings: "value.schema.subject = 'order'\nvalue.schema.message = 'Order.Line'", id: 2, message: "shop.Order.Line", json: `{"steps":[300],"sku":"y"}`},
		},
		written: []peerValue{
			{id: 1, message: "shop.Money", object: `{"currency":"EUR"}`, json: `{"currency":"EUR"}`},
			{id: 2, message: "shop.Ignored.Inner", object: `{"x":"y"}`, json: `{"x":"y"}`},
			{
				id: 2, message: "shop.Order", object: `{"id":"7","at":{"seconds":"1709208000","nanos":5000000},"counts":{"a":1},"card":"c","lines":[{"steps":[1,2]},{"sku":"long enough"}]}`,
				json: `{"id":"7","at":"2024-02-29T12:00:00.005Z","counts":{"a":1},"card":"c","lines":[{"steps":[1,2]},{"sku":"long enough"}]}`,
			},
		},
	}
}

// ajvPeer has a schema of each draft that says something which only that draft understands so, and a reference.
func ajvPeer() peer {
	schemas := []peerSchema{
		{Subject: "d4", Type: "JSON", Text: `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","properties":{"n":{"minimum":0,"exclusiveMinimum":true}},"required":["n"]}`},
		{Subject: "d6", Type: "JSON", Text: `{"$schema":"http://json-schema.org/draft-06/schema#","type":"object","properties":{"n":{"exclusiveMinimum":0,"const":3}},"required":["n"]}`},
		{Subject: "d7", Type: "JSON", Text: `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","if":{"required":["a"]},"then":{"required":["b"]},"properties":{"at":{"format":"date-time"}}}`},
		{Subject: "d2019", Type: "JSON", Text: `{"$schema":"https://json-schema.org/draft/2019-09/schema","type":"object","dependentRequired":{"a":["b"]},"properties":{"a":true,"b":true},"unevaluatedProperties":false}`},
		{
			Subject: "d2020", Type: "JSON", Text: `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array","prefixItems":[{"type":"string"},{"$ref":"money.json"}],"items":false}`,
			References: []peerReference{{"money.json", "money", 1}},
		},
	}
	money := peerSchema{Subject: "money", Type: "JSON", Text: `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"units":{"type":"integer"}},"required":["units"]}`}
	p := peer{format: "jsonschema", library: "ajv", script: "registry.mjs", schemas: append([]peerSchema{money}, schemas...)}
	for i, value := range []string{`{ "n": 0.5 }`, `{"n":3}`, `{"a":1,"b":2,"at":"2024-02-29T12:00:00Z"}`, `{"a":null,"b":[]}`, `["x",{"units":12}]`} {
		v := peerValue{settings: "value.schema.subject = '" + schemas[i].Subject + "'", id: i + 2, json: value}
		p.sent = append(p.sent, v)
		v.object = v.json
		p.written = append(p.written, v)
	}
	return p
}
