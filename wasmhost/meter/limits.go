package meter

import "fmt"

// Limits bounds what a module may declare. The zero value refuses everything; start from [DefaultLimits].
// The comment of each field is its setting's name under "wasm.".
type Limits struct {
	ModuleBytes     int    // module.max.bytes: of the upload
	MemoryPages     uint32 // memory.max.bytes / 65536: linear memory of an instance; a larger maximum is lowered to it
	TableElements   uint32 // table.max.elements: of all tables at the start, and of each; a larger maximum is lowered to it
	Tables          int    // tables.max
	Locals          int    // function.max.locals: declared by a function, its parameters not counted
	FunctionBytes   int    // function.max.bytes: of a function's body
	CodeGrowth      int    // code.growth.max: how many times its size the code may take with what metering adds, and 64 KiB
	Functions       int    // functions.max: imported and defined
	Types           int    // types.max
	Globals         int    // globals.max
	Params          int    // function.max.params: of a type
	Results         int    // function.max.results: of a type
	Imports         int    // imports.max
	Exports         int    // exports.max
	DataSegments    int    // data.segments.max
	ElementSegments int    // element.segments.max
	NameBytes       int    // name.max.bytes: of the name of an import or export
	BranchTargets   int    // branch.targets.max: of one br_table
	Nesting         int    // nesting.max: of blocks within a function
	InitFuel        int64  // init.fuel: units for the start function; the host sets fuel anew for each later call
}

const pageBytes = 65536

// DefaultLimits are the defaults of [wasm], and for what has no setting there, what engines accept (limits of the
// WebAssembly JavaScript API) or less.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytes:     10 << 20,
		MemoryPages:     64 << 20 / pageBytes,
		TableElements:   65536,
		Tables:          16,
		Locals:          5000,
		FunctionBytes:   1 << 20,
		CodeGrowth:      3, // C takes 2, Go 1.3
		Functions:       50_000,
		Types:           10_000,
		Globals:         1000,
		Params:          1000,
		Results:         1000,
		Imports:         1000,
		Exports:         10_000,
		DataSegments:    100_000,
		ElementSegments: 10_000,
		NameBytes:       1024,
		BranchTargets:   65_520,
		Nesting:         10_000,
		InitFuel:        1_000_000_000,
	}
}

// over is the message of a limit that was passed.
func over(what string, got, limit int64, setting string) string {
	return fmt.Sprintf("%s: %d, more than wasm.%s = %d allows", what, got, setting, limit)
}
