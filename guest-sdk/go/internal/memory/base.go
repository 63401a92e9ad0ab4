//go:build !wasip1

package memory

import "sync/atomic"

var next atomic.Uint32 //nolint:gochecknoglobals // addresses that are made up must differ throughout the process

// baseOf makes up an address for p, 8-aligned and never 0.
func baseOf(p []byte) uint32 {
	n := (uint32(len(p)) + 7) &^ 7
	return next.Add(n+minBlock) - n
}

// Anywhere is the n bytes at an address in the input or the room, as the host finds them; false if nothing stands there.
func (m *Memory) Anywhere(at, n uint32) ([]byte, bool) {
	if n == 0 {
		return []byte{}, true
	}
	if p, ok := m.input.slice(at, n); ok {
		return p, true
	}
	if p, ok := m.room.slice(at, n); ok {
		return p, true
	}
	for i := range m.full {
		if p, ok := m.full[i].slice(at, n); ok {
			return p, true
		}
	}
	return nil, false
}
