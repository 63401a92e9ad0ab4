package bench

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The reports of fixed figures: what people and programs read must not change by accident.
func TestReportsAreStable(t *testing.T) {
	env := Environment{
		Go: "go1.26", System: "linux/amd64", CPU: "a processor", Cores: 2, MaxProcs: 2, Revision: "abc",
		Libraries: map[string]string{"github.com/valyala/fasthttp": "v1.0.0", "github.com/twmb/franz-go": "v2.0.0"},
	}
	settings := fixedSettings(t)
	peak, over := fixedResult(), fixedResult()
	over.OfferedPerSecond, over.Unsent, over.Unanswered, over.Goodput = 900, 7, 8, 405
	limit := fixedLimit()
	limit.Environment, limit.Settings = env, settings
	overload := overloadReport(peak, over, 1<<20)
	overload.Environment, overload.Settings = env, settings
	for name, report := range map[string]text{
		"load":     &Report{Environment: env, Settings: settings, Result: peak},
		"limit":    limit,
		"overload": overload,
		"idle":     &Idle{Environment: env, Connections: 1000, Before: 10 << 20, After: 14 << 20, PerConnection: 4194.304},
	} {
		golden(t, name+".txt", report, false)
		golden(t, name+".json", report, true)
	}
}

func fixedSettings(t *testing.T) Settings {
	t.Helper()
	b := &bench{}
	if err := newFlags(b).Parse([]string{"--set", `partitioner = "murmur2"`, "--rate", "1000"}); err != nil {
		t.Fatal(err)
	}
	if err := b.check(nil); err != nil {
		t.Fatal(err)
	}
	b.kafka.Bootstrap, b.kafka.BufferMemory, b.kafka.BrokerRate = "127.0.0.1:9092", 1<<20, 1<<20
	settings := b.settings()
	settings.Kafka = &b.kafka
	return settings
}

func fixedResult() *Result {
	return &Result{
		Target: "http://127.0.0.1:1", Seconds: 2, Connections: 64, RecordsPerRequest: 1, RequestsPerSecond: 500, Goodput: 450,
		Statuses: map[string]int64{"200": 900, "503": 100}, Errors: map[string]int64{"connection refused": 3},
		Latency:        &Latency{Count: 900, Mean: 1, P50: 2.5, P90: 999, P99: 1234.5, P999: 2e6, Max: 3e6},
		RefusedLatency: &Latency{Count: 100, Mean: 1, P50: 1, P90: 1, P99: 1, P999: 1, Max: 1},
		Server:         &ServerUse{CPUPerRequest: 20, CPUPerRecord: 20, Cores: 1.5, RSS: 40 << 20, PeakRSS: 50 << 20, Source: "process 1"},
		GeneratorCPU:   12.5,
	}
}

func fixedLimit() *Comparison {
	names := [4]string{"do-nothing", "sluice", "sluice x100", "kgo"}
	samples := map[string][]sample{}
	for i, name := range names {
		for round := range 3 {
			v := float64(i+1) * float64(10+round*round)
			samples[name] = append(samples[name], sample{
				figureCPURequest: v, figureCPURecord: v / 100, figureRequests: 1e6 / v, figureRecords: 1e8 / v,
				figureP50: v * 10, figureP99: v * 100, figurePeakRSS: v * 1e6,
			})
		}
	}
	c := limitReport(names, samples, 100)
	c.Notes = []string{"what must be known"}
	return c
}

func golden(t *testing.T, name string, report text, json bool) {
	t.Helper()
	var out bytes.Buffer
	b := &bench{out: &out, options: options{json: json}}
	if err := b.print(report); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", name, diff)
	}
}
