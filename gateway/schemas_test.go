package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sluice/gateway/deadletter"
	"sluice/gateway/partitioner"
)

// schemaTables begins the tables of a test with an embedded schema registry.
const schemaTables = "[schema]\nregistry.url = 'embedded'\nembedded.listen = '127.0.0.1:0'\n"

const (
	orderV1 = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"}]}`
	orderV2 = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`
)

func schemaFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "order.avsc")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// registerSchema puts a schema into the embedded registry over its own API.
func (r *rig) registerSchema(subject, text string) (id int) {
	r.t.Helper()
	body, err := json.Marshal(map[string]string{"schema": text})
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.Post(r.g.SchemaRegistryURL()+"/subjects/"+subject+"/versions", "application/json", strings.NewReader(string(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ ID int }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.ID == 0 {
		r.t.Fatalf("%d, %v", resp.StatusCode, err)
	}
	return answer.ID
}

// TestRecordsHaveSchemas is the way of a user: JSON comes in, Avro with the frame goes out, by the key that stands in the value.
func TestRecordsHaveSchemas(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), schemaTables+"[topics.orders]\nkey.serializer = 'avro'\nkey.schema.file = '"+schemaFile(t, `"string"`)+"'\nvalue.serializer = 'avro'\n"+
		"value.schema.file = '"+schemaFile(t, orderV1)+"'\nauto.register.schemas = true\nkey.from = 'json:/id'\n[topics.other]\n")
	defer func() { _ = r.end() }()
	r.post(r.url("orders"), `{"id":7}`).want(t, 200, "")
	a := r.post(r.url("orders"), `{"id":"7"}`)
	a.want(t, 422, "schema_mismatch")
	for _, part := range []string{`"part":"value","path":"/id","expected":"long","found":"\"7\"","subject":"orders-value"`, `"retryable":false`} {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s: no %s", a.body, part)
		}
	}
	got := read(t, c.ListenAddrs(), "orders", 1)[0]
	key, value := r.registerSchema("orders-key", `"string"`), r.registerSchema("orders-value", orderV1) // which are there, in some order
	if string(got.Key) != fmt.Sprintf("\x00\x00\x00\x00%c\x027", key) || string(got.Value) != fmt.Sprintf("\x00\x00\x00\x00%c\x0e", value) {
		t.Errorf("%q=%q", got.Key, got.Value)
	}
	if want := int32(partitioner.Hash(got.Key)&0x7fffffff) % 3; got.Partition != want {
		t.Errorf("partition %d; consumers' tools hash what is written, to %d", got.Partition, want)
	}
	shown := r.scrapeOf("sluice_schema_")
	for name, want := range map[string]float64{
		`sluice_schema_encodes_total{serializer="avro"}`: 3, `sluice_schema_failures_total{reason="mismatch"}`: 1,
		`sluice_schema_registry_requests_total{result="answered"}`: 2, `sluice_schema_cache_entries{kind="registrations"}`: 2,
	} {
		if shown[name] != want {
			t.Errorf("%s = %v, want %v", name, shown[name], want)
		}
	}
}

// TestDeadLettersOfSchemas holds that of a batch what does not fit becomes a dead letter as it was sent, and the rest is stored.
func TestDeadLettersOfSchemas(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), schemaTables+"[topics.orders]\nvalue.serializer = 'avro'\nvalue.schema.file = '"+schemaFile(t, orderV1)+"'\nauto.register.schemas = true\n"+
		"key.from = 'json:/k'\ndead_letter.topic = 'other'\ndead_letter.causes = ['schema']\n[topics.other]\nvalue.serializer = 'json'\nvalue.json.compact = true\n")
	defer func() { _ = r.end() }()
	a := r.post(r.url("orders"), "{\"id\":1}\n{\"id\": null, \"k\":\"x\"}\n{\"id\":2}", ndjson)
	a.want(t, 207, "")
	if stored(c, "orders") != 2 {
		t.Errorf("%d records stored", stored(c, "orders"))
	}
	got := read(t, c.ListenAddrs(), "other", 1)[0]
	l := about(t, got)
	if got.Key != nil || string(got.Value) != `{"id": null, "k":"x"}` {
		t.Errorf("the letter is not what was sent: %q=%q", got.Key, got.Value)
	}
	if l.Cause != deadletter.CauseSchema || l.Code != "schema_mismatch" || l.Exception != "org.apache.kafka.common.errors.SerializationException" || !strings.Contains(l.Message, "value at /id: expected long, found null") {
		t.Errorf("%+v", l)
	}
	r.post(r.url("orders"), `{"id":true}`).letter(t)
}

// TestSchemaFileIsRead holds that a reload takes a changed schema file, and that a bad one changes nothing.
func TestSchemaFileIsRead(t *testing.T) {
	c := fake(t)
	file := schemaFile(t, orderV1)
	text := fmt.Sprintf("[kafka]\nbootstrap.servers = '%s'\n[http]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'\n", c.ListenAddrs()[0]) + schemaTables +
		"[topics.orders]\nvalue.serializer = 'avro'\nvalue.schema.file = '" + file + "'\nauto.register.schemas = true\n"
	r := serveConfig(t, parse(t, text))
	defer func() { _ = r.end() }()
	r.post(r.url("orders"), `{"id":1,"note":"x"}`).want(t, 422, "schema_mismatch")
	write := func(schema string) error {
		t.Helper()
		if err := os.WriteFile(file, []byte(schema), 0o600); err != nil {
			t.Fatal(err)
		}
		return r.g.Reload(parse(t, text))
	}
	if err := write(`{`); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
	r.post(r.url("orders"), `{"id":1}`).want(t, 200, "")
	if err := write(orderV2); err != nil {
		t.Fatal(err)
	}
	r.post(r.url("orders"), `{"id":1,"note":"x"}`).want(t, 200, "")
}

// TestSchemaFileIsWatched holds that saving a schema file is enough, also to mend one that was refused.
func TestSchemaFileIsWatched(t *testing.T) {
	c := fake(t)
	file := schemaFile(t, orderV1)
	path := filepath.Join(t.TempDir(), "sluice.toml")
	save := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil { // at once, as editors do
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("[kafka]\nbootstrap.servers = '%s'\n[http]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'\n", c.ListenAddrs()[0]) + schemaTables
	orders := "[topics.orders]\nvalue.serializer = 'avro'\nauto.register.schemas = true\nvalue.schema.file = '" + file + "'\n"
	save(path, text+orders)
	r := serveConfig(t, parse(t, text+orders))
	defer func() { _ = r.end() }()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { r.g.Watch(ctx, path, nil) })
	defer wg.Wait()
	defer cancel()
	takes := func(topic, value string) func() bool {
		return func() bool { return r.post(r.url(topic), value).status == 200 }
	}
	logged := func(what string, n int) func() bool {
		return func() bool { return strings.Count(r.logs.String(), what) == n }
	}
	const reloaded, refused = "configuration reloaded", "configuration was not reloaded"

	save(file, orderV2)
	eventually(t, "the new schema", takes("orders", `{"id":1,"note":"x"}`))
	save(file, `{`)
	eventually(t, "it is refused", logged(refused, 1))
	r.post(r.url("orders"), `{"id":1,"note":"x"}`).want(t, 200, "")

	save(file, orderV2)
	eventually(t, "it is mended", logged(reloaded, 2))
	other := filepath.Join(t.TempDir(), "other.avsc")
	save(path, text+orders+"[topics.other]\nvalue.serializer = 'avro'\nauto.register.schemas = true\nvalue.schema.file = '"+other+"'\n")
	eventually(t, "a missing file is refused", logged(refused, 2))
	save(other, `"int"`)
	eventually(t, "its topic is there", takes("other", "17"))
	if !logged(reloaded, 3)() || !logged(refused, 2)() {
		t.Errorf("more reloads than changes:\n%s", r.logs.String())
	}
}

// TestTransactionsHaveSchemas holds that the records of a transaction are written with schemas, and that one that does not fit keeps
// all of them out.
func TestTransactionsHaveSchemas(t *testing.T) {
	c := fake(t)
	r := serve(t, c.ListenAddrs(), schemaTables+"[topics.orders]\nvalue.serializer = 'avro'\nvalue.schema.file = '"+schemaFile(t, orderV1)+"'\nauto.register.schemas = true\n[topics.other]\n"+oneClient)
	defer func() { _ = r.end() }()
	o := r.transaction("", `{"topic":"other","value":"x"}`+"\n"+`{"topic":"orders","value":{"id":"1"}}`)
	if o.status != 422 || o.Code != "schema_mismatch" || o.Index == nil || *o.Index != 1 || stored(c, "other") != 0 {
		t.Errorf("%+v", o)
	}
	if o := r.transaction("", `{"topic":"other","value":"x"}`+"\n"+`{"topic":"orders","value":{"id":1}}`); o.status != 200 || !o.Committed {
		t.Errorf("%+v", o)
	}
	if got := read(t, c.ListenAddrs(), "orders", 1)[0]; string(got.Value) != fmt.Sprintf("\x00\x00\x00\x00%c\x02", r.registerSchema("orders-value", orderV1)) {
		t.Errorf("%q", got.Value)
	}
}
