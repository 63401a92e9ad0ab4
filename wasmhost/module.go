package wasmhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"sluice/wasmhost/meter"
)

// Module is the machine code of one version of a module. It is freed with its last owner.
type Module struct {
	ID       string // hex SHA-256 of the bytes as uploaded
	Info     *meter.Info
	Kinds    Kinds
	Warnings []string
	Cached   bool // nothing had to be compiled
	Took     time.Duration

	host     *Host
	compiled wazero.CompiledModule
	refs     atomic.Int64
}

// Kinds is what a module can be bound as.
type Kinds struct {
	Partition, OnSend, OnAck bool
	Transform                bool // a Redpanda data transform, an interceptor
}

// has says whether there is anything to call for a hook.
func (k Kinds) has(h Hook) bool {
	switch h {
	case Partition:
		return k.Partition
	case OnAck:
		return k.OnAck
	default:
		return k.OnSend || k.Transform
	}
}

// Interceptor says whether the module can be bound as one.
func (k Kinds) Interceptor() bool { return k.OnSend || k.OnAck || k.Transform }

// ID is the version of the module with these bytes.
func ID(wasm []byte) string {
	sum := sha256.Sum256(wasm)
	return hex.EncodeToString(sum[:])
}

// Compile makes machine code of wasm, or takes it from the cache. A module that is at fault gives a *meter.Refused with
// everything that is wrong with it. The caller owns the module and gives it up with Release.
func (h *Host) Compile(ctx context.Context, wasm []byte) (*Module, error) {
	info, problems := meter.Inspect(wasm, h.limits.Module)
	if info != nil {
		problems = append(problems, checkContract(info)...)
	}
	if len(problems) > 0 {
		return nil, &meter.Refused{Problems: problems}
	}
	r, err := h.compiler.Compile(ctx, wasm)
	if err != nil {
		return nil, err
	}
	compiled, err := h.load(ctx, r.Metered)
	if err != nil {
		return nil, err
	}
	m := &Module{
		ID: ID(wasm), Info: info, Kinds: kindsOf(info), Warnings: append(warnings(info), r.Warnings...), Cached: r.Cached, Took: r.Took,
		host: h, compiled: compiled,
	}
	m.refs.Store(1)
	return m, nil
}

// load has wazero take the machine code of metered out of the cache. Decoding panics on bugs of its own.
func (h *Host) load(ctx context.Context, metered []byte) (c wazero.CompiledModule, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("loading the compiled module: %v", r)
		}
	}()
	if c, err = h.runtime.CompileModule(ctx, metered); err != nil {
		return nil, &meter.Refused{Problems: []meter.Problem{{Rule: "invalid", Message: err.Error()}}}
	}
	return c, nil
}

// Hold makes one more owner. It may only be called by an owner.
func (m *Module) Hold() { m.refs.Add(1) }

// Release gives up one owner's share.
func (m *Module) Release() {
	if m.refs.Add(-1) != 0 {
		return
	}
	_ = m.compiled.Close(context.Background())
	m.host.sweep()
}
