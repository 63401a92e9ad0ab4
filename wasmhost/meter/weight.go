package meter

// Weights, in grains, a quarter of a unit each: about what an instruction takes compared with an addition, in wazero's
// machine code on amd64. Each instruction weighs at least one, apart from end and else, so that fuel bounds how many ran.
const (
	grains = 4 // of a unit

	weightSimple   = 1
	weightMemory   = 4   // a load or store, with its check of bounds
	weightFloat    = 4   // conversions, rounding, minimum and maximum
	weightDivide   = 40  // division and square root
	weightVector   = 4   // of 128 bits
	weightTable    = 8   // table.get, table.set, br_table
	weightCall     = 8   // the caller's part; the rest is charged at the entry
	weightIndirect = 24  // with the check of the type
	weightHost     = 600 // leaving to Go and coming back
	weightBulk     = 80  // the part of a bulk operation that does not depend on its size
	weightWord     = 2   // of the callee's frame
	frameWords     = 8   // of a frame, beside parameters and locals
)

// Costs that an operand decides, in units.
const (
	bulkShift     = 3    // one for each 8 bytes
	elementShift  = 2    // one for each 4 elements of a table
	weightPage    = 4096 // for a page that memory.grow adds: it is zeroed, and what is there may be copied
	weightElement = 2    // for an element that table.grow adds
)

// units rounds up.
func units(n uint32) uint32 { return (n + grains - 1) / grains }

// entryWeight is what a call is charged at the callee's entry, by the words of its parameters and locals, so that fuel
// bounds the native stack too.
func entryWeight(words int) uint32 { return uint32(weightWord * (frameWords + words)) }

// weight is what an instruction is charged, apart from what its operands decide.
func (m *module) weight(in *instr) uint32 {
	switch op := in.op; {
	case op == opEnd, op == opElse:
		return 0
	case op >= opFirstMemory && op <= opLastMemory:
		return weightMemory
	case op >= 0x5b && op <= 0xc4:
		return arithmetic(op)
	case op == opCall && int(in.x) < m.imported:
		return weightHost
	case op == opCall:
		return weightCall
	case op == opCallIndirect:
		return weightIndirect
	case op == opBrTable, op == opTableGet, op == opTableSet:
		return weightTable
	case op == opMemoryGrow, op == opTableGrow, op == opRefFunc:
		return weightHost
	case op >= opMemoryInit && op <= opTableFill:
		return weightBulk
	case op >= prefixMisc<<8 && op < opMemoryInit: // saturating conversions
		return 2 * weightFloat
	case op >= prefixVector<<8:
		return vectorWeight(op & 0xff)
	default:
		return weightSimple
	}
}

// arithmetic weighs the numeric instructions from f32.eq on.
func arithmetic(op int) uint32 {
	switch op {
	case 0x6d, 0x6e, 0x6f, 0x70, 0x7f, 0x80, 0x81, 0x82: // integer division and remainder
		return weightDivide
	case 0x91, 0x95, 0x9f, 0xa3: // sqrt and div of floats
		return weightDivide
	case 0x8d, 0x8e, 0x8f, 0x90, 0x96, 0x97, 0x9b, 0x9c, 0x9d, 0x9e, 0xa4, 0xa5: // ceil to nearest, min, max
		return weightFloat
	}
	if op >= 0xa8 && op <= 0xbb && op != 0xac && op != opI64ExtendU { // conversions
		return weightFloat
	}
	return weightSimple
}

func vectorWeight(op int) uint32 {
	switch op {
	case 0xe3, 0xe7, 0xef, 0xf3: // sqrt and div
		return 2 * weightDivide
	case 0x62, 0x6b, 0x6c, 0x6d, 0xd5, 0xf8, 0xf9, 0xfb, 0xfc, 0xfd, 0xcc: // popcnt, i8x16 shifts, i64x2.mul, conversions
		return 4 * weightVector
	}
	return weightVector
}
