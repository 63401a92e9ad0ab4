//go:build !race

package avro

import (
	"testing"

	"sluice/gateway/schema/codec"
)

func TestEncodeAllocatesNothing(t *testing.T) {
	c := mustCompile(t, orderSchema, codec.Options{})
	value, dst := []byte(order), make([]byte, 0, 1024)
	if len(value) != 256 {
		t.Errorf("the value has %d bytes", len(value))
	}
	n := testing.AllocsPerRun(100, func() {
		if _, err := c.Encode(dst, value); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
