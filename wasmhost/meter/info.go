package meter

import (
	"fmt"
	"strings"
)

// Names that the rewriter adds. A module that exports or imports one of them is refused.
const (
	FuelExport   = "__sluice_fuel"   // mutable i64: what is left of the current slice
	BudgetExport = "__sluice_budget" // mutable i64: what is left beyond it
	reserved     = "__sluice_"
)

// Slice is how many units a guest uses before it returns to Go for a moment.
const Slice = 500_000

// FuncType is the type of a function, in the value types' bytes of the binary format.
type FuncType struct {
	Params, Results []byte
}

// String is the type in words, such as "(i32, i32) -> i32"; without results "() -> ()", with several "() -> (i32, i64)".
func (t FuncType) String() string {
	results := typeNames(t.Results)
	if len(t.Results) != 1 {
		results = "(" + results + ")"
	}
	return "(" + typeNames(t.Params) + ") -> " + results
}

func typeNames(types []byte) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = typeName(t)
	}
	return strings.Join(names, ", ")
}

func typeName(t byte) string {
	switch t {
	case typeI32:
		return "i32"
	case typeI64:
		return "i64"
	case typeF32:
		return "f32"
	case typeF64:
		return "f64"
	case typeV128:
		return "v128"
	case typeFuncref:
		return "funcref"
	case typeExternref:
		return "externref"
	default:
		return fmt.Sprintf("0x%02x", t)
	}
}

// Kind is what an import or export is.
type Kind byte

// The kinds, with the bytes of the binary format.
const (
	KindFunction Kind = iota
	KindTable
	KindMemory
	KindGlobal
)

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case KindFunction:
		return "function"
	case KindTable:
		return "table"
	case KindMemory:
		return "memory"
	case KindGlobal:
		return "global"
	default:
		return fmt.Sprintf("kind %d", byte(k))
	}
}

// Import is what a module asks of its host.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         FuncType // of a function
}

// Export is what a module offers its host.
type Export struct {
	Name string
	Kind Kind
	Type FuncType // of a function
}

// Producer is a tool that says it took part in making the module (the "producers" section).
type Producer struct {
	Field         string // "language", "processed-by" or "sdk"
	Name, Version string
}

// Info is what a module declares.
type Info struct {
	Imports []Import
	Exports []Export

	Size            int // bytes of the upload
	CodeBytes       int // of its code section
	MeteredBytes    int // of its functions with what metering adds
	Functions       int // imported and defined
	Types           int
	Globals         int
	Tables          int
	DataSegments    int
	ElementSegments int

	HasMemory      bool
	MemoryMinPages uint32
	MemoryMaxPages uint32 // as lowered to the limit; the limit if the module names none
	TableElements  uint32 // sum of the tables' minima

	HasStart      bool // it runs code when instantiated
	HasNames      bool // its functions have names, which traces of traps show
	StrippedBytes int  // custom sections that the rewriter leaves out
	Producers     []Producer

	MutatesTables bool // has table.set, grow, fill, copy or init, or elem.drop
	DropsSegments bool // has data.drop or memory.init
	GrowsMemory   bool // has memory.grow
	UsesSIMD      bool
	MaxFunction   int // bytes of its largest function body
	MaxLocals     int // of any function
	MaxNesting    int // of blocks in any function
	Loops         int
	Charges       int // places where Rewrite takes fuel, heads of functions and loops included
}

// Problem is one reason to refuse a module.
type Problem struct {
	Rule    string // a stable word: one of the Rule constants
	Message string // what is wrong and, for a limit, which setting says so
	Offset  int    // where in the upload, in bytes; -1 if it is no single place
}

// The rules.
const (
	RuleFormat    = "format"    // not a core WebAssembly module
	RuleMalformed = "malformed" // its bytes break off or mean nothing
	RuleIndex     = "index"     // it points to something that it does not have
	RuleFeature   = "feature"   // it uses a proposal that is not supported
	RuleLimit     = "limit"     // it is larger than a setting allows
	RuleImport    = "import"    // it imports what no host gives
	RuleName      = "name"      // it uses a reserved name, or a name twice
)

// String is the problem in one line.
func (p Problem) String() string {
	if p.Offset < 0 {
		return p.Rule + ": " + p.Message
	}
	return fmt.Sprintf("%s: %s (at byte %d)", p.Rule, p.Message, p.Offset)
}

// Refused is the error for a module with problems.
type Refused struct { //nolint:errname // what happened to the module, as its users say it
	Problems []Problem
}

// Error names all problems, one per line if they are several.
func (r *Refused) Error() string {
	if len(r.Problems) == 1 {
		return "module refused: " + r.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "module refused for %d reasons:", len(r.Problems))
	for _, p := range r.Problems {
		b.WriteString("\n- " + p.String())
	}
	return b.String()
}
