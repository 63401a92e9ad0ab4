//go:build !race

package protobuf

import "testing"

func TestEncodeAllocatesNothing(t *testing.T) {
	c := compile(t, "shop.proto", "")
	value := []byte(`{"id":"order-1","number":"7","status":"PAID","lines":[{"sku":"a","price":0.5}],"labels":{"a\n":"b\n"},"createdAt":"2024-02-29T12:00:00Z","signature":"AP+/"}`)
	dst := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		if _, err := c.Encode(dst, value); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0.5 {
		t.Errorf("%v allocations", n)
	}
}
