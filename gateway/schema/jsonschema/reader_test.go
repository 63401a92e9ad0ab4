package jsonschema

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestReadersForget holds that nothing of one value is in the next that the same reader reads, also after one that was refused half way.
func TestReadersForget(t *testing.T) {
	c := compiled(t, `{"required":["a"],"additionalProperties":{"type":"object","required":["b"],"properties":{"b":{"items":{"type":"string"},"maxItems":3}}}}`)
	many := strings.Repeat(`"x",`, 2000) + `"x"`
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				for _, v := range []struct{ value, want string }{
					{`{"a":{"b":["x","\u0041"]},"c":{"b":[]}}`, ""},
					{`{"c":{"b":[]}}`, "/a: expected a value by #/required, found nothing"},
					{`{"a":{}}`, "/a/b: expected a value by #/additionalProperties/required, found nothing"},
					{`{"a":{"b":["x",1]}}`, "/a/b/1: expected string by #/additionalProperties/properties/b/items/type, found 1"},
					{`{"a":{"b":[` + many + `]}}`, "/a/b: expected at most 3 elements by #/additionalProperties/properties/b/maxItems, found 2001"},
					{`{"a":{"b":["x"`, `/a/b: expected JSON with "]", found the end at byte 14`},
					{fmt.Sprintf(`{"a":{"b":["\u00e9%d"]}}`, i), ""},
				} {
					_, err := c.Encode(nil, []byte(v.value))
					if v.want == "" && err != nil || v.want != "" && (err == nil || err.Error() != v.want) {
						t.Errorf("%.40s: %v, want %s", v.value, err, v.want)
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestReadersAreBounded holds that a large value does not stay.
func TestReadersAreBounded(t *testing.T) {
	r := reader{reuse: true}
	large := "[" + strings.Repeat(`{"a":1},`, 1000) + `{` + manyMembers(1000) + `}]`
	if _, err := r.read([]byte(large), 10, 10); err != nil {
		t.Fatal(err)
	}
	r.release()
	if len(r.free) != maxFree || r.used != nil || r.stack != nil || r.whole != "" {
		t.Errorf("%d maps are kept, %d used, %d elements", len(r.free), cap(r.used), cap(r.stack))
	}
	for _, m := range r.free {
		if len(m) > 0 {
			t.Fatal("a map is kept that is not empty")
		}
	}
}

func manyMembers(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`"m%d":null`, i)
	}
	return strings.Join(all, ",")
}
