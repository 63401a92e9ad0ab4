package jsonschema

import (
	"encoding/json"
	"strings"
	"testing"
)

// value has 256 bytes, as that of gateway/schema/protobuf has.
func value() []byte {
	text := `{"id":"order-000017","number":1234567890123,"priority":3,"status":"PAID","lines":[{"sku":"A-1","quantity":2,"price":9.75},{"sku":"B-22","quantity":1,"price":100}],"labels":{"channel":"web"},"createdAt":"2024-02-29T12:30:45.123Z","invoice":"`
	return []byte(text + strings.Repeat("x", 256-len(text)-2) + `"}`)
}

// BenchmarkEncode is the cost of a record beside decoding its JSON alone.
func BenchmarkEncode(b *testing.B) {
	text := value()
	c := order(b)
	b.Run("json-decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		r := reader{names: c.names}
		for b.Loop() {
			if _, err := r.read(text, 64, 400); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		r := reader{names: c.names}
		for b.Loop() {
			v, err := r.read(text, 64, 400)
			if err == nil {
				err = c.schema.Validate(v)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			var err error
			if dst, err = c.Encode(dst[:0], text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		order(b)
	}
}
