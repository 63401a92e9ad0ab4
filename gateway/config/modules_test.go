package config

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mustBind returns topic a of a file with these lines, and a table for every other topic.
func mustBind(t testing.TB, file, lines string) Topic {
	t.Helper()
	c, err := Parse(file, []byte("kafka.bootstrap.servers = \"b:9092\"\n[topics.'*.DLT']\n"+lines))
	if err != nil {
		t.Fatalf("%s\n%v", lines, err)
	}
	topic, ok := c.Topic("a")
	if !ok {
		t.Fatal("topic a has no table")
	}
	return topic
}

// TestBindings holds that TOML's spellings of a table make the same bindings, each knowing its line.
func TestBindings(t *testing.T) {
	part := Binding{
		Module: "region", Config: json.RawMessage(`{"a.b":{"c":[{"d":1},{"d":2}]},"e":"x"}`), OnError: "strict", Instances: 2,
		Fallback: "sticky", File: "f",
	}
	first := Binding{Module: "trace-headers", Config: json.RawMessage(`{}`), OnError: "continue", File: "f"}
	second := Binding{
		Module: "conf/redact.wasm", Path: true, Config: json.RawMessage(`{"fields":["card"]}`), OnError: "dlq",
		Routes: []string{"x.DLT", "*"}, File: "f",
	}
	for name, c := range map[string]struct {
		toml  string
		lines [3]int
	}{
		"inline": {`
[topics.a]
dead_letter.topic = "a.DLT"
partitioner = { module = "region", config = { "a.b" = { c = [{ d = 1 }, { d = 2 }] }, e = "x" }, on_error = "strict", instances = 2, fallback = "sticky" }
interceptors = [
  { module = "trace-headers" },
  { module = "conf/redact.wasm", on_error = "dlq", routes = ["x.DLT", "*"], config = { fields = ["card"] } },
]`, [3]int{4, 6, 7}},
		"tables": {`
[topics.a]
dead_letter.topic = "a.DLT"
[topics.a.partitioner]
fallback = "sticky"
on_error = "strict"
instances = 2
module = "region"
[topics.a.partitioner.config]
e = "x"
[[topics.a.partitioner.config."a.b".c]]
d = 1
[[topics.a.partitioner.config."a.b".c]]
d = 2
[[topics.a.interceptors]]
module = "trace-headers"
[topics.a.interceptors.config]
[[topics.a.interceptors]]
module = "conf/redact.wasm"
routes = "x.DLT, *"
on_error = "dlq"
[topics.a.interceptors.config]
fields = ["card"]`, [3]int{4, 15, 18}},
		"dotted": {`
topics.a.partitioner.module = "region"
topics.a.partitioner.config."a.b".c = [{ d = 1 }, { d = 2 }]
topics.a.partitioner.config.e = "x"
topics.a.partitioner.on_error = "strict"
topics.a.partitioner.instances = 2
topics.a.partitioner.fallback = "sticky"
topics.a.dead_letter.topic = "a.DLT"
topics.a.interceptors = [{ module = "trace-headers", config = {} }, { module = "./conf//redact.wasm",
  on_error = "dlq", routes = [ "x.DLT", "*" ], config.fields = ["card"] }]`, [3]int{2, 9, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			text := "kafka.bootstrap.servers = \"b:9092\"" + c.toml + "\n[topics.'*.DLT']\n"
			cfg, err := Parse("f", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			got, _ := cfg.Topic("a")
			part.Line, first.Line, second.Line = c.lines[0], c.lines[1], c.lines[2]
			part.Key, first.Key, second.Key = "topics.a.partitioner", "topics.a.interceptors[0]", "topics.a.interceptors[1]"
			if diff := deepDiff(&part, got.PartitionerModule); diff != "" {
				t.Errorf("partitioner (-want +got)\n%s", diff)
			}
			if diff := deepDiff([]Binding{first, second}, got.Interceptors); diff != "" {
				t.Errorf("interceptors (-want +got)\n%s", diff)
			}
			if got.Partitioner != "sticky" || got.DeadLetter.Topic != "a.DLT" {
				t.Errorf("Partitioner = %q, DeadLetterTopic = %q", got.Partitioner, got.DeadLetter.Topic)
			}
		})
	}
}

// deepDiff compares field by field, where cmp.Diff would ask Equal.
func deepDiff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	text := func(v any) string {
		data, _ := json.MarshalIndent(v, "", "  ")
		return string(data)
	}
	return cmp.Diff(text(want), text(got)) + "\n"
}

// TestBindingDefaults holds what a binding has that says nothing but its module, and what a topic has without one.
func TestBindingDefaults(t *testing.T) {
	got := mustBind(t, "f", "[topics.a]\npartitioner.module = 'p'\ninterceptors = [{ module = 'i' }]")
	part := &Binding{Module: "p", Config: json.RawMessage("{}"), OnError: "continue", Fallback: "murmur2", File: "f", Line: 4, Key: "topics.a.partitioner"}
	if diff := deepDiff(part, got.PartitionerModule); diff != "" || got.Partitioner != "murmur2" {
		t.Errorf("partitioner %q (-want +got)\n%s", got.Partitioner, diff)
	}
	list := []Binding{{Module: "i", Config: json.RawMessage("{}"), OnError: "continue", File: "f", Line: 5, Key: "topics.a.interceptors[0]"}}
	if diff := deepDiff(list, got.Interceptors); diff != "" {
		t.Errorf("interceptors (-want +got)\n%s", diff)
	}
	for _, lines := range []string{"[topics.a]", "[topics.a]\ninterceptors = []\npartitioner = 'murmur2'"} {
		got = mustBind(t, "f", lines)
		if got.PartitionerModule != nil || len(got.Interceptors) != 0 || got.DeadLetter.Topic != "" || got.Partitioner != "murmur2" {
			t.Errorf("%s: %+v", lines, got)
		}
	}
}

// TestInterceptorsReplace holds that a topic gets the list of its own table only.
func TestInterceptorsReplace(t *testing.T) {
	c, err := Parse("f", []byte(`kafka.bootstrap.servers = "b:9092"
[topics."*"]
interceptors = [{ module = "all" }]
partitioner.module = "all"
[topics."logs.*"]
interceptors = [{ module = "logs" }]
[topics."logs.raw"]
`))
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string][2]string{"x": {"all", "all"}, "logs.x": {"logs", ""}, "logs.raw": {"", ""}} {
		got, _ := c.Topic(topic)
		var modules [2]string
		for _, b := range got.Interceptors {
			modules[0] += b.Module
		}
		if got.PartitionerModule != nil {
			modules[1] = got.PartitionerModule.Module
		}
		if modules != want {
			t.Errorf("%s: interceptors and partitioner %q, want %q", topic, modules, want)
		}
	}
}

// TestModuleConfig holds what JSON a module gets for its table.
func TestModuleConfig(t *testing.T) {
	for toml, want := range map[string]string{
		``:                                       `{}`,
		`config = {}`:                            `{}`,
		`config = { z = 1, a = 2, "" = 3 }`:      `{"":3,"a":2,"z":1}`,
		`config = { a = true, b = [false, []] }`: `{"a":true,"b":[false,[]]}`,
		`config = { a = 9223372036854775807, b = -0 }`:                 `{"a":9223372036854775807,"b":0}`,
		`config = { a = 0xff, b = 0o17, c = 0b11, d = 1_000, e = +7 }`: `{"a":255,"b":15,"c":3,"d":1000,"e":7}`,
		`config = { a = 1.5, b = -1e3, c = 1_0.25, d = 6.02e23 }`:      `{"a":1.5,"b":-1000,"c":10.25,"d":6.02e+23}`,
		`config = { a = "<&>\u0000\"\\\n", b = 'é' }`:                  `{"a":"<&>\u0000\"\\\n","b":"é"}`,
		`config = { a = 1979-05-27T00:32:00.500-07:00 }`:               `{"a":"1979-05-27T00:32:00.5-07:00"}`,
		`config = { a = 1979-05-27 07:32:00z }`:                        `{"a":"1979-05-27T07:32:00Z"}`,
		`config = { a = 1979-05-27T07:32:00 }`:                         `{"a":"1979-05-27T07:32:00"}`,
		`config = { a = 1979-05-27, b = 07:32:00 }`:                    `{"a":"1979-05-27","b":"07:32:00"}`,
		`config = { a.b = 1, a.c = { d = [{ e.f = 1 }, 2] } }`:         `{"a":{"b":1,"c":{"d":[{"e":{"f":1}},2]}}}`,
		"config.text = \"\"\"\na\nb\"\"\"":                             `{"text":"a\nb"}`,
	} {
		got := mustBind(t, "f", "[topics.a]\ninterceptors = [{ module = 'm', "+strings.TrimPrefix(toml, " ")+" }]")
		if string(got.Interceptors[0].Config) != want {
			t.Errorf("in a list: %s: %s, want %s", toml, got.Interceptors[0].Config, want)
		}
		got = mustBind(t, "f", "[topics.a.partitioner]\nmodule = 'm'\n"+toml)
		if string(got.PartitionerModule.Config) != want {
			t.Errorf("in a table: %s: %s, want %s", toml, got.PartitionerModule.Config, want)
		}
	}
}

// TestModulePath holds what is a path, and that a relative one is relative to the configuration's folder.
func TestModulePath(t *testing.T) {
	for _, c := range []struct {
		file, module, want string
		path               bool
	}{
		{"config.toml", "redact", "redact", false},
		{"etc/config.toml", "redact", "redact", false},
		{"etc/config.toml", "0.a_b-c", "0.a_b-c", false},
		{"etc/config.toml", strings.Repeat("a", 64), strings.Repeat("a", 64), false},
		{"config.toml", "redact.wasm", "./redact.wasm", true},
		{"config.toml", "./Redact/", "./Redact", true},
		{"config.toml", "mods/redact", "mods/redact", true},
		{"/etc/sluice/config.toml", "mods/redact", "/etc/sluice/mods/redact", true},
		{"/etc/sluice/config.toml", "../redact.wasm", "/etc/redact.wasm", true},
		{"../config.toml", "redact.wasm", "../redact.wasm", true},
		{"etc/config.toml", "/opt//x.wasm", "/opt/x.wasm", true},
	} {
		b := mustBind(t, c.file, "[topics.a.partitioner]\nmodule = '"+c.module+"'").PartitionerModule
		if b.Module != c.want || b.Path != c.path {
			t.Errorf("%s in %s = %q, path %v; want %q, %v", c.module, c.file, b.Module, b.Path, c.want, c.path)
		}
	}
	for _, name := range []string{"", "A", "a b", "-a", ".a", "_a", "é", "a:b", strings.Repeat("a", 65), "..", "~", "a/" + strings.Repeat("x/", 4095)} {
		_, err := Parse("f", fmt.Appendf(nil, "kafka.bootstrap.servers='b:1'\n[topics.a.partitioner]\nmodule = '%s'", name))
		if err == nil || !strings.Contains(err.Error(), "f:3: topics.a.partitioner.module = ") {
			t.Errorf("module %q: %v", name, err)
		}
	}
}

// TestConfigMaxBytes holds that the limit is on the JSON, and inclusive.
func TestConfigMaxBytes(t *testing.T) {
	parse := func(n int) error {
		_, err := Parse("f", fmt.Appendf(nil, "kafka.bootstrap.servers='b:1'\n[topics.a]\ninterceptors = [{ module = 'm', config = { a = '%s' } }]",
			strings.Repeat("x", n-len(`{"a":""}`))))
		return err
	}
	if err := parse(65536); err != nil {
		t.Error(err)
	}
	if err := parse(65537); err == nil || !strings.Contains(err.Error(), "f:3: topics.a.interceptors[0].config") ||
		!strings.Contains(err.Error(), "has 65537 bytes as JSON, must have at most wasm.config.max.bytes = 65536 (default)") || len(err.Error()) > 300 {
		t.Errorf("%v", err)
	}
}

// TestTornModules holds that a syntax error does not cause errors about tables that could not be read.
func TestTornModules(t *testing.T) {
	got := parseErrors(t, "kafka.bootstrap.servers='b:1'\n[topics.a]\ndead_letter.topic = 'b'\ninterceptors = [{ module = 'M', routes = 'b' }]\n[topics.b\n")
	if len(got) != 2 || !strings.HasPrefix(got[0], "4: topics.a.interceptors[0].module") || !strings.HasPrefix(got[1], "5: syntax") {
		t.Errorf("%q", got)
	}
}

// TestTopicEqual holds that Equal looks at every field: each that is changed alone must make a difference, but for where
// a binding stands. A new field is found by reflection.
func TestTopicEqual(t *testing.T) {
	a := equalSample(t)
	if b := equalSample(t); !a.Equal(b) || !b.Equal(a) {
		t.Fatalf("a file is not equal to itself: %+v, %+v", a, b)
	}
	walk(reflect.ValueOf(&a).Elem(), "Topic", func(path string, f reflect.Value) {
		was := reflect.New(f.Type()).Elem()
		was.Set(f)
		change(t, path, f)
		b := equalSample(t)
		position := strings.HasSuffix(path, ".File") || strings.HasSuffix(path, ".Line") || strings.HasSuffix(path, ".Key")
		if a.Equal(b) != position || b.Equal(a) != position {
			t.Errorf("%s changed: Equal = %v", path, a.Equal(b))
		}
		f.Set(was)
	})
	for what, b := range map[string]Topic{
		"no partitioner": func(b Topic) Topic { b.PartitionerModule = nil; return b }(a),
		"no interceptor": func(b Topic) Topic { b.Interceptors = nil; return b }(a),
		"one more":       func(b Topic) Topic { b.Interceptors = append(b.Interceptors, Binding{}); return b }(a),
	} {
		if a.Equal(b) || b.Equal(a) {
			t.Errorf("%s: equal", what)
		}
	}
}

func equalSample(t *testing.T) Topic {
	t.Helper()
	return mustBind(t, "f", "[topics.a]\nprofile = 'durable'\ndead_letter.topic = 'a.DLT'\npartitioner = { module = 'p' }\ninterceptors = [{ module = 'i', routes = ['a'] }]\n"+
		"key.serializer = 'avro'\nkey.schema.file = 'k'\nkey.schema.references = ['a=b:1']\nvalue.serializer = 'avro'\nvalue.schema.file = 'v'\n"+
		"value.schema.references = ['a=b:1']\nkey.from = 'json:/k'\ntimestamp.from = 'json:/t'\nheader.from = ['a=json:/h']\n[schema]\nregistry.url = 'embedded'")
}

// walk calls f with every field that holds no further ones.
func walk(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case v.Kind() == reflect.Pointer:
		walk(v.Elem(), path, f)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		walk(v.Index(0), path+"[0]", f)
	default:
		f(path, v)
	}
}

func change(t *testing.T, path string, f reflect.Value) {
	t.Helper()
	switch f.Kind() {
	case reflect.String:
		f.SetString(f.String() + "x")
	case reflect.Bool:
		f.SetBool(!f.Bool())
	case reflect.Int, reflect.Int64:
		f.SetInt(f.Int() + 1)
	case reflect.Slice:
		f.Set(reflect.Append(reflect.AppendSlice(reflect.MakeSlice(f.Type(), 0, 0), f), reflect.Zero(f.Type().Elem())))
	default:
		t.Fatalf("%s is a %s: teach this test to change it", path, f.Kind())
	}
}

// TestBindingFieldsAreSet holds that every field of Binding is reached by some key.
func TestBindingFieldsAreSet(t *testing.T) {
	c, err := Load("testdata/everything.good.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := c.Topic("everything")
	bare := mustBind(t, "f", "[topics.a]\npartitioner.module = 'p'\ninterceptors = [{ module = 'i' }]")
	is := func(i int, b Topic) any {
		one, two := reflect.ValueOf(*b.PartitionerModule), reflect.ValueOf(b.Interceptors[0])
		return [2]any{one.Field(i).Interface(), two.Field(i).Interface()}
	}
	for i := range reflect.TypeFor[Binding]().NumField() {
		if reflect.DeepEqual(is(i, got), is(i, bare)) {
			t.Errorf("%s = %v in both", reflect.TypeFor[Binding]().Field(i).Name, is(i, got))
		}
	}
}

// TestNamesNest holds that all settings of a section can be set in one file: in TOML a key that has a value is no table.
func TestNamesNest(t *testing.T) {
	all := Settings()
	for _, a := range all {
		for _, b := range all {
			if a.Section == b.Section && a.Support == Works && b.Support == Works && strings.HasPrefix(b.Name, a.Name+".") {
				t.Errorf("[%s] %s is a value, so there cannot be %s", a.Section, a.Name, b.Name)
			}
		}
	}
}

// TestReportBindings holds how check shows bindings, to people and to scripts.
func TestReportBindings(t *testing.T) {
	c, err := Parse("config.toml", []byte(`kafka.bootstrap.servers = "b:9092"
[topics.a]
partitioner = { module = "region-partitioner", config = { us-east = 0 } }
[[topics.a.interceptors]]
module = "./redact"
on_error = "strict"
config.fields = ["`+strings.Repeat("card", 50)+`"]
`))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := c.Explain("a")
	var shown []Effective
	for _, s := range r.Settings {
		if strings.HasPrefix(s.Name, "partitioner") && !strings.HasPrefix(s.Name, "partitioner.a") && s.Name != "partitioner.ignore.keys" ||
			strings.HasPrefix(s.Name, "interceptors") {
			shown = append(shown, s)
		}
	}
	var text strings.Builder
	if err := (TopicReport{Topic: "a", Pattern: "a", Settings: shown}).WriteText(&text); err != nil {
		t.Fatal(err)
	}
	want := `a: [topics.a]
  partitioner.module         region-partitioner  config.toml:3 [topics.a]
  partitioner.config         {"us-east":0}       config.toml:3 [topics.a]
  partitioner.instances      0                   default
  partitioner.on_error       continue            default
  partitioner.fallback       murmur2             default
  interceptors[0].module     ./redact            config.toml:5 [topics.a]
  interceptors[0].config     CONFIG              config.toml:7 [topics.a]
  interceptors[0].instances  0                   default
  interceptors[0].on_error   strict              config.toml:6 [topics.a]

`
	long := shorten(`{"fields":["` + strings.Repeat("card", 50))
	got := strings.ReplaceAll(text.String(), long, "CONFIG")
	if diff := cmp.Diff(strings.Join(strings.Fields(want), " "), strings.Join(strings.Fields(got), " ")); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, text.String())
	}
	data, err := json.Marshal(c.Report())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`{"name":"partitioner.config","value":{"us-east":0},"origin":"config.toml:3 [topics.a]"}`,
		`{"name":"interceptors[0].config","value":{"fields":["` + strings.Repeat("card", 50) + `"]}`,
	} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in\n%s", part, data)
		}
	}
	if strings.Contains(string(data), `{"name":"partitioner",`) {
		t.Errorf("partitioner is reported beside partitioner.module:\n%s", data)
	}
}

// TestManyRegions holds that a table with thousands of keys arrives whole.
func TestManyRegions(t *testing.T) {
	var file strings.Builder
	file.WriteString("kafka.bootstrap.servers = 'b:1'\nwasm.config.max.bytes = 1000000\n[topics.a.partitioner]\nmodule = 'region'\n[topics.a.partitioner.config]\n")
	for i := range 5_000 {
		fmt.Fprintf(&file, "region-%d = %d\n", i, i)
	}
	c, err := Parse("f", []byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	topic, _ := c.Topic("a")
	var regions map[string]int
	if err := json.Unmarshal(topic.PartitionerModule.Config, &regions); err != nil || len(regions) != 5_000 || regions["region-4999"] != 4999 {
		t.Errorf("%d regions, %v", len(regions), err)
	}
}

// FuzzModule holds that whatever a module's table says, Parse takes it whole or refuses it with the line, and that
// what it takes keeps the promises of Binding.
func FuzzModule(f *testing.F) {
	data, err := os.ReadFile("testdata/modules.bad.toml")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "[") && !strings.HasPrefix(line, "#") {
			f.Add(line)
		}
	}
	f.Add("partitioner = { module = 'a', config = { a = 1979-05-27T07:32:00Z, b = 1.5, c = [{ d.e = 0x1 }] } }")
	f.Add("[[topics.a.interceptors]]\nmodule = 'x.wasm'\n[topics.a.interceptors.config]\na = 1\n[[topics.a.interceptors.config.b]]\nc = 1")
	f.Fuzz(func(t *testing.T, lines string) {
		file := "kafka.bootstrap.servers = 'b:1'\n[topics.'*']\n[topics.a]\n" + lines
		c, err := Parse("f", []byte(file))
		if err != nil {
			checkErrors(t, err, []byte(file))
			return
		}
		topic, _ := c.Topic("a")
		checkBindings(t, topic, strings.Count(file, "\n")+1, c.Wasm.ConfigMaxBytes)
		again, err := Parse("f", []byte("\n"+file))
		if err != nil {
			t.Fatalf("one line further down: %v", err)
		}
		if other, _ := again.Topic("a"); !topic.Equal(other) {
			t.Errorf("%+v is not equal to itself, one line further down: %+v", topic, other)
		}
	})
}

// checkBindings holds a topic to what Topic and Binding promise.
func checkBindings(t *testing.T, topic Topic, lines, limit int) {
	t.Helper()
	all := topic.Interceptors
	if p := topic.PartitionerModule; p != nil {
		all = append([]Binding{*p}, all...)
		if p.Fallback != topic.Partitioner || len(p.Routes) > 0 || p.OnError == onErrorDLQ {
			t.Errorf("%+v with partitioner %q", p, topic.Partitioner)
		}
	}
	for i, b := range all {
		var config map[string]any
		if err := json.Unmarshal(b.Config, &config); err != nil || config == nil || len(b.Config) > limit {
			t.Errorf("%d: config %s: %v", i, b.Config, err)
		}
		if b.Path != isPath(b.Module) || !b.Path && !isModuleName(b.Module) || b.Line < 1 || b.Line > lines || b.File != "f" {
			t.Errorf("%d: %+v in a file of %d lines", i, b, lines)
		}
		if b.OnError == onErrorDLQ && topic.DeadLetter.Topic == "" || b.Instances < 0 || b.Instances > 64 || i > maxInterceptors {
			t.Errorf("%d: %+v, dead letter topic %q", i, b, topic.DeadLetter.Topic)
		}
	}
}
