package gateway

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"sluice/gateway/guest"
	"sluice/gateway/partitioner"
	"sluice/wasmhost"
)

func TestInterceptorsInOrder(t *testing.T) {
	c := fake(t)
	three := `[{ module = "steer", config = { mark = "a" }, routes = ["other"] }, { module = "steer", config = { mark = "b" }, routes = ["other"] }, { module = "steer", config = { mark = "c" } }]`
	cfg, _ := guestConfig(t, c, fmt.Sprintf("[topics.orders]\ninterceptors = %s\n[topics.other]\ninterceptors = [{ module = \"steer\", config = { mark = \"o\" } }]\n", three), steer(t))
	r := serveConfig(t, cfg)
	a := r.post(r.url("orders"), line("all", "v")+line("b fails", "v", "b=fail")+line("b traps", "v", "b=trap")+line("a fails", "v", "a=fail")+
		line("c drops", "v", "c=drop")+line("b routes", "v", "b=route")+line("c routes", "v", "c=route")+line("a routes, c fails", "v", "a=route", "c=fail"), envelope)
	if a.status != 207 { // of one record that was dropped
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	want := map[string][]string{
		"all": {"vabc"}, "b fails": {"vac"}, "b traps": {"vac"}, "a fails": {"vbc"},
		"c routes": {"vab"}, // which its binding does not allow
	}
	if diff := cmp.Diff(want, byKey(read(t, c.ListenAddrs(), "orders", 5))); diff != "" {
		t.Error("orders, want and got:\n", diff)
	}
	want = map[string][]string{"b routes": {"vabc"}, "a routes, c fails": {"vab"}} // one hop: not the interceptor of other
	if diff := cmp.Diff(want, byKey(read(t, c.ListenAddrs(), "other", 2))); diff != "" {
		t.Error("other, want and got:\n", diff)
	}
	r.post(r.url("other"), line("k", "v"), envelope).want(t, 200, "")
	if v := byKey(read(t, c.ListenAddrs(), "other", 3))["k"]; len(v) != 1 || v[0] != "vo" {
		t.Errorf("stored %q", v)
	}
	r.clean()
}

func TestPartitionerAndItsFallback(t *testing.T) {
	c := fake(t, kfake.SeedTopics(7, "wide"))
	murmur2 := func(key string) int32 { return int32(partitioner.Hash([]byte(key))&0x7fffffff) % 3 }
	fnv1a := func(key string) int32 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key))
		return max(int32(h.Sum32())%3, -(int32(h.Sum32()) % 3))
	}
	other := func(p int32) int32 { return (p + 1) % 3 } // no partition that a fallback would choose
	for name, fallback := range map[string]func(string) int32{"murmur2": murmur2, "fnv1a": fnv1a} {
		t.Run(name, func(t *testing.T) {
			cfg, _ := guestConfig(t, c, fmt.Sprintf("[topics.orders]\npartitioner = { module = \"steer\", fallback = %q }\n"+
				"interceptors = [{ module = \"steer\", config = { mark = \"a\" }, routes = [\"wide\"] }]\n[topics.wide]\npartitioner = { module = \"steer\" }\n", name), steer(t))
			r := serveConfig(t, cfg)
			key := func(n int) string { return fmt.Sprint(name, n) }
			explicit, chosen := other(fallback(key(1))), other(fallback(key(2)))
			body := lineTo(fmt.Sprint(explicit), key(1), "v", "partition="+fmt.Sprint(other(explicit))) + line(key(2), "v", fmt.Sprint("partition=", chosen)) +
				line(key(3), "v") + line(key(4), "v", "partition=99") + line(key(5), "v", "partition=trap") + line(key(6), "v", "partition=3") +
				line(key(7), "v", "a=wide", "partition=last") + lineTo("0", key(8), "v", "a=wide", "partition=last") + line("", "v")
			a := r.post(r.url("orders"), body, envelope)
			if a.status != 200 || len(a.Records) != 9 {
				t.Fatalf("answer %d %s", a.status, a.body)
			}
			for i, want := range []int32{explicit, chosen, fallback(key(3)), fallback(key(4)), fallback(key(5)), fallback(key(6)), 6, 6} {
				if got := a.Records[i].Partition; got != want {
					t.Errorf("record %d went to partition %d, want %d", i+1, got, want)
				}
			}
			for _, cause := range []struct {
				cause wasmhost.Cause
				want  int64
			}{{wasmhost.InvalidPartition, 2}, {wasmhost.Trap, 1}} {
				var n int64
				r.g.modules.EachStats(func(_ guest.Ref, s *wasmhost.Stats) { n += s.Hooks[wasmhost.Partition].Errors[cause.cause].Load() })
				if n != cause.want {
					t.Errorf("%v was counted %d times, want %d", cause.cause, n, cause.want)
				}
			}
			r.clean()
		})
	}
	var far []*kgo.Record
	for _, rec := range read(t, c.ListenAddrs(), "wide", 4) {
		if rec.Partition != 6 {
			far = append(far, rec)
		}
	}
	if len(far) > 0 {
		t.Errorf("%d of the routed records are not in the last partition of their topic", len(far))
	}
}

func TestStickyFallbackWithoutKeys(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\npartitioner = { module = \"steer\", fallback = \"sticky\" }\n", steer(t))
	r := serveConfig(t, cfg)
	body := ""
	for range 50 {
		body += line("", "v")
	}
	a := r.post(r.url("orders"), body, envelope)
	if a.status != 200 || len(a.Records) != 50 {
		t.Fatalf("answer %d %s", a.status, a.body)
	}
	for i, rec := range a.Records {
		if rec.Partition != a.Records[0].Partition {
			t.Errorf("record %d does not stick to partition %d, but went to %d", i, a.Records[0].Partition, rec.Partition)
		}
	}
	r.clean()
}

func TestStrictPartitionerRefuses(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\npartitioner = { module = \"steer\", on_error = \"strict\" }\n", steer(t))
	r := serveConfig(t, cfg)
	for _, bad := range []string{"partition=3", "partition=trap"} {
		r.post(r.url("orders"), line("k", "v", bad), envelope).want(t, 422, "rejected")
	}
	a := r.post(r.url("orders"), line("k", "v", "partition=2")+line("k", "v", "partition=3")+lineTo("1", "k", "v", "partition=3")+line("k", "v"), envelope)
	if a.status != 207 || a.Records[0].Partition != 2 || a.Records[1].Error == nil || a.Records[2].Partition != 1 || a.Records[3].Error != nil {
		t.Errorf("answer %d %s", a.status, a.body)
	}
	if n := stored(c, "orders"); n != 3 {
		t.Errorf("%d records are stored", n)
	}
	r.clean()
}

// TestTimestampsThatKafkaCannotHold: what a sender may not do, its guest may not do for it.
func TestTimestampsThatKafkaCannotHold(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n", steer(t))
	r := serveConfig(t, cfg)
	r.post(r.url("orders"), line("k", "v", "a=far"), envelope).want(t, 422, "rejected")
	r.clean()
}
