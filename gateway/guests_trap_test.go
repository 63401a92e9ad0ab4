package gateway

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/gateway/guest"
	"sluice/wasmhost"
)

// TestTrapStorm: on 1 % of the records the guest really traps, from 8 connections; all others are stored, in order per key.
func TestTrapStorm(t *testing.T) {
	for _, test := range []struct {
		onError       string
		records, size int // of a connection, and of a request
	}{{"strict", 400, 1}, {"continue", 400, 1}, {"strict", 2000, 200}, {"continue", 2000, 200}} {
		t.Run(fmt.Sprint(test.onError, " in requests of ", test.size), func(t *testing.T) {
			c := fake(t)
			cfg, _ := guestConfig(t, c, fmt.Sprintf("[topics.orders]\ninterceptors = [{ module = \"steer\", on_error = %q, config = { mark = \"a\" } }]\n", test.onError), steer(t))
			cfg.Wasm.AcquireTimeout = 5 * time.Second // on a busy machine instances take their time
			r := serveConfig(t, cfg)
			const connections = 8
			errs := make(chan error, connections)
			for w := range connections {
				go func() { errs <- r.storm(w, test.records, test.size, test.onError == "strict") }()
			}
			for range connections {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			want := map[string][]string{}
			for w := range connections {
				for i := range test.records {
					key, v := stormKey(w, i), fmt.Sprint(w, "/", i)
					switch {
					case !poison(i):
						want[key] = append(want[key], v+"a")
					case test.onError == "continue":
						want[key] = append(want[key], v)
					}
				}
			}
			if diff := cmp.Diff(want, byKey(read(t, c.ListenAddrs(), "orders", int(stored(c, "orders"))))); diff != "" {
				t.Errorf("in order per key, want and got: %.2000s", diff)
			}
			var trapped, bypassed int64
			r.g.modules.EachStats(func(_ guest.Ref, s *wasmhost.Stats) {
				e := &s.Hooks[wasmhost.OnSend].Errors
				trapped, bypassed = trapped+e[wasmhost.Trap].Load(), bypassed+e[wasmhost.BreakerOpen].Load()+e[wasmhost.NoInstance].Load()
			})
			if n := int64(connections * test.records / 100); trapped != n || bypassed != 0 {
				t.Errorf("%d records trapped and %d were bypassed, want %d and 0", trapped, bypassed, n)
			}
			r.clean()
		})
	}
}

func stormKey(w, i int) string { return fmt.Sprint("key ", w, " ", i%5) }
func poison(i int) bool        { return i%100 == 57 }

// storm sends the records of one connection, and looks at each answer.
func (r *rig) storm(w, records, size int, strict bool) error {
	for from := 0; from < records; from += size {
		var body strings.Builder
		for i := from; i < from+size; i++ {
			if poison(i) {
				body.WriteString(line(stormKey(w, i), fmt.Sprint(w, "/", i), "a=trap"))
			} else {
				body.WriteString(line(stormKey(w, i), fmt.Sprint(w, "/", i)))
			}
		}
		a, err := post(httpClient, r.url("orders"), body.String(), envelope)
		if err != nil {
			return err
		}
		if size == 1 {
			if want := map[bool]int{true: 422, false: 200}[strict && poison(from)]; a.status != want {
				return fmt.Errorf("record %d: answer %d %s, want %d", from, a.status, a.body, want)
			}
			continue
		}
		if len(a.Records) != size {
			return fmt.Errorf("answer %d %.300s", a.status, a.body)
		}
		for k, res := range a.Records {
			if failed := res.Error != nil; failed != (strict && poison(from+k)) {
				return fmt.Errorf("record %d: %+v", from+k, res.Error)
			}
		}
	}
	return nil
}

func TestBreakerByPolicyAndHealing(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n"+
		"[topics.other]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }]\n", steer(t, "ALWAYS_TRAP=1"), steer(t))
	cfg.Wasm.BreakerBackoff, cfg.Wasm.BreakerBackoffMax = 20*time.Second, 20*time.Second
	r := serveConfig(t, cfg)
	open := 0
	for n := 0; open < 10; n++ {
		switch a := r.post(r.url("orders"), line("k", "v"), envelope); {
		case a.status == 503:
			a.want(t, 503, "not_available")
			if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < 1 || s > 20 {
				t.Fatalf("Retry-After %q", a.header.Get("Retry-After"))
			}
			open++
		case n > 100:
			t.Fatal("the breaker does not open")
		default:
			a.want(t, 422, "rejected")
		}
		r.post(r.url("other"), line("k", fmt.Sprint(n)), envelope).want(t, 200, "")
	}
	for _, b := range r.g.modules.Bounds() {
		if s := b.Serving()[0]; s.Breaker != "open" || s.OpenMs < 1000 {
			t.Errorf("%s: breaker %s for %d ms", b.Topic, s.Breaker, s.OpenMs)
		}
	}
	if f := r.g.modules.Faults("steer"); len(f) == 0 || f[0].Cause != "trap" || f[0].Version != ids[0] {
		t.Errorf("faults %+v", f)
	}
	if err := r.g.modules.Activate(t.Context(), "steer", ids[1], "healed"); err != nil {
		t.Fatal(err)
	}
	r.post(r.url("orders"), line("k", "v"), envelope).want(t, 200, "")
	r.post(r.url("other"), line("healed", "v"), envelope).want(t, 200, "")
	if v := byKey(read(t, c.ListenAddrs(), "other", int(stored(c, "other")))); v["healed"][0] != "va" {
		t.Errorf("stored %q", v["healed"])
	} else {
		for i, value := range v["k"] {
			if value != fmt.Sprint(i) {
				t.Errorf("record %d is stored as %q", i, value)
			}
		}
	}
	r.clean()
}

// TestBreakerClosesAfterTheBackoff: the module that failed is well again.
func TestBreakerClosesAfterTheBackoff(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n", steer(t))
	cfg.Wasm.BreakerBackoff, cfg.Wasm.BreakerBackoffMax = 100*time.Millisecond, 200*time.Millisecond
	r := serveConfig(t, cfg)
	for range 2 {
		opened := errors.New("the breaker does not open")
		for range 100 {
			if a := r.post(r.url("orders"), line("k", "v", "a=trap"), envelope); a.status == 503 {
				opened = nil
				break
			}
		}
		if opened != nil {
			t.Fatal(opened)
		}
		eventually(t, "it serves again", func() bool { return r.post(r.url("orders"), line("k", "v"), envelope).status == 200 })
		if s := r.g.modules.Bounds()[0].Serving()[0]; s.Breaker != "closed" {
			t.Errorf("breaker %s", s.Breaker)
		}
	}
	r.clean()
}

// TestRefusalsThatGoOnAreTold: with on_error = "continue" nobody else learns that a module refuses records.
func TestRefusalsThatGoOnAreTold(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }]\n", steer(t))
	r := serveConfig(t, cfg)
	for range 3 {
		if a := r.post(r.url("orders"), line("k", "v", "a=fail"), envelope); a.status != 200 {
			t.Fatalf("answer %d %s", a.status, a.body)
		}
	}
	f := r.g.modules.Faults("steer")
	if len(f) != 1 || f[0].Cause != "record_error" || f[0].Count != 3 || f[0].Version != ids[0] || f[0].Hook != "on_send" {
		t.Errorf("faults %+v", f)
	}
	if n := strings.Count(r.logs.String(), "cause=record_error"); n != 1 {
		t.Errorf("%d lines in the log for 3 records", n)
	}
	r.clean()
}
