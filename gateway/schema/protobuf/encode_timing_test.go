package protobuf

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"sluice/gateway/schema/jsontext"
)

// order has 256 bytes.
func order(b *testing.B) []byte {
	b.Helper()
	text := `{"id":"order-000017","number":"1234567890123","priority":3,"status":"PAID","lines":[{"sku":"A-1","quantity":2,"price":9.75},{"sku":"B-22","quantity":1,"price":100}],"labels":{"channel":"web"},"createdAt":"2024-02-29T12:30:45.123Z","invoice":"` // and filler
	text += strings.Repeat("x", 256-len(text)-2) + `"}`
	return []byte(text)
}

// BenchmarkEncode is the cost of a record beside decoding its JSON alone, and beside Google's library.
func BenchmarkEncode(b *testing.B) {
	value := order(b)
	c := compile(b, "shop.proto", "")
	b.Run("json-decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(value, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json-scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s jsontext.Scanner
			s.Reset(value, 64)
			if _, err := s.Skip(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			var err error
			if dst, err = c.Encode(dst[:0], value); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dynamicpb", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			m, err := oracle(c, value)
			if err != nil {
				b.Fatal(err)
			}
			if dst, err = (proto.MarshalOptions{}).MarshalAppend(dst[:0], m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	c := compile(b, "shop.proto", "")
	data, err := c.Encode(nil, order(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		if dst, err = c.Decode(dst[:0], data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, "shop.proto", "")
	}
}
