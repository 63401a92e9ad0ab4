package ingest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// problem is the body of an error (RFC 9457).
type problem struct {
	Type, Title, Code, Detail string
	Status                    int
	Retryable                 bool
	Failed                    int
	Records                   []json.RawMessage
}

// checkProblem holds an answer to be a whole problem of the given status; an empty code or text is not compared.
func checkProblem(t *testing.T, got answer, status int, code, says string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(got.body), &p); err != nil {
		t.Fatalf("%v: %v", got, err)
	}
	if got.status != status || p.Status != status || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %v, want a problem of status %d", got, status)
	}
	if p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Detail == "" || p.Code == "" {
		t.Errorf("not a whole problem: %s", got.body)
	}
	if code != "" && p.Code != code {
		t.Errorf("code %q, want %q: %s", p.Code, code, p.Detail)
	}
	if !strings.Contains(p.Detail, says) {
		t.Errorf("%q does not say %q", p.Detail, says)
	}
	if after := got.header.Get("Retry-After"); (status == 503 || status == 429) != (after != "") {
		t.Errorf("status %d with Retry-After %q", status, after)
	}
	return p
}

func sortHeaders(h []string) { slices.Sort(h) }

// bodyOf is a body of unknown length if it is to be chunked.
func bodyOf(s string, chunked bool) io.Reader {
	if chunked {
		return struct{ io.Reader }{strings.NewReader(s)}
	}
	return strings.NewReader(s)
}
