package config

import (
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite SETTINGS.md")

func TestSettingsReference(t *testing.T) {
	var got strings.Builder
	if err := WriteReference(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("SETTINGS.md", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("SETTINGS.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("SETTINGS.md is not what the table says; run go generate ./gateway/config (-file +table)\n%s", diff)
	}
}

// TestSettings holds that every row of the table is complete, and that its default is a value that it accepts.
func TestSettings(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range Settings() {
		key := s.Section + "/" + s.Name
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if s.Doc == "" || !strings.HasSuffix(s.Doc, ".") {
			t.Errorf("%s: Doc = %q: must be a sentence", key, s.Doc)
		}
		switch s.Support {
		case Works:
			checkWorks(t, key, &s)
		case Refused:
			if s.Reason == "" {
				t.Errorf("%s is refused without a reason", key)
			}
		case Later:
		default:
			t.Errorf("%s: Support = %q", key, s.Support)
		}
	}
}

func checkWorks(t *testing.T, key string, s *Setting) {
	t.Helper()
	v := literal{kind: kindString}
	switch d := s.Default.(type) {
	case nil:
		return
	case bool:
		v = literal{kind: kindBool, b: d}
	case int64:
		v = literal{kind: kindInt, i: d}
	case string:
		v.s = d
	case []string:
		v.s = strings.Join(d, ",")
	}
	if got, rule := s.convert(v); rule != "" || !reflect.DeepEqual(got, s.Default) {
		t.Errorf("%s: default %v converts to %v (%s)", key, s.Default, got, rule)
	}
}

// TestEveryFieldIsSet holds that each field of Config is reached by some setting: a file that sets all settings to
// something else than their default changes all fields.
func TestEveryFieldIsSet(t *testing.T) {
	data, err := os.ReadFile("testdata/everything.good.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("f", data)
	if err != nil {
		t.Fatal(err)
	}
	d := Default()
	mustDiffer(t, "Config", reflect.ValueOf(*c), reflect.ValueOf(*d))
	got, _ := c.Topic("everything")
	was, _ := d.Topic("everything")
	mustDiffer(t, "Topic", reflect.ValueOf(got), reflect.ValueOf(was))

	set := make(map[string]bool)
	for _, e := range scan("f", data).entries {
		p := placeOf(e.path)
		set[p.section+"/"+p.name] = true
	}
	r, _ := c.Explain("everything")
	for _, s := range r.Settings { // the keys of bindings, and where they stand
		section, name, _ := strings.Cut(strings.Replace(s.Name, "[0]", "", 1), ".")
		if s.Origin != "default" && slices.Contains(bindingSections(), section) {
			set[section+"/"+name] = true
		}
	}
	single := map[string]bool{ // one value only, or one of two ways
		"kafka/sasl.jaas.config": true, "kafka/ssl.keystore.location": true, "kafka/ssl.keystore.type": true,
		"producer/profile": true, "schema/bearer.auth.token": true, "schema/bearer.auth.credentials.source": true,
		"schema/registry.ssl.keystore.location": true, "schema/registry.ssl.keystore.type": true,
		"topics/key.schema.file": true, "topics/key.schema.references": true, "topics/key.schema.version": true, "topics/key.schema.subject": true,
		"topics/key.json.compact": true, "topics/key.framed.verify": true, "topics/value.framed.verify": true, "topics/value.schema.id": true, "topics/value.schema.version": true, "topics/value.subject.name.strategy": true,
	}
	for _, s := range Settings() {
		if key := s.Section + "/" + s.Name; s.Support == Works && !set[key] && !single[key] {
			t.Errorf("%s is not in everything.good.toml", key)
		}
	}
}

func mustDiffer(t *testing.T, path string, a, b reflect.Value) {
	t.Helper()
	for i := range a.NumField() {
		f := a.Type().Field(i)
		switch {
		case !f.IsExported() || f.Name == "Name":
		case f.Type.Kind() == reflect.Struct:
			mustDiffer(t, path+"."+f.Name, a.Field(i), b.Field(i))
		case reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()):
			t.Errorf("%s.%s = %v in both", path, f.Name, a.Field(i))
		}
	}
}

// TestProfiles holds the profiles to what they are called: the values are fixed, users rely on them.
func TestProfiles(t *testing.T) {
	base := mustTopic(t, "")
	for name, change := range map[string]func(*Producer){
		"durable": func(p *Producer) {
			p.BatchSize, p.Linger, p.BufferMemory = 65536, 10*time.Millisecond, 64<<20
			p.Compression = Compression{"lz4", 9}
		},
		"throughput": func(p *Producer) {
			p.BatchSize, p.Linger, p.BufferMemory = 131072, 20*time.Millisecond, 128<<20
			p.Compression = Compression{"lz4", 9}
		},
		"low-latency": func(p *Producer) {
			p.Acks, p.Idempotence, p.MaxInFlight, p.Linger = 1, false, 1, 0
		},
	} {
		want := base
		want.Profile = name
		change(&want.Producer)
		if diff := cmp.Diff(want, mustTopic(t, "profile = \""+name+"\"")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestJavaDefaultsTyped holds the typed defaults to Java 4's, for those that a reader of Producer would look up.
func TestJavaDefaultsTyped(t *testing.T) {
	want := Producer{
		Acks: -1, Idempotence: true, MaxInFlight: 5, Retries: 2147483647, Linger: 5 * time.Millisecond,
		RequestTimeout: 30 * time.Second, RetryBackoff: 100 * time.Millisecond, RetryBackoffMax: time.Second,
		ReconnectBackoff: 50 * time.Millisecond, ReconnectBackoffMax: time.Second, ConnectionsMaxIdle: 9 * time.Minute,
		ConnectionSetupTimeout: 10 * time.Second, SendBuffer: 131072, ReceiveBuffer: 32768,
		Compression: Compression{Type: "none"}, ClientID: "sluice", BatchSize: 16384, MaxRequestSize: 1 << 20,
		BufferMemory: 32 << 20, MaxBlock: time.Minute, DeliveryTimeout: 2 * time.Minute, AdaptivePartitioning: true,
	}
	if diff := cmp.Diff(want, mustTopic(t, "").Producer); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestWasmDefaults holds the typed defaults of [wasm] to the limits that the WASM host was designed with.
func TestWasmDefaults(t *testing.T) {
	want := Wasm{
		RegistryDir: "data/modules", RegistryVersionsMax: 100, ModulesMax: 1000, CacheDir: "data/wasm-cache", CacheMaxBytes: 1 << 30,
		ModuleMaxBytes: 10 << 20, FunctionsMax: 50000, FunctionMaxBytes: 1 << 20, FunctionMaxLocals: 5000, TypesMax: 10000,
		GlobalsMax: 1000, TableMaxElements: 65536, DataSegmentsMax: 100000, CodeGrowthMax: 3, CompileChild: true, CompileCPU: 30 * time.Second, BuildTimeout: 5 * time.Minute,
		CompileTimeout: time.Minute, CompileMemoryBytes: 2 << 30, MemoryMaxBytes: 64 << 20, MemoryTotalBytes: 512 << 20,
		InstanceMaxAge: 5 * time.Minute, AcquireTimeout: 100 * time.Millisecond, InitFuel: 1e9, InitTimeout: 5 * time.Second,
		CallFuelBase: 5e6, CallFuelPerRecord: 200_000, CallFuelPerByte: 200, CallFuelMax: 1e8, CallTimeout: 250 * time.Millisecond, OutputMaxBytes: 1 << 20,
		ConfigMaxBytes: 65536, LogLinesPerSecond: 64, LogLines: 500, CountersMax: 64, BreakerFailures: 5,
		BreakerWindow: 10 * time.Second, BreakerBackoff: time.Second, BreakerBackoffMax: 30 * time.Second,
		CanaryMaxErrorRate: 5, CanaryMinRecords: 100, CanaryWindow: time.Minute,
	}
	if diff := cmp.Diff(want, Default().Wasm); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// mustTopic returns topic a of a file whose table [topics.a] holds lines.
func mustTopic(t *testing.T, lines string) Topic {
	t.Helper()
	c, err := Parse("f", []byte("kafka.bootstrap.servers = \"b:9092\"\n[topics.a]\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	topic, ok := c.Topic("a")
	if !ok {
		t.Fatal("topic a has no table")
	}
	return topic
}
