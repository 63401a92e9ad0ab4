package config

import (
	"fmt"
	"maps"
	"slices"
)

// producerKey is how an error names a producer setting: as it stands in the file.
func producerKey(name string, o Origin, pattern string) string {
	if o.Kind == FromFile && o.Table != "producer" || o.Kind != FromFile && pattern != "" {
		return dotted([]string{"topics", pattern}) + ".producer." + name
	}
	return "producer." + name
}

// checkProducer applies the rules to the producer settings of [producer] (t is nil) or of a topic's table.
func (r *resolver) checkProducer(l layer, t *tableFile, http layer) {
	pattern, line := "", r.file.lines["producer"]
	if t != nil {
		pattern, line = t.pattern, t.line
	}
	s := settings{l}
	chosen := settings{maps.Clone(l)} // rules change l, errors speak of what was given
	conflicts := append(producerRules(s), reachRule(s, settings{http})...)
	for _, c := range conflicts {
		r.conflict(chosen, c, pattern, line)
	}
	r.checkClientID(l, pattern)
}

func (r *resolver) conflict(s settings, c conflict, pattern string, line int) {
	key, other := c.a, c.b
	if other != "" && s.layer[other].origin.rank() > s.layer[key].origin.rank() {
		key, other = other, key
	}
	g := s.layer[key]
	if g.bad || s.layer[other].bad {
		return
	}
	e := &Error{File: r.file.name, Line: g.origin.Line, Value: g.String(), Rule: c.rule}
	if key != c.a {
		e.Rule = fmt.Sprintf("%s %s", c.a, c.rule)
	}
	if other != "" {
		o := s.layer[other]
		e.Rule += fmt.Sprintf("; %s = %s (%s)", other, o, o.origin.where())
	}
	if g.origin.Kind == FromProfile {
		e.Rule += "; the value is of " + g.origin.where()
	}
	if e.Line == 0 {
		e.Line = max(line, 1)
	}
	e.Key = producerKey(key, g.origin, pattern)
	r.errs = append(r.errs, e)
}

// maxClientID is kgo's limit of client.id.
const maxClientID = 256

func (r *resolver) checkClientID(l layer, pattern string) {
	g := l["client.id"]
	id, _ := g.value.(string)
	if id != "" && len(id) <= maxClientID || !g.origin.explicit() {
		return
	}
	key := producerKey("client.id", g.origin, pattern)
	if g.origin.Table == "kafka" {
		key = "kafka.client.id"
	}
	r.fail(key, g, fmt.Sprintf("must have from 1 to %d bytes", maxClientID))
}

func (r *resolver) fail(key string, g given, rule string) {
	if g.bad {
		return
	}
	r.errs = append(r.errs, &Error{
		File: r.file.name, Line: max(g.origin.Line, 1), Key: key, Value: g.String(), Rule: rule,
	})
}

// checkProfile refuses keys of [producer] beside its profile that differ from it: a profile ranks above [producer], so
// they would be without effect.
func (r *resolver) checkProfile() {
	base := r.file.global["producer"]
	profile, ok := base["profile"]
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(base)) {
		p, set := profileLayer(profile)[name]
		if set && !profile.bad && p.value != base[name].value {
			r.fail("producer."+name, base[name], fmt.Sprintf(
				"profile %s (line %d) sets it to %s and ranks above [producer]; move it into a [topics.*] table, or leave out one of the two",
				p.origin.Name, p.origin.Line, p))
		}
	}
}
