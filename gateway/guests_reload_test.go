package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/gateway/guest"
	"sluice/gateway/registry"
	"sluice/wasmhost"
)

func TestBindingsMadeWhileItRuns(t *testing.T) {
	c := fake(t)
	cfg, _ := guestConfig(t, c, "[topics.orders]\n[topics.other]\ninterceptors = [{ module = \"steer\", config = { mark = \"file\" } }]\n", steer(t))
	r := serveConfig(t, cfg)
	reg := r.g.registry
	stores := func(topic, want string, partition int32) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s gets %q in partition %d", topic, want, partition), func() bool {
			n := stored(c, topic)
			a := r.post(r.url(topic), line("k", "v", "partition=0"), envelope)
			a.want(t, 200, "")
			return a.Records[0].Partition == partition && string(newest(read(t, c.ListenAddrs(), topic, int(n+1))).Value) == want
		})
	}
	set := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const murmur2 = 2 // the partition of key k
	stores("orders", "v", murmur2)
	set(reg.SetInterceptors("orders", []registry.Binding{{Module: "steer", Config: []byte(`{"mark":"x"}`)}, {Module: "steer", Config: []byte(`{"mark":"y"}`)}}))
	stores("orders", "vxy", murmur2)
	set(reg.SetPartitioner("orders", &registry.Binding{Module: "steer"}))
	stores("orders", "vxy", 0)
	set(reg.SetInterceptors("other", []registry.Binding{{Module: "steer", Config: []byte(`{"mark":"api"}`)}})) // the file wins
	set(reg.SetPartitioner("other", &registry.Binding{Module: "steer"}))                                       // and says nothing of that
	stores("other", "vfile", 0)

	// What refuses is not used, and stops nothing else.
	set(reg.SetInterceptors("orders", []registry.Binding{{Module: "steer", Config: []byte(`{"refuse":"not today"}`)}}))
	eventually(t, "the log says why", func() bool { return strings.Contains(r.logs.String(), "not today") })
	stores("orders", "vxy", 0)
	if err := r.g.Reload(cfg); err != nil {
		t.Errorf("reload: %v", err)
	}
	stores("orders", "vxy", 0)
	set(reg.DeleteBindings("orders"))
	stores("orders", "v", murmur2)
	set(reg.DeleteBindings("other"))
	stores("other", "vfile", murmur2)
	r.clean()
}

// TestReloadUnderLoad changes, adds and removes modules of literal topics and of a glob's: no request fails, and no record
// goes by a strict module.
func TestReloadUnderLoad(t *testing.T) {
	const reloads = 25
	c := fake(t)
	tables := func(orders, glob string) string {
		return "[topics.orders]\n" + orders + "[topics.\"oth*\"]\n" + glob
	}
	mark := func(marks ...string) string {
		var all []string
		for _, m := range marks {
			all = append(all, fmt.Sprintf(`{ module = "steer", on_error = "strict", routes = ["other"], config = { mark = %q } }`, m))
		}
		return "interceptors = [" + strings.Join(all, ", ") + "]\n"
	}
	partitioner := "partitioner = { module = \"steer\", on_error = \"strict\" }\n"
	cfg, _ := guestConfig(t, c, tables(mark("a"), mark("a")+partitioner), steer(t))
	r := serveConfig(t, cfg)
	var sent [2]atomic.Int64
	stop := r.load(4, func(w, i int) error {
		topic, body := []string{"orders", "other"}[w%2], strings.Repeat(line("k", "v", "partition=1"), 5)
		if w == 2 {
			body = strings.Repeat(line("k", "v", "a=route", "partition=1"), 5)
		}
		a, err := post(httpClient, r.url(topic), body, envelope)
		if err == nil && a.status != 200 {
			err = fmt.Errorf("answer %d %s", a.status, a.body)
		}
		sent[w%2].Add(5)
		return err
	})
	for i := range reloads {
		next := []string{
			tables(mark("a", "b"), mark("a")), tables(mark("a")+partitioner, mark("b")+partitioner), tables(mark("a"), mark("a", "b")+partitioner),
			tables(partitioner+mark("a"), mark("b")+"producer.linger.ms = 1\n"), tables("producer.linger.ms = 2\n"+mark("a"), mark("a")+partitioner),
		}[i%5]
		if err := r.g.Reload(parse(t, guestTables(c, next))); err != nil {
			t.Fatal(err)
		}
		had := sent[0].Load() + sent[1].Load()
		eventually(t, "records are sent with the new settings", func() bool { return t.Failed() || sent[0].Load()+sent[1].Load() > had+40 })
	}
	stop()
	r.clean()
	total := sent[0].Load() + sent[1].Load()
	if n := stored(c, "orders") + stored(c, "other"); n != total {
		t.Errorf("%d sent, %d stored", total, n)
	}
	for _, topic := range []string{"orders", "other"} {
		for _, rec := range read(t, c.ListenAddrs(), topic, int(stored(c, topic))) {
			switch string(rec.Value) {
			case "va", "vb", "vab":
			default:
				t.Fatalf("%s holds %q", topic, rec.Value)
			}
		}
	}
	// Every record that was seen was also told of; some were seen by two.
	var seen int64
	r.g.modules.EachStats(func(_ guest.Ref, s *wasmhost.Stats) { seen += s.Hooks[wasmhost.OnSend].Records.Load() })
	if told := r.sum("told_stored", ""); told != seen || seen < total {
		t.Errorf("on_ack was told of %d stored, on_send had seen %d", told, seen)
	}
}

// TestTopicIsRemovedAndAddedAgain: who meets it while it is away is told, and nobody gets by its module.
func TestTopicIsRemovedAndAddedAgain(t *testing.T) {
	c := fake(t)
	with := "[topics.orders]\ninterceptors = [{ module = \"steer\", on_error = \"strict\", config = { mark = \"a\" } }]\n[topics.other]\n"
	cfg, _ := guestConfig(t, c, with, steer(t))
	r := serveConfig(t, cfg)
	var answered, away atomic.Int64
	stop := r.load(4, func(int, int) error {
		a, err := post(httpClient, r.url("orders"), line("k", "v"), envelope)
		switch {
		case err != nil:
			return err
		case a.status == 200:
			answered.Add(1)
		case a.status == 404 && a.Code == "topic_not_configured":
			away.Add(1)
		default:
			return fmt.Errorf("answer %d %s", a.status, a.body)
		}
		return nil
	})
	for i := range 20 {
		n := away.Load()
		if err := r.g.Reload(parse(t, guestTables(c, "[topics.other]\n"))); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			eventually(t, "somebody meets no topic", func() bool { return away.Load() > n })
		}
		n = answered.Load()
		if err := r.g.Reload(parse(t, guestTables(c, with))); err != nil {
			t.Fatal(err)
		}
		eventually(t, "records are stored again", func() bool { return answered.Load() > n })
	}
	stop()
	r.clean()
	if n := stored(c, "orders"); n != answered.Load() {
		t.Errorf("%d answered, %d stored", answered.Load(), n)
	}
	for _, rec := range read(t, c.ListenAddrs(), "orders", int(answered.Load())) {
		if string(rec.Value) != "va" {
			t.Fatalf("stored %q", rec.Value)
		}
	}
}

// TestSourceIsRebuiltWhenSaved: a folder of C and a .wasm file.
func TestSourceIsRebuiltWhenSaved(t *testing.T) {
	steer(t) // or there is no clang
	folder, file := t.TempDir(), filepath.Join(t.TempDir(), "steer.wasm")
	write := func(path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	header, err := os.ReadFile("../guest-sdk/c/sluice.h")
	if err != nil {
		t.Fatal(err)
	}
	source := func(macros string) []byte {
		return []byte("#define ALWAYS_TRAP 0\n#define ALWAYS_FAIL 0\n#define GREEDY 0\n" + macros + "\n" + steerSource)
	}
	write(filepath.Join(folder, "sluice.h"), header)
	write(filepath.Join(folder, "steer.c"), source(""))
	write(file, steer(t))
	c := fake(t)
	tables := func(more string) string {
		return fmt.Sprintf("[topics.orders]\ninterceptors = [{ module = %q, config = { mark = \"a\" } }]\n[topics.other]\ninterceptors = [{ module = %q, config = { mark = \"a\" } }]\n%s", folder, file, more)
	}
	cfg, _ := guestConfig(t, c, tables(""))
	r := serveConfig(t, cfg)
	stores := func(topic string) string {
		n := stored(c, topic)
		r.post(r.url(topic), line("k", "v"), envelope).want(t, 200, "")
		return string(newest(read(t, c.ListenAddrs(), topic, int(n+1))).Value)
	}
	becomes := func(orders, other string) {
		t.Helper()
		eventually(t, fmt.Sprintf("the answers are %q and %q", orders, other), func() bool { return stores("orders") == orders && stores("other") == other })
	}
	refused := func(why string) {
		t.Helper()
		eventually(t, "the log says "+why, func() bool { return strings.Contains(r.logs.String(), why) })
		becomes("va2", "va2")
	}
	becomes("va", "va")
	write(filepath.Join(folder, "steer.c"), source("#define V 2"))
	write(file, steer(t, "V=2"))
	becomes("va2", "va2")
	write(filepath.Join(folder, "steer.c"), source("this is no C"))
	write(file, []byte("this is no module"))
	refused("unknown type name")
	refused("module=" + file + " error=")
	write(filepath.Join(folder, "steer.c"), source("#define NO_SEND\n#define NO_ACK"))
	refused("is no interceptor")
	if strings.Count(r.logs.String(), "swapped in") != 2 {
		t.Error("the log says of a module that is not used that it was swapped in")
	}
	// What was saved and is not used is not used by who comes later either.
	write(filepath.Join(folder, "steer.c"), source("#define V 2\n"))
	if err := r.g.Reload(parse(t, guestTables(c, tables("producer.linger.ms = 1\n")))); err != nil {
		t.Error(err)
	}
	becomes("va2", "va2")
	write(filepath.Join(folder, "steer.c"), source("#define V 3"))
	write(file, steer(t))
	becomes("va3", "va")
	r.clean()
}
