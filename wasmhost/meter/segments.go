package meter

// constant reads a constant expression and appends it to b.
func (m *module) constant(c *cursor, b []byte) []byte {
	in := &m.in
	for c.ok() {
		c.next(in, &m.limits)
		switch in.op {
		case opEnd, opI32Const, opI64Const, opF32Const, opF64Const, opV128Const, opRefNull:
		case opGlobalGet:
			m.check(c, in.at, in.x, m.globals, "global")
		case opRefFunc:
			m.check(c, in.at, in.x, len(m.functions), "function")
		case opI32Add, opI32Add + 1, opI32Mul, opI64Add, opI64Sub, opI64Mul:
			c.fail(in.at, RuleFeature, "the extended constant expressions proposal is not supported")
		default:
			c.fail(in.at, RuleMalformed, "instruction 0x%02x in a constant expression", in.op)
		}
		if !c.ok() {
			break
		}
		b = appendInstr(b, in)
		if in.op == opEnd {
			break
		}
	}
	return b
}

// check faults if index i is not below n.
func (m *module) check(c *cursor, at int, i uint32, n int, what string) {
	if uint64(i) >= uint64(n) {
		c.fail(at, RuleIndex, "%s %d does not exist (there are %d)", what, i, n)
	}
}

// The bits of an element segment's kind.
const (
	elementPassive   = 1 // or, with the next bit, declarative
	elementExplicit  = 2 // active: names its table; otherwise: declarative
	elementConstants = 4 // entries are expressions, not function indices
)

func (m *module) elementSection(c *cursor) {
	n := m.entries(c, 2, m.limits.ElementSegments, "element segments", "element.segments.max")
	m.elements = n
	out := &m.out[sectionElement]
	for range n {
		if !c.ok() {
			return
		}
		out.entries = m.element(c, out.entries)
		out.count++
	}
}

func (m *module) element(c *cursor, b []byte) []byte {
	at := c.at()
	kind := c.u32()
	if kind > 7 {
		c.fail(at, RuleMalformed, "an element segment of kind %d", kind)
		return b
	}
	b = append(b, byte(kind))
	if kind&elementPassive == 0 {
		var table uint32
		if kind&elementExplicit != 0 {
			table = c.u32()
			b = appendU32(b, table)
		}
		m.check(c, at, table, len(m.tables), "table")
		b = m.constant(c, b)
	}
	if kind&(elementPassive|elementExplicit) != 0 {
		if kind&elementConstants != 0 {
			b = append(b, c.refType())
		} else {
			at, zero := c.at(), c.byte()
			if zero != 0 {
				c.fail(at, RuleMalformed, "elements of kind 0x%02x", zero)
			}
			b = append(b, 0)
		}
	}
	n := c.count(1)
	b = appendU32(b, uint32(n))
	for range n {
		switch {
		case !c.ok():
			return b
		case kind&elementConstants != 0:
			b = m.constant(c, b)
		default:
			b = appendU32(b, m.index(c, len(m.functions), "function"))
		}
	}
	return b
}

func (m *module) dataSection(c *cursor) {
	n := m.entries(c, 2, m.limits.DataSegments, "data segments", "data.segments.max")
	out := &m.out[sectionData]
	if m.metering {
		out.entries = make([]byte, 0, c.left())
	}
	for range n {
		if !c.ok() {
			return
		}
		m.dataSegment(c, out)
	}
}

func (m *module) dataSegment(c *cursor, out *section) {
	at := c.at()
	kind := c.u32()
	b := append(out.entries, byte(kind))
	switch kind {
	case 2:
		c.zero()
		b = append(b, 0)
		fallthrough
	case 0:
		m.check(c, at, 0, m.memories(), "memory")
		b = m.constant(c, b)
	case 1:
	default:
		c.fail(at, RuleMalformed, "a data segment of kind %d", kind)
	}
	content := c.bytes(c.count(1))
	out.entries = append(appendU32(b, uint32(len(content))), content...)
	out.count++
}
