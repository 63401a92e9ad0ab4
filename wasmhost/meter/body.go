package meter

import "fmt"

func (m *module) codeSection(c *cursor) {
	m.info.CodeBytes = c.left()
	n := c.count(2)
	m.bodies = n
	if n > len(m.functions)-m.imported {
		return // finish says so
	}
	m.reserve()
	if m.metering {
		m.out[sectionCode].entries = make([]byte, 0, c.left()+c.left()/4)
	}
	for i := range n {
		at := c.at()
		body := c.sub(c.u32())
		if !c.ok() {
			return
		}
		m.body(i, at, &body)
		if f := body.fault; f != nil {
			m.problem(f.Rule, f.Offset, "function %d: %s", m.imported+i, f.Message)
		}
	}
}

// body checks the body of the i-th defined function and encodes it again.
func (m *module) body(i, at int, c *cursor) {
	size := c.left()
	m.info.MaxFunction = max(m.info.MaxFunction, size)
	if size > m.limits.FunctionBytes {
		c.fail(at, RuleLimit, "%s", over("bytes of code", int64(size), int64(m.limits.FunctionBytes), "function.max.bytes"))
		return
	}
	t := m.types[m.functions[m.imported+i]]
	f := function{params: len(t.Params), words: words(t.Params), results: t.Results}
	m.locals(c, &f)
	if !c.ok() {
		return
	}
	code := *c
	m.scan(c, &f)
	if !c.ok() || len(m.problems) > 0 {
		return
	}
	m.emit(&code, &f)
	m.grow(at, len(m.bodyOut))
}

// codeRoom is by how much any code may grow: little code may be nothing but what is charged.
const codeRoom = 64 << 10

// grow counts the size of a function with its charges, or refuses code that would grow too much.
func (m *module) grow(at, size int) {
	m.info.MeteredBytes += size
	if m.info.MeteredBytes > m.info.CodeBytes*m.limits.CodeGrowth+codeRoom {
		m.problem(RuleLimit, at, "%s", over(fmt.Sprintf("bytes that metering makes of %d bytes of code", m.info.CodeBytes),
			int64(m.info.MeteredBytes), int64(m.limits.CodeGrowth), "code.growth.max"))
	}
}

// function is what is known of one function before its code.
type function struct {
	params  int
	results []byte
	locals  int    // declared
	words   int    // of parameters and locals
	groups  int    // of declared locals, as they are encoded
	types   []byte // those groups
}

// words counts the 64-bit words that values of these types take.
func words(types []byte) int {
	n := len(types)
	for _, t := range types {
		if t == typeV128 {
			n++
		}
	}
	return n
}

func (m *module) locals(c *cursor, f *function) {
	f.types = m.scratch[:0]
	for range c.count(2) {
		at := c.at()
		n := c.u32()
		if total := int64(f.locals) + int64(n); total > int64(m.limits.Locals) {
			c.fail(at, RuleLimit, "%s", over("locals", total, int64(m.limits.Locals), "function.max.locals"))
		}
		t := c.valueType()
		if !c.ok() {
			break
		}
		if n == 0 {
			continue
		}
		f.locals += int(n)
		f.words += int(n) * words([]byte{t})
		f.groups++
		f.types = append(appendU32(f.types, n), t)
	}
	m.scratch = f.types
	m.info.MaxLocals = max(m.info.MaxLocals, f.locals)
}

// scan checks a function's code and plans its charges.
func (m *module) scan(c *cursor, f *function) {
	p, w, in := &m.plan, &m.walk, &m.in
	p.reset()
	w.begin(p, len(f.results))
	p.regions[0].cost = entryWeight(f.words)
	for len(w.frames) > 0 && c.ok() {
		c.next(in, &m.limits)
		if !c.ok() {
			return
		}
		m.operands(c, in, f)
		if !w.dead {
			p.note(w.region, in, m.weight(in))
		}
		w.step(c, in, false)
		if w.deepest > m.limits.Nesting {
			c.fail(in.at, RuleLimit, "%s", over("nested blocks", int64(w.deepest), int64(m.limits.Nesting), "nesting.max"))
		}
	}
	if c.ok() && c.left() > 0 {
		c.fail(c.at(), RuleMalformed, "%d bytes after its end", c.left())
	}
	p.settle(len(f.results))
	m.info.MaxNesting = max(m.info.MaxNesting, w.deepest)
	m.info.Loops += p.loops
	m.info.Charges += p.charges
}

// params is how many parameters a block has.
func (m *module) params(in *instr) int {
	if in.n < 0 {
		return 0
	}
	return len(m.types[in.n].Params)
}

// carries says whether branches to a block carry values: those of a loop go to its head, all others to the end.
func (m *module) carries(in *instr) bool {
	switch {
	case in.form != formBlock:
		return false
	case in.op == opLoop:
		return m.params(in) > 0
	case in.n < 0:
		return in.n&0x7f != typeEmpty
	default:
		return len(m.types[in.n].Results) > 0
	}
}

// sized says whether an operand decides what op costs.
func sized(op int) bool {
	switch op {
	case opMemoryGrow, opMemoryInit, opMemoryCopy, opMemoryFill, opTableInit, opTableCopy, opTableGrow, opTableFill:
		return true
	default:
		return false
	}
}

// operands checks the indices of an instruction against what the module has, so that nothing the rewriter adds can be
// addressed.
func (m *module) operands(c *cursor, in *instr, f *function) {
	switch in.form {
	case formMemory, formMemLane, formZero, formZeros:
		m.check(c, in.at, 0, m.memories(), "memory")
	case formBlock:
		if in.n >= 0 {
			m.check(c, in.at, uint32(in.n), len(m.types), "type")
		}
	case formIndex, formTwo, formInit:
		m.indices(c, in, f)
	default:
	}
	m.note(in.op)
}

func (m *module) indices(c *cursor, in *instr, f *function) {
	switch in.op {
	case opCall, opRefFunc:
		m.check(c, in.at, in.x, len(m.functions), "function")
	case opCallIndirect:
		m.check(c, in.at, in.x, len(m.types), "type")
		m.check(c, in.at, in.y, len(m.tables), "table")
	case opLocalGet, opLocalSet, opLocalTee:
		m.check(c, in.at, in.x, f.params+f.locals, "local")
	case opGlobalGet, opGlobalSet:
		m.check(c, in.at, in.x, m.globals, "global")
	case opTableGet, opTableSet, opTableGrow, opTableSize, opTableFill:
		m.check(c, in.at, in.x, len(m.tables), "table")
	case opMemoryInit:
		m.check(c, in.at, 0, m.memories(), "memory")
		fallthrough
	case opDataDrop:
		if !m.dataCount {
			c.fail(in.at, RuleMalformed, "it uses data segments, but the module has no data count section")
		}
		m.check(c, in.at, in.x, m.data, "data segment")
	case opTableInit:
		m.check(c, in.at, in.y, len(m.tables), "table")
		m.check(c, in.at, in.x, m.elements, "element segment")
	case opElemDrop:
		m.check(c, in.at, in.x, m.elements, "element segment")
	case opTableCopy:
		m.check(c, in.at, in.x, len(m.tables), "table")
		m.check(c, in.at, in.y, len(m.tables), "table")
	}
}

// note remembers what Info tells of the instructions.
func (m *module) note(op int) {
	switch op {
	case opTableSet, opTableGrow, opTableFill, opTableCopy, opTableInit, opElemDrop:
		m.info.MutatesTables = true
	case opDataDrop, opMemoryInit:
		m.info.DropsSegments = true
	case opMemoryGrow:
		m.info.GrowsMemory = true
	}
	if op >= prefixVector<<8 {
		m.info.UsesSIMD = true
	}
}
