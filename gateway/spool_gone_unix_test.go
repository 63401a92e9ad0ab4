//go:build unix

package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRemovedSpoolIsNoSpool: records that would go into files that nobody can find any more are refused, and it is said what was lost.
func TestRemovedSpoolIsNoSpool(t *testing.T) {
	c := fake(t)
	dir := t.TempDir()
	r := serve(t, c.ListenAddrs(), spoolTable(dir, ""))
	n := r.queueNumbered("orders", 2, 0, 5)
	read(t, c.ListenAddrs(), "orders", n)
	segments, err := filepath.Glob(filepath.Join(dir, "orders.spool", "*.seg"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("%v %v", segments, err)
	}
	if err := os.Remove(segments[0]); err != nil {
		t.Fatal(err)
	}
	a := r.queue("orders", "into nothing")
	a.want(t, 503, "not_available")
	if !strings.Contains(a.body, segments[0]+" was removed") || a.header.Get("Retry-After") == "" {
		t.Errorf("answer %v %s", a.header, a.body)
	}
	r.queue("orders", `{"key":"k0","value":"5"}`+"\n"+`{"key":"k1","value":"5"}`+"\n", envelope).want(t, 202, "")
	wantNumbered(t, read(t, c.ListenAddrs(), "orders", n+2), 2, 6, false)

	eventually(t, "ready", func() bool { status, _ := probe(t, r.g.HTTPAddr()); return status == 200 })
	if err := os.RemoveAll(filepath.Join(dir, "orders.spool")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r.queue("orders", "into nothing").want(t, 503, "not_available")
	}
	if !strings.Contains(r.logs.String(), "the spool does not take records") {
		t.Error("the log does not say that it is gone")
	}
	r.post(r.url("orders"), "sent").want(t, 200, "")
	c.Close()
	eventually(t, "not ready", func() bool { status, _ := probe(t, r.g.HTTPAddr()); return status == 503 })
}
