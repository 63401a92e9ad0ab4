package compile

import (
	"runtime"
	"runtime/debug"
)

// limitRuntime keeps Go's runtime to one processor, the others serve, and has it collect garbage before the kernel refuses
// memory. A quarter is left for machine code and stacks, which the collector does not count.
func limitRuntime(memory int64) {
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(memory / 4 * 3)
}
