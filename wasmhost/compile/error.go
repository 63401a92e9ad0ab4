package compile

import (
	"errors"
	"fmt"
	"time"
)

// ErrClosed is the error of Compile after Close.
var ErrClosed = errors.New("the compiler is closed")

// Names of the settings that bound a compilation.
const (
	settingCPU    = "compile.cpu.ms"
	settingWall   = "compile.timeout.ms"
	settingMemory = "compile.memory.bytes"
	settingCache  = "cache.max.bytes"
)

// LimitError means that a module took more to compile than the operator allows. It is the module's fault as long as the
// limit is a sensible one; nothing has been kept.
type LimitError struct {
	Setting string // compile.cpu.ms, compile.timeout.ms or compile.memory.bytes
	Limit   int64  // its value, in the unit that its name ends in
}

func (e *LimitError) Error() string {
	what := map[string]string{
		settingCPU:    "processor time",
		settingWall:   "time",
		settingMemory: "memory",
	}[e.Setting]
	return fmt.Sprintf("compiling the module needs more %s than wasm.%s = %d allows", what, e.Setting, e.Limit)
}

// ChildError means that the compile child ended without a usable answer, for no reason that a limit explains.
type ChildError struct {
	Reason string // how it ended
	Stderr string // the beginning of what it wrote there, may be empty
}

func (e *ChildError) Error() string {
	if e.Stderr == "" {
		return "the compile child " + e.Reason
	}
	return fmt.Sprintf("the compile child %s: %s", e.Reason, e.Stderr)
}

// panicError is a panic of the rewriter or of wazero's compiler, which has them where it found a bug in itself.
type panicError struct{ value any }

func (e *panicError) Error() string {
	return fmt.Sprintf("the compiler has a bug that this module meets, it panicked: %v", e.value)
}

func wallError(wall time.Duration) error {
	return &LimitError{Setting: settingWall, Limit: wall.Milliseconds()}
}

func cpuError(cpu time.Duration) error {
	return &LimitError{Setting: settingCPU, Limit: cpu.Milliseconds()}
}
