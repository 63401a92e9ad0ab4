package gateway

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"sluice/gateway/kafkatest"
)

// redpandaTransform builds a transform with Redpanda's own SDK, from the module proxy.
func redpandaTransform(t testing.TB, name string) string {
	t.Helper()
	const dir = "../wasmhost/testdata/transform"
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	fetch := exec.CommandContext(t.Context(), "go", "mod", "download")
	fetch.Dir, fetch.Env = dir, env
	if text, err := fetch.CombinedOutput(); err != nil {
		kafkatest.Missing(t, "Redpanda's SDK cannot be fetched: %s", text)
	}
	out := filepath.Join(t.TempDir(), name+".wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", out, "./"+name)
	build.Dir, build.Env = dir, append(env, "GOOS=wasip1", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// TestRedpandaTransform: an unmodified transform drops, changes, routes and multiplies records; what is behind a record
// that it multiplied stays behind it, and sees the interceptors that follow.
func TestRedpandaTransform(t *testing.T) {
	transform := redpandaTransform(t, "deeds")
	c := fake(t, kfake.SeedTopics(1, "in", "audit"))
	r := serveGuests(t, c, t.TempDir(), fmt.Sprintf("[topics.audit]\n[topics.in]\ninterceptors = [{ module = %q, routes = [\"audit\"] }, { module = %q, on_error = \"strict\" }]\n",
		transform, conformanceGuest(t)))
	var body strings.Builder
	for _, rec := range [][2]string{{"same", "a"}, {"upper", "b"}, {"filter", "c"}, {"fan", "d"}, {"same", "e"}, {"route:audit", "f"}, {"fan", "g"}, {"same", "h"}} {
		body.WriteString(told(rec[0], rec[1], "set-header:seen=1"))
	}
	a := r.post(r.url("in"), body.String(), envelope)
	if a.status != 207 || len(a.Records) != 8 || strings.Count(a.body, `"dropped":true`) != 1 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	for i, want := range []string{"in 0", "in 1", "dropped", "audit 0", "in 4", "audit 1", "audit 2", "in 7"} {
		got := "dropped"
		if res := a.Records[i]; res.Offset != nil {
			got = fmt.Sprint("in ", *res.Offset)
			if strings.Contains(want, "audit") {
				got = fmt.Sprint("audit ", *res.Offset)
			}
		}
		if got != want {
			t.Errorf("record %d: %s, want %s", i, got, want)
		}
	}
	for topic, want := range map[string]string{"in": "a B d D e g G h", "audit": "D f G"} {
		var got []string
		for _, rec := range read(t, c.ListenAddrs(), topic, len(strings.Fields(want))) {
			got = append(got, string(rec.Value))
			if h := rec.Headers[len(rec.Headers)-1]; h.Key != "seen" {
				t.Errorf("%s: %s was not seen by the second interceptor", topic, rec.Value)
			}
		}
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%s, want and got:\n%s", topic, diff)
		}
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	if n := r.g.pool.Live(); n != 0 {
		t.Errorf("%d batches are live", n)
	}
}
