package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
)

const lines = "application/vnd.sluice.records+ndjson"

func TestTry(t *testing.T) {
	p := start(t)
	version := p.put("c", conformance(t, "1"))
	body := `{"key":"k","value":{"a":1},"headers":{"do":"set-value:{\"a\":2}"}}
{"value":"x","headers":[{"name":"do","value":"set-key:K"},{"name":"do","value":"set-header:a=b"},{"name":"do","value":"set-timestamp:7"}]}

{"value":null,"headers":{"do":"drop"}}
{"value_base64":"//4=","headers":{"do":"fail:not this one"}}
{"value":"x","headers":{"do":"trap"}}
{"value":"x","headers":{"do":"route:other"}}
{"value":"x","headers":{"do":"log:3:careful"},"partition":2}
{"value":"x","headers":{"do":"loop"}}
`
	var got admin.TryResult
	p.do("POST", "/v1/modules/c/versions/active/try?hook=on_send&topic=orders", strings.NewReader(body), "Content-Type: "+lines).want(200).into(&got)
	if got.Version != version || got.Hook != "on_send" || got.Topic != "orders" || got.Calls == 0 || got.Fuel == 0 || got.Memory == 0 {
		t.Errorf("%+v", got)
	}
	verdicts := make([]string, 0, len(got.Records))
	for _, r := range got.Records {
		v := r.Verdict + " " + strings.Join(r.Changed, ",") + r.Route + r.Cause
		if r.Dropped {
			v += "dropped"
		}
		verdicts = append(verdicts, v)
		if r.Fuel == 0 {
			t.Errorf("record %d used no fuel", r.Index)
		}
	}
	want := []string{"passed value", "passed key,headers,timestamp", "passed dropped", "failed record_error", "failed trap", "passed other", "passed ", "failed out_of_fuel"}
	if diff := cmp.Diff(want, verdicts); diff != "" {
		t.Error(diff)
	}
	seven := int64(7)
	if diff := cmp.Diff(guest.RecordLine{
		Key: []byte(`"K"`), Value: []byte(`"x"`), Timestamp: &seven,
		Headers: []byte(`[{"name":"do","value":"set-key:K"},{"name":"do","value":"set-header:a=b"},{"name":"do","value":"set-timestamp:7"},{"name":"a","value":"b"}]`),
	}, got.Records[1].Record); diff != "" {
		t.Error(diff)
	}
	if string(got.Records[0].Record.Value) != `{"a":2}` || got.Records[3].Reason != "not this one" || string(got.Records[3].Record.ValueBase64) != "\xff\xfe" {
		t.Errorf("%+v", got.Records)
	}
	careful := func(l guest.LogLine) bool { return l.Text == "careful" && l.Level == "warn" && l.Version == version }
	found := false
	for _, l := range got.Log {
		found = found || careful(l)
	}
	if !found {
		t.Errorf("log %+v", got.Log)
	}
}

func TestTryPartitions(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	var got admin.TryResult
	p.json("POST", "/v1/modules/c/versions/active/try", `{"hook":"partition","partitions":4,"config":{},"records":[
		{"value":"x","headers":{"do":"partition:3"}}, {"value":"x"}, {"value":"x","headers":{"do":"partition:4"}}, {"value":"x","partition":1,"headers":{"do":"partition:3"}}
	]}`).want(200).into(&got)
	at := func(n int32) *int32 { return &n }
	if diff := cmp.Diff([]guest.Outcome{
		{Index: 0, Verdict: "passed", Partition: at(3)},
		{Index: 1, Verdict: "passed", Partition: at(-1)},
		{Index: 2, Verdict: "failed", Cause: "invalid_partition"},
		{Index: 3, Verdict: "passed", Partition: at(1)},
	}, got.Records, cmpopts.IgnoreFields(guest.Outcome{}, "Fuel", "Record", "Reason")); diff != "" {
		t.Error(diff)
	}
	if got.Records[0].Fuel == 0 || got.Records[3].Fuel != 0 {
		t.Errorf("fuel %d of one that was asked, %d of one that was not", got.Records[0].Fuel, got.Records[3].Fuel)
	}
	p.json("POST", "/v1/modules/c/versions/active/try", `{"hook":"on_ack","topic":"orders","records":[{"key":"abc","value":"x"}]}`).
		want(200, `ack topic=\"orders\" partition=0 error=0 offset=0`, "key_size=3", `"verdict":"passed"`)
}

// TestTryDisturbsNobody holds that trying poison neither opens the breaker nor counts as the module's work.
func TestTryDisturbsNobody(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.json("PUT", "/v1/topics/orders/interceptors", `{"module":"c","on_error":"strict"}`).want(200)
	poison := strings.Repeat(`{"value":"x","headers":{"do":"trap"}}`+"\n", 50)
	var got admin.TryResult
	p.do("POST", "/v1/modules/c/versions/active/try", strings.NewReader(poison), "Content-Type: "+lines).want(200).into(&got)
	for _, r := range got.Records {
		if r.Cause != "trap" {
			t.Fatalf("%+v", r)
		}
	}
	if got := p.send("orders", "k"); got == "not_available" || got == "rejected" {
		t.Error(got)
	}
	var m admin.ModuleState
	p.do("GET", "/v1/modules/c", http.NoBody).want(200).into(&m)
	if s := m.Versions[0].Stats; s.Instances.Discarded != 0 || s.Hooks["on_send"].Records != 1 || len(m.Faults) != 0 {
		t.Errorf("%+v, %+v", s, m.Faults)
	}
}

func TestTryRefused(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.put("stamp", compiled(t, "example/stamp.c"))
	for _, test := range []struct {
		name, path, contentType, body string
		status                        int
		parts                         []string
	}{
		{"content type", "c/versions/active/try", "text/csv", "a,b", 415, []string{`text/csv`, lines}},
		{"no records", "c/versions/active/try", lines, "\n", 400, []string{"records: there are none"}},
		{"bad line", "c/versions/active/try", lines, "{\"value\":1}\n{\"key\":2}\n", 400, []string{"line 2", `\"value\" is missing`}},
		{"bad record", "c/versions/active/try", "application/json", `{"records":[{"value":1},{"valu":1}]}`, 400, []string{"records[1]", `unknown member`}},
		{"bad hook", "c/versions/active/try?hook=on_ask", lines, `{"value":1}`, 400, []string{"on_ask"}},
		{"other hook", "stamp/versions/active/try?hook=partition", lines, `{"value":1}`, 422, []string{`"code":"hook_not_found"`, "on_send"}},
		{"bad partitions", "c/versions/active/try?partitions=many", lines, `{"value":1}`, 400, []string{"partitions"}},
		{"config refused", "c/versions/active/try", "application/json", `{"config":{"refuse":"R"},"records":[{"value":1}]}`, 422, []string{`"code":"module_not_starting"`, ": R"}},
		{"config no object", "c/versions/active/try?config=1", lines, `{"value":1}`, 400, []string{"config: it must be a JSON object"}},
		{"no version", "c/versions/0123456/try", lines, `{"value":1}`, 404, []string{"0123456"}},
		{"too large", "c/versions/active/try", lines, strings.Repeat(" ", 8<<20+1), 413, []string{"8388608"}},
		{"too many", "c/versions/active/try", lines, strings.Repeat("{\"value\":1}\n", 10_001), 413, []string{"10000"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.do("POST", "/v1/modules/"+test.path, strings.NewReader(test.body), "Content-Type: "+test.contentType).want(test.status, test.parts...)
		})
	}
}
