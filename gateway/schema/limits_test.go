package schema

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"

	"sluice/gateway/config"
	"sluice/gateway/schema/codec"
	"sluice/gateway/schema/jsonschema"
	"sluice/gateway/schema/protobuf"
)

// limited is a Registry with settings of [schema].
func limited(t testing.TB, settings string) *Registry {
	t.Helper()
	cfg, err := config.Parse("f", []byte("kafka.bootstrap.servers = 'b:1'\n[schema]\nregistry.url = 'http://127.0.0.1:1'\n"+settings))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := open(t, cfg.Schema)
	return r
}

// TestLimitsAreSettings holds that each limit has a setting that moves it, by which errors name it.
func TestLimitsAreSettings(t *testing.T) {
	const head = `syntax = "proto3"; `
	nested := func(open, inner, closes string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(closes, n)
	}
	digits := `{"maximum":` + strings.Repeat("1", 25) + `}`
	for _, c := range []struct {
		setting string
		value   int
		format  Format
		schema  string
		data    string // a value that is beyond the limit; "" if the schema is
	}{
		{"max.bytes", 1024, Protobuf, head + "message A {" + strings.Repeat(" ", 1024) + "}", ""},
		{"max.bytes", 1024, JSONSchema, `{"title":"` + strings.Repeat("x", 1024) + `"}`, ""},
		{"max.bytes", 1024, Avro, `{"type":"int","doc":"` + strings.Repeat("x", 1024) + `"}`, ""},
		{"max.depth", 2, Avro, `{"type":"array","items":{"type":"array","items":{"type":"array","items":"int"}}}`, "[[[1]]]"},
		{"max.depth", 2, Protobuf, head + "message A { A a = 1; }", `{"a":{"a":{}}}`},
		{"max.depth", 2, JSONSchema, "{}", "[[[1]]]"},
		{"protobuf.max.nesting", 3, Protobuf, head + nested("message A {", "", "}", 4), ""},
		{"protobuf.max.messages", 2, Protobuf, head + "message A {} message B {} message C {}", ""},
		{"protobuf.max.name.bytes", 1024, Protobuf, head + "package " + strings.Repeat("p", 500) + "; message A {} message B {} message C {}", ""},
		{"jsonschema.max.nesting", 3, JSONSchema, nested(`{"not":`, "true", "}", 4), ""},
		{"jsonschema.max.objects", 3, JSONSchema, `{"allOf":[{},{},{}]}`, ""},
		{"jsonschema.max.places", 3, JSONSchema, `{"$id":"a","allOf":[{},{},{}]}`, ""},
		{"jsonschema.max.pattern", 20, JSONSchema, `{"pattern":"a{30}"}`, ""},
		{"jsonschema.max.patterns", 40, JSONSchema, `{"allOf":[{"pattern":"a{20}"},{"pattern":"b{20}"}]}`, ""},
		{"jsonschema.max.matching", 100, JSONSchema, `{"pattern":"a{30}"}`, `"aaaaaaaaaa"`},
		{"jsonschema.max.digits", 20, JSONSchema, digits, ""},
		{"jsonschema.max.digits", 20, JSONSchema, `true`, `1e25`},
		{"jsonschema.max.visits", 3, JSONSchema, `{"anyOf":[true,true,true,true]}`, ""},
		{"jsonschema.max.visits", 20, JSONSchema, `{"properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}}}`, nested(`{"a":`, "1", "}", 10)},
	} {
		t.Run(c.setting+" "+c.format.Name(), func(t *testing.T) {
			err := encodeWith(t, limited(t, fmt.Sprintf("%s = %d", c.setting, c.value)), c.format, c.schema, c.data)
			if err == nil || !strings.Contains(err.Error(), "schema."+c.setting) {
				t.Errorf("%v", err)
			}
			if err := encodeWith(t, limited(t, ""), c.format, c.schema, ""); err != nil {
				t.Errorf("by default: %v", err)
			}
		})
	}
}

// encodeWith compiles a schema and writes a value, if there is one.
func encodeWith(t *testing.T, r *Registry, f Format, text, data string) error {
	t.Helper()
	s, err := r.newSchema(t.Context(), sr.SubjectSchema{Schema: sr.Schema{Schema: text, Type: f.registryType()}})
	if err != nil {
		return err
	}
	c, err := s.Codec(codec.Options{MaxDepth: r.cfg.MaxDepth})
	if err == nil && data != "" {
		_, err = c.Encode(nil, []byte(data))
	}
	return err
}

// TestJSONDepthIsASetting: of JSON without a schema, too.
func TestJSONDepthIsASetting(t *testing.T) {
	r := limited(t, "json.max.depth = 2")
	for _, settings := range []string{"value.serializer = 'json'", "key.from = 'json:/a'"} {
		got := serialize(t, serializer(t, r, settings), `k=[[1]]`, `k=[[[1]]]`)
		if got[0].err != nil || got[1].err == nil || !strings.Contains(got[1].err.Message, "at most 2 levels of nesting (schema.json.max.depth)") {
			t.Errorf("%s: %v, %v", settings, got[0].err, got[1].err)
		}
	}
}

// TestJSONSchemaSettings holds that draft and format are as the configuration says.
func TestJSONSchemaSettings(t *testing.T) {
	const dependent, format = `{"dependentRequired":{"a":["b"]}}`, `{"format":"date"}`
	if err := encodeWith(t, limited(t, ""), JSONSchema, dependent, `{"a":1}`); err != nil {
		t.Errorf("draft 7 does not know dependentRequired: %v", err)
	}
	for _, draft := range []string{"2019-09", "2020-12"} {
		if err := encodeWith(t, limited(t, "jsonschema.default.draft = '"+draft+"'"), JSONSchema, dependent, `{"a":1}`); err == nil {
			t.Errorf("draft %s does", draft)
		}
	}
	if err := encodeWith(t, limited(t, "jsonschema.default.draft = '4'"), JSONSchema, `{"minimum":1,"exclusiveMinimum":true}`, `1`); err == nil {
		t.Error("in draft 4 exclusiveMinimum is a boolean")
	}
	if err := encodeWith(t, limited(t, ""), JSONSchema, format, `"x"`); err == nil {
		t.Error("format is checked by default")
	}
	if err := encodeWith(t, limited(t, "jsonschema.check.format = false"), JSONSchema, format, `"x"`); err != nil {
		t.Error(err)
	}
}

// TestDefaultsAreThoseOfTheCodecs holds that the table of settings says what the packages of the formats would do without one.
func TestDefaultsAreThoseOfTheCodecs(t *testing.T) {
	c := limited(t, "").compiler
	p, j := protobuf.DefaultLimits(), jsonschema.DefaultSettings()
	p.SchemaBytes, j.Limits.SchemaBytes = c.protobuf.SchemaBytes, c.jsonschema.Limits.SchemaBytes // schema.max.bytes is of all formats
	if diff := cmp.Diff(c.protobuf, p) + cmp.Diff(c.jsonschema, j); diff != "" {
		t.Error(diff)
	}
}

// TestValuesAreNotQuoted holds that with errors.quote.values = false no error has anything of a value in it.
func TestValuesAreNotQuoted(t *testing.T) {
	f := newFake(t)
	mustRegister(t, f, "orders-value", `{"type":"record","name":"R","fields":[{"name":"i","type":"int"},{"name":"d","type":{"type":"int","logicalType":"date"}}]}`)
	for subject, s := range map[string]sr.Schema{
		"p": {Schema: `syntax = "proto3"; import "google/protobuf/timestamp.proto"; message A { int32 i = 1; google.protobuf.Timestamp t = 2; map<int32, bool> m = 3; }`, Type: sr.TypeProtobuf},
		"j": {Schema: `{"properties":{"i":{"type":"integer"},"e":{"enum":["a"]},"n":{"propertyNames":{"maxLength":2}}}}`, Type: sr.TypeJSON},
	} {
		if _, _, err := f.RegisterSchema(subject, s); err != nil {
			t.Fatal(err)
		}
	}
	avro, proto, json := "value.serializer = 'avro'", "value.serializer = 'protobuf'\nvalue.schema.subject = 'p'", "value.serializer = 'jsonschema'\nvalue.schema.subject = 'j'"
	for _, c := range []struct{ settings, in, found string }{
		{avro, `{"i":"secret","d":1}`, "a string"},
		{avro, `{"i":1,"d":"secret"}`, "a string"},
		{avro, `{"i":7777777777,"d":1}`, "a number"},
		{proto, `{"i":"secret"}`, "a string"},
		{proto, `{"i":7777777777}`, "a number"},
		{proto, `{"t":"secret"}`, "another string"},
		{proto, `{"m":{"secret":true}}`, "another key"},
		{json, `{"i":"secret"}`, "a string"},
		{json, `{"i":7777777777.5}`, "a number"},
		{json, `{"e":"secret"}`, "a string"},
		{json, `{"e":true}`, "a boolean"},
		{json, `{"e":null}`, "null"},
		{json, `{"e":["secret"]}`, "an array"},
		{json, `{"n":{"secret":1}}`, "another name"},
		{"value.serializer = 'raw'\ntimestamp.from = 'json:/at'", `{"at":"secret"}`, "another"},
	} {
		for _, quote := range []bool{true, false} {
			cfg := schemaConfig(f.URL())
			cfg.QuoteValues = quote
			r, _ := open(t, cfg)
			err := serialize(t, serializer(t, r, c.settings), "k="+c.in)[0].err
			if err == nil || err.Mismatch == nil {
				t.Fatalf("%s: %v", c.in, err)
			}
			if (err.Mismatch.Found == c.found) == quote && c.found != "null" && c.found != "an array" && c.found != "another name" {
				t.Errorf("%s, quoted %v: found %s", c.in, quote, err.Mismatch.Found)
			}
			if !quote && (strings.Contains(err.Message, "secret") && !strings.Contains(err.Mismatch.Path, "secret") || strings.Contains(err.Message, "7777")) {
				t.Errorf("%s: %s", c.in, err.Message)
			}
		}
	}
}

// TestCacheIsBoundInBytes holds that schemas which are used least give way before schema.cache.max.bytes is reached.
func TestCacheIsBoundInBytes(t *testing.T) {
	f := newFake(t)
	cfg := schemaConfig(f.URL())
	cfg.MaxBytes, cfg.CacheBytes = 1024, 5000
	r, c := open(t, cfg)
	r.bySubject.maxAge = 1
	for i := range 20 {
		subject := fmt.Sprintf("s%d", i)
		mustRegister(t, f, subject, fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1,"doc":"%s"}`, i, strings.Repeat("x", 900)))
		if _, err := r.Version(t.Context(), subject, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Version(t.Context(), "s0", 0); err != nil { // which stays, since it is used
			t.Fatal(err)
		}
	}
	s := r.Cached()
	if s.Subjects != 5 || s.Bytes < 4500 || s.Bytes > 5000 || len(r.bySubject.entries) != 5 {
		t.Errorf("%+v, %d entries", s, len(r.bySubject.entries))
	}
	if _, ok := r.bySubject.peek("s0"); !ok {
		t.Error("what is used most was given up")
	}
	f.setFail(answers(500, 50001, "down"))
	c.advance(cfg.MissingTTL)
	for _, name := range []string{"s0", "s19"} { // a refresh changes nothing of what is held
		if _, err := r.Version(t.Context(), name, 0); err != nil {
			t.Fatal(err)
		}
	}
	r.wg.Wait()
	if again := r.Cached(); again.Bytes != s.Bytes || again.Subjects != s.Subjects {
		t.Errorf("%+v, and before %+v", again, s)
	}
}

// TestCacheKeepsWhatCouldNotBeRefreshed holds that a value which was given up while it was looked up again in vain is one of those that
// are counted, and not known for ever.
func TestCacheKeepsWhatCouldNotBeRefreshed(t *testing.T) {
	f := newFake(t)
	cfg := schemaConfig(f.URL())
	cfg.CacheSize = 2
	r, c := open(t, cfg)
	for i := range 3 {
		mustRegister(t, f, fmt.Sprintf("s%d", i), fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1}`, i))
	}
	version := func(subject string) {
		t.Helper()
		if _, err := r.Version(t.Context(), subject, 0); err != nil {
			t.Fatal(err)
		}
	}
	version("s0")
	gate := make(chan struct{})
	f.setFail(func(w http.ResponseWriter, req *http.Request) bool {
		if strings.Contains(req.URL.Path, "/s0/") {
			<-gate
			return answers(500, 50001, "down")(w, req)
		}
		return false
	})
	c.advance(cfg.LatestTTL)
	version("s0") // which begins a refresh
	version("s1")
	version("s2") // which pushes s0 out
	close(gate)
	waitUntil(t, func() bool { return r.Stats.Stale.Load() == 1 })
	r.bySubject.mu.Lock()
	defer r.bySubject.mu.Unlock()
	if n := r.bySubject.good.Len(); n != len(r.bySubject.entries) || n != 2 {
		t.Errorf("%d values in the list, %d in the map", n, len(r.bySubject.entries))
	}
}
