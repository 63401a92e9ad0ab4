package compile

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"sluice/wasmhost/meter"
)

// Compiler makes metered bytes and machine code of uploads, one at a time. Its methods may be called from many goroutines.
type Compiler struct {
	opts   Options
	engine string // see probe; empty without a directory
	cache  wazero.CompilationCache
	disk   *disk   // nil without a directory
	memory *memory // nil with one

	turn    chan struct{} // holds a token while nothing is compiled
	working sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	flights map[string]*flight
}

// Result is what has been made of a module. Those who asked for the same module share the bytes and the Info: read only.
type Result struct {
	Metered  []byte      // what the runtime is given
	Info     *meter.Info // what the rewriter found out
	Cached   bool        // nothing was compiled
	Took     time.Duration
	Warnings []string // what an operator should know, such as limits that this system cannot enforce
}

// New opens the cache. It is an error if wazero's compiling engine does not run here (guests are not interpreted: that
// would be some ten times slower without anybody noticing why), or if Dir could be written to by others.
func New(o Options) (*Compiler, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Compiler{opts: o, turn: make(chan struct{}, 1), flights: map[string]*flight{}}
	c.turn <- struct{}{}
	ctx := context.Background() // of nothing that waits
	if o.Dir == "" {
		c.cache = wazero.NewCompilationCache()
		c.memory = newMemory(ctx, c.RuntimeConfig(), o.CacheBytes)
		if err := trial(ctx, c.RuntimeConfig(), []byte(probeModule)); err != nil {
			return nil, errors.Join(noEngine(err), c.Close())
		}
		return c, nil
	}
	if c.disk, err = openDisk(o.Dir, o.CacheBytes, o.Log); err != nil {
		return nil, err
	}
	if c.engine, err = c.disk.probe(ctx); err != nil {
		return nil, err
	}
	if c.cache, err = wazero.NewCompilationCacheWithDir(c.disk.path(machineDir)); err != nil {
		return nil, err
	}
	c.disk.prune(nil)
	return c, nil
}

// RuntimeConfig is what the runtime that serves guests must be made of in order to find the machine code: the compiling
// engine (never the interpreter), the features of WebAssembly 2.0, no checks of a context inside guest code (fuel takes
// their place), no DWARF, and the cache. Limits of memory may be added, nothing that changes the code.
//
// A module must be instantiated in the runtime that its CompileModule was called on (wazero issue 2511).
func (c *Compiler) RuntimeConfig() wazero.RuntimeConfig {
	return runtimeConfig(c.cache)
}

// Close waits for what is being compiled, which it cancels, and closes the cache. Close the runtimes first: wazero's
// engine lives in the cache.
func (c *Compiler) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	for _, f := range c.flights {
		f.cancel(ErrClosed)
	}
	c.mu.Unlock()
	c.working.Wait()
	ctx := context.Background() // wazero's Close takes one and does not wait
	if c.memory != nil {
		return errors.Join(c.memory.close(ctx), c.cache.Close(ctx))
	}
	return c.cache.Close(ctx)
}
