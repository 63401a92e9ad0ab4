package guest

import (
	"context"
	"time"

	"sluice/gateway/registry"
	"sluice/wasmhost"
)

// rebuild swaps a module in whose source was saved, if it can serve everything that is bound to it.
func (m *Modules) rebuild(ctx context.Context, p string) {
	start := time.Now()
	wasm, err := m.Build.Folder(ctx, p)
	if err == nil {
		err = m.adopt(ctx, p, wasm)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		m.Log.Error("a module was saved and cannot be used; the one before stays in use", "module", p, "error", err)
		return
	}
	m.apply(p)
	m.Log.Info("a module was saved, built and swapped in", "module", p, "version", registry.Short(wasmhost.ID(wasm)), "took", time.Since(start).Round(time.Millisecond))
}

// adopt makes wasm what the source at p is, after it was shown that it starts for everything that is bound to it.
func (m *Modules) adopt(ctx context.Context, p string, wasm []byte) error {
	m.changing.Lock()
	defer m.changing.Unlock()
	m.mu.Lock()
	s := m.paths[p]
	m.mu.Unlock()
	if s == nil {
		return nil // nobody uses it any more
	}
	before := m.setSource(s, wasm)
	err := m.starts(ctx, p, wasmhost.ID(wasm))
	if err != nil {
		m.setSource(s, before)
	}
	return err
}

func (m *Modules) setSource(s *source, wasm []byte) (before []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, s.wasm = s.wasm, wasm
	return before
}
