package compile

import (
	"context"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"

	"sluice/wasmhost/meter"
)

// Compile validates, meters and compiles a module, or finds that done before. It waits while another module is being
// compiled; who asks for one that is being compiled gets the same result.
//
// The error is a *meter.Refused if the module is at fault, a *LimitError if it took too much to compile, ctx's if the
// caller gave up, and any other if the system is at fault: a broken child, a full disk.
func (c *Compiler) Compile(ctx context.Context, wasm []byte) (*Result, error) {
	start := time.Now()
	if most := c.opts.Limits.ModuleBytes; len(wasm) > most { // before it is hashed, and copied to a child
		return nil, &meter.Refused{Problems: []meter.Problem{{
			Rule:    meter.RuleLimit,
			Message: fmt.Sprintf("module: %d bytes, more than wasm.module.max.bytes = %d allows", len(wasm), most),
			Offset:  -1,
		}}}
	}
	key, err := c.key(wasm)
	if err != nil {
		return nil, err
	}
	res, err := c.share(ctx, key, func(ctx context.Context) (*Result, error) {
		return c.findOrMake(ctx, key, wasm)
	})
	if err != nil {
		return nil, err
	}
	own := *res
	own.Took = time.Since(start)
	return &own, nil
}

func (c *Compiler) findOrMake(ctx context.Context, key string, wasm []byte) (*Result, error) {
	if c.memory != nil {
		return c.inMemory(ctx, key, wasm)
	}
	if res := c.disk.get(key); res != nil {
		return res, nil
	}
	if err := c.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer c.giveTurn()
	return c.onDisk(ctx, key, wasm)
}

// takeTurn waits until nothing else is compiled, so that uploads never take more than one processor or one memory limit.
func (c *Compiler) takeTurn(ctx context.Context) error {
	select {
	case <-c.turn:
		if ctx.Err() != nil { // both were ready
			c.giveTurn()
			return context.Cause(ctx)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Compiler) giveTurn() { c.turn <- struct{}{} }

// onDisk compiles into a directory of this compilation's own, so that a child that is killed leaves nothing half-written
// where machine code is looked for, and moves the result to its place.
func (c *Compiler) onDisk(ctx context.Context, key string, wasm []byte) (*Result, error) {
	work, err := c.disk.workDir()
	if err != nil {
		return nil, err
	}
	defer c.disk.removeWork(work)
	var made *product
	var warnings []string
	if c.opts.Command == nil {
		warnings = []string{unlimitedHere}
		made, err = build(ctx, wasm, c.opts.Limits, intoDir(work))
	} else {
		made, warnings, err = c.inChild(ctx, wasm, work)
	}
	if err != nil {
		return nil, err
	}
	if err := c.disk.put(key, made, work, c.engine); err != nil {
		return nil, fmt.Errorf("keeping the compiled module: %w", err)
	}
	return &Result{Metered: made.metered, Info: made.info, Warnings: warnings}, nil
}

// unlimitedHere is the warning of every compilation in this process.
const unlimitedHere = settingCPU + ", " + settingWall + " and " + settingMemory +
	" are not enforced: modules are compiled in this process"

func (c *Compiler) inMemory(ctx context.Context, key string, wasm []byte) (*Result, error) {
	if res := c.memory.get(key); res != nil {
		return res, nil
	}
	if err := c.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer c.giveTurn()
	var compiled wazero.CompiledModule
	made, err := build(ctx, wasm, c.opts.Limits, func(ctx context.Context, metered []byte) (err error) {
		compiled, err = c.memory.rt.CompileModule(ctx, metered)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.memory.put(ctx, key, made, compiled)
}
