package idempotency

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseKey(t *testing.T) {
	for value, want := range map[string]string{
		`abc`: "abc", `"abc"`: "abc", `8e03978e-40d5-43dd-bc93-6894a57f9324`: "8e03978e-40d5-43dd-bc93-6894a57f9324",
		`"a,b c"`: "a,b c", `"a\"b\\c"`: `a"b\c`, `!~;=`: "!~;=", `"~"`: "~", `"  "`: "  ", "0123456789abcdef": "0123456789abcdef",
		`"0123456789abcdef"`: "0123456789abcdef",
	} {
		got, err := ParseKey([]byte(value), 16+20)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v; want %q", value, got, err, want)
		}
	}
	for value, rule := range map[string]string{
		"": "must not be empty", `""`: "must not be empty", `"`: "closing quote is missing", `"abc`: "closing quote is missing",
		`"abc\`: "a backslash", `"abc\"`: "closing quote is missing", `"a\bc"`: "a backslash must be followed", `"abc" `: "nothing may follow",
		`"abc";p=1`: "nothing may follow", `"a", "b"`: "nothing may follow", `a b`: "without spaces", `a,b`: "inside of quotes",
		`a"b`: "inside of quotes", `a\b`: "inside of quotes", "a\x00b": "printable ASCII", "\"a\tb\"": "printable ASCII", "ä": "printable ASCII",
		`"ä"`: "printable ASCII", "a\x7f": "printable ASCII", "\"\x7f\"": "printable ASCII",
		strings.Repeat("a", 37):             "37 bytes, more than idempotency.key.max.bytes = 36",
		`"` + strings.Repeat("a", 37) + `"`: "37 bytes, more than idempotency.key.max.bytes = 36",
	} {
		if got, err := ParseKey([]byte(value), 36); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("%q: %q, %v; want an error that says %q", value, got, err, rule)
		}
	}
}

// FuzzParseKey holds that a key is within the rules, and that its quoted form is the same key.
func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"", "abc", `"abc"`, `"a\"b\\"`, `"`, `"\`, "a,b", `"a" `, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		const most = 40
		key, err := ParseKey(bytes.Clone(value), most)
		if err != nil {
			if err.Error() == "" || key != nil {
				t.Fatalf("%q: %q %v", value, key, err)
			}
			return
		}
		if len(key) == 0 || len(key) > most {
			t.Fatalf("%q: %q has %d bytes", value, key, len(key))
		}
		quoted := []byte{'"'}
		for _, c := range key {
			if c < ' ' || c > '~' {
				t.Fatalf("%q: %q is not printable", value, key)
			}
			if c == '"' || c == '\\' {
				quoted = append(quoted, '\\')
			}
			quoted = append(quoted, c)
		}
		quoted = append(quoted, '"')
		if again, err := ParseKey(bytes.Clone(quoted), most); err != nil || !bytes.Equal(again, key) {
			t.Fatalf("%q is %q; quoted it is %q, %v", value, key, again, err)
		}
	})
}
