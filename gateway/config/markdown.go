package config

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// WriteReference writes the reference of all settings as Markdown; SETTINGS.md is its output.
func WriteReference(w io.Writer) error {
	m := &markdown{}
	m.line("# Settings")
	m.line("")
	m.line("Written from the table of settings by `go generate ./gateway/config`; do not edit.")
	m.line("")
	m.line("A producer property has Kafka's own name. It stands in `[producer]` for all topics and, with `producer.` in front,")
	m.line("in a topic's table: default < `[producer]` < profile < `[topics.*]`. `sluice check` shows what is in force, and why.")
	for _, section := range slices.Concat([]string{""}, sections(), bindingSections()) {
		m.section(section)
	}
	m.profiles()
	m.absent("Refused", Refused)
	m.absent("Not yet supported", Later)
	_, err := io.WriteString(w, m.String())
	return err
}

type markdown struct{ strings.Builder }

func (m *markdown) line(format string, args ...any) {
	fmt.Fprintf(m, format, args...)
	m.WriteByte('\n')
}

func (m *markdown) section(name string) {
	works := newIndex().in(name)
	if len(works) == 0 {
		return
	}
	m.line("")
	switch name {
	case "":
		m.line("## Top level")
	case "topics":
		m.line("## [topics.NAME]")
		m.line("")
		m.line("NAME is a topic, or a glob in quotes: `*` stands for any characters. A topic gets its own table, else the glob that")
		m.line("matches with the longest part before its first `*`. A topic that no table matches is refused.")
		m.line("A name with dots is quoted: `[topics.\"a.b\"]`. All keys of `[producer]` may follow as `producer.KEY`.")
	case partitionerKeys:
		m.line("## [topics.NAME.partitioner]")
		m.line("")
		m.line("A WASM module that chooses the partition; also written `partitioner = { module = \"...\" }` in `[topics.NAME]`.")
	case interceptorKeys:
		m.line("## [[topics.NAME.interceptors]]")
		m.line("")
		m.line("A WASM module that sees and changes records before they are sent; each further `[[topics.NAME.interceptors]]` is the")
		m.line("next one. Also written `interceptors = [{ module = \"...\" }, ...]` in `[topics.NAME]`. The list is the topic's whole list:")
		m.line("a topic has one table, and nothing of a table that matches less well is added.")
	default:
		m.line("## [%s]", name)
	}
	m.line("")
	m.line("| key | type | default | values | meaning |")
	m.line("|---|---|---|---|---|")
	for _, s := range works {
		doc := s.Doc
		if s.Differs != "" {
			doc += " *Differs from Java: " + s.Differs + "*"
		}
		m.line("| `%s` | %s | %s | %s | %s |", s.Name, s.Type, defaultText(s.Default), s.Range(), doc)
	}
}

func defaultText(v any) string {
	if v == nil {
		return ""
	}
	return "`" + plain(v) + "`"
}

func (m *markdown) profiles() {
	m.line("")
	m.line("## Profiles")
	m.line("")
	m.line("| key | %s |", strings.Join(profileNames(), " | "))
	m.line("|---%s|", strings.Repeat("|---", len(profileNames())))
	for _, s := range newIndex().in("producer") {
		var row strings.Builder
		set := false
		for _, profile := range profileNames() {
			v, ok := profiles()[profile][s.Name]
			set = set || ok
			row.WriteString(" " + defaultText(v) + " |")
		}
		if set {
			m.line("| `%s` |%s", s.Name, row.String())
		}
	}
}

// absent lists the settings that do not work, by reason.
func (m *markdown) absent(title string, support Support) {
	keys := make(map[string][]string)
	for _, s := range Settings() {
		if s.Support != support {
			continue
		}
		why := s.Reason
		if why == "" {
			why = s.Doc
		}
		keys[why] = append(keys[why], fmt.Sprintf("`[%s] %s`", s.Section, s.Name))
	}
	if len(keys) == 0 {
		return
	}
	m.line("")
	m.line("## %s", title)
	m.line("")
	m.line("| keys | reason |")
	m.line("|---|---|")
	for _, why := range slices.Sorted(maps.Keys(keys)) {
		m.line("| %s | %s |", strings.Join(keys[why], ", "), why)
	}
}
