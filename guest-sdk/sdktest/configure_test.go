package sdktest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/abi"
)

const table = `{"s":"a\"\u00fc","n":-12,"f":2.75,"b":true,"l":["x","y\n"],"e":[],"m":{"a":1,"b/c":2},"null":null,"deep":{"k~":[{"v":"w"}]}`

func TestConfigure(t *testing.T) {
	reads := [][2]string{
		{"string:/s", `"a\x22\xc3\xbc"`},
		{"string:/none", `"fallback"`},
		{"string:/null", `"fallback"`},
		{"string:/deep/k~0/0/v", `"w"`},
		{"int:/n", "-12"},
		{"int:/none", "-7"},
		{"float:/f", "2750"},
		{"float:/n", "-12000"},
		{"float:/none", "500"},
		{"bool:/b", "true"},
		{"bool:/none", "false"},
		{"strings:/l", `["x","y\x0a"]`},
		{"strings:/e", "[]"},
		{"strings:/none", "[]"},
		{"keys:/m", `["a","b/c"]`},
		{"keys:/none", "[]"},
		{"has:/m/b~1c", "true"},
		{"has:/null", "false"},
		{"has:/l/1", "true"},
		{"has:/l/2", "false"},
		{"has:", "true"},
		{"has:/x", "false"},
	}
	entries, want := make([]string, 0, len(reads)), []line{{abi.LevelInfo, `configure topic="orders" module="m" version="ab" host="gw-1"`}}
	for _, r := range reads {
		entries = append(entries, `"`+r[0]+`"`)
		want = append(want, line{abi.LevelInfo, "read " + r[0] + " = " + r[1]})
	}
	config := table + `,"read":[` + strings.Join(entries, ",") + `],"only":["s","n","f","b","l","e","m","null","deep"]}`
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			g := instantiate(t, wasm, config)
			if diff := cmp.Diff(want, g.lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			res, err := g.mod.ExportedFunction("close").Call(t.Context())
			if err != nil || res[0] != 0 || g.lines[len(g.lines)-1] != (line{abi.LevelInfo, "close"}) {
				t.Errorf("close = %v, %v, log %v", res, err, g.lines)
			}
		})
	}
}

func TestConfigureRefuses(t *testing.T) {
	long := strings.Repeat("x", 200)
	cases := []struct{ config, reason string }{
		{`{"refuse":"not \"today\""}`, `not "today"`},
		{`{"a":7,"read":["string:/a"]}`, "config /a: 7 must be a string"},
		{`{"a":"` + long + `","read":["int:/a"]}`, `config /a: "` + long[:79] + `... must be an integer of at most 64 bits`},
		{`{"a":1.5,"read":["int:/a"]}`, "config /a: 1.5 must be an integer of at most 64 bits"},
		{`{"a":9223372036854775808,"read":["int:/a"]}`, "config /a: 9223372036854775808 must be an integer of at most 64 bits"},
		{`{"a":"x","read":["float:/a"]}`, `config /a: "x" must be a number`},
		{`{"a":1,"read":["bool:/a"]}`, "config /a: 1 must be true or false"},
		{`{"a":{"b":1},"read":["strings:/a/b"]}`, "config /a/b: 1 must be a list of strings"},
		{`{"a":["x",1],"read":["strings:/a"]}`, "config /a/1: 1 must be a string"},
		{`{"a":[1],"read":["keys:/a"]}`, "config /a: [1] must be an object"},
		{`{"a":1,"b":2,"z":3,"only":["b"]}`, `config: unknown key "a", known are only, read, refuse, b`},
		{`{"a":1,"only":["b"],"read":["string:/a"],"refuse":"mine"}`, "mine"},
		{`{"a":1,"read":["string:/a","bool:/a"]}`, "config /a: 1 must be a string"},
	}
	for _, l := range languages {
		t.Run(l.dir, func(t *testing.T) {
			wasm := build(t, l, conformance)
			for _, c := range cases {
				g := newGuest(t, wasm, false)
				if code := g.configure(`{"topic":"t","module":"m","version":"v","host":"h","config":` + c.config + `}`); code >= 0 {
					t.Errorf("%s: configure = %d", c.config, code)
				}
				if last := g.lines[len(g.lines)-1]; last != (line{abi.LevelError, c.reason}) {
					t.Errorf("%s: %v, want %s", c.config, last, c.reason)
				}
			}
		})
	}
}
