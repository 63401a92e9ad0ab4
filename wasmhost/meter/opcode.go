package meter

// Value types.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeEmpty     = 0x40 // of a block without results
)

// Opcodes that the decoder or the rewriter knows by name. Those with a prefix have it in the upper byte.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opFirstMemory  = 0x28 // i32.load, the first of the loads and stores
	opLastMemory   = 0x3e // i64.store32
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI64Eqz       = 0x50
	opI64LtS       = 0x53
	opI64LeU       = 0x58
	opI64GeS       = 0x59
	opI32Add       = 0x6a
	opI32Mul       = 0x6c
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad // i64.extend_i32_u
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	prefixGC       = 0xfb
	prefixMisc     = 0xfc
	prefixVector   = 0xfd
	prefixAtomic   = 0xfe

	opMemoryInit = prefixMisc<<8 | 8
	opDataDrop   = prefixMisc<<8 | 9
	opMemoryCopy = prefixMisc<<8 | 10
	opMemoryFill = prefixMisc<<8 | 11
	opTableInit  = prefixMisc<<8 | 12
	opElemDrop   = prefixMisc<<8 | 13
	opTableCopy  = prefixMisc<<8 | 14
	opTableGrow  = prefixMisc<<8 | 15
	opTableSize  = prefixMisc<<8 | 16
	opTableFill  = prefixMisc<<8 | 17

	opV128Const = prefixVector<<8 | 12
)

// form is what follows an opcode.
type form byte

const (
	formInvalid form = iota
	formNone         //
	formIndex        // one index
	formTwo          // two indices
	formZero         // the memory's index, a zero byte
	formZeros        // two of them
	formInit         // an index, then the memory's
	formBlock        // a block's type
	formI32
	formI64
	formBytes4
	formBytes8
	formBytes16
	formMemory  // alignment and offset
	formLane    // a lane
	formMemLane // alignment, offset and a lane
	formBranches
	formTypes   // of a select
	formRefType // of a ref.null
)

// forms of the opcodes without prefix.
var forms = func() (t [256]form) { //nolint:gochecknoglobals // a table that is only read
	set := func(first, last int, f form) {
		for op := first; op <= last; op++ {
			t[op] = f
		}
	}
	set(opUnreachable, 0x01, formNone)
	set(opBlock, opIf, formBlock)
	set(opElse, opElse, formNone)
	set(opEnd, opEnd, formNone)
	set(opBr, opBrIf, formIndex)
	set(opBrTable, opBrTable, formBranches)
	set(opReturn, opReturn, formNone)
	set(opCall, opCall, formIndex)
	set(opCallIndirect, opCallIndirect, formTwo)
	set(opDrop, opSelect, formNone)
	set(opSelectTyped, opSelectTyped, formTypes)
	set(opLocalGet, opTableSet, formIndex)
	set(opFirstMemory, opLastMemory, formMemory)
	set(opMemorySize, opMemoryGrow, formZero)
	set(opI32Const, opI32Const, formI32)
	set(opI64Const, opI64Const, formI64)
	set(opF32Const, opF32Const, formBytes4)
	set(opF64Const, opF64Const, formBytes8)
	set(0x45, 0xc4, formNone) // comparisons, arithmetic, conversions, sign extension
	set(opRefNull, opRefNull, formRefType)
	set(opRefIsNull, opRefIsNull, formNone)
	set(opRefFunc, opRefFunc, formIndex)
	return t
}()

// miscForms of the opcodes after 0xfc.
var miscForms = [18]form{ //nolint:gochecknoglobals // a table that is only read
	formNone, formNone, formNone, formNone, formNone, formNone, formNone, formNone, // saturating conversions
	formInit, formIndex, formZeros, formZero, // memory.init, data.drop, memory.copy, memory.fill
	formTwo, formIndex, formTwo, formIndex, formIndex, formIndex, // table.init, elem.drop, table.copy, grow, size, fill
}

// vectorForms of the opcodes after 0xfd.
var vectorForms = func() (t [256]form) { //nolint:gochecknoglobals // a table that is only read
	for op := range t {
		t[op] = formNone
	}
	for op := range 12 { // v128.load to v128.store
		t[op] = formMemory
	}
	t[12], t[13] = formBytes16, formBytes16 // v128.const, i8x16.shuffle
	for op := 0x15; op <= 0x22; op++ {      // extract_lane, replace_lane
		t[op] = formLane
	}
	for op := 0x54; op <= 0x5b; op++ { // load_lane, store_lane
		t[op] = formMemLane
	}
	t[0x5c], t[0x5d] = formMemory, formMemory // v128.load32_zero, v128.load64_zero
	for _, op := range [...]byte{
		0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2, 0xee,
	} {
		t[op] = formInvalid
	}
	return t
}()

// proposal names what a byte that no opcode of core features V2 begins with belongs to; "" if to nothing known.
func proposal(op byte) string {
	switch op {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		return "exception handling"
	case 0x12, 0x13:
		return "tail calls"
	case 0x14, 0x15, 0xd4, 0xd5, 0xd6:
		return "typed function references"
	case 0xd3, prefixGC:
		return "garbage collection"
	case prefixAtomic:
		return "threads (atomic instructions)"
	case 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5:
		return "stack switching"
	default:
		return ""
	}
}

// proposalOfType does the same for a value type.
func proposalOfType(t byte) string {
	switch t {
	case 0x63, 0x64:
		return "typed function references"
	case 0x69, 0x74:
		return "exception handling"
	case 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x77, 0x78, 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
		return "garbage collection"
	default:
		return ""
	}
}
