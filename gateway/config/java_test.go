package config

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// java runs a source file of testdata/java with Kafka's own classes and returns its lines. Without a JDK or Kafka the
// test is skipped.
func java(t *testing.T, source, stdin string) []string {
	t.Helper()
	home := os.Getenv("KAFKA_HOME")
	if home == "" {
		home = filepath.Join("..", "..", "..", "shared", "kafka")
	}
	jars, err := filepath.Glob(filepath.Join(home, "libs", "kafka-clients-*.jar"))
	if err != nil || len(jars) == 0 {
		t.Skip("no Apache Kafka: KAFKA_HOME (or ../shared/kafka) has no libs/kafka-clients-*.jar")
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("no JDK: java is not in PATH")
	}
	cmd := exec.CommandContext(t.Context(), "java", "-cp", filepath.Join(home, "libs", "*"), filepath.Join("testdata", "java", source))
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", source, err, stderr.String())
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

// TestJavaDefaults compares names and defaults with the real ProducerConfig. A default may differ if Differs says why.
func TestJavaDefaults(t *testing.T) {
	x := newIndex()
	inJava := make(map[string]bool)
	for _, line := range java(t, "Defaults.java", "") {
		name, want, _ := strings.Cut(line, "\t")
		inJava[name] = true
		s := javaSetting(x, name)
		switch {
		case s == nil:
			t.Errorf("%s of Java's ProducerConfig is neither supported nor refused", name)
		case !s.Java:
			t.Errorf("%s is Java's, but its Setting does not say so", name)
		case s.Support == Works && s.Differs == "":
			got := "-"
			if s.Default != nil {
				got = plain(s.Default)
			}
			if got != want {
				t.Errorf("%s: default %s, Java's is %s, and Differs is empty", name, got, want)
			}
		}
	}
	for _, s := range x.all {
		if s.Java && !inJava[s.Name] {
			t.Errorf("%s is said to be Java's, but Java does not have it", s.Name)
		}
	}
}

// javaSetting finds a Java property: it stands in [kafka] or in [producer].
func javaSetting(x *index, name string) *Setting {
	for _, section := range []string{"kafka", "producer"} {
		if s := x.byName[section+"/"+name]; s != nil {
			return s
		}
	}
	return nil
}

// TestProducerConfigNames holds without Java what TestJavaDefaults holds with it.
func TestProducerConfigNames(t *testing.T) {
	data, err := os.ReadFile("testdata/producer_config_names.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(data))
	if len(names) < 100 {
		t.Fatalf("only %d names", len(names))
	}
	x := newIndex()
	for _, name := range names {
		s := javaSetting(x, name)
		switch {
		case s == nil:
			t.Errorf("%s is neither supported nor refused", name)
		case s.Support == Refused && s.Reason == "":
			t.Errorf("%s is refused without a reason", name)
		}
	}
}

const refused = "ConfigException"

// matrix is sets of properties with what Java's producer makes of them: refused, or the settings that its rules change.
// ours is what we make of them where that differs on purpose.
var matrix = []struct{ props, java, ours string }{
	{props: "", java: "true all 120000 1000"},
	{props: "acks=all", java: "true all 120000 1000"},
	{props: "acks=-1", java: "true all 120000 1000"},
	{props: "acks=1", java: "false 1 120000 1000"},
	{props: "acks=0", java: "false 0 120000 1000"},
	{props: "acks=2", java: refused},
	{props: "retries=0", java: "false all 120000 1000"},
	{props: "retries=1", java: "true all 120000 1000"},
	{props: "retries=0 acks=1", java: "false 1 120000 1000"},
	{props: "max.in.flight.requests.per.connection=5", java: "true all 120000 1000"},
	{props: "max.in.flight.requests.per.connection=6", java: refused},
	{props: "max.in.flight.requests.per.connection=6 acks=1", java: refused},
	{props: "max.in.flight.requests.per.connection=6 retries=0", java: refused},
	{props: "max.in.flight.requests.per.connection=0", java: refused},
	{props: "enable.idempotence=true", java: "true all 120000 1000"},
	{props: "enable.idempotence=true acks=1", java: refused},
	{props: "enable.idempotence=true acks=0", java: refused},
	{props: "enable.idempotence=true acks=-1", java: "true all 120000 1000"},
	{props: "enable.idempotence=true retries=0", java: refused},
	{props: "enable.idempotence=true max.in.flight.requests.per.connection=6", java: refused},
	{props: "enable.idempotence=false acks=1", java: "false 1 120000 1000"},
	{props: "enable.idempotence=false retries=0", java: "false all 120000 1000"},
	{props: "enable.idempotence=false max.in.flight.requests.per.connection=6", java: "false all 120000 1000"},
	{props: "delivery.timeout.ms=30005", java: "true all 30005 1000"},
	{props: "delivery.timeout.ms=30004", java: refused},
	{props: "delivery.timeout.ms=30004 linger.ms=4", java: "true all 30004 1000"},
	{props: "delivery.timeout.ms=1000 request.timeout.ms=1000 linger.ms=1", java: refused},
	{props: "delivery.timeout.ms=1000 request.timeout.ms=999 linger.ms=1", java: "true all 1000 1000"},
	{props: "request.timeout.ms=130000", java: "true all 130005 1000"},
	{props: "request.timeout.ms=130000 linger.ms=60000", java: "true all 190000 1000"},
	{props: "request.timeout.ms=2147483647", java: "true all 2147483647 1000"},
	{props: "reconnect.backoff.ms=5000", java: "true all 120000 5000"},
	{props: "reconnect.backoff.ms=20", java: "true all 120000 20"},
	{props: "reconnect.backoff.ms=5000 reconnect.backoff.max.ms=100", java: "true all 120000 100"},
	{props: "reconnect.backoff.max.ms=100", java: "true all 120000 100"},
	{props: "retry.backoff.ms=5000 retry.backoff.max.ms=100", java: "true all 120000 1000"},
	{props: "linger.ms=-1", java: refused},
	{props: "retries=-1", java: refused},
	{props: "compression.type=brotli", java: refused},
	{props: "compression.gzip.level=0", java: refused},
	{props: "compression.gzip.level=10", java: refused},
	{props: "compression.lz4.level=18", java: refused},
	{props: "compression.zstd.level=23", java: refused},
	{props: "receive.buffer.bytes=-2", java: refused},
	{props: "max.block.ms=-1", java: refused},
	// Java accepts these and fails each record, or never looks.
	{props: "buffer.memory=2000000 batch.size=2000001", java: "true all 120000 1000", ours: refused},
	{props: "buffer.memory=2000000 max.request.size=2000001", java: "true all 120000 1000", ours: refused},
	{props: "linger.ms=60001", java: "true all 120000 1000", ours: refused}, // kgo's limit
}

// TestJavaMatrix asks the real KafkaProducer what the table says of it.
func TestJavaMatrix(t *testing.T) {
	var in strings.Builder
	for _, row := range matrix {
		in.WriteString(row.props + "\n")
	}
	var got []string
	for _, line := range java(t, "Matrix.java", in.String()) {
		if line == refused || strings.HasPrefix(line, "enable.idempotence=") { // the rest is log lines
			got = append(got, line)
		}
	}
	if len(got) != len(matrix) {
		t.Fatalf("%d answers for %d rows:\n%s", len(got), len(matrix), strings.Join(got, "\n"))
	}
	for i, row := range matrix {
		if want := outcome(row.java); got[i] != want {
			t.Errorf("%q: Java says %s, the table %s", row.props, got[i], want)
		}
	}
}

// outcome spells out a row's result as Matrix.java prints it.
func outcome(short string) string {
	if short == refused {
		return refused
	}
	f := strings.Fields(short)
	return fmt.Sprintf("enable.idempotence=%s acks=%s delivery.timeout.ms=%s reconnect.backoff.max.ms=%s", f[0], f[1], f[2], f[3])
}

// TestMatrix holds that Parse decides as Java does, in [producer] and in a topic's table.
func TestMatrix(t *testing.T) {
	for _, row := range matrix {
		want := row.java
		if row.ours != "" {
			want = row.ours
		}
		for _, form := range []struct{ table, prefix string }{{"producer", ""}, {"topics.a", "producer."}} {
			got := ourOutcome(t, form.table, form.prefix, row.props)
			if diff := cmp.Diff(outcome(want), got); diff != "" {
				t.Errorf("[%s] %s: (-want +got)\n%s", form.table, row.props, diff)
			}
		}
	}
}

func ourOutcome(t *testing.T, table, prefix, props string) string {
	t.Helper()
	var file strings.Builder
	fmt.Fprintf(&file, "kafka.bootstrap.servers = \"b:9092\"\n[topics.a]\n")
	if table != "topics.a" {
		fmt.Fprintf(&file, "[%s]\n", table)
	}
	for prop := range strings.FieldsSeq(props) {
		key, value, _ := strings.Cut(prop, "=")
		if key == "compression.type" {
			value = `"` + value + `"`
		}
		if value == "all" {
			value = `"all"`
		}
		fmt.Fprintf(&file, "%s%s = %s\n", prefix, key, value)
	}
	c, err := Parse("f", []byte(file.String()))
	if err != nil {
		return refused
	}
	r, _ := c.Explain("a")
	value := func(name string) string {
		for _, s := range r.Settings {
			if s.Name == name {
				return plain(s.Value)
			}
		}
		return "missing"
	}
	return fmt.Sprintf("enable.idempotence=%s acks=%s delivery.timeout.ms=%s reconnect.backoff.max.ms=%s",
		value("enable.idempotence"), value("acks"), value("delivery.timeout.ms"), value("reconnect.backoff.max.ms"))
}

// TestInFlightOfAnIdempotentProducer: what is reported, and what clients are made with, is what the broker sees.
func TestInFlightOfAnIdempotentProducer(t *testing.T) {
	for props, want := range map[string]int{
		"max.in.flight.requests.per.connection = 1":                                       5,
		"max.in.flight.requests.per.connection = 1\nenable.idempotence = false":           1,
		"max.in.flight.requests.per.connection = 1\nacks = 1":                             1,
		"max.in.flight.requests.per.connection = 5\nenable.idempotence = true":            5,
		"max.in.flight.requests.per.connection = 9\nenable.idempotence = false\nacks = 0": 9,
	} {
		c, err := Parse("f", []byte("kafka.bootstrap.servers = \"b:9092\"\n[topics.a]\n[producer]\n"+props))
		if err != nil {
			t.Fatal(err)
		}
		topic, _ := c.Topic("a")
		if got := topic.Producer.MaxInFlight; got != want {
			t.Errorf("%q: %d, want %d", props, got, want)
		}
		r, _ := c.Explain("a")
		for _, s := range r.Settings {
			if s.Name == "max.in.flight.requests.per.connection" && plain(s.Value) != fmt.Sprint(want) {
				t.Errorf("%q: reported as %v", props, s.Value)
			}
		}
	}
}

// TestCloseWithNegativeTimestampShouldThrow is KafkaProducerTest's: shutdown.timeout.ms is the timeout of Java's close.
func TestCloseWithNegativeTimestampShouldThrow(t *testing.T) {
	_, err := Parse("f", []byte("shutdown.timeout.ms = -100\nkafka.bootstrap.servers = \"b:9092\"\n[topics.a]\n"))
	if err == nil || !strings.Contains(err.Error(), "shutdown.timeout.ms = -100") {
		t.Errorf("error %v", err)
	}
}
