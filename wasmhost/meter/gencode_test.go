package meter_test

import "slices"

// expr leaves one value of that type. It begins with counts of what it runs.
func (g *gen) expr(t byte) []byte {
	g.size++
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 6 || g.size > maxSize || len(g.src) == 0 {
		return g.leaf(t)
	}
	switch g.pick(12) {
	case 0, 1, 2, 3:
		return g.operation(t)
	case 4:
		return g.leaf(t)
	case 5:
		return g.memoryRead(t)
	case 6:
		return g.ifElse(string(t))
	case 7:
		return g.block(string(t))
	case 8:
		return g.callFor(t)
	case 9:
		a, b := g.expr(t), g.expr(t)
		return slices.Concat(a, b, g.expr('i'), g.counted(code(selectOp), 1))
	case 10:
		return g.special(t)
	default:
		return g.paramLoop(t)
	}
}

func (g *gen) leaf(t byte) []byte {
	switch g.pick(3) {
	case 0:
		return g.counted(g.constant(t), 1)
	case 1:
		return g.counted(append([]byte{localGet}, g.local(t, false)...), 1)
	default:
		return g.counted([]byte{globalGet, byte(slices.Index([]byte(globalTypes), t))}, 1)
	}
}

// operation is one of the numeric instructions that give t.
func (g *gen) operation(t byte) []byte {
	var fit []op
	for _, o := range ops {
		if o.gives == t {
			fit = append(fit, o)
		}
	}
	o := fit[g.pick(len(fit))]
	if o.traps() && g.pick(10) != 9 {
		return g.leaf(t)
	}
	var b []byte
	for i := range o.takes {
		b = append(b, g.expr(o.takes[i])...)
	}
	b = append(b, g.counted(o.code, 1)...)
	if t == 'f' || t == 'F' {
		b = append(b, g.counted(g.canonical(t), 6)...)
	}
	return b
}

// traps says whether it does for some operands.
func (o op) traps() bool {
	c := o.code[0]
	return c >= 0x6d && c <= 0x70 || c >= 0x7f && c <= 0x82 || c >= 0xa8 && c <= 0xab || c >= 0xae && c <= 0xb1
}

// address is in memory mostly.
func (g *gen) address() []byte {
	if g.pick(20) == 19 {
		return g.expr('i')
	}
	return slices.Concat(g.expr('i'), g.counted(code(i32Const, s(0xfff0), i32And), 2))
}

func (g *gen) memoryRead(t byte) []byte {
	ops := map[byte][]byte{'i': {0x28, 0x2c, 0x2d, 0x2e, 0x2f}, 'I': {0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35}, 'f': {0x2a}, 'F': {0x2b}}[t]
	b := slices.Concat(g.address(), g.counted(code(int(ops[g.pick(len(ops))]), 0, u(g.pick(200))), 1))
	if t == 'f' || t == 'F' {
		b = append(b, g.counted(g.canonical(t), 6)...)
	}
	return b
}

// in makes code within a block that branches may carry types to.
func (g *gen) in(l label, make func() []byte) []byte {
	g.labels = append(g.labels, l)
	b := make()
	g.labels = g.labels[:len(g.labels)-1]
	return b
}

func blockType(types string) []byte {
	switch types {
	case "":
		return []byte{void}
	case "iI":
		return u(2) // gen's third type
	default:
		return []byte{map[byte]byte{'i': i32, 'I': i64, 'f': f32, 'F': f64}[types[0]]}
	}
}

// body is some statements and then values of those types.
func (g *gen) body(types string) []byte {
	var b []byte
	for range g.pick(3) {
		b = append(b, g.statement()...)
	}
	for i := range types {
		b = append(b, g.expr(types[i])...)
	}
	return b
}

func (g *gen) ifElse(types string) []byte {
	cond := g.expr('i')
	l := label{types: types}
	b := slices.Concat(cond, g.counted(code(ifOp, blockType(types)), 1), g.in(l, func() []byte { return g.body(types) }))
	if types != "" || g.pick(2) == 0 {
		b = slices.Concat(b, []byte{elseOp}, g.in(l, func() []byte { return g.body(types) }))
	}
	return append(b, end)
}

func (g *gen) block(types string) []byte {
	return slices.Concat(g.counted(code(block, blockType(types)), 1), g.in(label{types: types}, func() []byte {
		b := g.body(types)
		if g.pick(2) == 0 {
			b = append(b, g.jump(types)...)
		}
		return b
	}), []byte{end})
}

// jump leaves a block, under a condition or for good, with the values on the stack; what follows for good is dead code.
func (g *gen) jump(types string) []byte {
	var fit []int
	for i, l := range g.labels {
		if l.types == types && !l.loop {
			fit = append(fit, len(g.labels)-1-i)
		}
	}
	to := func() []byte { return u(fit[g.pick(len(fit))]) }
	if len(fit) == 0 {
		return nil
	}
	switch g.pick(4) {
	case 0, 1:
		return slices.Concat(g.expr('i'), g.counted(code(brIf, to()), 1))
	case 2:
		return slices.Concat(g.unwind(code(br, to())), g.dead())
	default:
		cond := g.expr('i')
		return slices.Concat(cond, g.counted(code(brTable, vec(to(), to()), to()), 1), g.dead())
	}
}

// unwind puts the count before a jump.
func (g *gen) unwind(jump []byte) []byte { return g.counted(jump, 1) }

// dead is code that is never run, and needs to fit no stack.
func (g *gen) dead() []byte {
	switch g.pick(5) {
	case 0:
		return nil
	case 1:
		return code(i32Add, drop)
	case 2:
		return code(loop, void, br, 0, end, unreachable)
	case 3:
		return code(block, void, i32Const, 1, brIf, 0, end, memoryGrow, 0, ifOp, i32, i32Const, 1, elseOp, unreachable, end, drop)
	default:
		return code(misc, 11, 0, selectOp, returnOp)
	}
}

// callFor calls something that gives one value of that type, perhaps through the table.
func (g *gen) callFor(t byte) []byte {
	for range len(g.sigs) {
		i := g.pick(len(g.sigs))
		params, results := split(g.sigs[i])
		if results != string(t) {
			continue
		}
		return g.invoke(i, params)
	}
	return g.leaf(t)
}

func (g *gen) invoke(i int, params string) []byte {
	var b []byte
	for j := range params {
		b = append(b, g.expr(params[j])...)
	}
	if g.pick(3) == 0 {
		return slices.Concat(b, g.counted(code(i32Const, u(i), callIndirect, u(slices.Index(g.wasm.withTypesOf(g.sigs), g.sigs[i])), 0), 2))
	}
	return append(b, g.counted(code(call, u(i)), 1)...)
}

// withTypesOf lists the types in order when all functions of these signatures will be there.
func (w *wasm) withTypesOf(sigs []string) []string {
	all := slices.Clone(w.types)
	for _, s := range sigs {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// special is a value that is no matter of numbers.
func (g *gen) special(t byte) []byte {
	if t != 'i' {
		return g.leaf(t)
	}
	switch g.pick(5) {
	case 0:
		return g.counted(code(memorySize, 0), 1)
	case 1:
		return slices.Concat(g.expr('i'), g.counted(code(i32Const, 1, i32And, memoryGrow, 0), 3))
	case 2:
		return g.counted(code(misc, 16, 0), 1)
	case 3:
		return slices.Concat(g.counted(code(refNull, funcref), 1), g.expr('i'), g.counted(code(i32Const, 3, i32And, misc, 15, 0), 3))
	default:
		return slices.Concat(g.expr('i'), g.counted(code(i32Const, 7, i32And, tableGet, 0, 0xd1), 4))
	}
}

// paramLoop is a loop that keeps values on the stack: (i32) -> (i32), or (i32, i64) -> (i64, i32).
func (g *gen) paramLoop(t byte) []byte {
	if t != 'i' && t != 'I' {
		return g.leaf(t)
	}
	count, free := g.counter()
	if !free {
		return g.leaf(t)
	}
	set := g.counted(code(i32Const, u(1+g.pick(4)), localSet, u(int(count))), 2)
	next := g.counted(code(localGet, u(int(count)), i32Const, 1, i32Sub, localTee, u(int(count)), brIf, 0), 5)
	var b []byte
	if t == 'i' {
		b = slices.Concat(set, g.expr('i'), g.counted(code(loop, 0), 1),
			g.in(label{types: "i", loop: true}, func() []byte { return slices.Concat(g.expr('i'), g.counted(code(i32Add), 1)) }), next, []byte{end})
	} else {
		b = slices.Concat(set, g.expr('i'), g.expr('I'), g.counted(code(loop, 1), 1), g.in(label{types: "iI", loop: true}, func() []byte {
			return g.counted(code(localSet, u(len(g.locals)-1), i32Const, 1, i32Add, localGet, u(len(g.locals)-1)), 4)
		}), g.swapped(next), []byte{end}, g.counted(code(drop), 1))
	}
	g.busy = g.busy[:len(g.busy)-1]
	return b
}

// swapped leaves the loop of (i32, i64) -> (i64, i32) with its results in order.
func (g *gen) swapped(next []byte) []byte {
	long, short := u(len(g.locals)-1), u(len(g.locals)-7)
	return slices.Concat(next, g.counted(code(localSet, long, localSet, short, localGet, long, localGet, short), 4))
}

// counter takes a local for counting a loop.
func (g *gen) counter() (uint32, bool) {
	for _, i := range []int{len(g.locals) - 2, len(g.locals) - 3} {
		if !slices.Contains(g.busy, uint32(i)) {
			g.busy = append(g.busy, uint32(i))
			return uint32(i), true
		}
	}
	return 0, false
}

// statement leaves the stack as it is.
func (g *gen) statement() []byte {
	g.size++
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 6 || g.size > maxSize || len(g.src) == 0 {
		return nil
	}
	t := globalTypes[g.pick(4)]
	switch g.pick(13) {
	case 0:
		return slices.Concat(g.expr(t), g.counted(code(localSet, g.local(t, true)), 1))
	case 1:
		return slices.Concat(g.expr(t), g.counted(code(globalSet, u(slices.Index([]byte(globalTypes), t))), 1))
	case 2:
		ops := map[byte][]byte{'i': {0x36, 0x3a, 0x3b}, 'I': {0x37, 0x3c, 0x3d, 0x3e}, 'f': {0x38}, 'F': {0x39}}[t]
		return slices.Concat(g.address(), g.expr(t), g.counted(code(int(ops[g.pick(len(ops))]), 0, u(g.pick(200))), 1))
	case 3:
		return g.ifElse("")
	case 4:
		return g.block("")
	case 5, 6:
		return g.countedLoop()
	case 7:
		return g.bulk()
	case 8:
		return g.procedure()
	case 9:
		return slices.Concat(g.block("iI"), g.counted(code(drop, drop), 2))
	case 10:
		return g.leave()
	default:
		return slices.Concat(g.expr(t), g.counted(code(drop), 1))
	}
}

// countedLoop runs a few times.
func (g *gen) countedLoop() []byte {
	count, free := g.counter()
	if !free {
		return nil
	}
	c := u(int(count))
	set := g.counted(code(i32Const, u(1+g.pick(5)), localSet, c), 2)
	form := g.pick(3)
	var b []byte
	switch form {
	case 0: // do while
		b = slices.Concat(set, g.counted(code(loop, void), 1), g.in(label{loop: true}, func() []byte { return g.body("") }),
			g.counted(code(localGet, c, i32Const, 1, i32Sub, localTee, c, brIf, 0), 5), []byte{end})
	case 1: // while, out of a block
		b = slices.Concat(set, g.counted(code(block, void, loop, void), 2), g.in(label{}, func() []byte {
			return g.in(label{loop: true}, func() []byte {
				return slices.Concat(g.counted(code(localGet, c, i32Eqz, brIf, 1), 3), g.body(""),
					g.counted(code(localGet, c, i32Const, 1, i32Sub, localSet, c, br, 0), 5))
			})
		}), code(end, end))
	default: // if, and a switch back
		b = slices.Concat(set, g.counted(code(loop, void), 1), g.in(label{loop: true}, func() []byte {
			return slices.Concat(g.counted(code(localGet, c, ifOp, void), 2), g.in(label{}, func() []byte {
				return slices.Concat(g.body(""), g.counted(code(localGet, c, i32Const, 1, i32Sub, localTee, c, i32Eqz, brTable, vec(u(1)), 0), 6))
			}), []byte{end})
		}), []byte{end})
	}
	g.busy = g.busy[:len(g.busy)-1]
	return b
}

// bulk is an operation on many bytes or elements.
func (g *gen) bulk() []byte {
	masked := func(mask int64) []byte { return append(g.expr('i'), g.counted(code(i32Const, s(mask), i32And), 2)...) }
	switch g.pick(7) {
	case 0:
		return slices.Concat(masked(0x7fff), g.expr('i'), masked(0x1fff), g.counted(code(misc, 11, 0), 1))
	case 1:
		return slices.Concat(masked(0x7fff), masked(0x7fff), masked(0x1fff), g.counted(code(misc, 10, 0, 0), 1))
	case 2:
		return slices.Concat(masked(0x7fff), masked(15), masked(15), g.counted(code(misc, 8, 0, 0), 1))
	case 3:
		return slices.Concat(masked(3), g.counted(code(refNull, funcref), 1), masked(1), g.counted(code(misc, 17, 0), 1))
	case 4:
		return slices.Concat(masked(3), masked(1), masked(1), g.counted(code(misc, 14, 0, 0), 1))
	case 5:
		return slices.Concat(masked(7), g.counted(code(refFunc, u(g.pick(min(4, len(g.sigs))))), 1), g.counted(code(tableSet, 0), 1))
	default:
		return g.counted(code(misc, 9, 0), 1)
	}
}

// procedure calls any function and drops what it returns.
func (g *gen) procedure() []byte {
	i := g.pick(len(g.sigs))
	params, results := split(g.sigs[i])
	return append(g.invoke(i, params), g.counted(repeat(len(results), drop), len(results))...)
}

// leave returns early, under a condition.
func (g *gen) leave() []byte {
	b := slices.Concat(g.expr('i'), g.counted(code(ifOp, void), 1))
	g.labels = append(g.labels, label{})
	for i := range g.labels[0].types {
		b = append(b, g.expr(g.labels[0].types[i])...)
	}
	g.labels = g.labels[:len(g.labels)-1]
	lower := g.counted(code(globalGet, globalDepth, i32Const, 1, i32Sub, globalSet, globalDepth), 4)
	if g.pick(6) == 5 {
		return slices.Concat(b, g.counted(code(unreachable), 1), []byte{end})
	}
	return slices.Concat(b, lower, g.unwind(code(returnOp)), g.dead(), []byte{end})
}
