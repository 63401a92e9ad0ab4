package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// unknownKey says what might have been meant.
func (in *interpreter) unknownKey(path []string, p place) string {
	if p.inTopic && p.section == "topics" {
		if in.isBindingKey(partitionerKeys, p.name) || in.isBindingKey(interceptorKeys, p.name) {
			return `unknown key; it belongs to a module: partitioner = { module = "..." } or interceptors = [{ module = "..." }]`
		}
		if isBelow(p.name, partitionerKeys) || isBelow(p.name, interceptorKeys) {
			return "unknown key; the dots in the keys of a module stand outside of quotes"
		}
		if in.find("producer", p.name) != nil {
			return inTopicItIs(p.name)
		}
		if len(path) == 3 && in.isTopicPart(path[2]) {
			return fmt.Sprintf("unknown key; the table of a topic whose name has dots is written [topics.%q]", path[1]+"."+path[2])
		}
	}
	for i, c := range p.name {
		if s := in.byName[p.section+"/"+p.name[:i]]; c == '.' && s != nil {
			return "unknown key; " + s.Name + " is not a table"
		}
	}
	for _, section := range append(sections(), "") {
		s := in.byName[section+"/"+p.name]
		if s == nil || s.Support == Refused {
			continue
		}
		switch section {
		case "":
			return "unknown key; it belongs at the top level, before the first table"
		case "topics":
			return "unknown key; it belongs in a table [topics.NAME]"
		default:
			return fmt.Sprintf("unknown key; it belongs in [%s]", section)
		}
	}
	return "unknown key" + in.didYouMean(p.name, in.names(p.section))
}

func inTopicItIs(name string) string { return "unknown key; in a topic's table it is producer." + name }

// isTopicPart says whether an unknown table in a topic's table looks like the rest of a topic's name.
func (in *interpreter) isTopicPart(part string) bool {
	return in.didYouMean(part, in.names("topics")) == "" && patternRule(part) == ""
}

// names are the keys of a section that may be meant, and their first parts.
func (in *interpreter) names(section string) []string {
	set := make(map[string]bool)
	for i := range in.all {
		if s := &in.all[i]; s.Section == section && !strings.HasSuffix(s.Name, "*") {
			set[s.Name] = true
		}
	}
	if section == "topics" {
		set["producer"] = true
		for _, name := range in.names("producer") {
			set["producer."+name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (in *interpreter) didYouMean(name string, candidates []string) string {
	if best := nearest(name, candidates); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// nearest returns the candidate that needs the fewest changes to become name, "" if even that needs many: more than a
// third of its length. Underscores and dashes count as dots, and case does not count, since that is what is mixed up.
func nearest(name string, candidates []string) string {
	name = normal(name)
	best, bestDistance := "", len(name)
	for _, c := range candidates {
		d := distance(name, normal(c))
		if d < bestDistance && d <= max(1, len(c)/3) {
			best, bestDistance = c, d
		}
	}
	return best
}

func normal(name string) string {
	return strings.NewReplacer("_", ".", "-", ".").Replace(strings.ToLower(name))
}

// distance is Levenshtein's: insertions, deletions and replacements that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
