package admin_test

import (
	"fmt"
	"net/http"
	"testing"

	"sluice/gateway/admin"
	"sluice/gateway/config"
)

func TestBind(t *testing.T) {
	p := start(t)
	version := p.put("c", conformance(t, "1"))
	p.put("stamp", compiled(t, "example/stamp.c"))

	p.json("PUT", "/v1/topics/orders/partitioner", `{"module":"c","on_error":"strict"}`).want(200, version)
	for partition, do := range map[string]string{"0": "partition:0", "2": "partition:2", "rejected": "fail:no"} {
		if got := p.send("orders", "k", do); got != partition {
			t.Errorf("%s: %s", do, got)
		}
	}
	p.json("PUT", "/v1/topics/orders/interceptors", `[{"module":"stamp"},{"module":"c","config":{"only":["x"],"x":1},"routes":["dead"]}]`).want(200)
	if got := p.send("orders", "k", "drop"); got != "dropped" {
		t.Errorf("drop: %s", got)
	}
	var topic admin.TopicState
	p.do("GET", "/v1/topics/orders", http.NoBody).want(200).into(&topic)
	if len(topic.Bindings) != 3 {
		t.Fatalf("%+v", topic.Bindings)
	}
	for i, want := range []string{"stamp", "c", "c"} {
		b := topic.Bindings[i]
		if b.Module != want || b.Origin != "api" || len(b.Serving) != 1 || b.Serving[0].Breaker != "closed" || b.Serving[0].Role != "active" {
			t.Errorf("%+v", b)
		}
	}
	if b := topic.Bindings[1]; b.Kind != "interceptor" || b.Place != 1 || b.OnError != "continue" || string(b.Config) != `{"only":["x"],"x":1}` || len(b.Routes) != 1 {
		t.Errorf("%+v", b)
	}
	var m admin.ModuleState
	p.do("GET", "/v1/modules/c", http.NoBody).want(200).into(&m)
	s := m.Versions[0].Stats
	if s == nil || s.Hooks["on_send"].Dropped != 1 || s.Hooks["partition"].Errors["record_error"] != 1 || s.Instances.Live == 0 || s.Memory == 0 || len(m.Bindings) != 2 {
		t.Errorf("%+v, stats %+v", m, s)
	}
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(409, `"code":"in_use"`, `in use by interceptor of topic \"orders\", partitioner of topic \"orders\""`)
	p.do("DELETE", "/v1/modules/stamp", http.NoBody).want(409, "orders")

	p.do("DELETE", "/v1/topics/orders/interceptors", http.NoBody).want(204)
	p.do("DELETE", "/v1/topics/orders/partitioner", http.NoBody).want(204)
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(204)
	if got := p.send("orders", "k", "drop"); got == "dropped" {
		t.Error("the interceptor is still there")
	}
}

func TestBindRefused(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.put("stamp", compiled(t, "example/stamp.c"))
	const partitioner, interceptors = "/v1/topics/orders/partitioner", "/v1/topics/orders/interceptors"
	for _, test := range []struct {
		name, path, body string
		status           int
		parts            []string
	}{
		{"the file binds it", "/v1/topics/filed/partitioner", `{"module":"c"}`, 409, []string{`"code":"bound_by_file"`, "test.toml:15"}},
		{"no such topic", "/v1/topics/none/partitioner", `{"module":"c"}`, 404, []string{`"code":"topic_not_configured"`}},
		{"no such module", partitioner, `{"module":"nothing"}`, 422, []string{`"code":"module_not_found"`, `\"nothing\"`}},
		{"wrong kind", partitioner, `{"module":"stamp"}`, 422, []string{`"code":"module_not_starting"`, "it exports no partition"}},
		{"config refused", interceptors, `{"module":"c","config":{"refuse":"because"}}`, 422, []string{`"code":"module_not_starting"`, "because"}},
		{"config no object", interceptors, `{"module":"c","config":[1]}`, 422, []string{"config: must be a JSON object"}},
		{"second config refused", interceptors, `[{"module":"c"},{"module":"c","config":{"refuse":"because"}}]`, 422, []string{"because"}},
		{"policy", interceptors, `{"module":"c","on_error":"maybe"}`, 422, []string{`on_error \"maybe\"`}},
		{"no dead letters", interceptors, `{"module":"c","on_error":"dlq"}`, 422, []string{"interceptors[0].on_error", "dead_letter.topic"}},
		{"partitioner with dead letters", partitioner, `{"module":"c","on_error":"dlq"}`, 422, []string{"dlq is for interceptors"}},
		{"partitioner with routes", partitioner, `{"module":"c","routes":["x"]}`, 422, []string{"routes"}},
		{"no module", interceptors, `[{"module":"c"},{"config":{}}]`, 400, []string{"interceptors[1].module: it is missing"}},
		{"empty list", interceptors, `[]`, 400, []string{"DELETE"}},
		{"list for a partitioner", partitioner, `[{"module":"c"}]`, 400, []string{`"code":"invalid_request"`, "the body: it must be an object, not array"}},
		{"no number", partitioner, `{"module":"c","instances":"2"}`, 400, []string{"instances: it must be a whole number that fits, not string"}},
		{"too many instances", partitioner, `{"module":"c","instances":65}`, 422, []string{"instances 65: must be from 0, the default, to 64"}},
		{"no such fallback", partitioner, `{"module":"c","fallback":"md5"}`, 422, []string{`fallback \"md5\": must be one of murmur2, crc32`}},
		{"fallback of an interceptor", interceptors, `{"module":"c","fallback":"crc32"}`, 422, []string{`interceptors[0].fallback \"crc32\": only a partitioner has one`}},
		{"unknown field", partitioner, `{"module":"c","onerror":"strict"}`, 400, []string{`expected here: unknown field \"onerror\"`}},
		{"no JSON", partitioner, `module=c`, 400, []string{`"code":"invalid_request"`}},
		{"no body", partitioner, ``, 400, []string{`"code":"invalid_request"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.json("PUT", test.path, test.body).want(test.status, test.parts...)
			var topic admin.TopicState
			p.do("GET", "/v1/topics/orders", http.NoBody).want(200).into(&topic)
			if len(topic.Bindings) > 0 {
				t.Errorf("it is bound nevertheless: %+v", topic.Bindings)
			}
		})
	}
	p.do("DELETE", "/v1/topics/filed/partitioner", http.NoBody).want(409, "test.toml:15")
	p.do("DELETE", partitioner, http.NoBody).want(404, `"code":"not_bound"`, `topic \"orders\" has no partitioner that the API bound`)
}

// TestBindTopicOfGlob holds that a topic that only a glob covers can be bound, and shows that, before its first record.
func TestBindTopicOfGlob(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.json("PUT", "/v1/topics/logs.web/interceptors", `{"module":"c","on_error":"dlq"}`).want(200, `"module":"c"`, `"on_error":"dlq"`)
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(409, "logs.web")
	p.do("DELETE", "/v1/topics/logs.web/interceptors", http.NoBody).want(204)
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(204)
}

// TestGlobOfFileKeepsItsModule holds that a module that a table names for topics to come is not removed.
func TestGlobOfFileKeepsItsModule(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	text := p.tables + "[topics.\"later.*\"]\ninterceptors = [{ module = \"c\" }]\n"
	cfg, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.g.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	p.do("GET", "/v1/topics/later.on", http.NoBody).want(200, `"module":"c"`, `"origin":"test.toml:20"`)
	p.do("DELETE", "/v1/modules/c", http.NoBody).want(409, `interceptor of topics \"later.*\" (test.toml:20)`)
	p.json("PUT", "/v1/topics/later.on/interceptors", `{"module":"c"}`).want(409, "test.toml:20")
}

// TestBindWithAllThatTheFileHas holds that the API takes instances and fallback, and that they are used and kept.
func TestBindWithAllThatTheFileHas(t *testing.T) {
	p := start(t)
	p.put("c", conformance(t, "1"))
	p.json("PUT", "/v1/topics/orders/partitioner", `{"module":"c","instances":3,"fallback":"crc32"}`).
		want(200, `"instances":3`, `"fallback":"crc32"`)
	// crc32 sends some keys elsewhere than murmur2, which tells who chose.
	const keys = 16
	other := 0
	for i := range keys {
		key := fmt.Sprint("key", i)
		if p.send("orders", key, "partition:-1") != p.send("dead", key) {
			other++
		}
	}
	if other == 0 {
		t.Errorf("%d keys have the partitions of murmur2", keys)
	}
	p.json("PUT", "/v1/topics/orders/partitioner", `{"module":"c"}`).want(200, `"fallback":"murmur2"`)
	for i := range keys {
		key := fmt.Sprint("key", i)
		if a, b := p.send("orders", key, "partition:-1"), p.send("dead", key); a != b {
			t.Errorf("%s goes to %s, murmur2 says %s", key, a, b)
		}
	}
}
