package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	stdjson "encoding/json"
	"strings"
	"testing"

	"sluice/guest-sdk/go/sluicetest"
)

const salt = "a salt of 16 bytes or more"

func run(t *testing.T, config string, values ...string) []sluicetest.Verdict {
	t.Helper()
	x := new(redactor)
	if err := sluicetest.Configure(t, x.configure, config); err != nil {
		t.Fatal(err)
	}
	var records []sluicetest.Record
	for _, v := range values {
		records = append(records, sluicetest.Record{Value: []byte(v)})
	}
	return sluicetest.OnSend(t, x.onSend, sluicetest.Batch{Records: records}).Verdicts
}

func hashed(s string) string {
	m := hmac.New(sha256.New, []byte(salt))
	m.Write([]byte(s))
	return hex.EncodeToString(m.Sum(nil))
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ name, fields, in, want string }{
		{"pointer", `"/user/email"`, `{"user": {"email" : "a@b.c", "n":1}}`, `{"user": {"email" : "***", "n":1}}`},
		{"all other bytes stay", `"/b"`, " {\t\"a\" : 1.50e+01,\n\"b\":\"x\" , \"c\\u0064\":\"\\u00e9\" } ", " {\t\"a\" : 1.50e+01,\n\"b\":\"***\" , \"c\\u0064\":\"\\u00e9\" } "},
		{"whatever it is", `"/a","/b","/c","/d"`, `{"a":1,"b":{"x":[1]},"c":[{}],"d":true}`, `{"a":"***","b":"***","c":"***","d":"***"}`},
		{"null says nothing", `"/a"`, `{"a":null}`, `{"a":null}`},
		{"equal names", `"/a"`, `{"a":1,"a":2}`, `{"a":"***","a":"***"}`},
		{"escaped name", `"/card"`, `{"c\u0061rd":"4111"}`, `{"c\u0061rd":"***"}`},
		{"all elements", `"/cards/*/number"`, `{"cards":[{"number":"1"},{"number":"2","x":3},{}]}`, `{"cards":[{"number":"***"},{"number":"***","x":3},{}]}`},
		{"all members", `"/cards/*/number"`, `{"cards":{"a":{"number":"1"},"b":{"number":"2"}}}`, `{"cards":{"a":{"number":"***"},"b":{"number":"***"}}}`},
		{"one element", `"/l/1"`, `{"l":["a","b","c"]}`, `{"l":["a","***","c"]}`},
		{"an array as a whole", `"/*/0"`, `[["a","b"],["c"]]`, `[["***","b"],["***"]]`},
		{"name at any depth", `"password"`, `{"password":"a","l":[{"password":"b","x":{"password":["c"]}}],"passwords":"d","v":"password"}`, `{"password":"***","l":[{"password":"***","x":{"password":"***"}}],"passwords":"d","v":"password"}`},
		{"name within what is masked", `"user","email"`, `{"user":{"email":"a"},"email":"b"}`, `{"user":"***","email":"***"}`},
		{"pointer around a name", `"/user","email"`, `{"user":{"email":"a"},"email":"b"}`, `{"user":"***","email":"***"}`},
		{"pointer within a name", `"/user/email","user"`, `{"user":{"email":"a"}}`, `{"user":"***"}`},
		{"slash and tilde", `"/a~1b/c~0d"`, `{"a/b":{"c~d":1}}`, `{"a/b":{"c~d":"***"}}`},
		{"nothing there", `"/x/y","z"`, `{"a":[1,"z"]}`, `{"a":[1,"z"]}`},
		{"a scalar", `"x"`, ` "x" `, ` "x" `},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := run(t, `{"fields":[`+c.fields+`]}`, c.in)[0]
			if string(v.Value) != c.want || v.Failed != "" {
				t.Errorf("got  %s (failed: %q)\nwant %s", v.Value, v.Failed, c.want)
			}
			if (v.Changed == 0) != (c.in == c.want) {
				t.Errorf("changed is 0x%x", v.Changed)
			}
		})
	}
}

func TestOwnMask(t *testing.T) {
	v := run(t, `{"fields":["a"],"mask":"\"gone\"\n"}`, `{"a":1}`)[0]
	if want := `{"a":"\"gone\"\u000a"}`; string(v.Value) != want {
		t.Errorf("got %s, want %s", v.Value, want)
	}
}

func TestHash(t *testing.T) {
	v := run(t, `{"fields":["a","/b"],"action":"hash","salt":"`+salt+`"}`,
		`{"a":"x","b":12}`, `{"a":"\u0078","b":{"c": 1}}`, `{"a":"","b":null}`)
	for i, want := range []string{
		`{"a":"` + hashed("x") + `","b":"` + hashed("12") + `"}`,
		`{"a":"` + hashed("x") + `","b":"` + hashed(`{"c": 1}`) + `"}`, // "\u0078" is "x"
		`{"a":"` + hashed("") + `","b":null}`,
	} {
		if string(v[i].Value) != want {
			t.Errorf("got %s, want %s", v[i].Value, want)
		}
	}
}

func TestNoJSONFails(t *testing.T) {
	v := run(t, `{"fields":["a"]}`, `{"a":"secret"`, ``, `a=secret`, `{"a":"secret"}`)
	for i, want := range []string{
		"not JSON: the text ends too early at byte 13", "not JSON: the text ends too early at byte 0", "not JSON: unexpected character at byte 0", "",
	} {
		if v[i].Failed != want {
			t.Errorf("record %d: failed for %q, want %q", i, v[i].Failed, want)
		}
	}
	x := new(redactor)
	if err := sluicetest.Configure(t, x.configure, `{"fields":["a"]}`); err != nil {
		t.Fatal(err)
	}
	if v := sluicetest.OnSend(t, x.onSend, sluicetest.Batch{Records: []sluicetest.Record{{}}}).Verdicts[0]; v.Failed != "" || v.Value != nil {
		t.Errorf("a tombstone became %+v", v)
	}
}

func TestDeep(t *testing.T) {
	const depth = 500
	in := strings.Repeat(`{"a":[`, depth) + `{"secret":1}` + strings.Repeat(`]}`, depth)
	v := run(t, `{"fields":["secret"]}`, in)[0]
	if want := strings.Replace(in, `"secret":1`, `"secret":"***"`, 1); string(v.Value) != want {
		t.Errorf("got %.80s... (failed: %q)", v.Value, v.Failed)
	}
}

func TestConfigErrors(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                                              `config /fields must name at least one field: a name such as "password", or a JSON Pointer such as "/user/email" or "/cards/*/number"`,
		`{"fields":[]}`:                                   `config /fields: [] must name at least one field: a name such as "password", or a JSON Pointer such as "/user/email" or "/cards/*/number"`,
		`{"fields":"a"}`:                                  `config /fields: "a" must be a list of strings`,
		`{"fields":["a",1]}`:                              `config /fields/1: 1 must be a string`,
		`{"fields":["a",""]}`:                             `config /fields/1: "" must not be empty`,
		`{"fields":["/a~"]}`:                              `config /fields/0: "/a~" is no JSON Pointer: in a JSON Pointer ~ is written ~0, and a slash within a name ~1`,
		`{"fields":["a"],"action":"drop"}`:                `config /action: "drop" must be "mask" or "hash"`,
		`{"fields":["a"],"mask":0}`:                       `config /mask: 0 must be a string`,
		`{"fields":["a"],"salt":"` + salt + `"}`:          `config /salt is for action = "hash" only`,
		`{"fields":["a"],"action":"hash"}`:                `config /salt must have at least 16 bytes for action = "hash"`,
		`{"fields":["a"],"action":"hash","salt":"short"}`: `config /salt must have at least 16 bytes for action = "hash"`,
		`{"fields":["a"],"action":"hash","mask":"x"}`:     `config /mask is for action = "mask" only`,
		`{"fields":["a"],"pointer":"/x"}`:                 `config: unknown key "pointer", known are fields, action, mask, salt`,
	} {
		err := sluicetest.Configure(t, new(redactor).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}

// FuzzNothingLeaks: whatever a value is, if it passes, no reader finds the secret in the field.
func FuzzNothingLeaks(f *testing.F) {
	for _, s := range []string{`{"secret":"s3cret"}`, `{"a":[{"secret":{"x":1}}]}`, `{"s\u0065cret":1,"secret":2}`, `"secret"`, `[{"secret":null}]`, `{"x":"\"secret\":1"}`} {
		f.Add([]byte(s))
	}
	x := new(redactor)
	if err := sluicetest.Configure(f, x.configure, `{"fields":["secret","/*/pin"]}`); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		v := sluicetest.OnSend(t, x.onSend, sluicetest.Batch{Records: []sluicetest.Record{{Value: append([]byte{}, value...)}}}).Verdicts[0]
		var out any
		valid := stdjson.Valid(value)
		if valid != (v.Failed == "") && strings.Count(string(value), "[")+strings.Count(string(value), "{") < 1000 {
			t.Fatalf("%q: encoding/json.Valid says %v, redact %q", value, valid, v.Failed)
		}
		if v.Failed != "" {
			return
		}
		d := stdjson.NewDecoder(bytes.NewReader(v.Value))
		d.UseNumber()
		if err := d.Decode(&out); err != nil {
			t.Fatalf("%q became %q: %v", value, v.Value, err)
		}
		leak(t, out)
	})
}

func leak(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			leak(t, e)
		}
	case map[string]any:
		for name, e := range v {
			if name == "secret" && e != nil && e != "***" {
				t.Fatalf("secret is %v", e)
			}
			leak(t, e)
		}
	}
}
