package sdktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzJSON compares what the SDKs read in a text with encoding/json.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,true,false,null,"x"]}`, `"\u00e9\ud83d\ude00\ud83d\\\"\/\b"`, " [ ] ", "{}", "-0", "01", "1e", "1.e1", "-", `"\u12g4"`, "nul", "[1,]", `{"a":}`,
		`{"a":1,,}`, "\x00", "\"\x1f\"", `"\`, `"\u`, "9223372036854775807", "-9223372036854775809", "1E+2", `[[[{"":{}}]]]`, "1 2", "truex", "",
		`"\ud83d\u"`, `"\ud83d\ud83d\ude00"`, `"\ude00"`, "[\"a\",{\"b\":[]}]\n", "{\"a\"\t:\r1}", "\ufeff1", "'a'", "0x1", "+1", ".5", "-.5", "Infinity", "2.", "1e5x",
	} {
		f.Add([]byte(seed))
	}
	guests := map[string]*guest{}
	for _, l := range languages {
		if _, err := l.compiler(); err != nil && os.Getenv("SLUICE_REQUIRE_ALL") != "1" {
			f.Logf("without %s: %v", l.dir, err)
			continue
		}
		guests[l.dir] = instantiate(f, build(f, l, conformance), `{}`)
	}
	if len(guests) == 0 {
		missing(f, "no compiler for any SDK")
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		want, err := describe(doc)
		if err != nil {
			t.Skip(err)
		}
		in := record{Value: doc, Headers: []header{{"do", []byte("json:")}}}
		for name, g := range guests {
			g.tb = t
			got, err := g.hook(t.Context(), "on_send", orders, []record{in})
			if err != nil {
				t.Fatalf("%s, %q: %v", name, doc, err)
			}
			if text := string(got[0].Value); text != want && (want != "float:" || !strings.HasPrefix(text, want)) {
				t.Errorf("%s, %q: %s, want %s", name, doc, text, want)
			}
		}
	})
}

// describe is what a conformance guest says of a document; "float:" stands for any such number.
func describe(doc []byte) (string, error) {
	if !utf8.Valid(doc) || bytes.Count(doc, []byte("["))+bytes.Count(doc, []byte("{")) > 100 {
		return "", errors.New("CONFORMANCE.md leaves it open")
	}
	if !json.Valid(doc) {
		return "missing", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "null", nil
	case string:
		return "string:" + quoted(v), nil
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return fmt.Sprint("int:", n), nil
		}
		return "float:", nil
	case []any:
		return fmt.Sprint("array:", len(v)), nil
	case map[string]any:
		n, err := members(doc)
		return fmt.Sprint("object:", n), err
	default:
		return fmt.Sprint(v), nil
	}
}

// members counts those of one name one by one, as the SDKs do.
func members(doc []byte) (int, error) {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	if _, err := decoder.Token(); err != nil {
		return 0, err
	}
	n := 0
	for ; decoder.More(); n++ {
		if _, err := decoder.Token(); err != nil {
			return 0, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// quoted is a text as CONFORMANCE.md writes <q>.
func quoted(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\x%02x`, c)
			continue
		}
		b.WriteByte(c)
	}
	return `"` + b.String() + `"`
}
