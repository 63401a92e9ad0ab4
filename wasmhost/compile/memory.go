package compile

import (
	"context"
	"errors"
	"sync"

	"github.com/tetratelabs/wazero"
)

// machinePerMetered is how many bytes of memory a compiled module is taken to need per byte of metered module; see
// DESIGN.md for what it was measured to be.
const machinePerMetered = 8

// memory is the cache without a directory. What it holds open keeps its machine code in wazero's engine, where the
// serving runtime finds it.
type memory struct {
	rt  wazero.Runtime
	max int64 // cache.max.bytes

	mu    sync.Mutex
	held  map[string]*heldModule
	bytes int64
	clock int64 // counts uses
}

type heldModule struct {
	res      *Result
	compiled wazero.CompiledModule
	used     int64
}

func newMemory(ctx context.Context, rc wazero.RuntimeConfig, maxBytes int64) *memory {
	return &memory{rt: wazero.NewRuntimeWithConfig(ctx, rc), max: maxBytes, held: map[string]*heldModule{}}
}

func (m *memory) get(key string) *Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.held[key]
	if h == nil {
		return nil
	}
	m.clock++
	h.used = m.clock
	hit := *h.res
	hit.Cached = true
	return &hit
}

// put holds on to a module, and lets go of those that were used least recently.
func (m *memory) put(ctx context.Context, key string, p *product, compiled wazero.CompiledModule) (*Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock++
	h := &heldModule{
		res:      &Result{Metered: p.metered, Info: p.info, Warnings: []string{unlimitedHere}},
		compiled: compiled,
		used:     m.clock,
	}
	m.held[key] = h
	m.bytes += h.size()
	var err error
	for m.bytes > m.max && len(m.held) > 1 {
		err = errors.Join(err, m.drop(ctx, m.oldest()))
	}
	return h.res, err
}

func (m *memory) oldest() string {
	oldest := ""
	for key, h := range m.held {
		if oldest == "" || h.used < m.held[oldest].used {
			oldest = key
		}
	}
	return oldest
}

// drop needs m.mu. The machine code stays while a runtime that serves it does.
func (m *memory) drop(ctx context.Context, key string) error {
	h := m.held[key]
	delete(m.held, key)
	m.bytes -= h.size()
	return h.compiled.Close(ctx)
}

func (h *heldModule) size() int64 { return int64(len(h.res.Metered)) * machinePerMetered }

func (m *memory) close(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	for key := range m.held {
		err = errors.Join(err, m.drop(ctx, key))
	}
	return errors.Join(err, m.rt.Close(ctx))
}
