package main

import (
	"testing"

	"sluice/guest-sdk/go/sluicetest"
)

func TestKey(t *testing.T) {
	const missing = "the value has no string, number or boolean at /customer/id"
	for _, c := range []struct {
		name, value string
		key, failed string // the key if it is set; the reason with on_missing = "fail"
	}{
		{"string", `{"customer":{"id":"c-1"}}`, "c-1", ""},
		{"escaped", `{"customer":{"id":"\u0063\n\ud83d\ude00"}}`, "c\n😀", ""},
		{"escaped name", `{"c\u0075stomer":{"id":"c-1"}}`, "c-1", ""},
		{"empty string", `{"customer":{"id":""}}`, "", ""},
		{"number", `{"customer":{"id": 12.50 }}`, "12.50", ""},
		{"boolean", `{"customer":{"id":true}}`, "true", ""},
		{"null", `{"customer":{"id":null}}`, "", missing},
		{"object", `{"customer":{"id":{}}}`, "", missing},
		{"array", `{"customer":{"id":[1]}}`, "", missing},
		{"absent", `{"customer":{}}`, "", missing},
		{"no JSON", `{"customer":{"id":"c-1"}`, "", "not JSON: the text ends too early at byte 24"},
		{"empty value", ``, "", "not JSON: the text ends too early at byte 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, policy := range []string{"keep", "fail"} {
				k := new(keyer)
				if err := sluicetest.Configure(t, k.configure, `{"pointer":"/customer/id","on_missing":"`+policy+`"}`); err != nil {
					t.Fatal(err)
				}
				got := sluicetest.OnSend(t, k.onSend, sluicetest.Batch{Records: []sluicetest.Record{{Key: []byte("old"), Value: []byte(c.value)}}}).Verdicts[0]
				wantKey, wantFailed := c.key, ""
				if c.failed != "" {
					wantKey = "old"
					if policy == "fail" {
						wantFailed = c.failed
					}
				}
				if string(got.Key) != wantKey || got.Key == nil || got.Failed != wantFailed || string(got.Value) != c.value {
					t.Errorf("%s: key %q, failed %q; want %q, %q", policy, got.Key, got.Failed, wantKey, wantFailed)
				}
			}
		})
	}
}

func TestNullValue(t *testing.T) {
	k := new(keyer)
	if err := sluicetest.Configure(t, k.configure, `{"pointer":"/id"}`); err != nil {
		t.Fatal(err)
	}
	got := sluicetest.OnSend(t, k.onSend, sluicetest.Batch{Records: []sluicetest.Record{{Key: []byte("old")}}}).Verdicts[0]
	if string(got.Key) != "old" || got.Failed != "" || got.Changed != 0 {
		t.Errorf("a tombstone became %+v", got)
	}
}

func TestConfigErrors(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                                   `config /pointer must be a JSON Pointer to the field, such as "/customer/id"`,
		`{"pointer":""}`:                       `config /pointer: "" must be a JSON Pointer to the field, such as "/customer/id"`,
		`{"pointer":"id"}`:                     `config /pointer: "id" is no JSON Pointer: a JSON Pointer is empty or begins with a slash`,
		`{"pointer":"/a~b"}`:                   `config /pointer: "/a~b" is no JSON Pointer: in a JSON Pointer ~ is written ~0, and a slash within a name ~1`,
		`{"pointer":5}`:                        `config /pointer: 5 must be a JSON Pointer to the field, such as "/customer/id"`,
		`{"pointer":"/a","on_missing":"skip"}`: `config /on_missing: "skip" must be "keep" or "fail"`,
		`{"pointer":"/a","on_missing":true}`:   `config /on_missing: true must be a string`,
		`{"pointer":"/a","missing":"keep"}`:    `config: unknown key "missing", known are pointer, on_missing`,
	} {
		err := sluicetest.Configure(t, new(keyer).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
