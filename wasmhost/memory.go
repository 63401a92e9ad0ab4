package wasmhost

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"
)

// loan is the linear memory of one instance, charged to the host from its first page to its last: a guest that would
// grow beyond memory.total.bytes is told so by memory.grow, whatever its own limit allows. It is on Go's heap, so that
// nothing is unmapped that code may still touch.
type loan struct {
	host  *Host
	bytes []byte
	taken int64 // bytes that are charged
}

// take charges n bytes in all.
func (l *loan) take(n int64) bool {
	if !l.host.charge(n - l.taken) {
		return false
	}
	l.taken = n
	return true
}

// Reallocate implements [experimental.LinearMemory].
func (l *loan) Reallocate(size uint64) []byte {
	if int64(size) > l.taken && !l.take(int64(size)) {
		return nil
	}
	if more := int(size) - len(l.bytes); more > 0 {
		l.bytes = append(l.bytes, make([]byte, more)...)
	}
	return l.bytes
}

// Free implements [experimental.LinearMemory]. Whoever still has the bytes may go on using them.
func (l *loan) Free() {
	l.host.memory.Add(-l.taken)
	l.bytes, l.taken = nil, 0
}

// Value gives wazero the loan as its allocator, under a key that is wazero's own.
func (l *loan) Value(key any) any {
	lend := func(_, _ uint64) experimental.LinearMemory { return l }
	return experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(lend)).Value(key)
}

// charge takes n bytes of memory.total.bytes, or gives them back.
func (h *Host) charge(n int64) bool {
	for {
		now := h.memory.Load()
		if n > 0 && now+n > h.limits.MemoryTotal {
			return false
		}
		if h.memory.CompareAndSwap(now, now+n) {
			return true
		}
	}
}
