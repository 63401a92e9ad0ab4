package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// binding is a table that binds a module, with its keys. Keys that were refused are marked bad.
type binding struct {
	section string // whose keys it has: partitionerKeys or interceptorKeys
	key     string // how errors name it: topics.orders.interceptors[0]
	line    int
	layer   layer
}

// isModules says whether a key path stands within a table that binds a module. Without table, the key partitioner itself
// is not meant: it may hold a name.
func isModules(path []string, table bool) bool {
	if len(path) < 3 || path[0] != "topics" {
		return false
	}
	return path[2] == interceptorKeys || path[2] == partitionerKeys && (table || len(path) > 3)
}

// moduleTable takes a [table] within a module's.
func (in *interpreter) moduleTable(i int) {
	h := in.doc.headers[i]
	modules, path := in.topic(h.path[1], h.line).modules, h.path[2:]
	var blocked *literal
	if h.array {
		in.within[i], blocked = modules.add(path, h.line)
	} else {
		in.within[i], blocked = modules.below(path, h.line)
	}
	if blocked != nil {
		in.unknown[i] = true
		in.fail(h.path, h.line, "", alreadySet(blocked.line))
	}
}

// moduleKey takes a key within a module's table.
func (in *interpreter) moduleKey(e *entry) {
	if name := strings.Join(e.path[2:], "."); in.find("producer", name) != nil { // partitioner.ignore.keys and its like
		in.fail(e.path, e.line, e.text, inTopicItIs(name))
		return
	}
	table, path := in.topic(e.path[1], e.line).modules, e.path[2:]
	if t := in.within[e.header]; t != nil {
		table, path = t, e.path[len(in.doc.headers[e.header].path):]
	}
	if blocked := table.put(path, &e.val); blocked != nil {
		in.fail(e.path, e.line, e.text, alreadySet(blocked.line))
	}
}

// bindings makes bindings of what a topic's table says of modules.
func (in *interpreter) bindings(t *tableFile) {
	prefix := dotted([]string{"topics", t.pattern}) + "."
	if v := t.modules.keys[partitionerKeys]; v != nil {
		in.partitioner(t, prefix+partitionerKeys, v)
	}
	if v := t.modules.keys[interceptorKeys]; v != nil {
		in.interceptors(t, prefix+interceptorKeys, v)
	}
}

func (in *interpreter) partitioner(t *tableFile, key string, v *literal) {
	name, both := t.own["partitioner"]
	switch {
	case both:
		in.failAt(key, max(v.line, name.origin.Line), "", alreadySet(min(v.line, name.origin.Line)))
	case v.kind != kindTable:
		in.failAt(key, v.line, v.text, in.find("topics", partitionerKeys).Reason)
	default:
		t.partitioner = in.binding(t, partitionerKeys, key, v)
	}
}

// maxInterceptors bounds what one record may cost.
const maxInterceptors = 16

func (in *interpreter) interceptors(t *tableFile, key string, list *literal) {
	const form = `must be a list of tables: interceptors = [{ module = "..." }], or [[topics.NAME.interceptors]]`
	if list.kind != kindArray {
		in.failAt(key, list.line, list.text, fmt.Sprintf("%s; it is %s", form, list.kind))
		return
	}
	for i, v := range list.items {
		if v.kind != kindTable {
			in.failAt(key, list.line, list.text, fmt.Sprintf("%s; it holds %s", form, v.kind))
			return
		}
		if i == maxInterceptors {
			in.failAt(key, v.line, "", fmt.Sprintf("must have at most %d modules, not %d", maxInterceptors, len(list.items)))
			return
		}
		t.interceptors = append(t.interceptors, in.binding(t, interceptorKeys, fmt.Sprintf("%s[%d]", key, i), v))
	}
}

func (in *interpreter) binding(t *tableFile, section, key string, v *literal) *binding {
	b := &binding{section: section, key: key, line: v.line, layer: make(layer)}
	for _, name := range slices.Sorted(maps.Keys(v.keys)) {
		m := v.keys[name]
		s := in.byName[section+"/"+name]
		if s == nil {
			in.failAt(key+"."+dotted([]string{name}), m.line, m.text, in.unknownBindingKey(section, name))
			continue
		}
		g := given{text: m.text, origin: Origin{
			Kind: FromFile, File: in.doc.file, Line: m.line, Table: dotted([]string{"topics", t.pattern}),
		}}
		value, rule := in.bindingValue(s, key, m)
		g.value, g.bad = value, rule != ""
		if rule != "" && rule != reported {
			in.failAt(key+"."+name, m.line, m.text, rule)
		}
		if g.bad {
			g.value = s.Default
		}
		b.layer[name] = g
	}
	if _, ok := v.keys["module"]; !ok {
		in.failAt(key+".module", v.line, "", "must be set: "+moduleRule)
	}
	return b
}

// reported is the rule of a value whose errors were reported already.
const reported = "reported"

func (in *interpreter) bindingValue(s *Setting, key string, v *literal) (any, string) {
	if s.Type == Table && v.kind == kindTable {
		return in.moduleConfig(key+"."+s.Name, v)
	}
	value, rule := s.convert(*v)
	if rule != "" {
		return nil, rule
	}
	switch value := value.(type) {
	case string:
		if s.Name == "module" {
			return modulePath(in.doc.file, value)
		}
	case []string: // routes
		for _, topic := range value {
			if rule := patternRule(topic); rule != "" {
				return nil, fmt.Sprintf("%q: %s", topic, rule)
			}
		}
	}
	return value, ""
}

const (
	moduleRule = "a module's name in the registry (a-z, 0-9, '.', '_', '-', at most 64, a letter or digit first), " +
		"or a path, which has a / in it or ends in .wasm"
	maxModuleName = 64
	maxModulePath = 4095 // Linux's PATH_MAX, without the NUL
)

// isPath says whether module is a file or a folder rather than a name in the registry.
func isPath(module string) bool {
	return strings.Contains(module, "/") || strings.HasSuffix(module, ".wasm")
}

// modulePath returns a module's name as it is, and a path so that it holds in the working directory.
func modulePath(file, module string) (string, string) {
	switch {
	case !isPath(module):
		if !isModuleName(module) {
			return "", "must be " + moduleRule
		}
		return module, ""
	case strings.ContainsRune(module, 0):
		return "", "a path must not hold a NUL character"
	case !filepath.IsAbs(module):
		module = filepath.Join(filepath.Dir(file), module)
	default:
		module = filepath.Clean(module)
	}
	if len(module) > maxModulePath {
		return "", fmt.Sprintf("a path has at most %d bytes", maxModulePath)
	}
	if !strings.Contains(module, "/") {
		module = "./" + module // still a path, to whoever reads it
	}
	return module, ""
}

func isModuleName(name string) bool {
	const first = "abcdefghijklmnopqrstuvwxyz0123456789"
	return name != "" && len(name) <= maxModuleName && strings.Contains(first, name[:1]) && strings.Trim(name, first+"._-") == ""
}

// unknownBindingKey says what might have been meant.
func (in *interpreter) unknownBindingKey(section, name string) string {
	names := in.names(section)
	if hint := in.didYouMean(name, names); hint != "" {
		return "unknown key" + hint
	}
	one := map[string]string{partitionerKeys: "a partitioner", interceptorKeys: "an interceptor"}[section]
	return fmt.Sprintf("unknown key; %s has %s", one, strings.Join(names, ", "))
}

// misplaced says what is wrong with a binding outside of a topic's table; "" if it is none.
func (in *interpreter) misplaced(p place) string {
	if p.section == "topics" {
		return ""
	}
	keys, isPartitioner := strings.CutPrefix(p.name, partitionerKeys+".")
	switch {
	case !isBelow(p.name, interceptorKeys) && !(isPartitioner && in.isBindingKey(partitionerKeys, keys)):
		return ""
	case p.inTopic:
		return "unknown key; in a topic's table it stands without producer. in front"
	default:
		return `modules are bound in topic tables only: [topics.NAME], or [topics."*"] for all topics that have no other`
	}
}

// upTo returns path up to its first part that is one of names, or all of it.
func upTo(path []string, names ...string) []string {
	for i, part := range path {
		if slices.Contains(names, part) {
			return path[:i+1]
		}
	}
	return path
}
