package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/go/json"
)

func parse(tb testing.TB, doc string) json.Value {
	tb.Helper()
	v, err := json.Parse([]byte(doc))
	if err != nil {
		tb.Fatalf("Parse(%q): %v", doc, err)
	}
	return v
}

// TestLookup has the examples of RFC 6901, section 5.
func TestLookup(t *testing.T) {
	const doc = `{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8, "~1":9, "d":{"x":1}, "d":{"y":2}}`
	v := parse(t, doc)
	for pointer, want := range map[string]string{
		"": doc, "/foo": `["bar","baz"]`, "/foo/0": `"bar"`, "/foo/1": `"baz"`, "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3", "/g|h": "4",
		"/i\\j": "5", "/k\"l": "6", "/ ": "7", "/m~0n": "8", "/~01": "9", "/foo/2": "", "/foo/-": "", "/foo/00": "", "/foo/01": "",
		"/foo/0/x": "", "/foo/99999999999999999999": "", "/foo/+1": "", "/foo/": "", "/nothing": "", "foo": "", "/foo//0": "",
		"/d/y": "2", "/d/x": "", // the last of equal names, as for encoding/json
	} {
		got := v.Lookup(pointer)
		if string(got.Raw()) != want || (want == "") != (got.Kind() == json.None) {
			t.Errorf("Lookup(%q) = %s, %v; want %s", pointer, got.Raw(), got.Kind(), want)
		}
		if got.Kind() != json.None && doc[got.Offset():got.Offset()+len(got.Raw())] != want {
			t.Errorf("Lookup(%q) is at %d, which is not where it stands", pointer, got.Offset())
		}
	}
}

func TestCheckPointer(t *testing.T) {
	for pointer, good := range map[string]bool{"": true, "/": true, "/a~0~1": true, "a": false, "/~": false, "/~2": false, "/a~": false} {
		if err := json.CheckPointer(pointer); (err == nil) != good {
			t.Errorf("CheckPointer(%q) = %v", pointer, err)
		}
	}
}

func TestScalars(t *testing.T) {
	for _, c := range []struct {
		in        string
		kind      json.Kind
		isInt     bool
		n         int64
		fits      bool
		f         float64
		fok       bool
		b, isBool bool
	}{
		{in: "0", kind: json.Number, isInt: true, fits: true, fok: true},
		{in: "-12", kind: json.Number, isInt: true, n: -12, fits: true, f: -12, fok: true},
		{in: "9223372036854775807", kind: json.Number, isInt: true, n: 9223372036854775807, fits: true, f: 9223372036854775807, fok: true},
		{in: "9223372036854775808", kind: json.Number, isInt: true, f: 9223372036854775808, fok: true},
		{in: "1.0", kind: json.Number, f: 1, fok: true},
		{in: "1e3", kind: json.Number, f: 1000, fok: true},
		{in: "1e999", kind: json.Number},
		{in: "true", kind: json.Bool, b: true, isBool: true},
		{in: "false", kind: json.Bool, isBool: true},
		{in: "null", kind: json.Null},
		{in: `"1"`, kind: json.String},
		{in: `[1]`, kind: json.Array},
		{in: `{}`, kind: json.Object},
	} {
		v := parse(t, c.in)
		n, fits := v.Int()
		f, fok := v.Float()
		b, isBool := v.Bool()
		if !fits {
			n = 0
		}
		if !fok {
			f = 0
		}
		if v.Kind() != c.kind || v.IsInteger() != c.isInt || n != c.n || fits != c.fits || f != c.f || fok != c.fok || b != c.b || isBool != c.isBool {
			t.Errorf("%s: %v integer=%v int=%d,%v float=%g,%v bool=%v,%v", c.in, v.Kind(), v.IsInteger(), n, fits, f, fok, b, isBool)
		}
	}
}

func TestStopEarly(t *testing.T) {
	seen := 0
	parse(t, `[1,2,3]`).Elements(func(int, json.Value) bool { seen++; return seen < 2 })
	parse(t, `{"a":1,"b":2,"c":3}`).Members(func(_, _ json.Value) bool { seen++; return seen < 4 })
	if seen != 4 {
		t.Errorf("saw %d values, want 2 and 2", seen)
	}
	parse(t, `"x"`).Elements(func(int, json.Value) bool { t.Error("a string has elements"); return true })
	parse(t, `[]`).Members(func(_, _ json.Value) bool { t.Error("an array has members"); return true })
}

func TestNamed(t *testing.T) {
	for doc, want := range map[string]string{
		`{"a":1,"b":{"a":[2,{"a":3}],"c":"a"},"\u0061":4,"d":[[{"a":5}]]}`: `1 [2,{"a":3}] 4 5`,
		`{"a":{"a":1}}`: `{"a":1}`,
		`[]`:            ``,
		`"a"`:           ``,
		`{"b":"a"}`:     ``,
	} {
		var got []string
		parse(t, doc).Named(func(name json.Value) bool { return name.Equal("a") }, func(v json.Value) { got = append(got, string(v.Raw())) })
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", doc, got, want)
		}
	}
	parse(t, `{"x":{"a":1},"a":2}`).Lookup("/x").Named(func(json.Value) bool { return true }, func(v json.Value) {
		if string(v.Raw()) != "1" {
			t.Errorf("it looks at %s, which is not within the value", v.Raw())
		}
	})
	json.Value{}.Named(nil, nil)
}

func TestLen(t *testing.T) {
	for doc, want := range map[string]int{`{}`: 0, `[]`: 0, `[[1,2],{"a":3}]`: 2, `{"a":{"b":1},"c":[1,2],"a":3}`: 3, `"abc"`: 0, `12`: 0} {
		if got := parse(t, doc).Len(); got != want {
			t.Errorf("%s: %d", doc, got)
		}
	}
}

// TestStringsOfAllLengths puts what is special at every place of the eight bytes that are looked at together.
func TestStringsOfAllLengths(t *testing.T) {
	for n := range 40 {
		plain := strings.Repeat("ax", n)[:n]
		for _, c := range []struct {
			in   string
			good bool
		}{
			{`"` + plain + `"`, true},
			{`"` + plain + `\n"`, true},
			{`"` + plain + `\""`, true},
			{`"` + plain + `é"`, true},
			{`"` + plain + "\x7f\"", true},
			{`"` + plain + "\x1f\"", false},
			{`"` + plain + "\x00\"", false},
			{`"` + plain, false},
			{`"` + plain + `\`, false},
			{`"` + plain + `\u00e`, false},
			{strings.Repeat("1", n+1), true},
			{strings.Repeat("1", n+1) + ":", false},
			{strings.Repeat("1", n+1) + "/", false},
			{strings.Repeat("1", n+1) + "\xb1", false},
			{strings.Repeat("1", n+1) + ".", false},
		} {
			if _, err := json.Parse([]byte(c.in)); (err == nil) != c.good || stdjson.Valid([]byte(c.in)) != c.good {
				t.Errorf("Parse(%q): %v", c.in, err)
			}
		}
	}
}

// TestDocIsUsedAgain: nothing of one text shows in the next.
func TestDocIsUsedAgain(t *testing.T) {
	var d json.Doc
	for _, c := range []struct{ doc, pointer, want string }{
		{`{"a":[1,2,3]}`, "/a/2", "3"},
		{`{"a":[1`, "/a/0", ""},
		{`[[[`, "", ""},
		{`{"a":"x"}`, "/a", `"x"`},
		{strings.Repeat("[", 70000), "", ""},
		{"[" + strings.Repeat("1,", 70000) + "2]", "/70000", "2"},
		{`[7]`, "/0", "7"},
	} {
		v, _ := d.Parse([]byte(c.doc))
		if got := string(v.Lookup(c.pointer).Raw()); got != c.want {
			t.Errorf("%.20s: %s is %q, want %q", c.doc, c.pointer, got, c.want)
		}
	}
}

// build makes of v what encoding/json makes of its text.
func build(v json.Value) any {
	switch v.Kind() {
	case json.Object:
		m := map[string]any{}
		v.Members(func(name, value json.Value) bool { m[string(name.AppendString(nil))] = build(value); return true })
		return m
	case json.Array:
		l := []any{}
		v.Elements(func(_ int, value json.Value) bool { l = append(l, build(value)); return true })
		return l
	case json.String:
		return string(v.Text())
	case json.Number:
		return stdjson.Number(v.Raw())
	case json.Bool:
		b, _ := v.Bool()
		return b
	default:
		return nil
	}
}

// FuzzValue builds everything there is in a text and compares with encoding/json, then finds every member by its pointer.
func FuzzValue(f *testing.F) {
	for _, s := range texts() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		v, err := json.Parse(doc)
		if err != nil || !utf8.Valid(doc) { // in what is not UTF-8, names are compared as they stand
			return
		}
		var want any
		d := stdjson.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", doc, err)
		}
		if got := build(v); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q (-encoding/json +json):\n%s", doc, cmp.Diff(want, got))
		}
		members, ok := want.(map[string]any)
		if !ok {
			return
		}
		for name, value := range members {
			found := v.Lookup("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
			if found.Kind() == json.None || !reflect.DeepEqual(build(found), value) {
				t.Fatalf("%q: %q is %q, want %v", doc, name, found.Raw(), value)
			}
		}
	})
}

// FuzzLookup must not fail, whatever the pointer.
func FuzzLookup(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":"c"}]}`), "/a/0/b")
	f.Add([]byte(`{"~":{"/":[0]}}`), "/~0/~1/0")
	f.Fuzz(func(t *testing.T, doc []byte, pointer string) {
		v, err := json.Parse(doc)
		if err != nil {
			return
		}
		found := v.Lookup(pointer)
		if found.Kind() != json.None && string(doc[found.Offset():found.Offset()+len(found.Raw())]) != string(found.Raw()) {
			t.Fatalf("Lookup(%q, %q) is %q at %d", doc, pointer, found.Raw(), found.Offset())
		}
		if found.Kind() != json.None && !stdjson.Valid(found.Raw()) {
			t.Fatalf("Lookup(%q, %q) is %q, which is not JSON", doc, pointer, found.Raw())
		}
	})
}

// FuzzQuoted holds AppendQuoted to what encoding/json reads, and Equal and AppendString to the same.
func FuzzQuoted(f *testing.F) {
	for _, s := range []string{"", "plain", "é😀", "\x00\n\"\\/", "\xff\xfe", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := json.AppendQuoted(nil, s)
		var want string
		if err := stdjson.Unmarshal(quoted, &want); err != nil {
			t.Fatalf("AppendQuoted(%q) = %q: %v", s, quoted, err)
		}
		if want != strings.ToValidUTF8(s, "\ufffd") && strings.ToValidUTF8(s, "") == s {
			t.Fatalf("AppendQuoted(%q) = %q means %q", s, quoted, want)
		}
		v := parse(t, string(quoted))
		if !v.Equal(want) || v.Equal(want+"x") || string(v.Text()) != want {
			t.Fatalf("%q: Text %q, want %q", quoted, v.Text(), want)
		}
	})
}

func TestNoAllocations(t *testing.T) {
	doc := []byte(`{"user":{"name":"Jane","em\u0061il":"j@example.com","n":12,"f":1.5},"items":[{"sku":"a"},{"sku":"b"}]}`)
	var d json.Doc
	var edits json.Edits
	out := make([]byte, 0, 1000)
	n := testing.AllocsPerRun(100, func() {
		v, _ := d.Parse(doc)
		if v.Lookup("/items/1/sku").Kind() != json.String || !v.Lookup("/user/email").Equal("j@example.com") {
			t.Fatal("not found")
		}
		v.Lookup("/user/n").Int()
		v.Lookup("/user/f").Float()
		edits.Reset()
		edits.Replace(v.Lookup("/user/email"), []byte(`"***"`))
		out = edits.Append(out[:0], doc)
	})
	if n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
