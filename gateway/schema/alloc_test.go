//go:build !race

package schema

import (
	"strings"
	"testing"

	"sluice/gateway/record"
)

// TestSerializeAllocatesNothing holds that no record costs an allocation, whatever its serializer.
func TestSerializeAllocatesNothing(t *testing.T) {
	r := ordersRegistry(t)
	for _, k := range serializerKinds() {
		s, value := serializer(t, r, k.settings), valueFor(t, r, k.name)
		if s == nil || strings.HasSuffix(k.name, "jsonschema") { // whose library reads Go values
			continue
		}
		pool := new(record.Pool)
		n := testing.AllocsPerRun(100, func() {
			b := filled(pool, value)
			s.Serialize(b)
			if len(b.Failed) > 0 {
				t.Fatal(b.Failed[0].Err)
			}
			b.Free()
		})
		if n >= 3 { // for a hundred records: the pools may lose something to the garbage collector
			t.Errorf("%s: %v allocations for a batch of 100", k.name, n)
		}
	}
}
