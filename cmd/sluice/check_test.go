package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/registry"
)

// checkIn runs check on a configuration whose stores are in dir.
func checkIn(t *testing.T, dir, tables string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	file := filepath.Join(dir, "config.toml")
	text := fmt.Sprintf("[kafka]\nbootstrap.servers = \"embedded\"\n[wasm]\nregistry.dir = %q\ncache.dir = %q\n%s",
		filepath.Join(dir, "modules"), filepath.Join(dir, "cache"), tables)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return sluice(t, append([]string{"check", "--config", file}, args...)...)
}

// TestCheckLooksAtModules: all that a start would find out, with its line and its key, and nothing is changed.
func TestCheckLooksAtModules(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	conf := conformance(t, '1')
	for name, text := range map[string]string{"text.wasm": "text", "empty/README": "", "source/main.c": "int x;"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := fmt.Sprintf("{ module = %q, config = {} }", conf)
	_, stderr, status := checkIn(t, dir, fmt.Sprintf(`[topics.orders]
partitioner = { module = "nobody" }
interceptors = [
  { module = "./none.wasm" }, { module = "./none" }, { module = "./text.wasm" }, { module = "./empty" }, %s,
]
[topics."logs.*"]
interceptors = [{ module = %q, config = { refuse = "not today" } }]
`, good, conf))
	if status != exitFailed {
		t.Errorf("exit status %d", status)
	}
	for _, want := range []string{
		`config.toml:7: topics.orders.partitioner.module = "nobody": there is no module "nobody"`,
		`config.toml:9: topics.orders.interceptors[0].module = `, "none.wasm: no such file",
		`topics.orders.interceptors[1].module = `, "none: no such file",
		`topics.orders.interceptors[2].module = `, "this is not WebAssembly",
		`topics.orders.interceptors[3].module = `, "no source of a module in it",
		`config.toml:12: topics."logs.*".interceptors[0].config: `, "it refuses its configuration: not today",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %s in\n%s", want, stderr)
		}
	}
	if strings.Contains(stderr, "interceptors[4]") {
		t.Error("what is good is refused: ", stderr)
	}

	// What is in the registry is known, also while a gateway has it open; what was not built yet is only told of.
	reg, err := registry.Open(filepath.Join(dir, "modules"), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close() //nolint:errcheck // the test ends
	wasm, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reg.Put("nobody", wasm, nil, registry.Origin{Kind: registry.Uploaded}); err != nil {
		t.Fatal(err)
	}
	if err := reg.SetPartitioner("free", &registry.Binding{Module: "nobody", Config: []byte(`{"refuse":"nor tomorrow"}`)}); err != nil {
		t.Fatal(err)
	}
	out, stderr, status := checkIn(t, dir, "[topics.orders]\npartitioner = { module = \"nobody\" }\ninterceptors = [{ module = \"./source\" }]\n[topics.free]\n")
	if status != 0 || !strings.Contains(out, "partitioner.module") {
		t.Errorf("exit status %d: %s%s", status, out, stderr)
	}
	for _, want := range []string{
		"config.toml:8: topics.orders.interceptors[0]: ", "is not built yet", `records of topic "free" will be refused`, "nor tomorrow",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %s in\n%s", want, stderr)
		}
	}
	if _, stderr, status = checkIn(t, dir, "[topics.orders]\ninterceptors = [{ module = \"./source\" }]\n", "--build"); status != exitFailed ||
		!strings.Contains(stderr, "config.toml:7: topics.orders.interceptors[0].module = ") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	if n := len(reg.Modules()); n != 1 {
		t.Errorf("%d modules are in the registry", n)
	}
}
