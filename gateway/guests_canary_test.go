package gateway

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sluice/gateway/registry"
	"sluice/wasmhost"
)

const marked = "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }]\n"

// sendKeys posts one record for each of n keys, with the given value.
func (r *rig) sendKeys(n int, value string) {
	r.t.Helper()
	for from := 0; from < n; from += 2000 {
		var body strings.Builder
		for i := from; i < min(n, from+2000); i++ {
			body.WriteString(line(fmt.Sprint("key-", i), value))
		}
		if a := r.post(r.url("orders"), body.String(), envelope); a.status != 200 {
			r.t.Fatalf("answer %d %.300s", a.status, a.body)
		}
	}
}

func TestCanaryByKey(t *testing.T) {
	const keys, percent = 10_000, 20
	c := fake(t)
	cfg, ids := guestConfig(t, c, marked, steer(t), steer(t, "V=2"))
	r := serveConfig(t, cfg)
	canary := func(percent float64) {
		t.Helper()
		if err := r.g.modules.Canary(t.Context(), "steer", ids[1], percent, ""); err != nil {
			t.Fatal(err)
		}
	}
	canary(percent)
	r.sendKeys(keys, "1")
	r.sendKeys(keys, "2")
	canary(percent + 30)
	r.sendKeys(keys, "3")
	if err := r.g.modules.Cancel("steer", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	r.sendKeys(100, "4")
	canary(100)
	r.sendKeys(100, "5")
	canary(0.001) // so few that only rounding could make it none
	if err := r.g.modules.Promote(t.Context(), "steer", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	r.sendKeys(100, "6")

	all := read(t, c.ListenAddrs(), "orders", 3*keys+300)
	candidate := map[string]map[byte]bool{} // by key and round
	perPartition, inPartition := map[int32]int{}, map[int32]int{}
	for _, rec := range all {
		key, value := string(rec.Key), string(rec.Value)
		if candidate[key] == nil {
			candidate[key] = map[byte]bool{}
		}
		mine := strings.HasSuffix(value, "a2")
		candidate[key][value[0]] = mine
		if value[0] == '1' {
			inPartition[rec.Partition]++
			if mine {
				perPartition[rec.Partition]++
			}
		}
	}
	share := map[byte]int{}
	for key, by := range candidate {
		if by['1'] != by['2'] {
			t.Errorf("%s went through different versions", key)
		}
		if by['1'] && !by['3'] {
			t.Errorf("%s left the candidate when its part grew", key)
		}
		for round, mine := range by {
			if mine {
				share[round]++
			}
		}
	}
	near(t, "the candidate's keys", share['1'], keys, percent)
	near(t, "the candidate's keys, later", share['3'], keys, percent+30)
	if share['4'] != 0 || share['5'] != 100 || share['6'] != 100 {
		t.Errorf("the candidate saw %d of 100 when cancelled, %d with 100 %%, %d when promoted", share['4'], share['5'], share['6'])
	}
	for p, n := range inPartition {
		near(t, fmt.Sprint("the candidate's keys in partition ", p), perPartition[p], n, percent)
	}
	r.clean()
}

// near wants a share within five standard deviations.
func near(t *testing.T, what string, got, of int, percent float64) {
	t.Helper()
	p := percent / 100
	if d := math.Sqrt(float64(of) * p * (1 - p)); math.Abs(float64(got)-float64(of)*p) > 5*d {
		t.Errorf("%s: %d of %d, want about %v %%", what, got, of, percent)
	}
}

func TestCandidateThatFailsIsEnded(t *testing.T) {
	for _, mode := range []registry.Mode{registry.Canary, registry.Shadow} {
		t.Run(string(mode), func(t *testing.T) {
			c := fake(t)
			cfg, ids := guestConfig(t, c, marked, steer(t), steer(t, "V=3", "ALWAYS_FAIL=1"))
			cfg.Wasm.CanaryMinRecords, cfg.Wasm.CanaryMaxErrorRate = 300, 10
			r := serveConfig(t, cfg)
			err := r.g.modules.Shadow(t.Context(), "steer", ids[1], "try")
			if mode == registry.Canary {
				err = r.g.modules.Canary(t.Context(), "steer", ids[1], 100, "try")
			}
			if err != nil {
				t.Fatal(err)
			}
			r.sendKeys(299, "v")
			if r.module().Rollout.Candidate == nil {
				t.Fatal("it was judged by fewer than canary.min.records")
			}
			r.sendKeys(1, "v")
			eventually(t, "the candidate is ended", func() bool { return r.module().Rollout.Candidate == nil })
			eventually(t, "it is out of use", func() bool { return len(r.g.modules.Bounds()[0].Serving()) == 1 })
			m := r.module()
			if want := "it failed on 300 of 300 records, more than wasm.canary.max.error.rate = 10 %"; m.Rollout.Note != want || m.Rollout.Active != ids[0] {
				t.Errorf("active %.8s, because %q", m.Rollout.Active, m.Rollout.Note)
			}
			r.sendKeys(1, "after")
			if v := byKey(read(t, c.ListenAddrs(), "orders", 301))["key-0"]; v[len(v)-1] != "aftera" {
				t.Errorf("stored %q", v)
			}
			untouched := "v" // the policy is to continue
			if mode == registry.Shadow {
				untouched = "va"
			}
			for key, v := range byKey(read(t, c.ListenAddrs(), "orders", 301)) {
				if v[0] != untouched {
					t.Fatalf("%s is stored as %q", key, v)
				}
			}
			r.clean()
		})
	}
}

// TestCandidateWithinTheRate: a candidate may fail on some.
func TestCandidateWithinTheRate(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, marked, steer(t), steer(t, "V=2"))
	cfg.Wasm.CanaryMinRecords, cfg.Wasm.CanaryMaxErrorRate = 50, 10
	r := serveConfig(t, cfg)
	if err := r.g.modules.Canary(t.Context(), "steer", ids[1], 100, ""); err != nil {
		t.Fatal(err)
	}
	bodies := []string{strings.Repeat(line("k", "v"), 90) + strings.Repeat(line("k", "v", "a=fail"), 10), strings.Repeat(line("k", "v"), 9) + line("k", "v", "a=fail")}
	for i := range 10 {
		r.post(r.url("orders"), bodies[min(i, 1)], envelope).want(t, 200, "")
	}
	if r.module().Rollout.Candidate == nil {
		t.Errorf("it was ended: %s", r.module().Rollout.Note)
	}
	r.post(r.url("orders"), line("k", "v", "a=fail"), envelope).want(t, 200, "")
	eventually(t, "the candidate is ended", func() bool { return r.module().Rollout.Candidate == nil })
	r.clean()
}

func TestShadowIsOnlyCompared(t *testing.T) {
	versions := [][]byte{steer(t), steer(t, "V=1", "GREEDY=1"), steer(t, "V=1", "NO_PARTITION"), steer(t, "ALWAYS_TRAP=1")}
	alone := int64(0)
	for shadow, name := range []string{"none", "greedy", "the same", "traps"} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			cfg, ids := guestConfig(t, c, marked, versions...)
			cfg.Wasm.CanaryMinRecords = 1_000_000
			r := serveConfig(t, cfg)
			want := int64(0)
			if shadow > 0 {
				want = 50
				if err := r.g.modules.Shadow(t.Context(), "steer", ids[shadow], ""); err != nil {
					t.Fatal(err)
				}
			}
			release := holdProduce(c, 0)
			defer release()
			for range 5 {
				r.post(r.url("orders")+"?ack=queued", strings.Repeat(line("k", "v"), 10), envelope).want(t, 202, "")
			}
			if shadow == 0 {
				alone = r.used("orders")
			} else if n := r.used("orders"); n != alone {
				t.Errorf("%d bytes of buffer.memory are used with a shadow, %d without", n, alone)
			}
			release()
			differs := want
			if name == "the same" {
				differs = 0
			}
			bound := r.g.modules.Bounds()[0]
			if n, d := bound.Stats.Compared.Load(), bound.Stats.Differed.Load(); n != want || d != differs {
				t.Errorf("%d compared and %d differed, want %d and %d", n, d, want, differs)
			}
			for _, rec := range read(t, c.ListenAddrs(), "orders", 50) {
				if string(rec.Value) != "va" {
					t.Fatalf("stored %.20q", rec.Value)
				}
			}
			eventually(t, "acknowledgements are told", func() bool { return r.sum("told", "") == 50 })
			if n := r.sum("told", ids[0]); n != 50 {
				t.Errorf("the shadow was told of %d acknowledgements", 50-n)
			}
			r.clean()
		})
	}
}

// TestShadowOfWhatEndsTheBatch: what the shadow sees must not be given back with the last record.
func TestShadowOfWhatEndsTheBatch(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, strings.Replace(marked, "config", "on_error = \"strict\", config", 1), steer(t), steer(t, "V=1", "NO_PARTITION"))
	cfg.Wasm.CanaryMinRecords = 1_000_000
	r := serveConfig(t, cfg)
	if err := r.g.modules.Shadow(t.Context(), "steer", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat(line("k", strings.Repeat("x", 300), "a=drop"), 20)
	stop := r.load(4, func(int, int) error {
		_, err := post(httpClient, r.url("orders"), body, envelope)
		return err
	})
	bound := r.g.modules.Bounds()[0]
	eventually(t, "10,000 records are compared", func() bool { return bound.Stats.Compared.Load() > 10_000 })
	stop()
	if n := bound.Stats.Differed.Load(); n != 0 {
		t.Errorf("the shadow made something else of %d of %d records", n, bound.Stats.Compared.Load())
	}
	r.clean()
	if told, compared := r.sum("told", ""), bound.Stats.Compared.Load(); told != compared {
		t.Errorf("on_ack was told of %d of %d records", told, compared)
	}
}

// TestShadowAndCanaryWithOtherHooks: a candidate need not have all the hooks of the active version, as long as it can be bound.
func TestShadowAndCanaryWithOtherHooks(t *testing.T) {
	c := fake(t)
	full, ackOnly := steer(t), steer(t, "NO_SEND", "NO_PARTITION")
	cfg, ids := guestConfig(t, c, marked, full, ackOnly)
	r := serveConfig(t, cfg)
	if err := r.g.modules.Shadow(t.Context(), "steer", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	r.sendKeys(10, "v")
	if err := r.g.modules.Canary(t.Context(), "steer", ids[1], 100, ""); err != nil {
		t.Fatal(err)
	}
	r.sendKeys(10, "w")
	for key, v := range byKey(read(t, c.ListenAddrs(), "orders", 20)) {
		if v[0] != "va" || v[1] != "w" {
			t.Errorf("%s is stored as %q", key, v)
		}
	}
	// What is no partitioner cannot become the version of one, whatever way it takes.
	if err := r.g.registry.SetPartitioner("orders", &registry.Binding{Module: "steer"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log says that the candidate does not fit", func() bool { return strings.Contains(r.logs.String(), "is no partitioner") })
	r.sendKeys(10, "x")
	if err := r.g.modules.Cancel("steer", ids[1], ""); err != nil {
		t.Fatal(err)
	}
	if err := r.g.rebind(); err != nil {
		t.Fatal(err)
	}
	if err := r.g.registry.Activate("steer", ids[1], "behind the back of who checks"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the interceptor has it, the partitioner has not", func() bool {
		serving := map[string]string{}
		for _, b := range r.g.modules.Bounds() {
			if s := b.Serving(); len(s) > 0 {
				serving[string(b.Kind)] = s[0].Version
			}
		}
		return serving["interceptor"] == ids[1] && serving["partitioner"] == wasmhost.ID(full)
	})
	r.sendKeys(10, "y")
	r.clean()
}
