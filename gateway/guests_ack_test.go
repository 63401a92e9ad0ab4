package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"sluice/gateway/guest"
	"sluice/gateway/partitioner"
	"sluice/gateway/record"
	"sluice/wasmhost"
)

// told is the lines that on_ack of steer logged, sorted: mark, cookie, error, topic.
func (r *rig) told() []string {
	var all []string
	for _, l := range r.g.modules.LogOf("steer").Lines() {
		all = append(all, l.Text)
	}
	slices.Sort(all)
	return all
}

func cookie(key string) string { return fmt.Sprint(partitioner.Hash([]byte(key)) & 0xffff) }

func TestOnAckIsToldOfEveryEnd(t *testing.T) {
	const two = "interceptors = [{ module = \"steer\", config = { mark = \"a\" }, routes = [\"*\"] }, { module = \"steer\", config = { mark = \"b\" }, routes = [\"*\"] }]\n"
	full := strings.Repeat("x", 6000)
	for name, test := range map[string]struct {
		settings string
		macro    string
		err      *kerr.Error
		hold     bool
		body     string
		want     []string // mark, key, error, topic
	}{
		"stored":                {body: line("k", "v") + line("l", "v"), want: []string{"a k 0 orders", "b k 0 orders", "a l 0 orders", "b l 0 orders"}},
		"dropped by a later":    {body: line("k", "v", "b=drop"), want: []string{"a k -1 orders", "b k -1 orders"}},
		"dropped by the first":  {body: line("k", "v", "a=drop") + line("l", "v"), want: []string{"a k -1 orders", "a l 0 orders", "b l 0 orders"}},
		"all dropped":           {body: line("k", "v", "a=drop") + line("l", "v", "a=drop"), want: []string{"a k -1 orders", "a l -1 orders"}},
		"routed":                {body: line("k", "v", "a=route"), want: []string{"a k 0 other", "b k 0 other"}},
		"routed to nowhere":     {body: line("k", "v", "a=wide"), want: []string{"a k 3 wide", "b k 3 wide"}},
		"record_error":          {body: line("k", "v", "a=fail"), want: []string{"a 0 0 orders", "b k 0 orders"}}, // what it set does not count
		"trapped, so not seen":  {body: line("k", "v", "a=trap"), want: []string{"b k 0 orders"}},
		"larger than a request": {settings: "producer.max.request.size = 20000\n", macro: "GREEDY=1", body: line("k", "v"), want: []string{"a k 10 orders", "b k 10 orders"}},
		"refused by Kafka":      {err: kerr.InvalidRecord, body: line("k", "v"), want: []string{"a k 87 orders", "b k 87 orders"}},
		"no such partition":     {body: lineTo("3", "k", "v"), want: []string{"a k 3 orders", "b k 3 orders"}},
		"buffer full": {
			settings: "producer.max.block.ms = 0\nproducer.buffer.memory = 30000\nproducer.max.request.size = 20000\n", hold: true,
			body: line("k", full), want: []string{"a k -1 orders", "b k -1 orders"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := fake(t)
			if test.err != nil {
				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: test.err, Count: -1})
			}
			cfg, _ := guestConfig(t, c, "[topics.orders]\n"+test.settings+two+"[topics.other]\n", steer(t, cmp.Or(test.macro, "V=1")))
			r := serveConfig(t, cfg)
			var before []string
			if test.hold {
				release := holdProduce(c, 0)
				defer release()
				for n := 0; ; n++ {
					a := r.post(r.url("orders")+"?ack=queued", line("first", full), envelope)
					if a.status == 503 {
						break
					}
					before = append(before, "a first 0 orders", "b first 0 orders")
				}
				test.want = append(test.want, "a first -1 orders", "b first -1 orders")
				r.post(r.url("orders"), test.body, envelope).want(t, 503, "buffer_full")
				release()
			} else {
				r.post(r.url("orders"), test.body, envelope)
			}
			want := append(before, test.want...)
			for i, l := range want {
				if f := strings.Fields(l); f[1] != "0" {
					want[i] = strings.Join([]string{f[0], cookie(f[1]), f[2], f[3]}, " ")
				}
			}
			slices.Sort(want)
			r.clean()
			if diff := gocmp.Diff(want, withoutSource(r.told())); diff != "" {
				t.Error("want and got:\n", diff)
			}
		})
	}
}

// withoutSource is the lines of acknowledgements alone.
func withoutSource(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, "as told") })
}

// TestCookiesComeBackToTheirVersion: versions change while records are under way.
func TestCookiesComeBackToTheirVersion(t *testing.T) {
	c := fake(t)
	cfg, ids := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }]\n", steer(t), steer(t, "V=2"))
	r := serveConfig(t, cfg)
	release := holdProduce(c, 0)
	defer release()
	const each = 5
	activate := func(id string) {
		t.Helper()
		if err := r.g.modules.Activate(t.Context(), "steer", id, ""); err != nil {
			t.Fatal(err)
		}
	}
	post := func() {
		t.Helper()
		for i := range each {
			r.post(r.url("orders")+"?ack=queued", line(fmt.Sprint("k", i), "v")+line(fmt.Sprint("l", i), "v"), envelope).want(t, 202, "")
		}
	}
	post()
	activate(ids[1])
	post()
	activate(ids[0])
	post()
	if err := r.g.modules.Canary(t.Context(), "steer", ids[1], 50, ""); err != nil {
		t.Fatal(err)
	}
	post()
	activate(ids[1])
	if n := r.sum("told", ""); n != 0 {
		t.Fatalf("%d records were told already: the test shows nothing", n)
	}
	release()
	eventually(t, "all are told", func() bool { return r.sum("told", "") == 4*2*each })
	for _, id := range ids {
		given, returned := r.sum("given", id), r.sum("returned", id)
		if given == 0 || given != returned || r.sum("foreign", id) != 0 {
			t.Errorf("version %.8s: cookies of sum %d were given, %d returned; %d are of another version", id, given, returned, r.sum("foreign", id))
		}
	}
	r.clean()
}

func TestAckQueueDropsWhenFull(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }]\n", steer(t))
	cfg.Wasm.CallFuelBase, cfg.Wasm.CallFuelMax = 1<<40, 1<<40
	cfg.Wasm.LogLinesPerSecond = 0
	r := serveConfig(t, cfg)
	topic := (*r.g.topics.Load().byName.Load())["orders"].topic
	topic.acks.close()
	acks := &ackQueue{interceptors: topic.interceptors, batches: make(chan *record.Batch, 16), log: r.g.log} // short
	acks.wg.Go(acks.run)
	topic.acks = acks
	var sent atomic.Int64
	body, slow := line("k", "v"), line("thirteen.long", "v") // on_ack takes its time for that
	stop := r.load(4, func(w, i int) error {
		text := body
		if w == 0 && i%50 == 0 {
			text = slow
		}
		a, err := post(httpClient, r.url("orders")+"?ack=queued", text, envelope)
		if err == nil && a.status != 202 {
			err = fmt.Errorf("answer %d %s", a.status, a.body)
		}
		if err == nil {
			sent.Add(1)
		}
		return err
	})
	eventually(t, "acknowledgements are dropped", func() bool { return acks.dropped.Load() > 0 })
	stop()
	r.clean()
	if told, dropped := r.sum("told", ""), acks.dropped.Load(); told+dropped != sent.Load() || told == 0 {
		t.Errorf("%d told and %d dropped, %d sent", told, dropped, sent.Load())
	}
	if n := stored(c, "orders"); n != sent.Load() {
		t.Errorf("%d are stored, %d sent", n, sent.Load())
	}
	if !strings.Contains(r.logs.String(), "their queue was full") {
		t.Error("the log does not say so")
	}
}

// TestBypassedIsNotTold: a guest whose breaker is open sees neither the record nor its end.
func TestBypassedIsNotTold(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\ninterceptors = [{ module = \"steer\", config = { mark = \"a\" } }]\n", steer(t))
	cfg.Wasm.BreakerFailures, cfg.Wasm.BreakerBackoff, cfg.Wasm.BreakerBackoffMax = 1, time.Hour, time.Hour
	r := serveConfig(t, cfg)
	open := func() bool { return r.g.modules.Bounds()[0].Serving()[0].Breaker == wasmhost.BreakerIsOpen.String() }
	for n := 0; !open(); n++ {
		if n == 100 {
			t.Fatal("the breaker does not open")
		}
		r.post(r.url("orders"), line("k", "v", "a=trap"), envelope).want(t, 200, "")
	}
	for range 5 {
		r.post(r.url("orders"), line("bypassed", "v"), envelope).want(t, 200, "")
	}
	r.clean()
	if n := r.sum("told", ""); n != 0 {
		t.Errorf("%d were told", n)
	}
	var bypassed int64
	r.g.modules.EachStats(func(_ guest.Ref, s *wasmhost.Stats) {
		bypassed += s.Hooks[wasmhost.OnSend].Errors[wasmhost.BreakerOpen].Load()
	})
	if bypassed != 5 {
		t.Errorf("%d records were bypassed", bypassed)
	}
	for _, v := range byKey(read(t, c.ListenAddrs(), "orders", 6))["bypassed"] {
		if v != "v" {
			t.Errorf("a record that was not seen is stored as %q", v)
		}
	}
}
