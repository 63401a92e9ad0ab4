package admin_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/gateway/admin"
	"sluice/gateway/config"
	"sluice/gateway/guest"
	"sluice/wasmhost"
)

func TestUpload(t *testing.T) {
	p := start(t)
	wasm := conformance(t, "1")
	var report guest.Report
	r := p.do("PUT", "/v1/modules/c", bytes.NewReader(wasm))
	r.want(http.StatusCreated).into(&report)
	id := wasmhost.ID(wasm)
	if report.Version != id || report.Size != len(wasm) || !report.Active || report.Known || report.DryRun == nil || report.DryRun.Records == 0 ||
		len(report.Kinds) != 2 || len(report.Imports) == 0 || len(report.Exports) == 0 || report.Memory.Initial == 0 {
		t.Errorf("report %+v", report)
	}
	if want := "/v1/modules/c/versions/" + id; r.header.Get("Location") != want {
		t.Errorf("Location %q", r.header.Get("Location"))
	}
	p.do("PUT", "/v1/modules/c", bytes.NewReader(wasm)).want(http.StatusOK, `"known":true`)
	// A reader whose length is not known is sent in chunks.
	second := conformance(t, "2")
	p.do("PUT", "/v1/modules/c", io.MultiReader(bytes.NewReader(second))).want(http.StatusCreated, `"active":false`)
	p.do("PUT", "/v1/modules/c?activate=true", bytes.NewReader(second)).want(http.StatusOK, `"active":true`)
	names := map[string]string{id: "1", wasmhost.ID(second): "2"}
	if got := p.state("c", names); got != "active=2 previous=1" {
		t.Errorf("state %q", got)
	}
}

func TestUploadRefused(t *testing.T) {
	wasm := conformance(t, "1")
	p := start(t, func(c *config.Config) { c.Wasm.ModuleMaxBytes = int64(len(wasm)) + 100 })
	tooLarge := append(bytes.Clone(wasm), make([]byte, 200)...)
	empty := "\x00asm\x01\x00\x00\x00"
	tests := []struct {
		name, path string
		body       io.Reader
		status     int
		parts      []string
	}{
		{"no module", "/v1/modules/m", strings.NewReader("hello"), 422, []string{`"code":"module_refused"`, `"problems":[{"rule":"format"`}},
		{
			"every reason", "/v1/modules/m", strings.NewReader(empty), 422,
			[]string{`"rule":"export"`, "memory", "sluice_alloc", "sluice_abi_v1"},
		},
		{"too large", "/v1/modules/m", bytes.NewReader(tooLarge), 413, []string{`"code":"body_too_large"`, "wasm.module.max.bytes = "}},
		{"too large in chunks", "/v1/modules/m", io.MultiReader(bytes.NewReader(tooLarge)), 413, []string{"wasm.module.max.bytes = "}},
		{"no body", "/v1/modules/m", http.NoBody, 400, []string{`"code":"invalid_request"`, "the body is empty"}},
		{"bad name", "/v1/modules/Not%20a%20name", bytes.NewReader(wasm), 422, []string{`"code":"invalid_value"`, "Not a name"}},
		{"bad parameter", "/v1/modules/m?activate=maybe", bytes.NewReader(wasm), 400, []string{`activate: \"maybe\" must be true or false`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p.do("PUT", test.path, test.body).want(test.status, test.parts...)
		})
	}
	p.do("GET", "/v1/modules/m", http.NoBody).want(http.StatusNotFound, `"code":"module_not_found"`)
}

func TestVersions(t *testing.T) {
	p := start(t)
	wasm := conformance(t, "1")
	id := p.put("c", wasm)
	var v admin.VersionState
	p.do("GET", "/v1/modules/c/versions/"+id[:6], http.NoBody).want(http.StatusOK).into(&v)
	if v.ID != id || v.State != "active" || v.Size != int64(len(wasm)) || v.Origin.Kind != "upload" || !bytes.Contains(v.Report, []byte(`"dry_run"`)) {
		t.Errorf("%+v", v)
	}
	r := p.do("GET", "/v1/modules/c/versions/active/wasm", http.NoBody).want(http.StatusOK)
	if r.body != string(wasm) || r.header.Get("Content-Type") != "application/wasm" || r.header.Get("ETag") != `"`+id+`"` {
		t.Errorf("%d bytes, %v", len(r.body), r.header)
	}
	p.do("GET", "/v1/modules/c/versions/"+id[:5], http.NoBody).want(422, "at least its first 6 digits")
	p.do("GET", "/v1/modules/c/versions/000000000000", http.NoBody).want(404, `"code":"module_not_found"`, "000000000000")
	p.do("GET", "/v1/modules/none/versions/active", http.NoBody).want(404, `\"none\"`)
	p.do("DELETE", "/v1/modules/c/versions/active", http.NoBody).want(409, `"code":"in_use"`, "the active version")

	second := p.put("c", conformance(t, "2"))
	p.do("DELETE", "/v1/modules/c/versions/"+second[:8], http.NoBody).want(204)
	p.do("GET", "/v1/modules/c/versions/"+second, http.NoBody).want(404)

	var list struct{ Modules []admin.ModuleSummary }
	p.do("GET", "/v1/modules", http.NoBody).want(http.StatusOK).into(&list)
	if len(list.Modules) != 2 || list.Modules[0].Name != "c" || list.Modules[0].Versions != 1 || len(list.Modules[0].Kinds) != 2 || !list.Modules[1].Path {
		t.Errorf("%+v", list)
	}
	// A module that is named by its path, with its log and bindings.
	path := "/v1/modules/" + strings.ReplaceAll(list.Modules[1].Name, "/", "%2F")
	p.do("GET", path, http.NoBody).want(http.StatusOK, `"topic":"filed"`, `"origin":"test.toml:15"`, `"state":"active"`)
	p.do("GET", path+"/logs", http.NoBody).want(http.StatusOK, "configure topic=")
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(204)
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(404)
}

func TestRollout(t *testing.T) {
	p := start(t)
	one, two, three := p.put("c", conformance(t, "1")), p.put("c", conformance(t, "2")), p.put("c", conformance(t, "3"))
	names := map[string]string{one: "1", two: "2", three: "3"}
	p.json("PUT", "/v1/topics/orders/interceptors", `{"module":"c","config":{}}`).want(200)
	for _, step := range []struct {
		method, path, body string
		status             int
		part, state        string
	}{
		{"POST", "rollback", "", 409, "no version before", "active=1"},
		{"PUT", "active", `{"version":"` + two[:6] + `"}`, 200, `"note":"by the admin API"`, "active=2 previous=1"},
		{"PUT", "active", `{"version":"` + three + `","canary_percent":12.5,"note":"why not"}`, 200, `"note":"why not"`, "candidate=3(canary 12.5) active=2 previous=1"},
		{"PUT", "active", `{"version":"` + three + `","shadow":true}`, 200, `"role":"shadow"`, "candidate=3(shadow) active=2 previous=1"},
		{"POST", "promote", `{"version":"` + one + `"}`, 409, "is not the candidate", "candidate=3(shadow) active=2 previous=1"},
		{"DELETE", "candidate", "", 200, ``, "active=2 previous=1"},
		{"DELETE", "candidate", "", 409, `has no candidate`, "active=2 previous=1"},
		{"POST", "promote", "", 409, `has no candidate`, "active=2 previous=1"},
		{"PUT", "active", `{"version":"` + three + `","canary_percent":100}`, 200, `"role":"canary"`, "candidate=3(canary 100) active=2 previous=1"},
		{"POST", "promote", "", 200, ``, "active=3 previous=2"},
		{"POST", "rollback", `{"note":"it was bad"}`, 200, `"note":"it was bad"`, "active=2 previous=1"},
		{"PUT", "active", `{"version":"` + two + `","canary_percent":5}`, 409, "is active", "active=2 previous=1"},
		{"PUT", "active", `{"version":"` + three + `","canary_percent":101}`, 422, "canary percent 101", "active=2 previous=1"},
		{"PUT", "active", `{"version":"` + three + `","canary_percent":5,"shadow":true}`, 422, "one of canary_percent and shadow", "active=2 previous=1"},
		{"PUT", "active", `{"version":"` + three + `","canary":5}`, 400, `unknown field \"canary\"`, "active=2 previous=1"},
		{"PUT", "active", `{"version":5}`, 400, `version: it must be a string, not number`, "active=2 previous=1"},
		{"PUT", "active", `{"version":"active"} {}`, 400, `something follows`, "active=2 previous=1"},
		{"PUT", "active", `{}`, 400, `version: it is missing`, "active=2 previous=1"},
		{"PUT", "active", `{"version":"abcdef"}`, 404, `no version \"abcdef\"`, "active=2 previous=1"},
	} {
		p.json(step.method, "/v1/modules/c/"+step.path, step.body).want(step.status, step.part)
		if got := p.state("c", names); got != step.state {
			t.Fatalf("after %s %s %s: %q, want %q", step.method, step.path, step.body, got, step.state)
		}
	}
}

// TestActivateThatCannotStart holds that a version goes nowhere if it does not start for what its module is bound to.
func TestActivateThatCannotStart(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.json("PUT", "/v1/topics/orders/partitioner", `{"module":"c"}`).want(200)
	stamp := p.put("c", compiled(t, "example/stamp.c")) // an interceptor only
	for _, body := range []string{`{"version":"` + stamp + `"}`, `{"version":"` + stamp + `","canary_percent":1}`, `{"version":"` + stamp + `","shadow":true}`} {
		p.json("PUT", "/v1/modules/c/active", body).want(422, `"code":"module_not_starting"`, `topic \"orders\"`)
	}
	if got := p.state("c", nil); got != "active=" {
		t.Errorf("state %q", got)
	}
	p.do("PUT", "/v1/modules/c?activate=true", bytes.NewReader(compiled(t, "example/stamp.c"))).
		want(422, `"code":"module_not_starting"`, "was uploaded, but not activated")
}

// TestUploadThatDoesNotStart holds that a module that would start with no configuration is refused, with the reason, and one
// that only wants to be configured is not.
func TestUploadThatDoesNotStart(t *testing.T) {
	p := start(t)
	guest := func(configure, more string) []byte {
		return compiled(t, "#include \"sluice.h\"\nstatic void on_send(sluice_record *r) {}\nSLUICE_ON_SEND(on_send)\n"+
			"static void configure(sluice_config *c) { "+configure+" }\nSLUICE_CONFIGURE(configure)\n"+more+"\n")
	}
	for _, test := range []struct {
		name   string
		wasm   []byte
		status int
		parts  []string
	}{
		{
			"initialize", guest("", `__attribute__((export_name("_initialize"))) void init(void) { __builtin_trap(); }`), 422,
			[]string{`"code":"module_refused"`, `"problems":[{"rule":"start"`, "_initialize: ", "unreachable"},
		},
		{"configure", guest("__builtin_trap();", ""), 422, []string{`"problems":[{"rule":"start"`, "configure: ", "unreachable"}},
		{
			"configure for ever", guest("for (volatile int i = 0;;) i++;", ""), 422,
			[]string{`"problems":[{"rule":"start"`, "configure: it used up its fuel (wasm.init.fuel)"},
		},
		{
			"needs a configuration", guest(`if (!sluice_config_has(c, "/a")) sluice_refuse(c, "a is missing");`, ""), 201,
			[]string{`"it needs a configuration, and was not tried without one: `, "a is missing"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.do("PUT", "/v1/modules/m", bytes.NewReader(test.wasm)).want(test.status, test.parts...)
		})
	}
	var m admin.ModuleState
	p.do("GET", "/v1/modules/m", http.NoBody).want(http.StatusOK).into(&m)
	if len(m.Versions) != 1 {
		t.Errorf("%d versions are kept", len(m.Versions))
	}
}
