package config

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report is every setting with its value and where that came from. Secrets are masked.
type Report struct {
	File     string        `json:"file"` // "" if there was none
	Sections []Section     `json:"sections"`
	Topics   []TopicReport `json:"topics"`
}

// Section is the settings of one table that is not a topic's; the name "" is the top level.
type Section struct {
	Name     string      `json:"name"`
	Settings []Effective `json:"settings"`
}

// TopicReport is the settings of the topics of one [topics.*] table.
type TopicReport struct {
	Topic    string      `json:"topic,omitempty"` // the topic that was asked for
	Pattern  string      `json:"pattern"`
	Settings []Effective `json:"settings"`
}

// Effective is one setting as it is in force.
type Effective struct {
	Name   string `json:"name"`
	Value  any    `json:"value"` // bool, int64, string, []string or, of a module's config, json.RawMessage
	Origin string `json:"origin"`
}

// Report returns all settings: the sections, and the topics by pattern, in the order in which they are tried.
func (c *Config) Report() Report {
	r := Report{File: c.File, Sections: c.reports, Topics: []TopicReport{}}
	for i := range c.topics {
		t := &c.topics[i]
		r.Topics = append(r.Topics, TopicReport{Pattern: t.pattern, Settings: t.report})
	}
	return r
}

// Explain returns the settings of one topic; false if no table matches.
func (c *Config) Explain(topic string) (TopicReport, bool) {
	t := c.table(topic)
	if t == nil {
		return TopicReport{}, false
	}
	all := slices.Clone(t.report)
	for i := range all {
		if name, ok := all[i].Value.(string); ok && all[i].Name == "dead_letter.topic" {
			all[i].Value = strings.ReplaceAll(name, topicPlace, topic)
		}
	}
	return TopicReport{Topic: topic, Pattern: t.pattern, Settings: all}, true
}

// report lists the settings of a section that have a value, in the order of the table of settings.
func (r *resolver) report(section string, l layer) []Effective {
	var out []Effective
	for _, s := range r.in(section) {
		g, ok := l[s.Name]
		if !ok {
			continue
		}
		if s.Secret {
			g.value = masked
		}
		out = append(out, Effective{Name: s.Name, Value: g.value, Origin: g.origin.String()})
	}
	return out
}

// WriteText writes the report as a table per section.
func (r Report) WriteText(w io.Writer) error {
	p := &printer{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	for _, s := range r.Sections {
		if s.Name != "" {
			p.print("[%s]\n", s.Name)
		}
		p.table(s.Settings)
	}
	for _, t := range r.Topics {
		p.print("[%s]\n", dotted([]string{"topics", t.Pattern}))
		p.table(t.Settings)
	}
	return p.close()
}

// WriteText writes the settings of one topic as a table.
func (t TopicReport) WriteText(w io.Writer) error {
	p := &printer{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	p.print("%s: [%s]\n", t.Topic, dotted([]string{"topics", t.Pattern}))
	p.table(t.Settings)
	return p.close()
}

// printer keeps the first error, so that a table reads as a table.
type printer struct {
	w   *tabwriter.Writer
	err error
}

func (p *printer) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) table(settings []Effective) {
	for _, s := range settings {
		p.print("  %s\t%s\t%s\n", s.Name, plain(s.Value), s.Origin)
	}
	p.print("\n")
}

func (p *printer) close() error {
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}

func plain(v any) string {
	switch v := v.(type) {
	case json.RawMessage:
		return shorten(string(v))
	case []string:
		return strings.Join(v, ",")
	case string:
		if v == "" {
			return `""`
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}
