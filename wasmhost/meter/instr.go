package meter

// instr is one decoded instruction. Which fields mean something depends on its form.
type instr struct {
	op      int
	form    form
	at      int      // offset in the upload
	x, y    uint32   // indices, a depth, alignment and offset
	n       int64    // a constant, or a block's type: >= 0 an index, < 0 a value type
	raw     []byte   // bytes that stand for themselves
	targets []uint32 // of br_table, the default last
}

const maxAlign = 4 // log2 of the widest access, 16 bytes

// next decodes the next instruction into in.
func (c *cursor) next(in *instr, l *Limits) {
	in.at = c.at()
	first := c.byte()
	in.op, in.form, in.raw = int(first), forms[first], nil
	switch first {
	case prefixMisc:
		c.misc(in)
	case prefixVector:
		c.vector(in)
	}
	if in.form == formInvalid {
		c.unknown(in, first)
		return
	}
	c.immediates(in, l)
}

func (c *cursor) misc(in *instr) {
	sub := c.u32()
	if sub < uint32(len(miscForms)) {
		in.op, in.form = prefixMisc<<8|int(sub), miscForms[sub]
		return
	}
	if sub >= 19 && sub <= 22 {
		c.fail(in.at, RuleFeature, "the wide arithmetic proposal is not supported")
	}
	c.fail(in.at, RuleMalformed, "no instruction is encoded as 0xfc %d", sub)
}

func (c *cursor) vector(in *instr) {
	sub := c.u32()
	if sub < uint32(len(vectorForms)) && vectorForms[sub] != formInvalid {
		in.op, in.form = prefixVector<<8|int(sub), vectorForms[sub]
		return
	}
	if sub >= 0x100 && sub <= 0x12f {
		c.fail(in.at, RuleFeature, "the relaxed SIMD proposal is not supported")
	}
	c.fail(in.at, RuleMalformed, "no instruction is encoded as 0xfd %d", sub)
}

func (c *cursor) unknown(in *instr, first byte) {
	if p := proposal(first); p != "" {
		c.fail(in.at, RuleFeature, "the %s proposal is not supported (instruction 0x%02x)", p, first)
		return
	}
	c.fail(in.at, RuleMalformed, "no instruction is encoded as 0x%02x", first)
}

// immediates reads what follows the opcode.
func (c *cursor) immediates(in *instr, l *Limits) {
	switch in.form {
	case formInvalid, formNone:
	case formIndex:
		in.x = c.u32()
	case formTwo:
		in.x, in.y = c.u32(), c.u32()
	case formZero:
		c.zero()
	case formZeros:
		c.zero()
		c.zero()
	case formInit:
		in.x = c.u32()
		c.zero()
	case formBlock:
		in.n = c.blockType()
	case formI32:
		in.n = c.signed(32)
	case formI64:
		in.n = c.signed(64)
	case formBytes4:
		in.raw = c.bytes(4)
	case formBytes8:
		in.raw = c.bytes(8)
	case formBytes16:
		in.raw = c.bytes(16)
	case formMemory:
		c.memarg(in)
	case formLane:
		in.raw = c.bytes(1)
	case formMemLane:
		c.memarg(in)
		in.raw = c.bytes(1)
	case formBranches:
		c.branches(in, l)
	case formTypes:
		in.raw = c.types(c.count(1))
	case formRefType:
		in.raw = []byte{c.refType()}
	}
}

// zero reads the index of the one memory there can be.
func (c *cursor) zero() {
	at := c.at()
	if c.u32() != 0 && c.ok() {
		c.fail(at, RuleFeature, "the multiple memories proposal is not supported")
	}
}

func (c *cursor) memarg(in *instr) {
	in.x = c.u32()
	switch {
	case in.x <= maxAlign:
	case in.x&0x40 != 0:
		c.fail(in.at, RuleFeature, "the multiple memories proposal is not supported")
	default:
		c.fail(in.at, RuleMalformed, "an alignment of 2^%d bytes", in.x)
	}
	in.y = c.u32()
}

func (c *cursor) branches(in *instr, l *Limits) {
	n := c.count(1)
	if n > l.BranchTargets {
		c.fail(in.at, RuleLimit, "%s", over("targets of a br_table", int64(n), int64(l.BranchTargets), "branch.targets.max"))
		return
	}
	in.targets = in.targets[:0]
	for range n + 1 {
		in.targets = append(in.targets, c.u32())
	}
}

// valueType reads a value type.
func (c *cursor) valueType() byte {
	at := c.at()
	t := c.byte()
	c.checkType(at, t)
	return t
}

func (c *cursor) checkType(at int, t byte) {
	switch t {
	case typeI32, typeI64, typeF32, typeF64, typeV128, typeFuncref, typeExternref:
		return
	}
	if p := proposalOfType(t); p != "" {
		c.fail(at, RuleFeature, "the %s proposal is not supported (type 0x%02x)", p, t)
		return
	}
	c.fail(at, RuleMalformed, "0x%02x is no value type", t)
}

// refType reads the type of a table or of ref.null.
func (c *cursor) refType() byte {
	at := c.at()
	t := c.valueType()
	if t != typeFuncref && t != typeExternref && c.ok() {
		c.fail(at, RuleMalformed, "%s is no reference type", typeName(t))
	}
	return t
}

// types returns a view of n value types.
func (c *cursor) types(n int) []byte {
	at := c.at()
	view := c.bytes(n)
	for i, t := range view {
		c.checkType(at+i, t)
	}
	if !c.ok() {
		return nil
	}
	return view
}

// blockType reads the type of a block: an index >= 0 or, negative, a value type or none.
func (c *cursor) blockType() int64 {
	at := c.at()
	n := c.signed(33)
	if n >= 0 || !c.ok() {
		return n
	}
	if t := n & 0x7f; n >= -64 && t != typeEmpty {
		c.checkType(at, byte(t))
	} else if n < -64 {
		c.fail(at, RuleMalformed, "a block's type is %d", n)
	}
	return n
}

// appendInstr appends in in its shortest encoding. A branch's depths are taken as they are.
func appendInstr(b []byte, in *instr) []byte {
	if in.op > 0xff {
		b = appendU32(append(b, byte(in.op>>8)), uint32(in.op&0xff))
	} else {
		b = append(b, byte(in.op))
	}
	switch in.form {
	case formInvalid, formNone:
	case formIndex:
		b = appendU32(b, in.x)
	case formTwo:
		b = appendU32(appendU32(b, in.x), in.y)
	case formZero:
		b = append(b, 0)
	case formZeros:
		b = append(b, 0, 0)
	case formInit:
		b = append(appendU32(b, in.x), 0)
	case formBlock, formI32, formI64:
		b = appendSigned(b, in.n)
	case formBytes4, formBytes8, formBytes16, formLane, formRefType:
		b = append(b, in.raw...)
	case formMemory, formMemLane:
		b = append(appendU32(appendU32(b, in.x), in.y), in.raw...)
	case formBranches:
		b = appendU32(b, uint32(len(in.targets)-1))
		for _, t := range in.targets {
			b = appendU32(b, t)
		}
	case formTypes:
		b = append(appendU32(b, uint32(len(in.raw))), in.raw...)
	}
	return b
}
