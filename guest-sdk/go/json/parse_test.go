package json_test

import (
	stdjson "encoding/json"
	"strings"
	"testing"

	"sluice/guest-sdk/go/json"
)

// texts are what the fuzzers start from; bad ones stand among good ones.
func texts() []string {
	return []string{
		`{}`, `[]`, `""`, `0`, `-0`, `-1.5e+10`, `1E5`, `true`, `false`, `null`, ` [ 1 , 2 ] `, "\t{\n\"a\" : {\"b\":[1,{\"c\":null}]}\r}",
		`{"a":1,"a":2}`, `{"a/b":1,"m~n":2,"":3}`, `"\u00e9\ud83d\ude00\ud83d\n\""`, `"é😀"`, "\"\xff\"", `["\\","\""]`, `{"k":"}]{["}`,
		``, ` `, `{`, `[`, `"`, `"\`, `"\u12`, `"\x"`, `01`, `1.`, `1e`, `-`, `+1`, `.5`, `tru`, `nul`, `truex`, `[1,]`, `{"a":1,}`, `{a:1}`,
		`{"a" 1}`, `{"a":}`, `[1 2]`, `{} {}`, `]`, `}`, `[}`, "\"\n\"", `{"a":1]`, `[,1]`, `{1:2}`, `"\u123g"`, "\ufeff{}", `[[[[]]]]`,
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, err string }{
		{`{"a":[1,2,{"b":null}]}`, ""},
		{``, "not JSON: the text ends too early at byte 0"},
		{`  `, "not JSON: the text ends too early at byte 2"},
		{`{"a":1} x`, "not JSON: something follows the value at byte 8"},
		{`{"a" 1}`, "not JSON: a colon is missing at byte 5"},
		{`{1:2}`, "not JSON: a member's name must be a string at byte 1"},
		{`[1 2]`, "not JSON: a comma or the end of an object or array is missing at byte 3"},
		{`[1,]`, "not JSON: unexpected character at byte 3"},
		{`"a\x"`, "not JSON: no valid escape at byte 2"},
		{"\"a\n\"", "not JSON: a control character in a string at byte 2"},
		{`[nulL]`, "not JSON: unexpected character at byte 4"},
		{strings.Repeat("[", json.MaxDepth) + strings.Repeat("]", json.MaxDepth), ""},
		{strings.Repeat("[", json.MaxDepth+1) + "1" + strings.Repeat("]", json.MaxDepth+1), "not JSON: it is nested deeper than 1024 levels at byte 1024"},
		{strings.Repeat(`{"a":[`, json.MaxDepth), "not JSON: it is nested deeper than 1024 levels at byte 3072"},
	} {
		_, err := json.Parse([]byte(c.in))
		if got := text(err); got != c.err {
			t.Errorf("Parse(%.40q): got %q, want %q", c.in, got, c.err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestDensest: texts with as many values for their length as there can be.
func TestDensest(t *testing.T) {
	for _, unit := range []string{"[", "[[],", "[1,", `{"":`, `{"":[`, "[{},", "1,", "[],"} {
		for _, end := range []string{"", "1", "[", "[]", `{"":1`} {
			for _, n := range []int{1, 2, 3, 100, 511, 512, 1023, 1024, 5000} {
				for _, begin := range []string{"", "["} {
					doc := begin + strings.Repeat(unit, n) + end
					if _, err := json.Parse([]byte(doc)); (err == nil) != stdjson.Valid([]byte(doc)) {
						t.Errorf("%.20s... (%d bytes): %v", doc, len(doc), err)
					}
				}
			}
		}
	}
	for _, doc := range []string{"[" + strings.Repeat("1,", 100_000) + "1]", "[" + strings.Repeat("[],", 100_000) + "{}]", strings.Repeat("[", 1000) + strings.Repeat("]", 1000)} {
		if _, err := json.Parse([]byte(doc)); err != nil {
			t.Errorf("%.20s...: %v", doc, err)
		}
	}
}

func TestMixedNesting(t *testing.T) {
	// Every level's kind is remembered on its own, over more than one word of bits.
	open, end := strings.Repeat(`[{"a":`, 100), strings.Repeat(`}]`, 100)
	if _, err := json.Parse([]byte(open + "1" + end)); err != nil {
		t.Error(err)
	}
	if _, err := json.Parse([]byte(open + "1" + end[:100] + "]" + end[101:])); err == nil {
		t.Error("a ] where a } belongs is accepted")
	}
}

// FuzzParse holds Parse to encoding/json.Valid.
func FuzzParse(f *testing.F) {
	for _, s := range texts() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		v, err := json.Parse(doc)
		if valid := stdjson.Valid(doc); valid != (err == nil) && deepest(doc) <= json.MaxDepth {
			t.Fatalf("Parse(%q) says %v, encoding/json.Valid %v", doc, err, valid)
		}
		if err != nil {
			return
		}
		if got := string(doc[v.Offset() : v.Offset()+len(v.Raw())]); got != string(v.Raw()) || got != strings.Trim(string(doc), " \t\r\n") {
			t.Fatalf("Parse(%q) is %q at %d", doc, v.Raw(), v.Offset())
		}
	})
}

// deepest is no less than how deeply doc is nested.
func deepest(doc []byte) int {
	return strings.Count(string(doc), "[") + strings.Count(string(doc), "{")
}
