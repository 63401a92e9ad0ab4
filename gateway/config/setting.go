package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type is what a setting's value is.
type Type string

// The types of settings. A duration is an integer in milliseconds, as Kafka's *.ms properties are.
const (
	Bool    Type = "bool"
	Int     Type = "int"
	Bytes   Type = "bytes"
	Millis  Type = "ms"
	Enum    Type = "enum"
	String  Type = "string"
	Strings Type = "list of strings"
	Table   Type = "table"
	Tables  Type = "list of tables"
)

// Support says what becomes of a setting that stands in a file.
type Support string

// The kinds of support.
const (
	Works   Support = "works"             // it does what Kafka says
	Refused Support = "refused"           // it will not be supported; Reason says why, and what to use instead
	Later   Support = "not yet supported" // a later version brings it; Reason may say more
)

// Setting is one row of the table of settings.
type Setting struct {
	Section string   // the table it stands in: "" for the top level, kafka, producer, topics, ...; or the key of a [topics.*] table
	Name    string   // dotted, without the section
	Type    Type     // of settings that work
	Default any      // bool, int64, string or []string; nil if it has none
	Min     int64    // smallest integer
	Max     int64    // largest integer
	Not     []int64  // integers between them that are not allowed
	Values  []string // of an Enum
	Doc     string   // what it does, in one line
	Support Support
	Reason  string // why it, or what is not in Values, is refused
	Java    bool   // it is in Java's ProducerConfig
	Differs string // how default or range differ from Java's, and why
	Secret  bool   // its value must not be shown

	// into points to the field that takes the value; nil if build makes more of it than a copy.
	into func(target) any
}

// target is what settings are copied into: global ones into c, a topic's into t, a binding's into b.
type target struct {
	c *Config
	t *Topic
	b *Binding
}

// The largest values of Java's int and of a time.Duration in milliseconds.
const (
	maxInt = math.MaxInt32
	maxMs  = math.MaxInt64 / int64(time.Millisecond)
)

// Settings returns every key that a file may hold, and every producer property of Kafka that it may not, by section.
func Settings() []Setting {
	return slices.Concat(
		topLevelSettings(), kafkaSettings(), securitySettings(), embeddedSettings(), httpSettings(), adminSettings(),
		wasmSettings(), transactionSettings(), logSettings(), producerSettings(), compressionSettings(), topicSettings(), serializerSettings(), deadLetterSettings(), spoolSettings(), rateLimitSettings(), bindingSettings(),
		schemaSettings(), refusedSettings(),
	)
}

// sections are the tables of a file, in the order in which they are shown.
func sections() []string {
	return []string{"kafka", "embedded", "http", "admin", "wasm", "transactions", "log", "producer", "topics", "schema"}
}

// index finds settings by section and name.
type index struct {
	all    []Setting
	byName map[string]*Setting   // section/name
	works  map[string][]*Setting // by section
}

func newIndex() *index {
	x := &index{all: Settings(), byName: make(map[string]*Setting), works: make(map[string][]*Setting)}
	for i := range x.all {
		s := &x.all[i]
		x.byName[s.Section+"/"+s.Name] = s
		if s.Support == Works {
			x.works[s.Section] = append(x.works[s.Section], s)
		}
	}
	return x
}

// find returns the setting, or nil. A name that ends in ".*" stands for all keys below it.
func (x *index) find(section, name string) *Setting {
	if s := x.byName[section+"/"+name]; s != nil {
		return s
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '.' {
			if s := x.byName[section+"/"+name[:i]+".*"]; s != nil {
				return s
			}
		}
	}
	return x.byName[section+"/*"]
}

// isPrefix says whether name, or "" for the section itself, may be a table.
func (x *index) isPrefix(section, name string) bool {
	if name == "" {
		return true
	}
	for i := range x.all {
		s := &x.all[i]
		if s.Section == section && (strings.HasPrefix(s.Name, name+".") || s.Name == "*") {
			return true
		}
	}
	s := x.find(section, name)
	return s != nil && strings.HasSuffix(s.Name, "*")
}

// in returns the settings of a section that work.
func (x *index) in(section string) []*Setting { return x.works[section] }

// convert returns the setting's value for what the file says, or the rule that it breaks.
func (s *Setting) convert(v literal) (value any, rule string) {
	switch s.Type {
	case Bool:
		if v.kind == kindBool {
			return v.b, ""
		}
	case Int, Bytes, Millis:
		if v.kind == kindInt {
			return s.integer(v)
		}
	case Enum:
		if v.kind == kindString || v.kind == kindInt && !v.wide {
			return s.enum(v)
		}
	case String:
		if v.kind == kindString {
			return v.s, ""
		}
	case Strings:
		if v.kind == kindString || v.kind == kindArray {
			return s.list(v)
		}
	case Table, Tables: // a Binding is made of them
	}
	return nil, s.wrongType(v)
}

func (s *Setting) wrongType(v literal) string {
	want := map[Type]string{
		Bool: "true or false", Int: "an integer", Bytes: "an integer, in bytes", Millis: "an integer, in milliseconds",
		Enum: "one of " + strings.Join(s.Values, ", "), String: "a string",
		Strings: "a list of strings, or a string with commas", Table: "a table", Tables: "a list of tables",
	}[s.Type]
	hint := ""
	if v.kind == kindString && (s.Type == Bool || s.Type == Int || s.Type == Bytes || s.Type == Millis) {
		hint = " (without quotes)"
	}
	return fmt.Sprintf("must be %s%s, not %s", want, hint, v.kind)
}

func (s *Setting) integer(v literal) (any, string) {
	if !v.wide && v.i >= s.Min && v.i <= s.Max && !slices.Contains(s.Not, v.i) {
		return v.i, ""
	}
	if v.wide && s.Max == math.MaxInt64 {
		return nil, "must fit into 64 bits"
	}
	return nil, "must be " + s.Range()
}

// enum accepts integers too, because acks = 1 is what one writes.
func (s *Setting) enum(v literal) (any, string) {
	text := v.s
	if v.kind == kindInt {
		text = strconv.FormatInt(v.i, 10)
	}
	for _, want := range s.Values {
		if text == "-1" && text == want {
			return "all", "" // acks: the number that Kafka's protocol has for all
		}
		if text == want || s.Section == "kafka" && strings.EqualFold(text, want) {
			return want, "" // Java ignores the case of security.protocol
		}
	}
	if s.Reason != "" {
		return nil, s.Reason
	}
	return nil, "must be one of " + strings.Join(s.Values, ", ")
}

func (s *Setting) list(v literal) (any, string) {
	var out []string
	if v.kind == kindString {
		for part := range strings.SplitSeq(v.s, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	for _, item := range v.items {
		if item.kind != kindString {
			return nil, fmt.Sprintf("must be a list of strings; it holds %s", item.kind)
		}
		out = append(out, strings.TrimSpace(item.s))
	}
	if slices.Contains(out, "") {
		return nil, "must not hold an empty string"
	}
	return out, ""
}

// Range says in words what values are allowed; "" if all are.
func (s *Setting) Range() string {
	switch s.Type {
	case Int, Bytes, Millis:
		if s.Max == math.MaxInt64 {
			return fmt.Sprintf("at least %d", s.Min)
		}
		var text strings.Builder
		fmt.Fprintf(&text, "from %d to %d", s.Min, s.Max)
		for _, n := range s.Not {
			fmt.Fprintf(&text, ", not %d", n)
		}
		return text.String()
	case Enum:
		return strings.Join(s.Values, ", ")
	default:
		return ""
	}
}
