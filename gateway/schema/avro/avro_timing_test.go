package avro

import (
	"encoding/json"
	"testing"

	lib "github.com/twmb/avro"

	"sluice/gateway/schema/codec"
)

// order is a value of 256 bytes with what an order has.
const order = `{"id":918273645,"customer":{"id":"c-4711","name":"Ada Lov","vip":true},"placed":1714979289123,"total":199.95,"currency":"EUR",` +
	`"lines":[{"sku":"A-100","qty":2,"price":49.5},{"sku":"B-200","qty":1,"price":100.95}],"note":null,"tags":["web","repeat","gift1"]}`

const orderSchema = `{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},
	{"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"id","type":"string"},{"name":"name","type":"string"},{"name":"vip","type":"boolean"}]}},
	{"name":"placed","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"total","type":"double"},{"name":"currency","type":"string"},
	{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"},{"name":"qty","type":"int"},{"name":"price","type":"double"}]}}},
	{"name":"note","type":["null","string"],"default":null},{"name":"tags","type":{"type":"array","items":"string"}}]}`

// BenchmarkEncode is the cost beside what only reading the JSON costs: "decode" is encoding/json into Go values, "scan" its check
// of the syntax, "twmb" the way over Go values.
func BenchmarkEncode(b *testing.B) {
	c := mustCompile(b, orderSchema, codec.Options{})
	theirs := lib.MustParse(orderSchema)
	value := []byte(order)
	run := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var dst []byte
	run("avro", func() (err error) { dst, err = c.Encode(dst[:0], value); return err })
	run("decode", func() error { var v any; return json.Unmarshal(value, &v) })
	run("scan", func() error {
		if !json.Valid(value) {
			b.Fatal("no JSON")
		}
		return nil
	})
	run("twmb", func() (err error) {
		var v any
		if err := theirs.DecodeJSON(value, &v); err != nil {
			return err
		}
		dst, err = theirs.AppendEncode(dst[:0], v)
		return err
	})
}
