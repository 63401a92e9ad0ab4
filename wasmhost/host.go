package wasmhost

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"sluice/wasmhost/compile"
)

// Options says how a Host works.
type Options struct {
	Limits  Limits
	Compile compile.Options // its Limits are taken from Limits.Module
	Log     *slog.Logger
	Name    string // of this machine, as guests are told
}

// Host runs guests. There is one for a process.
type Host struct {
	limits   Limits
	name     string
	log      *slog.Logger
	compiler *compile.Compiler
	runtime  wazero.Runtime
	watchdog *watchdog
	memory   atomic.Int64 // linear memory of all instances, bytes

	background sync.WaitGroup // builders of instances
	sweeping   atomic.Bool
	ctx        context.Context //nolint:containedctx // ends when the host closes, for builders
	cancel     context.CancelFunc
}

// New starts a host.
func New(o Options) (*Host, error) {
	o.Compile.Limits = o.Limits.Module
	c, err := compile.New(o.Compile)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &Host{
		limits: o.Limits, name: o.Name, log: o.Log, compiler: c,
		runtime: wazero.NewRuntimeWithConfig(ctx, c.RuntimeConfig()), watchdog: newWatchdog(), ctx: ctx, cancel: cancel,
	}
	if err := h.instantiateImports(ctx); err != nil {
		_ = h.Close()
		return nil, fmt.Errorf("host functions: %w", err)
	}
	return h, nil
}

// Limits returns the limits the host keeps.
func (h *Host) Limits() Limits { return h.limits }

// Memory is the linear memory of all instances, in bytes.
func (h *Host) Memory() int64 { return h.memory.Load() }

// Close ends the host. All guests must have been closed.
func (h *Host) Close() error {
	h.cancel()
	h.background.Wait()
	h.watchdog.close()
	err := h.runtime.Close(context.Background())
	if cerr := h.compiler.Close(); err == nil {
		err = cerr
	}
	return err
}

// sweepDelay is how long freed machine code may wait for a garbage collection, so that many that are freed together
// need one.
const sweepDelay = 2 * time.Second

// sweep has freed machine code unmapped: wazero does so in a finalizer, and mapped code does not count for the pace of
// the garbage collector.
func (h *Host) sweep() {
	if !h.sweeping.CompareAndSwap(false, true) {
		return
	}
	h.background.Go(func() {
		t := time.NewTimer(sweepDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-h.ctx.Done():
			return
		}
		h.sweeping.Store(false)
		debug.FreeOSMemory()
	})
}
