package realtest_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sluice/gateway/kafkatest"
	"sluice/gateway/schema/embedded"
)

const (
	schemaSenders  = 4
	keysPerSchema  = 25  // of a sender
	valuesPerKey   = 40  // of a key
	schemaRequests = 200 // records of a request
)

// schemaTopic is a topic whose keys and values are written with schemas.
type schemaTopic struct {
	format, script, settings string
	keyFrame                 bool   // keys are framed, too
	envelope                 string // of a record with key, key and value in Go's verbs
	n                        func(value map[string]any) any
}

// TestSchemasOnRealKafka: of topics in each format, kcat and Kafka's own consumer see the same records, each once and in the order of its
// key, with the frame and on the partition that Kafka's producer chooses for the key as it is written; and other implementations of
// the formats read them with the schemas that they ask the registry for.
func TestSchemasOnRealKafka(t *testing.T) {
	c := kafkatest.Shared(t, 3)
	registry, err := embedded.Start("127.0.0.1:0", "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Close() })
	topics := schemaTopics(t)
	tables := "[schema]\nregistry.url = '" + registry.URL() + "'\n"
	for _, s := range topics {
		c.CreateTopic("schema-"+s.format, 6, 3, nil)
		tables += fmt.Sprintf("[topics.schema-%s]\nauto.register.schemas = true\nvalue.serializer = '%s'\n%s\n", s.format, s.format, s.settings)
	}
	addr := serve(t, settings(t, c, "", tables))
	var wg sync.WaitGroup
	for _, s := range topics {
		for sender := range schemaSenders {
			wg.Go(func() { s.send(t, addr, sender) })
		}
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, s := range topics {
		t.Run(s.format, func(t *testing.T) { s.check(t, c, registry.URL()) })
	}
}

func schemaTopics(t *testing.T) []schemaTopic {
	t.Helper()
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return []schemaTopic{
		{
			format: "avro", script: "registry.js", keyFrame: true,
			settings: "key.serializer = 'avro'\nkey.schema.file = '" + file("key.avsc", `"string"`) + "'\nvalue.schema.file = '" +
				file("value.avsc", `{"type":"record","name":"V","fields":[{"name":"n","type":"int"},{"name":"key","type":["null","string"],"default":null}]}`) + "'",
			envelope: `{"key":%[1]q,"value":{"key":%[1]q,"n":%[2]d}}`,
			n:        func(v map[string]any) any { return v["n"] },
		},
		{
			format: "protobuf", script: "registry.mjs", keyFrame: true,
			settings: "key.serializer = 'protobuf'\nkey.from = 'json:/key'\nkey.schema.file = '" + file("key.proto", `syntax = "proto3"; message Key { string id = 1; }`) + "'\n" +
				"value.schema.message = 'V'\nvalue.schema.file = '" + file("value.proto", `syntax = "proto3"; message Key { string id = 1; } message V { Key key = 1; int32 n = 2; }`) + "'",
			envelope: `{"value":{"key":{"id":%q},"n":%d}}`,
			n: func(v map[string]any) any {
				n, ok := v["value"].(map[string]any)["n"]
				if !ok {
					return 0.0 // the zero of proto3
				}
				return n
			},
		},
		{
			format: "jsonschema", script: "registry.mjs",
			settings: "key.serializer = 'string'\nkey.from = 'json:/key'\nvalue.schema.file = '" +
				file("value.json", `{"type":"object","properties":{"key":{"type":"string"},"n":{"type":"integer"}},"required":["n"]}`) + "'",
			envelope: `{"value":{"key":%q,"n":%d}}`,
			n:        func(v map[string]any) any { return v["n"] },
		},
	}
}

// send sends the values 0, 1, ... of each key of a sender.
func (s schemaTopic) send(t *testing.T, addr string, sender int) {
	t.Helper()
	conn := newConnection(t)
	var body strings.Builder
	for i := range keysPerSchema * valuesPerKey {
		fmt.Fprintf(&body, s.envelope+"\n", fmt.Sprintf("k-%d-%d%s", sender, i%keysPerSchema, strings.Repeat("é", i%keysPerSchema%5)), i/keysPerSchema)
		if (i+1)%schemaRequests == 0 {
			a := conn.post(t.Context(), recordsURL(addr, "schema-"+s.format, delivered), body.String(), "Content-Type: "+envelopes)
			if a.status != http.StatusOK {
				t.Errorf("%s: answer %s", s.format, a)
				return
			}
			body.Reset()
		}
	}
}

// consumed is a record as a consumer has it.
type consumed struct {
	partition, offset, chosen int // chosen is -1 if the consumer does not tell
	key, value                string
}

func (c consumed) String() string {
	return fmt.Sprintf("%d@%d %q=%q (%d)", c.partition, c.offset, c.key, c.value, c.chosen)
}

func (s schemaTopic) check(t *testing.T, c *kafkatest.Cluster, registry string) {
	t.Helper()
	const total = schemaSenders * keysPerSchema * valuesPerKey
	all := byJava(t, c, "schema-"+s.format)
	seen := byKcat(t, c, "schema-"+s.format)
	if len(all) != total || len(seen) != total {
		t.Fatalf("Kafka's consumer reads %d records and kcat %d, %d were sent", len(all), len(seen), total)
	}
	values := make([]string, total)
	for i, r := range all {
		k := seen[i]
		if k.chosen = r.chosen; k != r {
			t.Fatalf("kcat reads %v, and Kafka's consumer %v", k, r)
		}
		if r.partition != r.chosen {
			t.Fatalf("%v: Kafka's producer chooses %d", r, r.chosen)
		}
		if strings.HasPrefix(r.key, "\x00\x00\x00\x00") != s.keyFrame || !strings.HasPrefix(r.value, "\x00\x00\x00\x00") {
			t.Fatalf("%v: the frames are not those that were asked for", r)
		}
		values[i] = hex.EncodeToString([]byte(r.value))
	}
	next := make(map[string]float64)
	for i, text := range readBy(t, s, registry, values) {
		var v map[string]any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if key := all[i].key; s.n(v) != next[key] {
			t.Fatalf("%s: the value of key %q at %d should be %v", text, key, all[i].offset, next[key])
		}
		next[all[i].key]++
	}
	if len(next) != schemaSenders*keysPerSchema {
		t.Errorf("%d keys", len(next))
	}
}

func sortConsumed(all []consumed) []consumed {
	slices.SortFunc(all, func(a, b consumed) int {
		if a.partition != b.partition {
			return a.partition - b.partition
		}
		return a.offset - b.offset
	})
	return all
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// byJava reads a topic with Kafka's own client.
func byJava(t *testing.T, c *kafkatest.Cluster, topic string) (all []consumed) {
	t.Helper()
	for line := range strings.Lines(c.RunJava("testdata/Consume.java", strings.Join(c.Bootstrap(), ","), topic)) {
		f := strings.Fields(line)
		if len(f) != 5 {
			t.Fatalf("%q", line)
		}
		key, err := hex.DecodeString(f[3])
		if err != nil {
			t.Fatal(err)
		}
		value, err := hex.DecodeString(f[4])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, consumed{number(t, f[0]), number(t, f[1]), number(t, f[2]), string(key), string(value)})
	}
	return sortConsumed(all)
}

// byKcat reads a topic with kcat. Keys and values are bytes of any kind, so it prints their lengths before them.
func byKcat(t *testing.T, c *kafkatest.Cluster, topic string) (all []consumed) {
	t.Helper()
	out := kafkatest.Kcat(t, "-b", strings.Join(c.Bootstrap(), ","), "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%p %o %K %S %k%s")
	for out != "" {
		f := strings.SplitN(out, " ", 5)
		if len(f) != 5 {
			t.Fatalf("%q", out)
		}
		key, value := number(t, f[2]), number(t, f[3])
		all = append(all, consumed{number(t, f[0]), number(t, f[1]), -1, f[4][:key], f[4][key : key+value]})
		out = f[4][key+value:]
	}
	return sortConsumed(all)
}

// readBy has another implementation of the format read values.
func readBy(t *testing.T, s schemaTopic, registry string, values []string) []json.RawMessage {
	t.Helper()
	folder := filepath.Join("..", "schema", s.format, "testdata", "interop")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		kafkatest.Missing(t, "needs npm ci in gateway/schema/%s/testdata/interop: %v", s.format, err)
	}
	in, err := json.Marshal(map[string]any{"registry": registry, "read": values})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", s.script)
	cmd.Dir, cmd.Stdin, cmd.Stderr = folder, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Read []json.RawMessage }
	if err := json.Unmarshal(out, &answer); err != nil || len(answer.Read) != len(values) {
		t.Fatalf("%d of %d values, %v", len(answer.Read), len(values), err)
	}
	return answer.Read
}
