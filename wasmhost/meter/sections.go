package meter

import (
	"bytes"
	"strings"
)

// entries reads the count of a section's entries, each of at least size bytes, and holds it to a limit.
func (m *module) entries(c *cursor, size, limit int, what, setting string) int {
	at := c.at()
	n := c.count(size)
	if n > limit {
		c.fail(at, RuleLimit, "%s", over(what, int64(n), int64(limit), setting))
		return 0
	}
	return n
}

func (m *module) typeSection(c *cursor) {
	n := m.entries(c, 3, m.limits.Types, "types", "types.max")
	m.types = make([]FuncType, 0, n)
	out := &m.out[sectionType]
	for range n {
		at := c.at()
		if form := c.byte(); form != 0x60 && c.ok() {
			c.checkType(at, form) // says which proposal it is
			c.fail(at, RuleMalformed, "0x%02x begins no function type", form)
		}
		t := FuncType{
			Params:  m.typeList(c, m.limits.Params, "parameters", "function.max.params"),
			Results: m.typeList(c, m.limits.Results, "results", "function.max.results"),
		}
		if !c.ok() {
			return
		}
		m.types = append(m.types, t)
		out.count++
		out.entries = appendType(out.entries, t)
	}
}

func (m *module) typeList(c *cursor, limit int, what, setting string) []byte {
	return c.types(m.entries(c, 1, limit, what, setting))
}

func appendType(b []byte, t FuncType) []byte {
	b = append(appendU32(append(b, 0x60), uint32(len(t.Params))), t.Params...)
	return append(appendU32(b, uint32(len(t.Results))), t.Results...)
}

// typeOf returns the function type with that index, as a copy that does not hold the upload.
func (m *module) typeOf(index uint32) FuncType {
	t := m.types[index]
	return FuncType{Params: bytes.Clone(t.Params), Results: bytes.Clone(t.Results)}
}

func (m *module) importSection(c *cursor) {
	n := m.entries(c, 4, m.limits.Imports, "imports", "imports.max")
	out := &m.out[sectionImport]
	for range n {
		at := c.at()
		i := Import{Module: c.name(m.limits.NameBytes), Name: c.name(m.limits.NameBytes), Kind: Kind(c.byte())}
		if i.Kind != KindFunction && c.ok() {
			m.foreignImport(c, at, i)
			continue
		}
		t := m.index(c, len(m.types), "type")
		if !c.ok() {
			return
		}
		i.Type = m.typeOf(t)
		m.info.Imports = append(m.info.Imports, i)
		m.functions = append(m.functions, t)
		m.imported++
		out.count++
		out.entries = appendU32(append(appendName(appendName(out.entries, i.Module), i.Name), byte(KindFunction)), t)
	}
}

// foreignImport reads past an import that is no function: every one is refused, but others may follow.
func (m *module) foreignImport(c *cursor, at int, i Import) {
	m.info.Imports = append(m.info.Imports, i)
	switch i.Kind {
	case KindTable:
		m.tables = append(m.tables, c.refType())
		c.bounds(at)
	case KindMemory:
		c.bounds(at)
		m.info.HasMemory = true
	case KindGlobal:
		m.globalType(c)
		m.globals++
	default:
		if i.Kind == 4 {
			c.fail(at, RuleFeature, "the exception handling proposal is not supported (import of a tag)")
		}
		c.fail(at, RuleMalformed, "an import of kind %d", byte(i.Kind))
	}
	if c.ok() {
		m.problem(RuleImport, at, "%s.%s is an imported %s; only functions may be imported, so the module has to define it itself",
			i.Module, i.Name, i.Kind)
	}
}

func (m *module) functionSection(c *cursor) {
	n := c.count(1)
	if total := n + m.imported; total > m.limits.Functions {
		c.fail(c.at(), RuleLimit, "%s", over("functions", int64(total), int64(m.limits.Functions), "functions.max"))
		return
	}
	out := &m.out[sectionFunction]
	for range n {
		t := m.index(c, len(m.types), "type")
		m.functions = append(m.functions, t)
		out.count++
		out.entries = appendU32(out.entries, t)
	}
}

// index reads an index that has to be below n.
func (m *module) index(c *cursor, n int, what string) uint32 {
	at := c.at()
	i := c.u32()
	if uint64(i) >= uint64(n) {
		c.fail(at, RuleIndex, "%s %d does not exist (there are %d)", what, i, n)
		return 0
	}
	return i
}

// bounds reads the limits of a table or memory; most is 1<<32-1 where the module names none.
func (c *cursor) bounds(at int) (least, most uint32) {
	flags := c.byte()
	switch {
	case flags <= 1:
	case flags&^3 == 0:
		c.fail(at, RuleFeature, "the threads proposal is not supported (shared memory)")
	case flags&^7 == 0:
		c.fail(at, RuleFeature, "the memory64 proposal is not supported")
	case flags&^15 == 0:
		c.fail(at, RuleFeature, "the custom page sizes proposal is not supported")
	default:
		c.fail(at, RuleMalformed, "limits of kind 0x%02x", flags)
	}
	least, most = c.u32(), 1<<32-1
	if flags == 1 {
		most = c.u32()
	}
	if least > most && c.ok() {
		c.fail(at, RuleMalformed, "its minimum %d is above its maximum %d", least, most)
	}
	return least, most
}

func (m *module) tableSection(c *cursor) {
	n := m.entries(c, 3, m.limits.Tables-len(m.tables), "tables", "tables.max")
	out := &m.out[sectionTable]
	for range n {
		at := c.at()
		if c.left() > 0 && c.b[c.pos] == 0x40 {
			c.fail(at, RuleFeature, "the typed function references proposal is not supported (a table with an initial value)")
		}
		t := c.refType()
		least, most := c.bounds(at)
		if !c.ok() {
			return
		}
		m.tables = append(m.tables, t)
		m.tableElements(at, least)
		out.count++
		out.entries = append(out.entries, t)
		out.entries = appendBounds(out.entries, least, min(most, m.limits.TableElements))
	}
}

// tableElements counts what a table has at the start.
func (m *module) tableElements(at int, least uint32) {
	limit := int64(m.limits.TableElements)
	sum := int64(m.info.TableElements) + int64(least)
	m.info.TableElements = uint32(min(sum, limit))
	switch {
	case int64(least) > limit:
		m.problem(RuleLimit, at, "%s", over("elements of a table", int64(least), limit, "table.max.elements"))
	case sum > limit:
		m.problem(RuleLimit, at, "%s", over("elements of all tables", sum, limit, "table.max.elements"))
	}
}

func appendBounds(b []byte, least, most uint32) []byte {
	return appendU32(appendU32(append(b, 1), least), most)
}

func (m *module) memorySection(c *cursor) {
	at := c.at()
	n := c.count(2)
	if n > 1 || n == 1 && m.info.HasMemory {
		c.fail(at, RuleFeature, "the multiple memories proposal is not supported")
	}
	if n != 1 || !c.ok() {
		return
	}
	least, most := c.bounds(at)
	if !c.ok() {
		return
	}
	if most != 1<<32-1 && most > pageBytes || least > pageBytes {
		c.fail(at, RuleMalformed, "a memory of more than 65536 pages")
		return
	}
	limit := m.limits.MemoryPages
	if least > limit {
		m.problem(RuleLimit, at, "%s", over("bytes of memory at the start", int64(least)*pageBytes, int64(limit)*pageBytes, "memory.max.bytes"))
	}
	m.info.HasMemory = true
	m.info.MemoryMinPages, m.info.MemoryMaxPages = least, min(most, limit)
	m.out[sectionMemory] = section{count: 1, entries: appendBounds(nil, least, min(most, limit))}
}

func (m *module) globalType(c *cursor) (t, mutable byte) {
	t = c.valueType()
	at := c.at()
	if mutable = c.byte(); mutable > 1 {
		c.fail(at, RuleMalformed, "a global's mutability is 0x%02x", mutable)
	}
	return t, mutable
}

func (m *module) globalSection(c *cursor) {
	n := c.count(4)
	if total := n + m.globals; total > m.limits.Globals {
		c.fail(c.at(), RuleLimit, "%s", over("globals", int64(total), int64(m.limits.Globals), "globals.max"))
		return
	}
	m.globals += n // also those that a later one may not refer to: the compiler knows
	out := &m.out[sectionGlobal]
	for range n {
		t, mutable := m.globalType(c)
		out.entries = m.constant(c, append(out.entries, t, mutable))
		out.count++
	}
}

func (m *module) exportSection(c *cursor) {
	n := m.entries(c, 3, m.limits.Exports, "exports", "exports.max")
	seen := make(map[string]bool, n)
	out := &m.out[sectionExport]
	for range n {
		at := c.at()
		e := Export{Name: c.name(m.limits.NameBytes), Kind: Kind(c.byte())}
		index := m.exported(c, at, &e)
		if !c.ok() {
			return
		}
		if seen[e.Name] {
			m.problem(RuleName, at, "two exports are called %q", e.Name)
		}
		if strings.HasPrefix(e.Name, reserved) {
			m.problem(RuleName, at, "it exports %q; names that begin with %s are kept for the host", e.Name, reserved)
		}
		seen[e.Name] = true
		m.info.Exports = append(m.info.Exports, e)
		out.count++
		out.entries = appendU32(append(appendName(out.entries, e.Name), byte(e.Kind)), index)
	}
}

// exported reads what an export refers to.
func (m *module) exported(c *cursor, at int, e *Export) uint32 {
	switch e.Kind {
	case KindFunction:
		f := m.index(c, len(m.functions), "function")
		if c.ok() {
			e.Type = m.typeOf(m.functions[f])
		}
		return f
	case KindTable:
		return m.index(c, len(m.tables), "table")
	case KindMemory:
		return m.index(c, m.memories(), "memory")
	case KindGlobal:
		return m.index(c, m.globals, "global")
	}
	if e.Kind == 4 {
		c.fail(at, RuleFeature, "the exception handling proposal is not supported (export of a tag)")
	}
	c.fail(at, RuleMalformed, "an export of kind %d", byte(e.Kind))
	return 0
}

func (m *module) memories() int {
	if m.info.HasMemory {
		return 1
	}
	return 0
}

func (m *module) startSection(c *cursor) {
	if i := m.index(c, len(m.functions), "function"); c.ok() {
		m.start = int64(i)
	}
}
