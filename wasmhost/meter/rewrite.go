package meter

// Rewrite returns the module with fuel metering: it counts what it does and traps when its fuel is used up (see the
// package's comment). A module that Inspect has problems with gives a *Refused. Whether its types are right is left to the
// compiler; a valid module stays valid. The output depends on nothing but wasm and l.
func Rewrite(wasm []byte, l Limits) ([]byte, *Info, error) {
	m := module{limits: l, metering: true}
	if info, problems := m.inspect(wasm); len(problems) > 0 {
		return nil, info, &Refused{Problems: problems}
	}
	m.addFunction()
	m.addGlobals()
	if m.memories() == 0 { // an empty memory, so that the refuelling function can leave to Go; the guest cannot address it
		m.out[sectionMemory] = section{count: 1, entries: appendBounds(nil, 0, 0)}
	}
	return m.assemble(), &m.info, nil
}

// reserve decides on the indices of what will be added, once all indices of the module's own are known.
func (m *module) reserve() {
	m.refuel = uint32(len(m.functions))
	m.fuel, m.budget = uint32(m.globals), uint32(m.globals)+1
	m.refuelTy = uint32(len(m.types))
	for i, t := range m.types {
		if len(t.Params)+len(t.Results) == 0 {
			m.refuelTy = uint32(i)
			break
		}
	}
}

func (m *module) addGlobals() {
	fuel := min(m.limits.InitFuel, Slice)
	for _, g := range [...]struct {
		name  string
		index uint32
		start int64
	}{{FuelExport, m.fuel, fuel}, {BudgetExport, m.budget, m.limits.InitFuel - fuel}} {
		out := &m.out[sectionGlobal]
		out.count++
		out.entries = appendSigned(append(out.entries, typeI64, 1, opI64Const), g.start)
		out.entries = append(out.entries, opEnd)
		out = &m.out[sectionExport]
		out.count++
		out.entries = appendU32(append(appendName(out.entries, g.name), byte(KindGlobal)), g.index)
	}
}

// addFunction appends the refuelling function.
func (m *module) addFunction() {
	m.reserve()
	if int(m.refuelTy) == len(m.types) {
		out := &m.out[sectionType]
		out.count++
		out.entries = appendType(out.entries, FuncType{})
	}
	out := &m.out[sectionFunction]
	out.count++
	out.entries = appendU32(out.entries, m.refuelTy)
	code := m.refuelCode()
	out = &m.out[sectionCode]
	out.count++
	out.entries = append(appendU32(out.entries, uint32(len(code))), code...)
	if m.names.count > 0 {
		m.names.count++
		m.names.entries = appendName(appendU32(m.names.entries, m.refuel), "sluice.refuel")
	}
}

// refuelCode is called with negative fuel. In Go's terms:
//
//	memory.grow(0)                              // leaves to Go for a moment
//	left := budget
//	if left < 0 { trap }                        // stopped from outside
//	left += fuel                                // what was overdrawn
//	if left < 0 { budget, fuel = left, 0; trap }
//	fuel = min(left, Slice)
//	budget = left - fuel
func (m *module) refuelCode() []byte {
	e := emitter{m: m, b: []byte{1, 1, typeI64, opI32Const, 0, opMemoryGrow, 0, opDrop}}
	get := func(global uint32) { e.b = appendU32(append(e.b, opGlobalGet), global) }
	set := func(global uint32) { e.b = appendU32(append(e.b, opGlobalSet), global) }
	left := func() { e.b = append(e.b, opLocalGet, 0) }
	negative := func() {
		e.constant(0)
		e.b = append(e.b, opI64LtS, opIf, typeEmpty)
	}
	get(m.budget)
	e.b = append(e.b, opLocalTee, 0)
	negative()
	e.b = append(e.b, opUnreachable, opEnd)
	left()
	get(m.fuel)
	e.b = append(e.b, opI64Add, opLocalTee, 0)
	negative()
	left()
	set(m.budget)
	e.constant(0)
	set(m.fuel)
	e.b = append(e.b, opUnreachable, opEnd)
	left()
	e.constant(Slice)
	left()
	e.constant(Slice)
	e.b = append(e.b, opI64LtS, opSelect)
	set(m.fuel)
	left()
	get(m.fuel)
	e.b = append(e.b, opI64Sub)
	set(m.budget)
	return append(e.b, opEnd)
}

// assemble writes the module from its sections.
func (m *module) assemble() []byte {
	size := 64 + len(m.tail) + len(m.names.entries)
	for i := range m.out {
		size += len(m.out[i].entries) + 16
	}
	b := append(make([]byte, 0, size), "\x00asm\x01\x00\x00\x00"...)
	for _, id := range [...]byte{
		sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal, sectionExport, sectionStart,
		sectionElement, sectionDataCount, sectionCode, sectionData,
	} {
		s := &m.out[id]
		switch {
		case id == sectionStart && m.start >= 0:
			b = appendSection(b, id, appendU32(nil, uint32(m.start)), nil)
		case id == sectionDataCount && m.dataCount:
			b = appendSection(b, id, appendU32(nil, uint32(m.data)), nil)
		case s.count > 0:
			b = appendSection(b, id, appendU32(nil, uint32(s.count)), s.entries)
		}
	}
	if m.names.count > 0 {
		count := appendU32(nil, uint32(m.names.count))
		head := appendU32(append(appendName(nil, "name"), functionNames), uint32(len(count)+len(m.names.entries)))
		b = appendSection(b, sectionCustom, append(head, count...), m.names.entries)
	}
	return append(b, m.tail...)
}

func appendSection(b []byte, id byte, head, entries []byte) []byte {
	b = appendU32(append(b, id), uint32(len(head)+len(entries)))
	return append(append(b, head...), entries...)
}
