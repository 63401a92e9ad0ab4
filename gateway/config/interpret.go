package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// given is a setting's value and where it came from.
type given struct {
	value  any
	origin Origin
	text   string // as written in the file; "****" for a secret
	bad    bool   // it was reported: value is the default, and nothing more is to be said about it
}

// String returns the value for an error: as written, or as it would be.
func (g given) String() string {
	if g.text != "" {
		return g.text
	}
	if s, ok := g.value.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(g.value)
}

// layer is settings by name.
type layer map[string]given

// tableFile is what a [topics.*] table says.
type tableFile struct {
	pattern  string
	line     int
	own      layer // keys of section topics
	producer layer // keys behind producer.

	modules      *literal // all below the keys partitioner and interceptors, as a table
	partitioner  *binding // nil if it is not a module
	interceptors []*binding
}

// file is a document whose every key is known and has a value of the right type.
type file struct {
	name   string
	global map[string]layer // by section
	lines  map[string]int   // where a section begins
	topics []*tableFile
	errs   Errors
	torn   bool // there are syntax errors, so keys may be missing that were meant to be there
}

// place is what a key path means: the setting's section and name, and the [topics.*] table, if it is of one.
type place struct {
	section, name string
	topic         string
	inTopic       bool
}

func placeOf(path []string) place {
	if path[0] == "topics" && len(path) > 1 {
		p := place{section: "topics", name: strings.Join(path[2:], "."), topic: path[1], inTopic: true}
		if p.name == "producer" {
			p.section, p.name = "producer", ""
		} else if rest, ok := strings.CutPrefix(p.name, "producer."); ok {
			p.section, p.name = "producer", rest
		}
		return p
	}
	if slices.Contains(sections(), path[0]) {
		return place{section: path[0], name: strings.Join(path[1:], ".")}
	}
	return place{name: strings.Join(path, ".")}
}

// interpreter turns a document into a file.
type interpreter struct {
	*index
	doc     *document
	out     *file
	seen    map[place]int  // line of each key
	tables  map[string]int // line of each table
	topics  map[string]*tableFile
	unknown map[int]bool     // headers whose keys are not looked at
	within  map[int]*literal // headers within a module's table: where their keys go
}

func interpret(doc *document) *file {
	in := &interpreter{
		index: newIndex(), doc: doc, seen: make(map[place]int), tables: make(map[string]int),
		topics: make(map[string]*tableFile), unknown: make(map[int]bool), within: make(map[int]*literal),
		out: &file{
			name: doc.file, errs: slices.Clone(doc.errs), torn: len(doc.errs) > 0,
			global: make(map[string]layer), lines: make(map[string]int),
		},
	}
	for i := range doc.headers {
		in.header(i)
	}
	for i := range doc.entries {
		in.entry(&doc.entries[i])
	}
	for _, t := range in.out.topics {
		in.bindings(t)
	}
	in.again()
	return in.out
}

// again adds what go-toml's decoder found, unless that line was reported already.
func (in *interpreter) again() {
	e := in.doc.again
	if e == nil || slices.ContainsFunc(in.out.errs, func(o *Error) bool { return o.Line == e.Line }) {
		return
	}
	in.out.errs = append(in.out.errs, e)
}

func (in *interpreter) fail(path []string, line int, value, rule string) {
	in.failAt(dotted(path), line, value, rule)
}

func (in *interpreter) failAt(key string, line int, value, rule string) {
	in.out.errs = append(in.out.errs, &Error{File: in.doc.file, Line: line, Key: key, Value: value, Rule: rule})
}

func (in *interpreter) header(i int) {
	h := in.doc.headers[i]
	in.unknown[i] = h.broken
	if h.broken {
		return
	}
	if isModules(h.path, true) {
		in.moduleTable(i)
		return
	}
	if line, ok := in.tables[dotted(h.path)]; ok && !h.array {
		in.fail(h.path, h.line, "", fmt.Sprintf("this table begins in line %d already", line))
		return
	}
	in.tables[dotted(h.path)] = h.line
	p := placeOf(h.path)
	reject := func(rule string) {
		in.unknown[i] = true
		in.fail(h.path, h.line, "", rule)
	}
	s := in.find(p.section, p.name)
	misplaced := in.misplaced(p)
	switch {
	case misplaced != "":
		reject(misplaced)
	case s != nil && s.Support == Later, in.byName[p.section+"/"+p.name+".*"] != nil:
		reject(notYet)
	case h.array:
		reject("arrays of tables are not used in this file; write [" + dotted(h.path) + "]")
	case s != nil && p.name != "":
		reject(s.wrongType(literal{kind: kindTable}))
	case p.section == "" && !in.isPrefix("", p.name):
		reject("unknown table" + in.didYouMean(p.name, sections()))
	case !in.isPrefix(p.section, p.name):
		reject(in.unknownKey(h.path, p))
	default:
		in.declare(p, h.line)
	}
}

// declare makes the table of p exist.
func (in *interpreter) declare(p place, line int) {
	if p.inTopic {
		in.topic(p.topic, line)
		return
	}
	if _, ok := in.out.lines[p.section]; !ok {
		in.out.lines[p.section] = line
	}
}

func (in *interpreter) topic(pattern string, line int) *tableFile {
	if t := in.topics[pattern]; t != nil {
		return t
	}
	t := &tableFile{pattern: pattern, line: line, own: make(layer), producer: make(layer), modules: newTable(line)}
	in.topics[pattern] = t
	in.out.topics = append(in.out.topics, t)
	if rule := patternRule(pattern); rule != "" {
		in.fail([]string{"topics", pattern}, line, "", rule)
	}
	return t
}

func (in *interpreter) entry(e *entry) {
	if in.unknown[e.header] {
		return
	}
	if isModules(e.path, false) {
		in.moduleKey(e)
		return
	}
	p := placeOf(e.path)
	s := in.find(p.section, p.name)
	if p.name == "" {
		in.fail(e.path, e.line, e.text, "must be a table")
		return
	}
	if rule := in.misplaced(p); rule != "" {
		in.fail(upTo(e.path, partitionerKeys, interceptorKeys), e.line, "", rule)
		return
	}
	text := e.text
	if s != nil && s.Secret {
		text = masked
	}
	if line, ok := in.seen[p]; ok {
		in.fail(e.path, e.line, text, alreadySet(line))
		return
	}
	in.seen[p] = e.line
	if s == nil {
		in.fail(e.path, e.line, text, in.unknownKey(e.path, p))
		return
	}
	in.declare(p, e.line)
	if p.inTopic && p.section == "producer" && p.name == "profile" {
		in.fail(e.path, e.line, text, "in a topic's table it is profile, without producer. in front")
		return
	}
	g := given{text: text, origin: Origin{Kind: FromFile, File: in.doc.file, Line: e.line, Table: tableName(p)}}
	v, rule := in.value(s, e.val)
	g.value = v
	if rule != "" {
		in.fail(e.path, e.line, text, rule)
		g.value, g.bad = s.Default, true
	}
	if s.Support == Works {
		in.layerOf(p)[p.name] = g
	}
}

func alreadySet(line int) string { return fmt.Sprintf("is already set in line %d", line) }

// notYet is the rule of settings that a later version brings.
const notYet = "not yet supported in this version"

// masked stands in for a secret.
const masked = "****"

func (in *interpreter) value(s *Setting, v literal) (any, string) {
	switch s.Support {
	case Later:
		return nil, notYet
	case Refused:
		return nil, s.Reason
	default:
		return s.convert(v)
	}
}

func (in *interpreter) layerOf(p place) layer {
	if p.inTopic {
		t := in.topic(p.topic, 0)
		if p.section == "producer" {
			return t.producer
		}
		return t.own
	}
	if in.out.global[p.section] == nil {
		in.out.global[p.section] = make(layer)
	}
	return in.out.global[p.section]
}

func tableName(p place) string {
	if p.inTopic {
		return dotted([]string{"topics", p.topic})
	}
	return p.section
}
