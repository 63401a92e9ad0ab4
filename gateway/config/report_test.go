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
	r.Settings = r.Settings[:8]
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
