package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"sluice/gateway/schema/codec"
)

// FuzzLookup holds that a JSON Pointer leads to what encoding/json finds there, and that compact JSON means the same.
func FuzzLookup(f *testing.F) {
	for _, doc := range []string{`{"a":{"b~/":[1,"x",null]}}`, `[[],{},"\"]",-1.5e3]`, ` {"\u0061" : {"a":1,"a":2}} `, `"x"`, `17 `, `{"":{"":1}}`} {
		for _, pointer := range []string{"", "/a", "/a/b~0~1/1", "/3", "/a/a", "//", "/0/0", "/01"} {
			f.Add([]byte(doc), pointer)
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, pointer string) {
		if new(jsonChecker).check(doc) != nil {
			return
		}
		var tokens []string
		if pointer != "" {
			for _, token := range strings.Split(pointer, "/")[1:] {
				name, _ := codec.Unescape(token)
				tokens = append(tokens, name)
			}
		}
		var value any
		if err := json.Unmarshal(doc, &value); err != nil {
			return // it is too deep for encoding/json
		}
		want, there := walk(value, tokens)
		got := lookup(doc, tokens)
		if (got != nil) != there {
			t.Fatalf("%s in %s: %s, want %v", pointer, doc, got, want)
		}
		if got == nil {
			return
		}
		var have, compacted any
		if err := json.Unmarshal(got, &have); err != nil || !reflect.DeepEqual(have, want) {
			t.Fatalf("%s in %s: %s (%v), want %v", pointer, doc, got, err, want)
		}
		small := compact(nil, got)
		if err := json.Unmarshal(small, &compacted); err != nil || !reflect.DeepEqual(have, compacted) {
			t.Fatalf("%s is compact as %s: %v", got, small, err)
		}
		var theirs bytes.Buffer
		if err := json.Compact(&theirs, got); err != nil || theirs.String() != string(small) {
			t.Fatalf("%s is compact as %s, not %s", got, theirs.String(), small)
		}
	})
}

func walk(v any, tokens []string) (any, bool) {
	for _, token := range tokens {
		switch in := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = in[token]; !ok {
				return nil, false
			}
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || strconv.Itoa(n) != token || n < 0 || n >= len(in) {
				return nil, false
			}
			v = in[n]
		default:
			return nil, false
		}
	}
	return v, true
}
