//go:build !race

package jsonschema

import "testing"

// TestEncodeAllocatesLittle: one for the text, one for each string and number, two for an array. The library wants them so.
func TestEncodeAllocatesLittle(t *testing.T) {
	c, text, dst := order(t), value(), make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		if _, err := c.Encode(dst, text); err != nil {
			t.Fatal(err)
		}
	})
	if n > 19 {
		t.Errorf("%v allocations", n)
	}
}
