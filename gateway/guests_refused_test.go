package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/guest"
	"sluice/gateway/registry"
)

// TestStartWithBindingThatCannotServe: what the API bound, and cannot serve any more, keeps nothing from starting but the
// records of its topic.
func TestStartWithBindingThatCannotServe(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\n[topics.other]\n[topics.\"glob*\"]\n", steer(t))
	reg, err := registry.Open(cfg.Wasm.RegistryDir, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refuses := registry.Binding{Module: "steer", Config: []byte(`{"refuse":"not today"}`)}
	if _, err := reg.Put("gone", steer(t, "V=2"), nil, registry.Origin{Kind: registry.Uploaded}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		reg.SetInterceptors("orders", []registry.Binding{refuses}),
		reg.SetPartitioner("other", &registry.Binding{Module: "gone"}),
		reg.Close(),
		os.Remove(filepath.Join(cfg.Wasm.RegistryDir, "modules", "gone.json")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := serveConfig(t, cfg)
	for topic, why := range map[string]string{"orders": "not today", "other": `there is no module \"gone\"`} {
		a := r.post(r.url(topic), line("k", "v", "partition=0"), envelope)
		if a.want(t, 503, "not_available"); !strings.Contains(a.body, "cannot serve") || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", topic, a.body)
		}
		if strings.Contains(a.body, why) {
			t.Errorf("%s: a sender is told what is only for the log and the admin plane: %s", topic, a.body)
		}
		s, _ := state{g: r.g}.Topic(topic)
		why = strings.ReplaceAll(why, `\`, "")
		if len(s.Bindings) != 1 || !strings.Contains(s.Bindings[0].Refused, why) || !strings.Contains(s.Refused, why) {
			t.Errorf("%s is shown as %+v", topic, s)
		}
		if !strings.Contains(r.logs.String(), topic) {
			t.Errorf("the log does not name %s", topic)
		}
	}
	resp, err := httpClient.Get("http://" + r.g.AdminAddr() + "/v1/modules")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	list, err := io.ReadAll(resp.Body)
	for _, want := range []string{`"name":"gone"`, `"damaged":"the registry does not have it`, `"name":"steer"`, `"refused":"module \"steer\"`} {
		if err != nil || !strings.Contains(string(list), want) {
			t.Errorf("no %s in %s, %v", want, list, err)
		}
	}
	if err := r.g.Reload(parse(t, guestTables(c, "[topics.orders]\n[topics.other]\nproducer.linger.ms = 1\n"))); err != nil {
		t.Errorf("reload: %v", err)
	}
	eventually(t, "the bindings before are given up", func() bool { return len(r.g.modules.Bounds()) == 2 })
	r.post(r.url("orders"), line("k", "v", "partition=0"), envelope).want(t, 503, "not_available")

	// A module that is there again serves at once, and so does another binding.
	if _, err := r.g.modules.Upload(t.Context(), "gone", steer(t), registry.Origin{Kind: registry.Uploaded}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "records of topic other are stored", func() bool {
		return r.post(r.url("other"), line("k", "v", "partition=0"), envelope).status == 200
	})
	refuses.Config = []byte(`{"mark":"x"}`)
	if err := (state{g: r.g}).Bind(t.Context(), "orders", guest.Interceptor, []registry.Binding{refuses}); err != nil {
		t.Fatal(err)
	}
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	if v := newest(read(t, c.ListenAddrs(), "orders", 1)).Value; string(v) != "vx" {
		t.Errorf("stored %q", v)
	}
	r.clean()
}

// TestCandidateThatDoesNotStart: after a restart with a candidate that does not start the active version serves alone, whoever bound
// the module, and also for a topic that only a glob covers.
func TestCandidateThatDoesNotStart(t *testing.T) {
	const bound = "interceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n"
	for name, tables := range map[string]string{
		"bound by the file": "[topics.orders]\n" + bound, "bound by the API": "[topics.orders]\n", "a glob": "[topics.\"ord*\"]\n" + bound,
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			cfg, ids := guestConfig(t, c, tables, steer(t), steer(t, "V=2"))
			r := serveConfig(t, cfg)
			if name == "bound by the API" {
				list := []registry.Binding{{Module: "steer", OnError: registry.Strict, Config: []byte(`{"mark":"a"}`)}}
				if err := (state{g: r.g}).Bind(t.Context(), "orders", guest.Interceptor, list); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.g.modules.Canary(t.Context(), "steer", ids[1], 100, ""); err != nil {
				t.Fatal(err)
			}
			r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
			r.clean()
			if err := os.WriteFile(filepath.Join(cfg.Wasm.RegistryDir, "blobs", ids[1]), []byte("damage"), 0o600); err != nil {
				t.Fatal(err)
			}

			r = serveConfig(t, cfg)
			r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
			if v := newest(read(t, c.ListenAddrs(), "orders", 2)).Value; string(v) != "va" {
				t.Errorf("stored %q, not by the active version", v)
			}
			if m := r.module(); m.Rollout.Candidate != nil || m.Rollout.Active != ids[0] || !strings.Contains(m.Rollout.Note, "it did not start") {
				t.Errorf("%+v", m.Rollout)
			}
			if n := r.scrapeOf("sluice_module_candidates_ended_total")["sluice_module_candidates_ended_total"]; n != 1 {
				t.Errorf("%v candidates are counted", n)
			}
			if !strings.Contains(r.logs.String(), "a candidate was ended") {
				t.Error("the log does not say so")
			}
			r.clean()
		})
	}
}

// TestModulesOfGlobsAreChecked: the log says at the start what would else show with the first record.
func TestModulesOfGlobsAreChecked(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\n[topics.\"oth*\"]\ninterceptors = [{ module = \"nobody\" }]\n", steer(t))
	r := serveConfig(t, cfg)
	eventually(t, "the log says that there is no such module", func() bool {
		return strings.Contains(r.logs.String(), `test.toml:10: topics.\"oth*\".interceptors[0].module`)
	})
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	r.clean()
}

// TestErrorsOfModulesSayWhere: with the line of the file, the key, and all at once.
func TestErrorsOfModulesSayWhere(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"nobody\" }]\n[topics.other]\n"+
		"partitioner = { module = \"steer\", config = { refuse = \"not today\" } }\n", steer(t))
	_, err := tryServe(t, cfg)
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{
		`test.toml:9: topics.orders.interceptors[0].module = "nobody": there is no module "nobody"`,
		`test.toml:11: topics.other.partitioner.config: module "steer"`, "not today",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in\n%v", want, err)
		}
	}
}

// TestDamagedBindingsCanBeUnbound: the messages say so, and nobody should have to look for a file.
func TestDamagedBindingsCanBeUnbound(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\n[topics.\"glob*\"]\n", steer(t))
	reg, err := registry.Open(cfg.Wasm.RegistryDir, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	steered := []registry.Binding{{Module: "steer"}}
	for _, err := range []error{
		reg.SetInterceptors("orders", steered), reg.SetInterceptors("glob.x", steered), reg.Close(),
		os.WriteFile(filepath.Join(cfg.Wasm.RegistryDir, "topics", "orders.json"), []byte("{"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := serveConfig(t, cfg)
	a := r.post(r.url("orders"), line("k", "v"), envelope)
	if a.want(t, 503, "not_available"); strings.Contains(a.body, cfg.Wasm.RegistryDir) {
		t.Errorf("a sender is told of files: %s", a.body)
	}
	api := "http://" + r.g.AdminAddr() + "/v1/"
	if list := adminBody(t, http.MethodGet, api+"modules"); !strings.Contains(list, `"topic":"glob.x"`) {
		t.Errorf("a binding whose topic had no record yet is not shown: %s", list)
	}
	if err := (state{g: r.g}).Bind(t.Context(), "orders", guest.Interceptor, steered); !errors.Is(err, registry.ErrDamaged) {
		t.Errorf("bound beside what cannot be read: %v", err)
	}
	adminBody(t, http.MethodDelete, api+"topics/orders/interceptors")
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	r.clean()
}

func adminBody(t *testing.T, method, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, url, resp.StatusCode, body, err)
	}
	return string(body)
}
