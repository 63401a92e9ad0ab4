package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/guest-sdk/abi"
	"sluice/wasmhost"
)

// nullAndEmpty: what is null and what is empty are two things, on the way in and on the way out.
func (g *guest) nullAndEmpty(t *testing.T) {
	made, _ := g.start(t, "")
	in := batch(
		wasmhost.Record{Partition: -1, Headers: []wasmhost.Header{{Key: "do", Value: []byte("echo")}, {Key: "h"}}},
		wasmhost.Record{Partition: -1, Key: []byte{}, Value: []byte{}, Headers: []wasmhost.Header{{Key: "do", Value: []byte("echo")}, {Key: "h", Value: []byte{}}}},
	)
	made.OnSend(in)
	for i, want := range []string{
		`index=0 topic="orders" partitions=3 partition=-1 timestamp=0 cookie=0 key=null value=null headers=["do"="echo","h"=null]`,
		`index=1 topic="orders" partitions=3 partition=-1 timestamp=0 cookie=0 key="" value="" headers=["do"="echo","h"=""]`,
	} {
		if got := string(in.Records[i].Value); got != want {
			t.Errorf("the guest was given\n%s, want\n%s", got, want)
		}
	}
	for _, c := range []struct {
		do   []string
		want wasmhost.Record
	}{
		{[]string{"null-key", "null-value", "remove-header:do"}, wasmhost.Record{}},
		{[]string{"set-key:", "set-value:", "remove-header:do", "set-header:h="}, wasmhost.Record{Key: []byte{}, Value: []byte{}, Headers: []wasmhost.Header{{Key: "h", Value: []byte{}}}}},
		{[]string{"null-key", "set-key:", "set-value:", "null-value", "set-header:h=", "null-header:h", "remove-header:do"}, wasmhost.Record{Key: []byte{}, Headers: []wasmhost.Header{{Key: "h"}}}},
	} {
		b := batch(told(c.do...))
		made.OnSend(b)
		c.want.Timestamp, c.want.Partition, c.want.Changed = -1, -1, abi.FlagKey|abi.FlagValue|abi.FlagHeaders
		if diff := cmp.Diff(c.want, b.Records[0], cmpopts.IgnoreUnexported(wasmhost.Record{})); diff != "" {
			t.Errorf("%q: want and got:\n%s", c.do, diff)
		}
	}
}

// json: every SDK finds the same in a document. Deeper checks of each are in guest-sdk/sdktest.
func (g *guest) json(t *testing.T) {
	made, _ := g.start(t, "")
	const doc = `{"a":[1,{"b":"x\u00e9\ud83d\ude00\n"}],"f":-2.5,"t":true,"n":null,"a/b~":7,"big":9223372036854775807,"last":1,"last":2}`
	for _, c := range []struct{ doc, pointer, want string }{
		{doc, "", "object:7"},
		{doc, "/a", "array:2"},
		{doc, "/a/0", "int:1"},
		{doc, "/a/1/b", `string:"x\xc3\xa9\xf0\x9f\x98\x80\x0a"`},
		{doc, "/a/2", "missing"},
		{doc, "/f", "float:-2500"},
		{doc, "/t", "true"},
		{doc, "/n", "null"},
		{doc, "/a~1b~0", "int:7"},
		{doc, "/big", "int:9223372036854775807"},
		{doc, "/last", "int:2"},
		{doc, "/none/of/it", "missing"},
		{`{"a":1`, "/a", "missing"},
		{`{"a":1} x`, "/a", "missing"},
		{"not JSON", "", "missing"},
		{"", "", "missing"},
		{strings.Repeat("[", 5000), "", "missing"},
	} {
		r := told("json:" + c.pointer)
		r.Value = []byte(c.doc)
		b := batch(r)
		made.OnSend(b)
		got := string(b.Records[0].Value)
		if c.doc == doc && c.pointer == "" { // members of one name may count as one
			got = strings.Replace(got, "object:8", "object:7", 1)
		}
		if got != c.want {
			t.Errorf("%q of %.40s: %s %s, want %s", c.pointer, c.doc, got, b.Records[0].Reason, c.want)
		}
	}
	null := told("json:")
	null.Value = nil
	b := batch(null)
	made.OnSend(b)
	if got := string(b.Records[0].Value); got != "missing" {
		t.Errorf("a null value has %q", got)
	}
}
