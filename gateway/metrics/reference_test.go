package metrics

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write METRICS.md")

// TestReference holds METRICS.md equal to the table.
func TestReference(t *testing.T) {
	const file = "METRICS.md"
	want := reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("METRICS.md is not what the table says; run go generate:\n%s", diff)
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString(`# Metrics

Written from the table in ` + "`descs.go`" + ` by ` + "`go generate`" + `; do not edit. ` + "`/metrics`" + ` of the admin plane answers a scrape.

- ` + "`kafka_producer_*`" + ` are metrics that Kafka's Java producer has too, under Kafka's names. Times are always seconds and sizes
  bytes, whatever unit Kafka takes, and the name ends with the unit.
- ` + "`topic`" + ` is the pattern of the ` + "`[topics.*]`" + ` table, and ` + "`client_id`" + ` the ` + "`client.id`" + ` property: topics of one table, and clients
  of one id, are summed.
- Gauges with rate, avg, max or ratio in their names speak of the last 30 to 60 seconds, as Kafka's do. An average or maximum of
  nothing is NaN. For other intervals use ` + "`rate()`" + ` of the counters: averages are the quotient of two of them, for example
  ` + "`rate(kafka_producer_byte_total[5m]) / rate(sluice_client_batches_total[5m])`" + `.
- A ` + "`version`" + ` of a module is shown by the first 12 digits of its id, a ` + "`hook`" + ` from its first record on. A version that no longer
  serves is left out an hour after it last served or counted anything, and comes back with its counts if it serves again.
- Histograms of modules have the bounds 2^i - 1, in nanoseconds or units of fuel: from 1 µs to 1.1 s for calls, from 16 µs to 17 s
  for waits, from a thousand to a billion units for fuel.
- ` + "`go_*`" + ` and ` + "`process_*`" + ` are those of every Go program that Prometheus scrapes.
`)
	titles := [numScopes]string{
		"Topics", "Outcomes of records", "Clients of Kafka", "Cluster", "Gateway", "Hooks of modules", "Versions of modules", "Modules by topic",
	}
	for of, title := range titles {
		fmt.Fprintf(&b, "\n## %s\n\n| metric | type | unit | Kafka's name | meaning |\n|---|---|---|---|---|\n", title)
		for i := range descs {
			if d := &descs[i]; d.scope == scope(of) {
				fmt.Fprintf(&b, "| `%s`%s | %s | %s | %s | %s |\n", d.name, braces(d), d.typ, d.unit, origin(d), d.help)
			}
		}
	}
	return b.String()
}

func braces(d *desc) string {
	if len(d.labelNames()) == 0 {
		return ""
	}
	return " `{" + strings.Join(d.labelNames(), ",") + "}`"
}

func origin(d *desc) string {
	if d.kafka == "" {
		return ""
	}
	return fmt.Sprintf("`%s` of `%s`", d.kafka, d.group)
}
