//go:build !race

package schema

import (
	"testing"

	"sluice/gateway/record"
)

// TestSerializeAllocatesNothing holds that no record costs an allocation, whatever its serializer.
func TestSerializeAllocatesNothing(t *testing.T) {
	r, id := ordersRegistry(t)
	framed := append(AppendFrame(nil, id), make([]byte, 100)...)
	for _, k := range serializerKinds() {
		s := serializer(t, r, k.settings)
		if s == nil || k.name == "jsonschema" { // whose library reads Go values
			continue
		}
		pool := new(record.Pool)
		n := testing.AllocsPerRun(100, func() {
			b := filled(pool, k.name, framed)
			s.Serialize(b)
			b.Free()
		})
		if n >= 3 { // for a hundred records: the pools may lose something to the garbage collector
			t.Errorf("%s: %v allocations for a batch of 100", k.name, n)
		}
	}
}
