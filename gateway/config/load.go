package config

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"
)

// maxFile is what a file may have. The decoder looks through all keys of a table for each of them, so that a file of twice
// the size takes four times as long: some seconds for this one, while the gateway has other things to do.
const maxFile = 512 << 10

// Load reads and checks a file. The error is Errors if the file was read.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("config: %s: a configuration has at most %d bytes; one table with a glob serves many topics", path, maxFile)
	}
	return Parse(path, data)
}

// Parse checks data as the content of a file called name. The error is always Errors: all that is wrong, by line.
func Parse(name string, data []byte) (*Config, error) {
	f := interpret(scan(name, data))
	c, errs := build(f)
	if all := append(f.errs, errs...).sorted(); len(all) > 0 {
		return nil, all
	}
	return c, nil
}

// Default is the configuration without a file, for trying out: the embedded broker, and open to every topic.
func Default() *Config {
	f := interpret(scan("", nil))
	f.global["kafka"] = layer{"bootstrap.servers": {value: []string{embedded}}}
	f.topics = []*tableFile{{pattern: "*"}}
	c, _ := build(f) // a test holds that the defaults break no rule
	return c
}

// build resolves all layers of f and copies them into a Config. The Config is of use only if there are no errors.
func build(f *file) (*Config, Errors) {
	r := &resolver{index: newIndex(), file: f}
	c := &Config{File: f.name, exact: make(map[string]int)}
	global := make(map[string]layer)
	for _, section := range globalSections() {
		global[section] = r.global(section)
	}
	deriveAutoCreate(settings{global["kafka"]})
	r.checkGlobal(global)
	for _, section := range globalSections() {
		r.copy(section, global[section], target{c: c})
		c.reports = append(c.reports, Section{section, r.report(section, global[section])})
	}
	c.Kafka.Security.complete(settings{global["kafka"]})
	r.completeSchema(&c.Schema, settings{global["schema"]})
	r.checkProfile()
	base := r.producer(nil)
	r.checkProducer(base, nil, global["http"])
	r.completeTransactions(c, base)
	c.reports = append(c.reports, Section{"producer", r.report("producer", base)})
	for _, t := range f.topics {
		c.topics = append(c.topics, r.topicTable(t, global))
	}
	slices.SortFunc(c.topics, func(a, b topicTable) int { return comparePatterns(a.pattern, b.pattern) })
	for i := range c.topics {
		if p := c.topics[i].pattern; !isGlob(p) {
			c.exact[p] = i
		}
	}
	r.checkModules(c)
	return c, r.errs
}

// globalSections are the sections with one value for the whole process; "" is the top level.
func globalSections() []string {
	return []string{"", "kafka", "embedded", "http", "admin", "wasm", "transactions", "log", "schema"}
}

func deriveAutoCreate(s settings) {
	if _, set := s.layer["auto.create.topics"]; set {
		return
	}
	servers, _ := s.layer["bootstrap.servers"].value.([]string)
	if slices.Contains(servers, embedded) {
		s.derive("auto.create.topics", true, "bootstrap.servers is embedded")
		return
	}
	s.layer["auto.create.topics"] = given{value: false}
}

func (r *resolver) topicTable(t *tableFile, global map[string]layer) topicTable {
	own := r.defaults("topics")
	maps.Copy(own, t.own)
	settings{own}.nameDeadLetter()
	l := r.producer(t)
	r.checkProducer(l, t, global["http"])
	out := topicTable{pattern: t.pattern, topic: Topic{Table: t.pattern}}
	modules := r.modules(t, own, &out.topic, settings{global["wasm"]})
	r.copy("producer", l, target{t: &out.topic})
	r.copy("topics", own, target{t: &out.topic})
	out.topic.Producer.complete(settings{l})
	_, registry := global["schema"]["registry.url"]
	r.serializers(t, own, &out.topic, registry)
	r.checkSpool(t, &out.topic)
	out.spool = own["spool.dir"]
	settings{own}.completeSpool(out.topic.Spool.complete())
	if profile, ok := l["profile"]; ok {
		own["profile"] = profile
		delete(l, "profile") // shown once, with the topic's own keys
	}
	if t.partitioner != nil {
		delete(own, "partitioner") // shown with the module, as its fallback
	}
	out.report = slices.Concat(r.report("topics", own), modules, r.report("producer", l))
	return out
}

// complete sets what is more than a copy of one setting.
func (p *Producer) complete(s settings) {
	p.Acks = -1
	if n, err := strconv.Atoi(s.string("acks")); err == nil {
		p.Acks = n
	}
	p.Compression.Type = s.string("compression.type")
	p.Compression.Level = int(s.int("compression." + p.Compression.Type + ".level"))
}

// copy puts the values of a section into the fields that they are for.
func (r *resolver) copy(section string, l layer, t target) {
	for _, s := range r.in(section) {
		g, ok := l[s.Name]
		if !ok || s.into == nil {
			continue
		}
		assign(s.into(t), g.value)
	}
}

// assign stores v in a field. Numbers become durations where the field is one: all durations are in milliseconds.
func assign(field, v any) {
	switch f := field.(type) {
	case *bool:
		*f, _ = v.(bool)
	case *string:
		*f, _ = v.(string)
	case *[]string:
		*f, _ = v.([]string)
	case *int64:
		*f, _ = v.(int64)
	case *int:
		n, _ := v.(int64)
		*f = int(n)
	case *time.Duration:
		n, _ := v.(int64)
		*f = time.Duration(n) * time.Millisecond
	case *json.RawMessage:
		*f, _ = v.(json.RawMessage)
	}
}
