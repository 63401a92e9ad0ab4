package embedded

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func start(t *testing.T, dir string) *Registry {
	t.Helper()
	r, err := Start("127.0.0.1:0", dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func do(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(bytes.TrimSpace(text))
}

func registered(t *testing.T, r *Registry, subject, schema string) string {
	t.Helper()
	status, text := do(t, http.MethodPost, r.URL()+"/subjects/"+subject+"/versions", fmt.Sprintf(`{"schema":%q}`, schema))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	return text
}

// TestKept holds that ids mean the same after a restart, also when schemas were deleted in between, and that what is asked for
// again does not make the file grow.
func TestKept(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	for i, want := range []string{`{"id":1}`, `{"id":2}`, `{"id":3}`} {
		if got := registered(t, r, fmt.Sprint("s", i), fmt.Sprintf(`{"type":"fixed","name":"F","size":%d}`, i+1)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	registered(t, r, "other", `{"type":"fixed","name":"F","size":1}`) // the id is that of s0
	if status, text := do(t, http.MethodDelete, r.URL()+"/subjects/s1", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := do(t, http.MethodPost, r.URL()+"/subjects/bad/versions", `{"schema":""}`); status < 400 {
		t.Error("an empty schema was taken")
	}
	registered(t, r, "s2", `{"type":"fixed","name":"F","size":3}`)
	before := size(t, dir)
	registered(t, r, "s2", `{"type":"fixed","name":"F","size":3}`)
	if now := size(t, dir); now != before {
		t.Errorf("the file grew from %d to %d bytes", before, now)
	}
	if _, err := Start("127.0.0.1:0", dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "embedded.data.dir") {
		t.Errorf("two on one folder: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	appendTo(t, dir, `{"method":"POST"`) // cut off

	r = start(t, dir)
	_, subjects := do(t, http.MethodGet, r.URL()+"/subjects", "")
	_, third := do(t, http.MethodGet, r.URL()+"/schemas/ids/3/schema", "")
	if subjects != `["other","s0","s2"]` || !strings.Contains(third, `\"size\":3`) {
		t.Errorf("%s, %s", subjects, third)
	}
	if got := registered(t, r, "new", `"int"`); got != `{"id":4}` {
		t.Errorf("%s", got)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	appendTo(t, dir, "no JSON\n")
	if _, err := Start("127.0.0.1:0", dir, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "move the file away") {
		t.Errorf("%v", err)
	}
}

func size(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func appendTo(t *testing.T, dir, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestListen(t *testing.T) {
	r := start(t, "")
	addr := strings.TrimPrefix(r.URL(), "http://")
	if _, err := Start(addr, "", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "schema.embedded.listen") || !strings.Contains(err.Error(), "free port") {
		t.Errorf("%v", err)
	}
	if got := registered(t, r, "s", `"int"`); got != `{"id":1}` {
		t.Errorf("%s", got)
	}
}
