package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
)

// checkWasm applies the rules to [wasm].
func (r *resolver) checkWasm(s settings, global map[string]layer) {
	r.atLeast("wasm", s, "memory.total.bytes", "memory.max.bytes")
	r.atLeast("wasm", s, "call.fuel.max", "call.fuel.base")
	r.atLeast("wasm", s, "breaker.backoff.max.ms", "breaker.backoff.ms")
	for _, name := range []string{"registry.dir", "cache.dir"} {
		if s.string(name) == "" {
			r.fail("wasm."+name, s.layer[name], "must name a folder")
		}
	}
	registry, cache := s.layer["registry.dir"], s.layer["cache.dir"]
	r.checkFolders("wasm.registry.dir", registry, "wasm.cache.dir", cache)
	if servers, _ := global["kafka"]["bootstrap.servers"].value.([]string); slices.Contains(servers, embedded) {
		data := global["embedded"]["data.dir"]
		r.checkFolders("embedded.data.dir", data, "wasm.registry.dir", registry)
		r.checkFolders("embedded.data.dir", data, "wasm.cache.dir", cache)
	}
}

// checkFolders refuses one folder for two purposes, at the later line.
func (r *resolver) checkFolders(a string, one given, b string, two given) {
	x, _ := one.value.(string)
	y, _ := two.value.(string)
	if x == "" || y == "" || filepath.Clean(x) != filepath.Clean(y) {
		return
	}
	if one.origin.Line > two.origin.Line {
		a, b, one, two = b, a, two, one
	}
	r.fail(b, two, fmt.Sprintf("is taken by %s = %s (%s)", a, one, one.origin.where()))
}

// modules sets the bindings of a topic and returns how they are reported.
func (r *resolver) modules(t *tableFile, own layer, topic *Topic, wasm settings) []Effective {
	var report []Effective
	if b := t.partitioner; b != nil {
		out := r.binding(b, wasm)
		topic.PartitionerModule = &out
		own["partitioner"] = b.layer["fallback"]
		report = append(report, r.reportBinding(b, partitionerKeys)...)
	}
	for i, b := range t.interceptors {
		topic.Interceptors = append(topic.Interceptors, r.binding(b, wasm))
		report = append(report, r.reportBinding(b, fmt.Sprintf("%s[%d]", interceptorKeys, i))...)
	}
	return report
}

func (r *resolver) binding(b *binding, wasm settings) Binding {
	for name, g := range r.defaults(b.section) {
		if _, set := b.layer[name]; !set {
			b.layer[name] = g
		}
	}
	out := Binding{File: r.file.name, Line: b.line, Key: b.key, Config: json.RawMessage("{}")}
	r.copy(b.section, b.layer, target{b: &out})
	out.Path = isPath(out.Module)
	limit := wasm.layer["config.max.bytes"]
	if int64(len(out.Config)) > wasm.int("config.max.bytes") {
		g := b.layer["config"]
		g.text = shorten(string(out.Config))
		r.fail(b.key+".config", g, fmt.Sprintf("has %d bytes as JSON, must have at most wasm.config.max.bytes = %s (%s)",
			len(out.Config), limit, limit.origin.where()))
	}
	return out
}

// reportBinding lists a binding's keys as those of its topic.
func (r *resolver) reportBinding(b *binding, prefix string) []Effective {
	out := r.report(b.section, b.layer)
	for i := range out {
		out[i].Name = prefix + "." + out[i].Name
	}
	return out
}

// checkModules applies the rules for which all tables must be known.
func (r *resolver) checkModules(c *Config) {
	for _, t := range r.file.topics {
		r.checkDeadLetter(c, t)
		_, hasDLQ := t.deadLetterTopic()
		for _, b := range t.interceptors {
			if g := b.layer["on_error"]; g.value == onErrorDLQ && !hasDLQ {
				r.fail(b.key+".on_error", g, "needs dead_letter.topic in ["+dotted([]string{"topics", t.pattern})+"]")
			}
			r.checkRoutes(c, b)
		}
	}
}

// checkRoutes refuses topics that the gateway would not serve. Globs may match nothing yet.
func (r *resolver) checkRoutes(c *Config, b *binding) {
	g := b.layer["routes"]
	routes, _ := g.value.([]string)
	for _, topic := range routes {
		if !isGlob(topic) && c.table(topic) == nil {
			r.noTable(b.key+".routes", g, topic)
		}
	}
}

// noTable reports a topic that no table serves, unless its table may be one that could not be read.
func (r *resolver) noTable(key string, g given, topic string) {
	if r.file.torn {
		return
	}
	table := dotted([]string{"topics", topic})
	r.fail(key, g, fmt.Sprintf("%q must be a topic that a [topics.*] table serves; add [%s]", topic, table))
}
