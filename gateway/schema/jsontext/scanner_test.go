package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/gateway/schema/codec"
)

// all reads a text as one value.
func all(data []byte) *codec.ValueError {
	s := Scanner{DepthLimit: "a limit"}
	s.Reset(data, 64)
	if _, err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		``:                 `JSON with a value, found the end at byte 0`,
		`{`:                `JSON with "}", found the end at byte 1`,
		`{"a"`:             `JSON with a colon, found the end at byte 4`,
		`{"a":1,}`:         `JSON with a value after the comma, found '}' at byte 7`,
		`{"a":1 "b"}`:      `JSON with a comma or "}", found '"' at byte 7`,
		`{a:1}`:            `JSON with the name of a member, found 'a' at byte 1`,
		`[1,]`:             `JSON with a value after the comma, found ']' at byte 3`,
		`[01]`:             `JSON with a comma or "]", found '1' at byte 2`,
		`[-]`:              `JSON with a number, found '-' at byte 1`,
		`1.`:               `JSON with a number, found '1' at byte 0`,
		`1e+`:              `JSON with a number, found '1' at byte 0`,
		`nul`:              `JSON with null, true or false, found 'n' at byte 0`,
		`1 2`:              `JSON with the end, found '2' at byte 2`,
		`"a`:               `JSON with a closing quote, found the end at byte 2`,
		`"\`:               `JSON with a closing quote, found '\\' at byte 1`,
		`"\x"`:             `JSON with a known escape, found '\\' at byte 1`,
		`"\u12"`:           `JSON with four hexadecimal digits after \u, found '\\' at byte 1`,
		`"\ud800"`:         `JSON with surrogates in pairs, found '\\' at byte 1`,
		`"\udc00\ud800"`:   `JSON with surrogates in pairs, found '\\' at byte 1`,
		"\"a\nb\"":         `JSON with control characters escaped, found '\n' at byte 2`,
		"\"\\n\n\"":        `JSON with control characters escaped, found '\n' at byte 3`,
		"\"a\xffb\"":       `JSON with valid UTF-8, found byte 0xff at byte 2`,
		"\"\\n\xff\"":      `JSON with valid UTF-8, found byte 0xff at byte 3`,
		"\"\xed\xa0\x80\"": `JSON with valid UTF-8, found byte 0xed at byte 1`,
		strings.Repeat(`[`, 65) + strings.Repeat(`]`, 65): `at most 64 levels of nesting (a limit), found one more`,
	} {
		err := all([]byte(text))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: %v, want ...%s", text, err, want)
		}
	}
}

func TestTextIsUnescaped(t *testing.T) {
	for text, want := range map[string]string{
		`"plain"`:             "plain",
		`"é𝄞"`:                "é𝄞",
		`"\"\\\/\b\f\n\r\tA"`: "\"\\/\b\f\n\r\tA",
		`"a\ud834\udd1eb"`:    "a𝄞b",
		`"\u00e9\u20AC"`:      "é€",
	} {
		var s Scanner
		s.Reset([]byte(text), 1)
		got, err := s.Text()
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
		if err := s.End(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNamesStayValid(t *testing.T) {
	var s Scanner
	s.Reset([]byte(`{"\u0061":"\n","b":2}`), 1)
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	name, ok, err := s.Member(true)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := s.Text(); err != nil { // it has an escape, too
		t.Fatal(err)
	}
	if string(name) != "a" {
		t.Errorf("the name became %q", name)
	}
}

func TestFoundQuotesShortValues(t *testing.T) {
	for text, want := range map[string]string{
		` 12`: "12", `"abc"`: `"abc"`, `null`: "null", `{"a":1}`: "an object", `[1]`: "an array", `true`: "true",
		`"` + strings.Repeat("a", 50) + `"`: "a string", ``: "the end at byte 0", `x`: "'x' at byte 0",
	} {
		var s Scanner
		s.Reset([]byte(text), 1)
		if got := s.Found(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzScanner holds the scanner against encoding/json, which takes the same texts but for depth, invalid UTF-8 and lone surrogates.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+3,"\u00e9\n",null,true,false,{}]}`, `"\ud834\udd1e"`, ` [ ] `, `-0`, `1E-2`, `{"":{"":[]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := all(data)
		switch {
		case err == nil && !json.Valid(data):
			t.Errorf("%q is taken, and is no JSON", data)
		case err == nil && !utf8.Valid(data):
			t.Errorf("%q is taken, and is no UTF-8", data)
		case err != nil && json.Valid(data) && !strings.Contains(err.Want, "UTF-8") && !strings.Contains(err.Want, "surrogates") && !strings.Contains(err.Want, "nesting"):
			t.Errorf("%q is refused: %v", data, err)
		}
		if data == nil || err != nil || data[0] != '"' {
			return
		}
		var s Scanner
		s.Reset(data, 1)
		got, _ := s.Text()
		var want string
		if err := json.Unmarshal(data, &want); err != nil || string(got) != want {
			t.Errorf("%q is %q, want %q", data, got, want)
		}
	})
}
