package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// open returns a Config with these tables.
func open(t *testing.T, patterns ...string) *Config {
	t.Helper()
	var file strings.Builder
	file.WriteString("kafka.bootstrap.servers = \"b:9092\"\n")
	for _, p := range patterns {
		file.WriteString("[topics.'" + p + "']\n")
	}
	c, err := Parse("f", []byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTopicTable(t *testing.T) {
	c := open(t, "*", "logs.*", "logs.app.*", "logs.app.web", "*.dlt", "logs.*.tmp", "a*b*c", "x*", "logs.db-*")
	f := func(topic, want string) {
		t.Helper()
		got, ok := c.Topic(topic)
		if !ok || got.Table != want || got.Name != topic {
			t.Errorf("Topic(%q) = table %q, name %q, %v; want table %q", topic, got.Table, got.Name, ok, want)
		}
	}
	f("logs.app.web", "logs.app.web") // its own table
	f("logs.app.api", "logs.app.*")   // the longest literal prefix
	f("logs.db", "logs.*")
	f("logs.db.tmp", "logs.*.tmp")  // equal prefixes: the one that says more
	f("logs.db-1.tmp", "logs.db-*") // the prefix counts, not how much a glob says
	f("logs.", "logs.*")            // a star may stand for nothing
	f("logs", "*")
	f("orders.dlt", "*.dlt")
	f("abc", "a*b*c")
	f("a1b2b3c", "a*b*c")
	f("acb", "*")
	f("x", "x*")
	f("", "*")
}

func TestTopicWithoutTable(t *testing.T) {
	c := open(t, "orders", "logs.*", "a*a")
	for _, topic := range []string{"order", "orders2", "logs", "", "Orders", "a"} {
		if got, ok := c.Topic(topic); ok {
			t.Errorf("Topic(%q) = %+v, want none", topic, got)
		}
		if _, ok := c.Explain(topic); ok {
			t.Errorf("Explain(%q) is true", topic)
		}
	}
}

func TestTables(t *testing.T) {
	c := open(t, "*", "b", "logs.*", "a.b", "logs.*.tmp")
	if diff := cmp.Diff([]string{"a.b", "b", "logs.*.tmp", "logs.*", "*"}, c.Tables()); diff != "" {
		t.Errorf("Tables (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a.b", "b"}, c.Literal()); diff != "" {
		t.Errorf("Literal (-want +got)\n%s", diff)
	}
}

// TestTopicDoesNotAllocate holds Topic fit for the way of a request.
func TestTopicDoesNotAllocate(t *testing.T) {
	c := open(t, "orders", "a*b*c", "*")
	if n := testing.AllocsPerRun(100, func() { c.Topic("orders"); c.Topic("abd") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"linger.ms", "batch.size", "acks", "retries", "max.block.ms"}
	for name, want := range map[string]string{
		"linger.ms": "linger.ms", "lingr.ms": "linger.ms", "linger_ms": "linger.ms", "LINGER-MS": "linger.ms",
		"batchsize": "batch.size", "ack": "acks", "x": "", "bananas.and.pears": "", "": "", "max_blok_ms": "max.block.ms",
	} {
		if got := nearest(name, candidates); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"abc", "abd", 1}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
