package meter

import (
	"strings"
	"unicode/utf8"
)

const (
	maxNameInTrace = 256 // bytes of a function's name that are kept
	maxCustomName  = 256 // bytes of a custom section's name that could be one we know
	maxProducers   = 64  // tools that Info names
	languageField  = "language"
	functionNames  = 1 // the subsection of "name" that is kept: traces show functions only
)

// custom reads a custom section. None can make a module wrong: one that means nothing is left out.
func (m *module) custom(c *cursor) {
	size := c.left()
	name := c.name(maxCustomName)
	known := false
	switch {
	case !c.ok():
	case name == "name" && m.names.count == 0:
		m.names = functionNamesOf(c, len(m.functions))
		known = m.names.count > 0
	case name == "producers" && m.info.Producers == nil:
		content := c.b[c.pos:]
		if m.info.Producers = producersOf(c); m.info.Producers != nil {
			known = true
			body := append(appendName(nil, name), content...)
			m.tail = append(appendU32(append(m.tail, sectionCustom), uint32(len(body))), body...)
		}
	}
	if !known {
		m.info.StrippedBytes += size
	}
}

// functionNamesOf reads the functions' names, in ascending order of their indices below n.
func functionNamesOf(c *cursor, n int) section {
	var out section
	for c.left() > 0 && c.ok() {
		id := c.byte()
		s := c.sub(c.u32())
		if id != functionNames || out.count > 0 {
			continue
		}
		last := int64(-1)
		for range s.count(2) {
			index, name := s.u32(), s.bytes(s.count(1))
			if !s.ok() || int64(index) <= last || int64(index) >= int64(n) || !utf8.Valid(name) {
				return section{}
			}
			last = int64(index)
			out.count++
			out.entries = appendName(appendU32(out.entries, index), cutName(name))
		}
	}
	return out
}

func cutName(name []byte) string {
	if len(name) > maxNameInTrace {
		name = name[:maxNameInTrace]
	}
	return strings.ToValidUTF8(string(name), "")
}

// producersOf reads the "producers" section; nil if it is malformed or empty.
func producersOf(c *cursor) []Producer {
	var all []Producer
	for range c.count(2) {
		field := c.name(maxCustomName)
		for range c.count(2) {
			p := Producer{Field: field, Name: c.name(maxCustomName), Version: c.name(maxCustomName)}
			if len(all) < maxProducers && c.ok() {
				all = append(all, p)
			}
		}
	}
	if !c.ok() || c.left() > 0 {
		return nil
	}
	return all
}

// Languages names the languages that the module says it was written in.
func (i *Info) Languages() []string {
	var names []string
	for _, p := range i.Producers {
		if p.Field == languageField {
			names = append(names, p.Name)
		}
	}
	return names
}
