//go:build unix

package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/gateway/admin"
	"sluice/gateway/guest"
)

// TestStartingIsSeen: while modules are built both planes answer, and say that.
func TestStartingIsSeen(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "slow.wasm") // reading it waits for who writes it
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \""+pipe+"\", config = { mark = \"a\" } }]\n")
	r, err := begin(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, get := range []struct {
		addr, path string
		status     int
		part       string
	}{
		{r.g.AdminAddr(), "/healthz", 200, `"status":"starting"`},
		{r.g.AdminAddr(), "/readyz", 503, "the gateway is starting"},
		{r.g.AdminAddr(), "/metrics", 200, "sluice_"},
		{r.g.AdminAddr(), "/v1/modules", 200, `"modules":[]`},
		{r.g.AdminAddr(), "/v1/topics/orders", 200, `"name":"orders"`},
		{r.g.HTTPAddr(), "/healthz", 200, `"status":"ok"`},
		{r.g.HTTPAddr(), "/readyz", 503, "the gateway is starting"},
	} {
		resp, err := http.Get("http://" + get.addr + get.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != get.status || !strings.Contains(string(body), get.part) {
			t.Errorf("%s: %d %s, %v", get.path, resp.StatusCode, body, err)
		}
		resp.Body.Close()
	}
	a := r.post(r.url("orders"), "v")
	if a.want(t, 503, "not_available"); !strings.Contains(a.body, "the gateway is starting") || a.header.Get("Retry-After") != "1" {
		t.Errorf("%v %s", a.header, a.body)
	}
	err = state{g: r.g}.Bind(t.Context(), "orders", guest.Partitioner, nil)
	if _, ok := errors.AsType[*admin.StartingError](err); !ok {
		t.Errorf("binding: %v", err)
	}
	if err := os.WriteFile(pipe, steer(t), 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.g.Started():
	case err := <-r.done:
		t.Fatal(err)
	}
	r.post(r.url("orders"), "v").want(t, 200, "")
	if _, err := r.g.ready(); err != nil {
		t.Error(err)
	}
	r.clean()
}
