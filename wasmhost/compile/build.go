package compile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero"

	"sluice/wasmhost/meter"
)

// product is what is made of a module, beside the machine code.
type product struct {
	metered []byte
	info    *meter.Info
}

// build meters a module and lets compile have the result.
func build(ctx context.Context, wasm []byte, limits meter.Limits, compile func(context.Context, []byte) error) (p *product, err error) {
	defer recovered(&err)
	metered, info, err := meter.Rewrite(wasm, limits)
	if err != nil {
		return nil, err
	}
	if err := compile(ctx, metered); err != nil {
		return nil, moduleFault(err)
	}
	return &product{metered: metered, info: info}, nil
}

// intoDir compiles into a directory of its own in work.
func intoDir(work string) func(context.Context, []byte) error {
	return func(ctx context.Context, metered []byte) error {
		_, err := trialInto(ctx, filepath.Join(work, machineDir), wazero.NewRuntimeConfigCompiler(), metered)
		return err
	}
}

// ruleInvalid is the rule of a meter.Problem that wazero found: the types within a function, for one.
const ruleInvalid = "invalid"

// moduleFault makes a refusal of what wazero says of a module, whose errors are mere text, and leaves alone what speaks
// of the system.
func moduleFault(err error) error {
	if system[*fs.PathError](err) || system[*os.LinkError](err) || system[syscall.Errno](err) || system[*panicError](err) ||
		errors.Is(err, errNoMachineCode) || errors.Is(err, context.Canceled) || noMemory(err) {
		return err
	}
	return &meter.Refused{Problems: []meter.Problem{{Rule: ruleInvalid, Message: err.Error(), Offset: -1}}}
}

func system[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// noMemory says whether the system refused memory. wazero wraps some of these errors as text only.
func noMemory(err error) bool {
	return errors.Is(err, syscall.ENOMEM) || strings.Contains(err.Error(), syscall.ENOMEM.Error())
}
