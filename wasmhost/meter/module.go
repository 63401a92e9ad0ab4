package meter

import "fmt"

// Sections of a module, by their numbers.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
)

// order is the place of each section; the data count stands before the code.
var order = [...]int{ //nolint:gochecknoglobals // a table that is only read
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6, sectionExport: 7,
	sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

const maxProblems = 32 // more would not help anybody

// section holds the entries of a section, encoded again.
type section struct {
	count   int
	entries []byte
}

// module is a module while it is decoded.
type module struct {
	limits   Limits
	metering bool // keep what is encoded of the code
	info     Info
	problems []Problem
	halted   bool // what follows cannot be understood

	types     []FuncType
	functions []uint32 // the type of each, the imported first
	imported  int      // functions
	tables    []byte   // the type of each
	globals   int
	data      int // segments that are declared: by the data count, if there is one
	dataCount bool
	elements  int
	bodies    int

	out   [sectionTag]section
	start int64 // the start function; -1 = none
	names section
	tail  []byte // custom sections that are kept

	refuel   uint32 // the index that the added function has
	fuel     uint32 // the indices that the added globals have
	budget   uint32
	refuelTy uint32 // the index of the type () -> ()
	plan     plan   // of one function, used again for the next
	walk     walker // likewise
	scratch  []byte // likewise
	bodyOut  []byte // likewise
	in       instr  // likewise
}

// Inspect decodes a module and says what keeps it from being run, everything at once as far as it can be told. Without
// problems it can be rewritten. The Info is nil if too little could be read. What only a full type check can find is left
// to the compiler.
func Inspect(wasm []byte, l Limits) (*Info, []Problem) {
	m := module{limits: l}
	return m.inspect(wasm)
}

func (m *module) inspect(wasm []byte) (*Info, []Problem) {
	m.info.Size, m.start = len(wasm), -1
	if what := header(wasm); what != "" {
		m.problem(RuleFormat, -1, "%s", what)
		return nil, m.problems
	}
	if len(wasm) > m.limits.ModuleBytes {
		m.problem(RuleLimit, -1, "%s", over("bytes of the module", int64(len(wasm)), int64(m.limits.ModuleBytes), "module.max.bytes"))
		return nil, m.problems
	}
	m.decode(&cursor{b: wasm, pos: 8})
	if m.halted {
		return nil, m.problems
	}
	m.finish()
	return &m.info, m.problems
}

func (m *module) problem(rule string, at int, format string, args ...any) {
	switch {
	case len(m.problems) < maxProblems:
		m.problems = append(m.problems, Problem{Rule: rule, Message: fmt.Sprintf(format, args...), Offset: at})
	case len(m.problems) == maxProblems:
		m.problems = append(m.problems, Problem{Rule: rule, Message: "and there are further problems", Offset: at})
	}
}

// decode goes through the sections.
func (m *module) decode(c *cursor) {
	last := 0
	for c.left() > 0 && !m.halted {
		at := c.at()
		id := c.byte()
		s := c.sub(c.u32())
		if !c.ok() {
			m.problem(c.fault.Rule, c.fault.Offset, "%s: %s", sectionName(id), c.fault.Message)
			m.halted = true
			return
		}
		if id == sectionCustom {
			m.custom(&s)
			continue
		}
		if !m.inOrder(id, at, &last) {
			return
		}
		m.section(id, &s)
		if s.ok() && s.left() > 0 {
			s.fail(s.at(), RuleMalformed, "%d bytes too many", s.left())
		}
		if !s.ok() {
			m.problem(s.fault.Rule, s.fault.Offset, "%s: %s", sectionName(id), s.fault.Message)
			m.halted = m.halted || id <= sectionExport
		}
	}
}

// inOrder checks that a section may come now. If not, nothing after it can be understood.
func (m *module) inOrder(id byte, at int, last *int) bool {
	switch {
	case id == sectionTag:
		m.problem(RuleFeature, at, "the exception handling proposal is not supported (tag section)")
	case int(id) >= len(order):
		m.problem(RuleMalformed, at, "there is no section %d", id)
	case order[id] <= *last:
		m.problem(RuleMalformed, at, "%s: it comes twice or too late", sectionName(id))
	default:
		*last = order[id]
		return true
	}
	m.halted = true
	return false
}

func (m *module) section(id byte, c *cursor) {
	switch id {
	case sectionType:
		m.typeSection(c)
	case sectionImport:
		m.importSection(c)
	case sectionFunction:
		m.functionSection(c)
	case sectionTable:
		m.tableSection(c)
	case sectionMemory:
		m.memorySection(c)
	case sectionGlobal:
		m.globalSection(c)
	case sectionExport:
		m.exportSection(c)
	case sectionStart:
		m.startSection(c)
	case sectionElement:
		m.elementSection(c)
	case sectionDataCount:
		m.dataCount, m.data = true, int(c.u32())
	case sectionCode:
		m.codeSection(c)
	case sectionData:
		m.dataSection(c)
	}
}

// finish checks what only the whole module shows.
func (m *module) finish() {
	if defined := len(m.functions) - m.imported; m.bodies != defined {
		m.problem(RuleMalformed, -1, "%d functions are declared, but there are %d bodies", defined, m.bodies)
	}
	if n := m.out[sectionData].count; m.dataCount && m.data != n {
		m.problem(RuleMalformed, -1, "%d data segments are announced, but there are %d", m.data, n)
	}
	m.info.Functions, m.info.Types, m.info.Globals = len(m.functions), len(m.types), m.globals
	m.info.Tables, m.info.DataSegments, m.info.ElementSegments = len(m.tables), m.out[sectionData].count, m.elements
	m.info.HasStart, m.info.HasNames = m.start >= 0, m.names.count > 0
}

func sectionName(id byte) string {
	names := [...]string{
		"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data",
		"data count", "tag",
	}
	if int(id) < len(names) {
		return names[id] + " section"
	}
	return fmt.Sprintf("section %d", id)
}
