package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// TestSecondStartBuildsAndCompilesNothing: with the same folders, no compiler runs a second time.
func TestSecondStartBuildsAndCompilesNothing(t *testing.T) {
	module := steer(t)
	folder, children := t.TempDir(), t.TempDir()
	header, err := os.ReadFile("../guest-sdk/c/sluice.h")
	if err != nil {
		t.Fatal(err)
	}
	text := "#include \"sluice.h\"\nstatic void on_send(sluice_record *r) { sluice_add_header(r, \"built\", \"yes\"); }\nSLUICE_ON_SEND(on_send)\n"
	for name, content := range map[string][]byte{"sluice.h": header, "guest.c": []byte(text)} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := fake(t)
	cfg, ids := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }, { module = \""+folder+"\" }]\n", module)
	cfg.Wasm.CacheDir = t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	started := func() int {
		all, err := os.ReadDir(children)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for start := range 3 {
		r, err := tryServe(t, cfg, CompileWith(exe, compileArg, children))
		if err != nil {
			t.Fatal(err)
		}
		r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
		if n := started(); n != 2 {
			t.Errorf("after start %d, %d children were started to compile two modules", start+1, n)
		}
		if built := strings.Count(r.logs.String(), "building a module from source"); built != 0 && start > 0 || built != 1 && start == 0 {
			t.Errorf("at start %d, %d modules were built", start+1, built)
		}
		wasm, err := r.g.registry.Bytes(ids[0])
		if err != nil {
			t.Fatal(err)
		}
		report, err := r.g.modules.Upload(t.Context(), "steer", wasm, registry.Origin{Kind: registry.Uploaded})
		if err != nil || !report.Cached || !report.Known {
			t.Errorf("report %+v, %v", report, err)
		}
		r.clean()
	}
	for _, rec := range read(t, c.ListenAddrs(), "orders", 3) {
		if string(rec.Value) != "va" || len(rec.Headers) != 1 {
			t.Errorf("stored %q %v", rec.Value, rec.Headers)
		}
	}
}

func TestDamagedVersion(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n", steer(t), steer(t, "V=2"))
	r := serveConfig(t, cfg)
	damage := func(id string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(cfg.Wasm.RegistryDir, "blobs", id), []byte("damage"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damage(ids[1])
	if err := r.g.modules.Activate(t.Context(), "steer", ids[1], ""); err == nil || !strings.Contains(err.Error(), ids[1]) {
		t.Errorf("activating what is damaged: %v", err)
	}
	damage(ids[0]) // it serves already, and goes on
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	if err := r.g.Reload(parse(t, guestTables(c, "[topics.orders]\nproducer.linger.ms = 1\ninterceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n"))); err != nil {
		t.Errorf("what serves already need not be read again: %v", err)
	}
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	r.clean()

	_, err := tryServe(t, cfg)
	if err == nil || !strings.Contains(err.Error(), "orders") || !strings.Contains(err.Error(), ids[0]) {
		t.Fatalf("a start with a damaged strict module: %v", err)
	}
	reg, err := registry.Open(cfg.Wasm.RegistryDir, registry.Options{})
	if err != nil {
		t.Fatal("the start that failed keeps the registry: ", err)
	}
	if _, err := reg.Put("steer", steer(t), nil, registry.Origin{Kind: registry.Uploaded}); err != nil {
		t.Fatal(err)
	}
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	r = serveConfig(t, cfg)
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	r.clean()
}

func TestCacheFolderVanishes(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, marked, steer(t), steer(t, "V=2"))
	cfg.Wasm.CacheDir = filepath.Join(t.TempDir(), "cache")
	r := serveConfig(t, cfg)
	if err := os.RemoveAll(cfg.Wasm.CacheDir); err != nil {
		t.Fatal(err)
	}
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	want := "va2"
	if err := r.g.modules.Activate(t.Context(), "steer", ids[1], ""); err != nil {
		if want = "va"; !strings.Contains(err.Error(), cfg.Wasm.CacheDir) {
			t.Error("the error does not name the folder:", err)
		}
	}
	r.post(r.url("orders"), line("l", "v"), envelope).want(t, 200, "")
	if v := byKey(read(t, c.ListenAddrs(), "orders", 2))["l"]; len(v) != 1 || v[0] != want {
		t.Errorf("stored %q, want %q", v, want)
	}
	r.clean()
}

// TestStartFailsHalfway: what was begun is given up, also when the last of several modules refuses.
func TestStartFailsHalfway(t *testing.T) {
	c := fake(t)
	path := filepath.Join(t.TempDir(), "steer.wasm")
	if err := os.WriteFile(path, steer(t), 0o600); err != nil {
		t.Fatal(err)
	}
	good := "{ module = \"" + path + "\", config = { mark = \"a\" } }"
	for name, bad := range map[string]string{
		"refuses":     "{ module = \"steer\", config = { refuse = \"not today\" } }",
		"not there":   "{ module = \"nobody\" }",
		"no such dir": "{ module = \"./nowhere\" }",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = ["+good+"]\n[topics.other]\ninterceptors = ["+good+", "+bad+"]\n", steer(t))
			if _, err := tryServe(t, cfg); err == nil || !strings.Contains(err.Error(), "interceptors[1]") {
				t.Fatalf("start: %v", err)
			}
			r := serveConfig(t, parseWith(t, cfg.Wasm.RegistryDir, guestTables(c, "[topics.orders]\ninterceptors = ["+good+"]\n")))
			before := r.g.host.Memory()
			if err := r.g.Reload(parse(t, guestTables(c, "[topics.orders]\ninterceptors = ["+good+"]\n[topics.other]\ninterceptors = ["+good+", "+bad+"]\n"))); err == nil {
				t.Error("the reload did not fail")
			}
			eventually(t, "what was begun is given up", func() bool { return r.g.host.Memory() == before })
			if n := len(r.g.modules.Bounds()); n != 1 {
				t.Errorf("%d bindings", n)
			}
			if r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, ""); wasmhost.ID(steer(t)) != r.g.modules.Bounds()[0].Serving()[0].Version {
				t.Error("another version serves")
			}
			r.clean()
		})
	}
}
