package sluice_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/sluicetest"
)

func TestConfigLookups(t *testing.T) {
	const config = `{"s":"a\nb","n":-7,"f":1.5,"b":true,"l":["x","y"],"o":{"deep":{"s":"z"}},"null":null,"a/b":1}`
	type found struct {
		S, Deep, Absent, Null, Host, Topic string
		N, Slash, AbsentN                  int64
		F                                  float64
		B                                  bool
		L, AbsentL, Keys                   []string
		HasS, HasNull, HasX                bool
	}
	var got found
	err := sluicetest.Configure(t, func(c *sluice.Config) error {
		got = found{
			S: c.String("/s", "-"), Deep: c.String("/o/deep/s", "-"), Absent: c.String("/x", "-"), Null: c.String("/null", "-"),
			Host: c.Host(), Topic: c.Topic(),
			N: c.Int("/n", 3), Slash: c.Int("/a~1b", 3), AbsentN: c.Int("/x", 3), F: c.Float("/f", 0), B: c.Bool("/b", false),
			L: c.Strings("/l"), AbsentL: c.Strings("/x"), Keys: c.Keys("/o"), HasS: c.Has("/s"), HasNull: c.Has("/null"), HasX: c.Has("/x"),
		}
		return nil
	}, config)
	want := found{
		S: "a\nb", Deep: "z", Absent: "-", Null: "-", Host: "gateway-1", Topic: "test",
		N: -7, Slash: 1, AbsentN: 3, F: 1.5, B: true, L: []string{"x", "y"}, Keys: []string{"deep"}, HasS: true,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestConfigRefused(t *testing.T) {
	for _, c := range []struct {
		name, config string
		hook         func(c *sluice.Config) error
		want         string
	}{
		{"string", `{"k":1}`, func(c *sluice.Config) error { c.String("/k", ""); return nil }, `config /k: 1 must be a string`},
		{"int", `{"k":1.5}`, func(c *sluice.Config) error { c.Int("/k", 0); return nil }, `config /k: 1.5 must be an integer of at most 64 bits`},
		{"large int", `{"k":9223372036854775808}`, func(c *sluice.Config) error { c.Int("/k", 0); return nil }, `config /k: 9223372036854775808 must be an integer of at most 64 bits`},
		{"float", `{"k":"x"}`, func(c *sluice.Config) error { c.Float("/k", 0); return nil }, `config /k: "x" must be a number`},
		{"bool", `{"k":0}`, func(c *sluice.Config) error { c.Bool("/k", false); return nil }, `config /k: 0 must be true or false`},
		{"list", `{"k":{}}`, func(c *sluice.Config) error { c.Strings("/k"); return nil }, `config /k: {} must be a list of strings`},
		{"list element", `{"k":["a",null]}`, func(c *sluice.Config) error { c.Strings("/k"); return nil }, `config /k/1: null must be a string`},
		{"the first counts", `{"a":1,"b":2}`, func(c *sluice.Config) error { c.String("/a", ""); c.String("/b", ""); return c.Err() }, `config /a: 1 must be a string`},
		{"unknown key", `{"a":1,"c":2}`, func(c *sluice.Config) error { c.Only("a", "b"); return nil }, `config: unknown key "c", known are a, b`},
		{"unknown key deeper", `{"a":{"c":2}}`, func(c *sluice.Config) error { return c.OnlyIn("/a", "b") }, `config /a: unknown key "c", known are b`},
		{"no object", `{"a":5}`, func(c *sluice.Config) error { return c.OnlyIn("/a", "b") }, `config /a: 5 must be an object`},
		{"rule", `{"percent":250}`, func(c *sluice.Config) error { return c.Wrong("/percent", "must be between 0 and 100") }, `config /percent: 250 must be between 0 and 100`},
		{"missing", `{}`, func(c *sluice.Config) error { return c.Wrong("/percent", "is missing") }, `config /percent is missing`},
		{"error", `{}`, func(*sluice.Config) error { return errors.New("no") }, `no`},
		{"panic", `{}`, func(*sluice.Config) error { return give("oh") }, `panic: oh`},
		{"no JSON", `{`, func(*sluice.Config) error { return nil }, `not JSON: the text ends too early at byte 75`},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := sluicetest.Configure(t, c.hook, c.config)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
