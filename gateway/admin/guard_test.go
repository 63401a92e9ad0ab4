package admin_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/gateway/config"
)

// TestPagesOfOthers holds that a page of another site cannot have a browser change anything here.
func TestPagesOfOthers(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	for _, header := range []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Origin: null"} {
		for _, what := range []string{"POST /v1/modules/c/rollback", "POST /v1/modules/c/versions/active/try", "PUT /v1/modules/c", "DELETE /v1/modules/c"} {
			method, path, _ := strings.Cut(what, " ")
			p.do(method, path, strings.NewReader("{}"), header, "Content-Type: text/plain").want(403, `"code":"cross_origin"`)
		}
	}
	r := p.do("DELETE", "/v1/modules/c", http.NoBody, "Sec-Fetch-Site: cross-site").want(403, "DELETE from a page of another origin is refused")
	if strings.Contains(r.body, "()") {
		t.Error(r.body)
	}
	p.do("DELETE", "/v1/modules/c", http.NoBody, "Origin: https://evil.example").want(403, `another origin (\"https://evil.example\") is refused`)
	p.do("POST", "/v1/modules/c/rollback", http.NoBody, "Origin: http://"+p.g.AdminAddr()).want(409, "no version before") // its own page
	p.do("GET", "/v1/modules/c", http.NoBody, "Sec-Fetch-Site: cross-site").want(200)                                     // its answer is kept from the page
}

func TestMethods(t *testing.T) {
	p := start(t)
	for what, allow := range map[string]string{
		"POST /v1/modules": "GET, HEAD", "POST /v1/modules/c": "DELETE, GET, HEAD, PUT", "GET /v1/modules/c/active": "PUT", "PUT /v1/modules/c/candidate": "DELETE",
		"GET /v1/modules/c/versions/active/try": "POST", "GET /v1/topics/orders/partitioner": "DELETE, PUT", "PUT /v1/modules/c/versions/active": "DELETE, GET, HEAD",
	} {
		method, path, _ := strings.Cut(what, " ")
		r := p.do(method, path, http.NoBody).want(405, `"code":"invalid_request"`)
		if got := r.header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow: %s, want %s", what, got, allow)
		}
	}
	p.do("GET", "/v1/modules/c/nothing", http.NoBody).want(404, "no such path")
}

// TestSlowBody holds that a client cannot keep a request open for longer than admin.read.timeout.ms.
func TestSlowBody(t *testing.T) {
	p := start(t, func(c *config.Config) { c.Admin.ReadTimeout = 50 * time.Millisecond })
	for _, path := range []string{"/v1/modules/m", "/v1/topics/orders/partitioner"} {
		body, slow := io.Pipe()
		go func() { _, _ = io.WriteString(slow, "{") }() // and no more
		p.do("PUT", path, body).want(408, `"code":"request_timeout"`, "admin.read.timeout.ms = 50")
		_ = slow.Close() // its other end is gone
	}
}
