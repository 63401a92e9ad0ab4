package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/record"
)

const envelopeType = "Content-Type: application/vnd.sluice.records+ndjson"

func none() stored { return stored{Partition: record.NoPartition, Timestamp: record.NoTimestamp} }

func with(f func(*stored)) stored {
	s := none()
	f(&s)
	return s
}

func TestEnvelope(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, tt := range []struct {
		line string
		want stored
	}{
		{`{"value":"a"}`, value("a")},
		{` { "value" : "a" } `, value("a")},
		{`{"value":""}`, value("")},
		{`{"value":null}`, none()},
		{`{"value":{"a": [1, 2]}}`, value(`{"a": [1, 2]}`)},
		{`{"value": [ 1 ] }`, value(`[ 1 ]`)},
		{`{"value":-1.5e+10}`, value(`-1.5e+10`)},
		{`{"value":true}`, value(`true`)},
		{`{"value":"a\"b\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"}`, value("a\"b\\/\b\f\n\r\té😀é")},
		{`{"value":"\u0000"}`, value("\x00")},
		{`{"value":{"lone":"\ud800"}}`, value(`{"lone":"\ud800"}`)},
		{`{"value_base64":"AP8="}`, value("\x00\xff")},
		{`{"value_base64":"AP8"}`, value("\x00\xff")},
		{`{"value_base64":"\/\/8"}`, value("\xff\xff")},
		{`{"value_base64":null}`, none()},
		{`{"key":"k","value":"a"}`, with(func(s *stored) { s.Key, s.Value = []byte("k"), []byte("a") })},
		{`{"key":"","value":"a"}`, with(func(s *stored) { s.Key, s.Value = []byte{}, []byte("a") })},
		{`{"key":null,"value":"a"}`, value("a")},
		{`{"key":12,"value":"a"}`, with(func(s *stored) { s.Key, s.Value = []byte("12"), []byte("a") })},
		{
			`{"key":{ "a" : [ 1 , "x \" y" ] },"value":"a"}`,
			with(func(s *stored) { s.Key, s.Value = []byte(`{"a":[1,"x \" y"]}`), []byte("a") }),
		},
		{`{"key_base64":"AA==","value":"a"}`, with(func(s *stored) { s.Key, s.Value = []byte{0}, []byte("a") })},
		{`{"partition":3,"value":"a"}`, with(func(s *stored) { s.Value, s.Partition, s.Explicit = []byte("a"), 3, true })},
		{`{"partition":null,"value":"a","timestamp":null,"headers":null}`, value("a")},
		{`{"timestamp":1700000000123,"value":"a"}`, with(func(s *stored) { s.Value, s.Timestamp = []byte("a"), 1700000000123 })},
		{`{"timestamp":"2023-11-14T22:13:20Z","value":"a"}`, with(func(s *stored) { s.Value, s.Timestamp = []byte("a"), 1700000000000 })},
		{`{"headers":{},"value":"a"}`, value("a")},
		{
			`{"headers":{"b":"x","a":null,"c":["1",null],"d":[]},"value":"a"}`,
			with(func(s *stored) { s.Value, s.Headers = []byte("a"), []string{"b=x", "a=<null>", "c=1", "c=<null>"} }),
		},
		{
			`{"headers":[{"name":"b","value":"x"},{"value_base64":"AQ==","name":"b"},{"name":"\u0061","value":null}],"value":"a"}`,
			with(func(s *stored) { s.Value, s.Headers = []byte("a"), []string{"b=x", "b=\x01", "a=<null>"} }),
		},
		{
			`{"value":` + strings.Repeat("[", 256) + strings.Repeat("]", 256) + `}`,
			value(strings.Repeat("[", 256) + strings.Repeat("]", 256)),
		},
	} {
		r := r.in(t)
		got := r.post(recordsPath, tt.line, envelopeType)
		if got.status != 200 {
			t.Errorf("%s: %v", tt.line, got)
			continue
		}
		if diff := cmp.Diff([]stored{tt.want}, r.topic.all()); diff != "" {
			t.Errorf("%s: %s", tt.line, diff)
		}
	}
}

func TestEnvelopeErrors(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	for _, tt := range []struct{ line, says string }{
		{`{}`, `"value" is missing`},
		{`{"key":"k"}`, `"value" is missing`},
		{`x`, "'{'"},
		{`[]`, "'{'"},
		{`"a"`, "'{'"},
		{`{"value":"a"`, "the line ends"},
		{`{"value":"a"}}`, "something follows"},
		{`{"value":"a"} {}`, "something follows"},
		{`{"value":"a",}`, "a string"},
		{`{,"value":"a"}`, "a string"},
		{`{"value" "a"}`, "':'"},
		{`{"value":"a" "key":"b"}`, "','"},
		{`{'value':"a"}`, "a string"},
		{`{"value":tru}`, "no JSON"},
		{`{"value":nul}`, "no JSON"},
		{`{"value":01}`, "','"},
		{`{"value":1.}`, "a digit"},
		{`{"value":-}`, "a digit"},
		{`{"value":1e}`, "a digit"},
		{`{"value":+1}`, "a value"},
		{`{"value":NaN}`, "a value"},
		{`{"value":[1,]}`, "a value"},
		{`{"value":[1 2]}`, "','"},
		{`{"value":{"a"}}`, "':'"},
		{`{"value":{"a":1,}}`, "a string"},
		{"{\"value\":\"a\tb\"}", "control character"},
		{`{"value":"a`, "does not end"},
		{`{"value":"a\`, "does not end"},
		{`{"value":"\x"}`, "not an escape"},
		{`{"value":"\u12"}`, "four hexadecimal"},
		{`{"value":"\u12`, "four hexadecimal"},
		{`{"value":"\ud800"}`, "surrogate"},
		{`{"value":"\ud800x"}`, "surrogate"},
		{`{"value":"\ud800\u0041"}`, "surrogate"},
		{`{"value":"\udc00\ud800"}`, "surrogate"},
		{"{\"value\":\"\xff\"}", "UTF-8"},
		{"{\"value\":{\"a\":\"\xed\xa0\x80\"}}", "UTF-8"},
		{"\ufeff{}", "'{'"},
		{`{"value":` + strings.Repeat("[", 257) + strings.Repeat("]", 257) + `}`, "nested more than 256"},
		{`{"value":1,"value":2}`, `"value" is given twice`},
		{`{"value":1,"value_base64":"AA=="}`, `"value" is given twice`},
		{`{"key":1,"key_base64":"AA==","value":1}`, `"key" is given twice`},
		{`{"values":1}`, `unknown member "values"`},
		{`{"\u0076alue":1}`, "unknown member"},
		{`{"topic":"x","value":1}`, `unknown member "topic"`},
		{`{"partition":-1,"value":1}`, "partition"},
		{`{"partition":1.0,"value":1}`, "partition"},
		{`{"partition":"1","value":1}`, "partition"},
		{`{"partition":2147483648,"value":1}`, "partition"},
		{`{"timestamp":"soon","value":1}`, "timestamp"},
		{`{"timestamp":-1,"value":1}`, "timestamp"},
		{`{"timestamp":true,"value":1}`, "timestamp"},
		{`{"value_base64":"*"}`, "base64"},
		{`{"value_base64":5}`, "a string"},
		{`{"headers":5,"value":1}`, "object or array"},
		{`{"headers":{"a":5},"value":1}`, "a header's value"},
		{`{"headers":{"a":["x",5]},"value":1}`, "a header's value"},
		{`{"headers":{"a":"x","a":"y"},"value":1}`, `"a" is given twice`},
		{`{"headers":[{"name":"a"}],"value":1}`, "a header has"},
		{`{"headers":[{"value":"a"}],"value":1}`, "a header has"},
		{`{"headers":[{"name":"a","value":"x","value_base64":""}],"value":1}`, "twice"},
		{`{"headers":[{"name":"a","value":"x","extra":1}],"value":1}`, `unknown member "extra"`},
		{`{"headers":["a"],"value":1}`, "'{'"},
		{`{"headers":{"a":"` + strings.Repeat("x", 1024) + `"},"value":1}`, "max.record.header.bytes = 1024"},
		{`{"headers":{"a":["` + strings.Repeat(`","`, 16) + `"]},"value":1}`, "max.record.headers = 16"},
	} {
		r := r.in(t)
		// The records around it are not touched, and the error says where it is.
		got := r.post(recordsPath, `{"value":"before"}`+"\n\n"+tt.line+"\n"+`{"value":"after"}`, envelopeType)
		if got.status != 207 || !strings.Contains(got.body, strings.ReplaceAll(tt.says, `"`, `\"`)) || !strings.Contains(got.body, "line 3") {
			t.Errorf("%s: %v does not say %s", tt.line, got, tt.says)
		}
		if diff := cmp.Diff([]string{"before", "after"}, r.topic.values()); diff != "" {
			t.Errorf("%s: %s", tt.line, diff)
		}
	}
}

func TestEnvelopeWinsOverTheRequest(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	got := r.post(recordsPath, `{"value":"1"}`+"\n"+
		`{"value":"2","key":null,"partition":1,"timestamp":9,"headers":{"A":"line","z":"line"}}`+"\n"+`{"value":"3","key":"own"}`,
		envelopeType, "X-Kafka-Key: k", "X-Kafka-Partition: 4", "X-Kafka-Timestamp: 5", "X-Kafka-Header-A: request",
		"Traceparent: t")
	if got.status != 200 {
		t.Fatal(got)
	}
	all := r.topic.all()
	for i := range all {
		sortHeaders(all[i].Headers)
	}
	shared := []string{"A=request", "traceparent=t"}
	want := []stored{
		{Key: []byte("k"), Value: []byte("1"), Partition: 4, Explicit: true, Timestamp: 5, Headers: shared},
		{Value: []byte("2"), Partition: 1, Explicit: true, Timestamp: 9, Headers: []string{"A=line", "traceparent=t", "z=line"}},
		{Key: []byte("own"), Value: []byte("3"), Partition: 4, Explicit: true, Timestamp: 5, Headers: shared},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
}

func TestAllLinesBad(t *testing.T) {
	r := newRig(t, testConfig(), testTopic())
	p := checkProblem(t, r.post(recordsPath, "x\ny\n", envelopeType), 400, "invalid_request", "line 1")
	if p.Failed != 2 || len(p.Records) != 2 || !strings.Contains(string(p.Records[1]), "line 2") {
		t.Errorf("%+v", p)
	}
}
