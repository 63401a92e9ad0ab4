package config

import (
	"cmp"
	"slices"
	"strings"
)

// Topic returns the effective settings of a topic: those of its own table, else of the glob that matches with the
// longest literal prefix. It is false if no table matches, in which case the gateway does not serve the topic.
func (c *Config) Topic(name string) (Topic, bool) {
	t := c.table(name)
	if t == nil {
		return Topic{}, false
	}
	topic := t.topic
	topic.Name = name
	topic.DeadLetter = topic.DeadLetter.of(name)
	topic.Spool = topic.Spool.complete()
	return topic, true
}

func (c *Config) table(name string) *topicTable {
	if i, ok := c.exact[name]; ok {
		return &c.topics[i]
	}
	for i := range c.topics {
		if t := &c.topics[i]; isGlob(t.pattern) && match(t.pattern, name) {
			return t
		}
	}
	return nil
}

// Tables returns the patterns of all [topics.*] tables, in the order in which they are tried.
func (c *Config) Tables() []string {
	out := make([]string, len(c.topics))
	for i := range c.topics {
		out[i] = c.topics[i].pattern
	}
	return out
}

// SchemaFiles returns the files with schemas that the [topics.*] tables name.
func (c *Config) SchemaFiles() []string {
	var out []string
	for i := range c.topics {
		for _, s := range []*Serializer{c.topics[i].topic.Key, c.topics[i].topic.Value} {
			if s != nil && s.SchemaFile != "" && !slices.Contains(out, s.SchemaFile) {
				out = append(out, s.SchemaFile)
			}
		}
	}
	return out
}

// Literal returns the topics that have a table of their own, sorted.
func (c *Config) Literal() []string {
	var out []string
	for i := range c.topics {
		if p := c.topics[i].pattern; !isGlob(p) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// topicTable is a [topics.*] table with the settings that its topics get.
type topicTable struct {
	pattern string
	topic   Topic
	report  []Effective
	spool   given // spool.dir
}

func isGlob(pattern string) bool { return strings.Contains(pattern, "*") }

func prefixLen(pattern string) int {
	n := strings.IndexByte(pattern, '*')
	if n < 0 {
		return len(pattern)
	}
	return n
}

// comparePatterns orders patterns as they are tried: names before globs, longer literal prefixes first, then the glob
// that says more.
func comparePatterns(a, b string) int {
	literal := func(p string) int { return len(p) - strings.Count(p, "*") }
	glob := func(p string) int {
		if isGlob(p) {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(glob(a), glob(b)), cmp.Compare(prefixLen(b), prefixLen(a)),
		cmp.Compare(literal(b), literal(a)), cmp.Compare(a, b),
	)
}

// match says whether a glob matches all of name; * stands for any characters, also none.
func match(glob, name string) bool {
	first, rest, isGlob := strings.Cut(glob, "*")
	if !isGlob {
		return glob == name
	}
	name, ok := strings.CutPrefix(name, first)
	for ok {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
		rest = next
	}
	return false
}

// maxTopicName is Kafka's longest topic name (org.apache.kafka.common.internals.Topic).
const maxTopicName = 249

// patternRule says what is wrong with a topic's name or glob, by Kafka's rule for topic names; "" if nothing.
func patternRule(pattern string) string {
	switch {
	case pattern == "":
		return "a topic's name must not be empty"
	case pattern == "." || pattern == "..":
		return `a topic cannot be named "." or ".."`
	case len(pattern) > maxTopicName:
		return "a topic's name has at most 249 characters"
	case strings.Trim(pattern, bareKey+".*") != "":
		return "a topic's name consists of ASCII letters, digits, '.', '_' and '-'; '*' makes it a glob"
	default:
		return ""
	}
}

// nameRule says what is wrong with a topic's name, which is no glob; "" if nothing.
func nameRule(name string) string {
	if isGlob(name) {
		return "must be the name of one topic, without '*'"
	}
	return patternRule(name)
}
