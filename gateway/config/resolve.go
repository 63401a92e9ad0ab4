package config

import "maps"

// resolver lays the layers of a file over the defaults, applies the rules, and collects what breaks them.
type resolver struct {
	*index
	file *file
	errs Errors
}

// defaults returns the default of every setting of a section that has one.
func (r *resolver) defaults(section string) layer {
	l := make(layer)
	for _, s := range r.in(section) {
		if s.Default != nil {
			l[s.Name] = given{value: s.Default}
		}
	}
	return l
}

// global returns the settings of a section that is not a topic's.
func (r *resolver) global(section string) layer {
	l := r.defaults(section)
	maps.Copy(l, r.file.global[section])
	return l
}

// producer returns the producer settings of a topic's table, or those of [producer] alone if t is nil:
// default < [producer] < profile < [topics.*].
func (r *resolver) producer(t *tableFile) layer {
	l := r.defaults("producer")
	id := r.global("kafka")["client.id"]
	l["client.id"] = id
	base := r.file.global["producer"]
	maps.Copy(l, base)
	profile, ok := base["profile"]
	if t != nil {
		if own, has := t.own["profile"]; has {
			profile, ok = own, true
		}
	}
	if ok {
		maps.Copy(l, profileLayer(profile))
		l["profile"] = profile
	}
	if t != nil {
		maps.Copy(l, t.producer)
	}
	return l
}

func profileLayer(profile given) layer {
	l := make(layer)
	name, _ := profile.value.(string)
	for key, v := range profiles()[name] {
		l[key] = given{value: v, origin: Origin{
			Kind: FromProfile, Name: name, File: profile.origin.File, Line: profile.origin.Line,
		}}
	}
	return l
}

// settings are a layer with typed access. Every setting with a default is there, and convert saw to the types.
type settings struct {
	layer
}

func (s settings) int(name string) int64 {
	v, _ := s.layer[name].value.(int64)
	return v
}

func (s settings) bool(name string) bool {
	v, _ := s.layer[name].value.(bool)
	return v
}

func (s settings) string(name string) string {
	v, _ := s.layer[name].value.(string)
	return v
}

func (s settings) explicit(name string) bool { return s.layer[name].origin.explicit() }

func (s settings) derive(name string, value any, rule string) {
	s.layer[name] = given{value: value, origin: Origin{Kind: FromRule, Rule: rule}}
}
