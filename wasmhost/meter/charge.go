package meter

// begun charges the region that has just begun.
func (e *emitter) begun() {
	if cost := e.plan.regions[e.walk.region].cost; cost > 0 {
		e.load()
		e.charge(cost)
	}
}

// called takes the fuel that a callee left, and tests it after the host, which charges what it did itself.
func (e *emitter) called(in *instr) {
	if e.plan.cached {
		e.reload()
	}
	if in.op == opCall && int(in.x) < e.m.imported {
		e.test()
	}
}

// load pushes the fuel.
func (e *emitter) load() {
	if e.plan.cached {
		e.b = appendU32(append(e.b, opLocalGet), e.fuel)
	} else {
		e.b = appendU32(append(e.b, opGlobalGet), e.m.fuel)
	}
}

// store pops the fuel.
func (e *emitter) store() {
	if e.plan.cached {
		e.b = appendU32(append(e.b, opLocalSet), e.fuel)
	} else {
		e.b = appendU32(append(e.b, opGlobalSet), e.m.fuel)
	}
}

// spill sets the global from the local, for others to see.
func (e *emitter) spill() {
	e.b = appendU32(append(e.b, opLocalGet), e.fuel)
	e.b = appendU32(append(e.b, opGlobalSet), e.m.fuel)
}

// reload sets the local from the global.
func (e *emitter) reload() {
	e.b = appendU32(append(e.b, opGlobalGet), e.m.fuel)
	e.b = appendU32(append(e.b, opLocalSet), e.fuel)
}

// charge takes a region's cost from the fuel on the stack and stores it.
func (e *emitter) charge(grains uint32) {
	e.constant(int64(units(grains)))
	e.b = append(e.b, opI64Sub)
	e.store()
}

// test calls the refuelling function if the fuel is used up.
func (e *emitter) test() {
	e.load()
	e.constant(0)
	e.b = append(e.b, opI64LtS, opIf, typeEmpty)
	if e.plan.cached {
		e.spill()
	}
	e.b = appendU32(append(e.b, opCall), e.m.refuel)
	if e.plan.cached {
		e.reload()
	}
	e.b = append(e.b, opEnd)
}

func (e *emitter) constant(v int64) { e.b = appendSigned(append(e.b, opI64Const), v) }

// sized charges for an operation by its operand on top of the stack, leaves that there, and tests the fuel.
func (e *emitter) sized(in *instr) {
	e.b = appendU32(append(e.b, opLocalTee), e.size)
	e.load()
	switch in.op {
	case opMemoryGrow:
		e.growth(weightPage, int64(e.m.info.MemoryMaxPages), []byte{opMemorySize, 0})
	case opTableGrow:
		e.growth(weightElement, int64(e.m.limits.TableElements), appendU32([]byte{prefixMisc, opTableSize & 0xff}, in.x))
	case opMemoryInit, opMemoryCopy, opMemoryFill:
		e.operand()
		e.constant(bulkShift)
		e.b = append(e.b, opI64ShrU)
	default:
		e.operand()
		e.constant(elementShift)
		e.b = append(e.b, opI64ShrU)
	}
	e.b = append(e.b, opI64Sub)
	e.store()
	e.test()
}

// operand pushes the operand, without sign.
func (e *emitter) operand() {
	e.b = append(appendU32(append(e.b, opLocalGet), e.size), opI64ExtendU)
}

// growth pushes each times the operand, or 0 if current plus operand is beyond limit: growing will fail, which is no work.
func (e *emitter) growth(each, limit int64, current []byte) {
	e.operand()
	e.constant(each)
	e.b = append(e.b, opI64Mul)
	e.constant(0)
	e.operand()
	e.b = append(append(e.b, current...), opI64ExtendU, opI64Add)
	e.constant(limit)
	e.b = append(e.b, opI64LeU, opSelect)
}
