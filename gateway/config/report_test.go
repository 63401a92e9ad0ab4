package config

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const small = `[kafka]
bootstrap.servers = "b:9092"
[topics."logs.*"]
profile = "low-latency"
producer.retries = 3
`

func TestReportText(t *testing.T) {
	c, err := Parse("config.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	r, ok := c.Explain("logs.web")
	if !ok {
		t.Fatal("logs.web has no table")
	}
	first := slices.IndexFunc(r.Settings, func(e Effective) bool { return e.Name == "acks" })
	r.Settings = slices.Concat(r.Settings[:4], r.Settings[first:first+4])
	var got strings.Builder
	if err := r.WriteText(&got); err != nil {
		t.Fatal(err)
	}
	want := `logs.web: [topics."logs.*"]
  profile                                low-latency  config.toml:4 [topics."logs.*"]
  partitioner                            murmur2      default
  key.serializer                         raw          default
  value.serializer                       raw          default
  acks                                   1            profile low-latency
  enable.idempotence                     false        profile low-latency
  max.in.flight.requests.per.connection  1            profile low-latency
  retries                                3            config.toml:5 [topics."logs.*"]

`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReportOfDeadLettersAndLimits: what is in force of them is shown for every topic.
func TestReportOfDeadLettersAndLimits(t *testing.T) {
	c, err := Parse("config.toml", []byte(`[kafka]
bootstrap.servers = "b:9092"
[topics.plain]
[topics.enabled]
dead_letter.enable = true
rate.limit.records = 5
[topics."log.*"]
dead_letter.topic = "bad.{topic}"
[topics."*"]
`))
	if err != nil {
		t.Fatal(err)
	}
	const rest = "dead_letter.causes=broker,undelivered (default) dead_letter.buffer.memory=33554432 (default) "
	for topic, want := range map[string]string{
		"plain": "dead_letter.enable=false (default) " + rest + "rate.limit.records=0 (default) rate.limit.bytes=0 (default) rate.limit.burst.ms=1000 (default)",
		"enabled": "dead_letter.topic=enabled.DLT (derived: dead_letter.enable, and Spring Kafka's default) dead_letter.enable=true (config.toml:5 [topics.enabled]) " + rest +
			"rate.limit.records=5 (config.toml:6 [topics.enabled]) rate.limit.bytes=0 (default) rate.limit.burst.ms=1000 (default)",
		"log.a": "dead_letter.topic=bad.log.a (config.toml:8 [topics.\"log.*\"]) dead_letter.enable=true (derived: dead_letter.topic is given) " + rest +
			"rate.limit.records=0 (default) rate.limit.bytes=0 (default) rate.limit.burst.ms=1000 (default)",
	} {
		r, _ := c.Explain(topic)
		var got []string
		for _, e := range r.Settings {
			if strings.HasPrefix(e.Name, "dead_letter") || strings.HasPrefix(e.Name, "rate.limit") {
				got = append(got, e.Name+"="+plain(e.Value)+" ("+e.Origin+")")
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", topic, text, want)
		}
	}
}

// TestReportJSON holds the shape that scripts see, and that a report names every setting which has a value.
func TestReportJSON(t *testing.T) {
	c, err := Parse("config.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(c.Report())
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.File != "config.toml" || len(got.Topics) != 1 || got.Topics[0].Pattern != "logs.*" {
		t.Fatalf("%s", data)
	}
	for _, part := range []string{
		`{"name":"bootstrap.servers","value":["b:9092"],"origin":"config.toml:2 [kafka]"}`,
		`{"name":"retries","value":3,"origin":"config.toml:5 [topics.\"logs.*\"]"}`,
		`{"name":"enable.idempotence","value":false,"origin":"profile low-latency"}`,
		`{"name":"producer","settings":[`,
	} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in\n%s", part, data)
		}
	}
	shown := make(map[string]bool)
	for _, s := range got.Sections {
		for _, e := range s.Settings {
			shown[s.Name+"/"+e.Name] = true
		}
	}
	for _, s := range Settings() {
		if s.Support == Works && s.Default != nil && slices.Contains(sections(), s.Section) && s.Section != "topics" && !shown[s.Section+"/"+s.Name] {
			t.Errorf("[%s] %s is not reported", s.Section, s.Name)
		}
	}
}

// failing is a writer that is full at once.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestReportWriteError(t *testing.T) {
	if err := Default().Report().WriteText(failing{}); !errors.Is(err, errFull) {
		t.Errorf("WriteText = %v", err)
	}
	if err := WriteReference(failing{}); !errors.Is(err, errFull) {
		t.Errorf("WriteReference = %v", err)
	}
}

// TestErrorsAs holds that a caller can look at a single error.
func TestErrorsAs(t *testing.T) {
	_, err := Parse("config.toml", []byte("[kafka]\nbootstrap.servers = \"b:9092\"\nacks = 1\n"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("Parse = %v", err)
	}
	want := &Error{File: "config.toml", Line: 3, Key: "kafka.acks", Value: "1", Rule: "unknown key; it belongs in [producer]"}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
