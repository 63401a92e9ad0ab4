package metrics

import (
	"regexp"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	names := regexp.MustCompile(`^(kafka_producer|sluice)(_[a-z]+|_80)+$`)
	seen := map[string]bool{}
	for i := range descs {
		d := &descs[i]
		if !names.MatchString(d.name) || seen[d.name] {
			t.Errorf("%s: the name is malformed or there twice", d.name)
		}
		seen[d.name] = true
		if (d.typ == counter) != strings.HasSuffix(d.name, "_total") {
			t.Errorf("%s: counters, and only they, end with _total; it is a %s", d.name, d.typ)
		}
		if d.unit == "" || len(d.help) < 20 || !strings.HasSuffix(d.help, ".") {
			t.Errorf("%s: unit %q, help %q", d.name, d.unit, d.help)
		}
		own := d.scope == ofGateway || d.scope == ofHook || d.scope == ofVersion
		if (d.value == nil) != own {
			t.Errorf("%s: a value belongs to metrics of the producer and of bindings, and only to them", d.name)
		}
		if !own && len(d.labels) > 0 {
			t.Errorf("%s: labels %q beside the one of its scope", d.name, d.labels)
		}
	}
}

// TestUnitInName holds the rule of doc.go: the name says seconds or bytes.
func TestUnitInName(t *testing.T) {
	for i := range descs {
		d := &descs[i]
		base := strings.TrimSuffix(d.name, "_total")
		for _, unit := range []string{"seconds", "bytes"} {
			is := d.unit == unit || d.unit == unit+" since 1970"
			says := strings.HasSuffix(base, "_"+unit) || base+"s" == "kafka_producer_byte"+"s" && unit == "bytes"
			if is != says {
				t.Errorf("%s: the unit is %q", d.name, d.unit)
			}
		}
	}
}

// TestKafkaNames holds the rule of doc.go: Kafka's name with underscores, its nanoseconds as seconds, then the unit.
func TestKafkaNames(t *testing.T) {
	for i := range descs {
		d := &descs[i]
		if d.kafka == "" {
			if d.group != "" || strings.HasPrefix(d.name, "kafka") {
				t.Errorf("%s: has no name of Kafka", d.name)
			}
			continue
		}
		if d.group != producerMetrics && d.group != topicMetrics {
			t.Errorf("%s: group %q", d.name, d.group)
		}
		want := "kafka_producer_" + strings.ReplaceAll(strings.ReplaceAll(d.kafka, "-ns-", "-seconds-"), "-", "_")
		if d.name != want && d.name != want+"_"+d.unit {
			t.Errorf("%s: Kafka's %s would be %s", d.name, d.kafka, want)
		}
	}
}
