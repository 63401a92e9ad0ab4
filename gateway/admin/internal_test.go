package admin

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sluice/gateway/guest"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

func TestResolve(t *testing.T) {
	const a, b = "aaaaaaaaaa11", "aaaaaaaaaa22"
	m := registry.Module{Name: "m", Versions: []registry.Version{{ID: a}, {ID: b}}, Rollout: registry.Rollout{Active: b}}
	for id, want := range map[string]string{
		a: a, "aaaaaaaaaa2": b, "active": b, "aaaaaaaaaa": codeAmbiguous, "aaaaaa": codeAmbiguous, "aaaaa": codeInvalidValue, "": codeInvalidValue,
		"aaaaaaaaaa3": codeNoModule, a + "1": codeNoModule,
	} {
		v, err := resolve(&m, id)
		got := v.ID
		if f, ok := errors.AsType[*failure](err); ok {
			got = f.code
		}
		if got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

// TestHeartbeat holds that a log that nobody writes to shows that the connection stands.
func TestHeartbeat(t *testing.T) {
	s := &Server{heartbeat: time.Millisecond, stop: make(chan struct{})}
	log := wasmhost.NewLog(10)
	ended := make(chan error, 1)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ended <- s.follow(w, r, follower{log: log})
	}))
	defer h.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != ":" {
		t.Errorf("%q instead of a heartbeat", lines.Text())
	}
	resp.Body.Close() // the client leaves
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestFollowMissesNothing writes while somebody begins to follow: each line comes once, whether it was kept or is new.
func TestFollowMissesNothing(t *testing.T) {
	const lines = 200 // fewer than a follower may fall behind
	s := &Server{heartbeat: time.Hour, stop: make(chan struct{})}
	log := wasmhost.NewLog(lines)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = s.follow(w, r, follower{log: log, limit: lines})
	}))
	defer h.Close()
	go func() {
		for i := range lines {
			log.Add(wasmhost.Line{Time: time.Unix(0, int64(i+1)), Level: 2, Text: string(rune('a' + i%26))})
		}
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in, n := bufio.NewScanner(resp.Body), 0
	for n < lines && in.Scan() {
		if len(in.Text()) > 3 && in.Text()[:3] == "id:" {
			n++
			if want := "id: " + time.Unix(0, int64(n)).Format(time.RFC3339Nano); in.Text() != want {
				t.Fatalf("line %d is %q, want %q", n, in.Text(), want)
			}
		}
	}
	if n != lines {
		t.Errorf("%d lines", n)
	}
}

func TestLevels(t *testing.T) {
	for n, name := range guest.Levels() {
		if got := guest.Shown(wasmhost.Line{Level: n}).Level; got != name {
			t.Errorf("%d is %q, want %q", n, got, name)
		}
	}
}
