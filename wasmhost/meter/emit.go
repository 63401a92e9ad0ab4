package meter

// emitter writes one function with its charges.
type emitter struct {
	m    *module
	b    []byte
	plan *plan
	walk *walker
	open int    // blocks in the output, the function among them
	fuel uint32 // the local that holds the fuel between calls, if plan.cached
	size uint32 // the local for the operand that decides a cost, if plan.sized
}

// wrapper is the number of blocks that are open at the head of a function whose body was put into a block.
const wrapper = 2

// emit writes the function with its charges, and appends it to the code section if that is wanted. The code was scanned, so
// that it holds no fault.
func (m *module) emit(c *cursor, f *function) {
	e := emitter{m: m, b: m.bodyOut[:0], plan: &m.plan, walk: &m.walk, open: 1}
	e.walk.begin(nil, len(f.results))
	e.locals(f)
	e.entry(f)
	for len(e.walk.frames) > 0 && c.ok() {
		c.next(&m.in, &m.limits)
		e.instruction(c, &m.in)
	}
	if e.plan.cached {
		e.spill()
		e.b = append(e.b, opEnd)
	}
	m.bodyOut = e.b
	if !m.metering {
		return
	}
	out := &m.out[sectionCode]
	out.count++
	out.entries = append(appendU32(out.entries, uint32(len(e.b))), e.b...)
}

// locals writes the declared ones and those that are added after them.
func (e *emitter) locals(f *function) {
	groups, next := f.groups, uint32(f.params+f.locals)
	var added []byte
	if e.plan.cached {
		e.fuel = next
		next++
		groups++
		added = append(added, 1, typeI64)
	}
	if e.plan.sized {
		e.size = next
		groups++
		added = append(added, 1, typeI32)
	}
	e.b = append(append(appendU32(e.b, uint32(groups)), f.types...), added...)
}

// entry charges the first region and tests the fuel. Where the fuel is held in a local, the body becomes a block, so that
// there is one place that all ways out of the function pass, and which stores the fuel.
func (e *emitter) entry(f *function) {
	e.b = appendU32(append(e.b, opGlobalGet), e.m.fuel)
	e.charge(e.plan.regions[0].cost)
	if !e.plan.leaf {
		e.test()
	}
	if !e.plan.cached {
		return
	}
	result := byte(typeEmpty)
	if len(f.results) > 0 {
		result = f.results[0]
	}
	e.b = append(e.b, opBlock, result)
	e.open = wrapper
	e.walk.top().label = wrapper
}

// instruction writes the next one and what goes with it. Nothing is added to unreachable code.
func (e *emitter) instruction(c *cursor, in *instr) {
	w := e.walk
	if w.dead {
		e.structure(in)
		w.step(c, in, e.m.carries(in))
		e.label(in)
		if !w.dead && len(w.frames) > 0 {
			e.begun()
		}
		return
	}
	if in.op == opLoop && !e.plan.plain && e.m.params(in) == 0 {
		e.loop(c, in)
		return
	}
	if sized(in.op) {
		e.sized(in)
	}
	if e.plan.cached && (in.op == opCall || in.op == opCallIndirect) {
		e.spill()
	}
	e.structure(in)
	opened := w.step(c, in, e.m.carries(in))
	e.label(in)
	switch {
	case opened:
		e.begun()
		if in.op == opLoop {
			e.test()
		}
	case in.op == opCall, in.op == opCallIndirect:
		e.called(in)
	}
}

// loop writes the head of a loop:
//
//	loop            // for refuelling
//	  test
//	  loop          // the loop itself: branches mean this one
//	    fuel >= 0
//	    if
//	      charge
//	      ...       // its body; then what end writes:
//	    else
//	      br 2
//	    end
//	  end
//	end
//
// The call of the refuelling function is outside of the inner loop, where it would make wazero's compiler keep the loop's
// variables in memory; and the body is the arm that it lays out without a jump. (Parameters would be out of reach within
// the if: a loop that has some gets a simple test.)
func (e *emitter) loop(c *cursor, in *instr) {
	e.b = appendInstr(e.b, in)
	e.test()
	e.b = appendInstr(e.b, in)
	e.walk.step(c, in, false)
	e.open += 3
	f := e.walk.top()
	f.label, f.double = e.open-1, true
	e.load()
	e.constant(0)
	e.b = appendSigned(append(e.b, opI64GeS, opIf), in.n)
	e.begun()
}

// structure writes an instruction: a branch with the depths of the output, an end with all the blocks that end there.
func (e *emitter) structure(in *instr) {
	switch in.op {
	case opBr:
		e.branch(e.depth(in.x))
		return
	case opBrIf:
		e.branchIf(in)
		return
	case opBrTable:
		e.b = appendU32(append(e.b, opBrTable), uint32(len(in.targets)-1))
		for _, t := range in.targets {
			e.b = appendU32(e.b, e.depth(t))
		}
		return
	case opReturn:
		if e.plan.cached {
			e.branch(uint32(e.open - wrapper))
			return
		}
	case opBlock, opLoop, opIf:
		e.open++
	case opEnd:
		e.open--
		if e.walk.top().double {
			e.open -= 2
			e.b = append(e.b, opElse, opBr, 2, opEnd, opEnd)
		}
	}
	e.b = appendInstr(e.b, in)
}

func (e *emitter) branch(depth uint32) { e.b = appendU32(append(e.b, opBr), depth) }

// branchIf writes a br_if that carries no values as a br within an if: wazero's compiler merges the condition's comparison
// with the jump for an if, but not for a br_if to where other code arrives too.
func (e *emitter) branchIf(in *instr) {
	depth := e.depth(in.x)
	if e.walk.target(in.x).carries {
		e.b = appendU32(append(e.b, opBrIf), depth)
		return
	}
	e.b = append(e.b, opIf, typeEmpty)
	e.branch(depth + 1)
	e.b = append(e.b, opEnd)
}

// depth turns a depth of the input into one of the output.
func (e *emitter) depth(x uint32) uint32 { return uint32(e.open - e.walk.target(x).label) }

// label remembers where a block that has just begun is in the output.
func (e *emitter) label(in *instr) {
	switch in.op {
	case opBlock, opLoop, opIf:
		e.walk.top().label = e.open
	}
}
