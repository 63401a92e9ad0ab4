package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// What dead_letter.causes may hold.
const (
	CauseBroker      = "broker"      // the broker refused the record itself
	CauseSchema      = "schema"      // it does not fit what the topic's serializer writes
	CauseUndelivered = "undelivered" // it was accepted with ack=queued and could not be delivered
)

// DeadLetter is dead_letter of a topic: where records go that cannot be stored in it.
type DeadLetter struct {
	Enable       bool
	Topic        string   // dead_letter.topic; "" if there is none
	Causes       []string // dead_letter.causes, beside what interceptors with on_error = "dlq" fail on
	BufferMemory int64    // dead_letter.buffer.memory
}

// Equal says whether two mean the same.
func (d DeadLetter) Equal(o DeadLetter) bool {
	return d.Enable == o.Enable && d.Topic == o.Topic && slices.Equal(d.Causes, o.Causes) && d.BufferMemory == o.BufferMemory
}

// topicPlace stands for the topic's own name in dead_letter.topic.
const topicPlace = "{topic}"

// defaultDeadLetterTopic is the name that Spring Kafka gives dead-letter topics by default, before version 4.
const defaultDeadLetterTopic = topicPlace + ".DLT"

// of are the settings for the topic of that name.
func (d DeadLetter) of(topic string) DeadLetter {
	d.Topic = strings.ReplaceAll(d.Topic, topicPlace, topic)
	return d
}

// nameDeadLetter gives the dead-letter topic its default name, if there is to be one, and says that there is one if it has a name.
func (s settings) nameDeadLetter() {
	switch named := s.string("dead_letter.topic") != ""; {
	case named:
		s.derive("dead_letter.enable", true, "dead_letter.topic is given")
	case s.bool("dead_letter.enable"):
		s.derive("dead_letter.topic", defaultDeadLetterTopic, "dead_letter.enable, and Spring Kafka's default")
	}
}

func deadLetterCauses() []string {
	return []string{CauseBroker, CauseUndelivered}
}

// allDeadLetterCauses are those that dead_letter.causes may hold. Of a schema the sender is told, so it is not among the usual ones.
func allDeadLetterCauses() []string {
	return []string{CauseBroker, CauseUndelivered, CauseSchema}
}

func deadLetterSettings() []Setting {
	return []Setting{
		{
			Section: "topics", Name: "dead_letter.topic", Type: String, Support: Works,
			Doc: "Where records go that cannot be stored, as they were sent and with the reason in headers (see dead_letter.causes): a topic that " +
				"another table serves. " + topicPlace + " stands for the topic's own name.",
			into: func(t target) any { return &t.t.DeadLetter.Topic },
		},
		{
			Section: "topics", Name: "dead_letter.enable", Type: Bool, Default: false, Support: Works,
			Doc:  "The same with dead_letter.topic = \"" + defaultDeadLetterTopic + "\".",
			into: func(t target) any { return &t.t.DeadLetter.Enable },
		},
		{
			Section: "topics", Name: "dead_letter.causes", Type: Strings, Default: deadLetterCauses(), Support: Works,
			Doc: "What becomes a dead letter beside the records on which an interceptor with on_error = \"dlq\" fails: broker (the broker refuses the " +
				"record itself), undelivered (with ack=queued, what could not be delivered: nobody else is told), schema (what does not fit what the " +
				"topic's serializer writes, of which the sender gets 422 otherwise).",
			into: func(t target) any { return &t.t.DeadLetter.Causes },
		},
		{
			Section: "topics", Name: "dead_letter.buffer.memory", Type: Bytes, Default: int64(32 << 20), Min: 1 << 20, Max: math.MaxInt64, Support: Works,
			Doc:  "How much memory the topic's dead letters may hold until they are stored. A record for which there is none gets its own error.",
			into: func(t target) any { return &t.t.DeadLetter.BufferMemory },
		},
	}
}

// deadLetterTopic is the setting that says where dead letters go; false if there are none.
func (t *tableFile) deadLetterTopic() (g given, ok bool) {
	if g, ok = t.own["dead_letter.topic"]; ok {
		return g, true
	}
	g, ok = t.own["dead_letter.enable"]
	return g, ok && g.value == true
}

// template is the name of the dead-letter topic as it is given or meant.
func (g given) template() string {
	if name, ok := g.value.(string); ok {
		return name
	}
	return defaultDeadLetterTopic
}

// checkNoDeadLetter refuses settings of what the table does not have.
func (r *resolver) checkNoDeadLetter(t *tableFile, table string) {
	for _, name := range []string{"dead_letter.causes", "dead_letter.buffer.memory"} {
		if g, ok := t.own[name]; ok {
			r.fail(table+"."+name, g, "needs dead_letter.topic or dead_letter.enable")
		}
	}
}

func (r *resolver) checkDeadLetter(c *Config, t *tableFile) {
	table := dotted([]string{"topics", t.pattern})
	if g, ok := t.own["dead_letter.causes"]; ok {
		causes, _ := g.value.([]string)
		for _, cause := range causes {
			if !slices.Contains(allDeadLetterCauses(), cause) {
				r.fail(table+".dead_letter.causes", g, "must be one or more of "+strings.Join(allDeadLetterCauses(), ", "))
				break
			}
		}
	}
	g, ok := t.deadLetterTopic()
	if !ok {
		r.checkNoDeadLetter(t, table)
		return
	}
	if off := t.own["dead_letter.enable"]; off.value == false {
		r.fail(table+".dead_letter.enable", off, fmt.Sprintf("must not be false beside dead_letter.topic (line %d); leave out one of the two", g.origin.Line))
	}
	name, key := g.template(), table+".dead_letter.enable"
	if _, is := g.value.(string); is {
		key = table + ".dead_letter.topic"
	}
	// What stands for the asterisk is as good as anything.
	name = strings.ReplaceAll(name, topicPlace, strings.ReplaceAll(t.pattern, "*", "x"))
	if rule := nameRule(name); rule != "" {
		r.fail(key, g, rule)
		return
	}
	switch serves := c.table(name); {
	case serves == nil:
		r.noTable(key, g, name)
	case serves.pattern != t.pattern:
	case isGlob(t.pattern):
		advice := name
		if all := strings.ReplaceAll(g.template(), topicPlace, "*"); all != t.pattern { // a table for all of them
			advice = all
		}
		r.fail(key, g, "must be a topic that another table serves, not this one too; add ["+dotted([]string{"topics", advice})+"]")
	default:
		r.fail(key, g, "must be another topic than the table's own")
	}
}
