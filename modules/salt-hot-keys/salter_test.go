package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/guest-sdk/go/sluicetest"
)

func configured(t *testing.T, config string) *salter {
	t.Helper()
	s := new(salter)
	if err := sluicetest.Configure(t, s.configure, config); err != nil {
		t.Fatal(err)
	}
	return s
}

// keys lets records with the keys in a text pass, and returns the keys that they have then.
func keys(t *testing.T, s *salter, text string) string {
	t.Helper()
	var records []sluicetest.Record
	for k := range strings.FieldsSeq(text) {
		records = append(records, sluicetest.Record{Key: []byte(k)})
	}
	var out []string
	for _, v := range sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: records}).Verdicts {
		out = append(out, string(v.Key))
	}
	return strings.Join(out, " ")
}

func TestNamedKeys(t *testing.T) {
	s := configured(t, `{"keys":["a","b"],"n":3}`)
	if got, want := keys(t, s, "a x b a a a b"), "a#0 x b#0 a#1 a#2 a#0 b#1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := keys(t, s, "a"), "a#1"; got != want {
		t.Errorf("the next batch: got %s, want %s", got, want)
	}
}

func TestSeparatorAndHeader(t *testing.T) {
	s := configured(t, `{"keys":["a"],"n":2,"separator":"--","header":"key"}`)
	result := sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: []sluicetest.Record{{Key: []byte("a")}, {Key: []byte("b")}, {}}})
	v := result.Verdicts
	if string(v[0].Key) != "a--0" || len(v[0].Headers) != 1 || v[0].Headers[0].Name != "key" || string(v[0].Headers[0].Value) != "a" {
		t.Errorf("hot: key %q, headers %q", v[0].Key, v[0].Headers)
	}
	if v[1].Changed != 0 || v[2].Changed != 0 {
		t.Errorf("not hot, null: changed 0x%x, 0x%x", v[1].Changed, v[2].Changed)
	}
	if diff := cmp.Diff(map[string]int64{"salted": 1}, result.Counters); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// TestBy: records with the same field share a salted key, so that they stay in order.
func TestBy(t *testing.T) {
	s := configured(t, `{"keys":["a"],"n":8,"by":"/user"}`)
	var records []sluicetest.Record
	for i := range 200 {
		records = append(records, sluicetest.Record{Key: []byte("a"), Value: fmt.Appendf(nil, `{"user":%d}`, i%20)})
	}
	used := map[string]string{}
	salts := map[string]bool{}
	for _, v := range sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: records}).Verdicts {
		if before, known := used[string(v.Value)]; known && before != string(v.Key) {
			t.Errorf("%s went to %s and to %s", v.Value, before, v.Key)
		}
		used[string(v.Value)], salts[string(v.Key)] = string(v.Key), true
	}
	if len(salts) < 4 {
		t.Errorf("20 users share %d keys", len(salts))
	}
	// Without the field, or JSON, it is round robin.
	var got []string
	for _, v := range sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: []sluicetest.Record{
		{Key: []byte("a"), Value: []byte(`{}`)}, {Key: []byte("a"), Value: []byte(`{"user":null}`)}, {Key: []byte("a"), Value: []byte(`x`)}, {Key: []byte("a")},
	}}).Verdicts {
		got = append(got, string(v.Key))
	}
	if want := []string{"a#0", "a#1", "a#2", "a#3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDetection(t *testing.T) {
	s := configured(t, `{"n":2,"window":10,"threshold":4}`)
	for i, c := range []struct{ in, want string }{
		{"a b a c a d a b a a", "a b a c a d a#0 b a#1 a#0"},   // hot with the fourth
		{"b a a c d e f g h i", "b a#1 a#0 c d e f g h i"},     // one window longer
		{"a a a a b b b b b a", "a a a a#0 b b b b#0 b#1 a#1"}, // forgotten, and found again
		{"b b b b b b b b b b", "b#0 b#1 b#0 b#1 b#0 b#1 b#0 b#1 b#0 b#1"},
		{"b b b b a a a a a a", "b#0 b#1 b#0 b#1 a a a a#0 a#1 a#0"}, // a was not hot in the window before
	} {
		if got := keys(t, s, c.in); got != c.want {
			t.Errorf("window %d:\n in  %s\ngot  %s\nwant %s", i, c.in, got, c.want)
		}
	}
}

func TestDetectionLogs(t *testing.T) {
	s := configured(t, `{"n":2,"window":4,"threshold":2}`)
	var records []sluicetest.Record
	for k := range strings.FieldsSeq("a a x y b c d e f") {
		records = append(records, sluicetest.Record{Key: []byte(k)})
	}
	want := []sluicetest.Line{{Level: 2, Text: "hot: key a, 2 of the last 2 records"}, {Level: 2, Text: "no longer hot: key a"}}
	if diff := cmp.Diff(want, sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: records}).Lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := configured(t, `{"n":2,"window":1000000,"threshold":3}`)
	var records []sluicetest.Record
	for i := range 3 * maxTracked {
		records = append(records, sluicetest.Record{Key: fmt.Appendf(nil, "key-%d", i)})
	}
	long := []byte(strings.Repeat("x", maxKey+1))
	records = append(records, sluicetest.Record{Key: long}, sluicetest.Record{Key: long}, sluicetest.Record{Key: long})
	sluicetest.OnSend(t, s.onSend, sluicetest.Batch{Records: records})
	if n := len(s.detector.tallies); n != maxTracked {
		t.Errorf("%d keys are counted, want %d", n, maxTracked)
	}
	// A long key is not counted even where there is room.
	s = configured(t, `{"n":2,"window":10,"threshold":2}`)
	if got := keys(t, s, string(long)+" "+string(long)); strings.Contains(got, "#") {
		t.Error("a long key was found hot")
	}
}

func TestConfigErrors(t *testing.T) {
	for config, want := range map[string]string{
		`{}`:                             `config: {} must name keys, or a window and a threshold`,
		`{"keys":[]}`:                    `config: {"keys":[]} must name keys, or a window and a threshold`,
		`{"keys":["a"],"n":1}`:           `config /n: 1 must be from 2 to 1000: into how many keys a hot key is split`,
		`{"keys":["a"],"n":1001}`:        `config /n: 1001 must be from 2 to 1000: into how many keys a hot key is split`,
		`{"keys":["a"],"separator":""}`:  `config /separator: "" must not be empty, or key 1 with salt 12 would be key 11 with salt 2`,
		`{"keys":["a"],"by":"user"}`:     `config /by: "user" is no JSON Pointer: a JSON Pointer is empty or begins with a slash`,
		`{"keys":"a"}`:                   `config /keys: "a" must be a list of strings`,
		`{"window":-1}`:                  `config /window: -1 must be from 0 (no detection) to 10000000 records`,
		`{"window":100}`:                 `config /threshold must be from 2 to window: so many records of a key within window records make it hot`,
		`{"window":100,"threshold":1}`:   `config /threshold: 1 must be from 2 to window: so many records of a key within window records make it hot`,
		`{"window":100,"threshold":101}`: `config /threshold: 101 must be from 2 to window: so many records of a key within window records make it hot`,
		`{"keys":["a"],"threshold":10}`:  `config /threshold: 10 needs a window: threshold records of a key within window records make it hot`,
		`{"keys":["a"],"header":1}`:      `config /header: 1 must be a string`,
		`{"keys":["a"],"partitions":8}`:  `config: unknown key "partitions", known are keys, n, by, separator, header, window, threshold`,
	} {
		err := sluicetest.Configure(t, new(salter).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
