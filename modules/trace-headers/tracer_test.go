package main

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/sluicetest"
)

const (
	now   = 1700000000123
	trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

// run lets a tracer with a config see one record with headers, and returns those that it has then.
func run(t *testing.T, config string, headers ...sluice.Header) []sluice.Header {
	t.Helper()
	tr := new(tracer)
	if err := sluicetest.Configure(t, tr.configure, config); err != nil {
		t.Fatal(err)
	}
	got := sluicetest.OnSend(t, tr.onSend, sluicetest.Batch{Now: now, Records: []sluicetest.Record{{Headers: headers}}})
	if got.Verdicts[0].Failed != "" {
		t.Fatal(got.Verdicts[0].Failed)
	}
	return got.Verdicts[0].Headers
}

func h(name, value string) sluice.Header { return sluice.Header{Name: name, Value: []byte(value)} }

func TestHeaders(t *testing.T) {
	const off = `"names":{"send_timestamp":"","producer_host":"","source":"","schema_version":"","traceparent":""}`
	for _, c := range []struct {
		name, config string
		in, want     []sluice.Header
	}{
		{"all that is configured", `{"source":"web","schema_version":"3","names":{"traceparent":""}}`, nil, []sluice.Header{
			h("send-timestamp", "1700000000123"), h("producer-host", "gateway-1"), h("source", "web"), h("schema-version", "3"),
		}},
		{"no source, no version", `{"names":{"traceparent":""}}`, nil, []sluice.Header{
			h("send-timestamp", "1700000000123"), h("producer-host", "gateway-1"),
		}},
		{"names", `{"source":"web","names":{"send_timestamp":"ts","producer_host":"ph","source":"s","traceparent":""}}`, nil, []sluice.Header{
			h("ts", "1700000000123"), h("ph", "gateway-1"), h("s", "web"),
		}},
		{"all off", "{" + off + "}", []sluice.Header{h("a", "b")}, []sluice.Header{h("a", "b")}},
		{"what is there stays", `{"source":"web","names":{"traceparent":""}}`, []sluice.Header{h("source", "app"), h("send-timestamp", "1")}, []sluice.Header{
			h("source", "app"), h("send-timestamp", "1"), h("producer-host", "gateway-1"),
		}},
		{"overwrite", `{"source":"web","overwrite":true,"names":{"traceparent":""}}`, []sluice.Header{h("source", "app"), h("source", "b"), h("x", "y")}, []sluice.Header{
			h("x", "y"), h("send-timestamp", "1700000000123"), h("producer-host", "gateway-1"), h("source", "web"),
		}},
		{
			"a valid trace stays", `{"overwrite":true,"names":{"send_timestamp":"","producer_host":""}}`,
			[]sluice.Header{h("traceparent", trace), h("tracestate", "a=b")},
			[]sluice.Header{h("traceparent", trace), h("tracestate", "a=b")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, run(t, c.config, c.in...)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewTrace(t *testing.T) {
	const only = `"names":{"send_timestamp":"","producer_host":""}}`
	sampled := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)
	first := run(t, `{`+only)
	second := run(t, `{`+only, h("traceparent", "00-bad"), h("tracestate", "a=b"))
	for _, got := range [][]sluice.Header{first, second} {
		if len(got) != 1 || got[0].Name != "traceparent" || !sampled.Match(got[0].Value) || !valid(got[0].Value) {
			t.Errorf("headers %q, want one new traceparent", got)
		}
	}
	if string(first[0].Value) == string(second[0].Value) {
		t.Errorf("twice the same trace: %s", first[0].Value)
	}
	if got := run(t, `{"sampled":false,`+only); !regexp.MustCompile(`-00$`).Match(got[0].Value) {
		t.Errorf("sampled = false gives %s", got[0].Value)
	}
}

func TestValid(t *testing.T) {
	for in, want := range map[string]bool{
		trace: true,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00":       true,
		"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":       true, // a later version
		"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra": true,
		"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.extra": false,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra": false,
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":       false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01":       false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01":       false,
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01":       false,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01":       false,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g":       false,
		"0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01":       false,
		"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01":       false,
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331":          false,
		"": false,
	} {
		if got := valid([]byte(in)); got != want {
			t.Errorf("valid(%q) = %v", in, got)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for config, want := range map[string]string{
		`{"sorce":"web"}`:            `config: unknown key "sorce", known are source, schema_version, overwrite, sampled, names`,
		`{"source":1}`:               `config /source: 1 must be a string`,
		`{"schema_version":3}`:       `config /schema_version: 3 must be a string`,
		`{"overwrite":"yes"}`:        `config /overwrite: "yes" must be true or false`,
		`{"sampled":1}`:              `config /sampled: 1 must be true or false`,
		`{"names":[]}`:               `config /names: [] must be an object`,
		`{"names":{"trace":"x"}}`:    `config /names: unknown key "trace", known are send_timestamp, producer_host, source, schema_version, traceparent`,
		`{"names":{"source":false}}`: `config /names/source: false must be a string`,
	} {
		err := sluicetest.Configure(t, new(tracer).configure, config)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}
