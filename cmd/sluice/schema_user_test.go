package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway"
	"sluice/gateway/config"
	"sluice/gateway/kafkatest"
	"sluice/gateway/partitioner"
)

// TestSchemasAsAUserWould: JSON is sent to a gateway with the embedded broker and registry, and schema decode prints what is in Kafka,
// also after a restart.
func TestSchemasAsAUserWould(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.toml")
	text := fmt.Sprintf(`[kafka]
bootstrap.servers = "embedded"
[embedded]
listen = "127.0.0.1:0"
data.dir = %q
[http]
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
[schema]
registry.url = "embedded"
embedded.listen = "127.0.0.1:0"
[topics.sales]
value.serializer = "avro"
value.schema.file = "order.avsc"
auto.register.schemas = true
key.from = "json:/id"
`, filepath.Join(dir, "data"))
	for path, content := range map[string]string{file: text, filepath.Join(dir, "order.avsc"): orderV1} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := ""
	for round := range 2 {
		g, stop := serveFile(t, file)
		if status := post(t, "http://"+g.HTTPAddr()+"/v1/topics/sales/records", `{"id":7}`); status != 200 {
			t.Fatalf("status %d", status)
		}
		if status := post(t, "http://"+g.HTTPAddr()+"/v1/topics/sales/records", `{"id":"7"}`); status != 422 {
			t.Errorf("status %d", status)
		}
		p := (partitioner.Hash([]byte("7")) & 0x7fffffff) % 3
		want += fmt.Sprintf(`{"partition":%d,"offset":%d,"key":7,"value_schema_id":1,"value":{"id":7}}`+"\n", p, round)
		out, stderr, status := sluice(t, "schema", "decode", "sales", "--config", file, "--brokers", g.BrokerAddr(), "--registry", g.SchemaRegistryURL())
		if status != 0 || out != want {
			t.Errorf("round %d: %d\n%s%s\nwant %s", round, status, out, stderr, want)
		}
		t.Run("kcat", func(t *testing.T) {
			out := kafkatest.Kcat(t, "-b", g.BrokerAddr(), "-C", "-t", "sales", "-o", "beginning", "-e", "-q", "-f", "%k=%s;")
			if want := strings.Repeat("7=\x00\x00\x00\x00\x01\x0e;", round+1); out != want {
				t.Errorf("kcat prints %q, want %q", out, want)
			}
		})
		stop()
	}
}

func serveFile(t *testing.T, file string) (g *gateway.Gateway, stop func()) {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Wasm.RegistryDir, cfg.Wasm.CacheDir = "", "" // in memory
	if g, err = gateway.New(cfg, "test", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	<-g.Started()
	return g, stop
}
