package memory

import "unsafe"

const (
	minBlock  = 64 << 10 // bytes of the first block; page-aligned, as all large allocations are
	maxInput  = 1 << 30  // more cannot be meant seriously in 4 GiB
	keepBlock = 1 << 20  // bytes of room that stay for the next call; what is larger goes back to the garbage collector
)

// block is a piece of linear memory. It holds the pointer that keeps it alive.
type block struct {
	data []byte
	base uint32
}

// Memory is what one instance shares with its host.
type Memory struct {
	input block
	room  block   // where Room takes from
	used  int     // of room
	full  []block // rooms of this call that are used up
}

// Shared is the memory of the one guest that this program is.
var Shared Memory //nolint:gochecknoglobals // exports have no receiver, and sluicetest stands where the host stands

func newBlock(n int) block {
	data := make([]byte, max(n, minBlock))
	return block{data: data, base: baseOf(data)}
}

// offset is where p begins in b, or false if p is not in b.
func (b *block) offset(p []byte) (uint32, bool) {
	if len(b.data) == 0 || len(p) == 0 {
		return 0, false
	}
	off := uintptr(unsafe.Pointer(unsafe.SliceData(p))) - uintptr(unsafe.Pointer(unsafe.SliceData(b.data)))
	return uint32(off), off < uintptr(len(b.data)) // what lies before b wraps around and is larger, too
}

// slice is the n bytes at an address; false if they are not in b.
func (b *block) slice(at, n uint32) ([]byte, bool) {
	off := at - b.base
	if uint64(off)+uint64(n) > uint64(len(b.data)) {
		return nil, false
	}
	return b.data[off : off+n : off+n], true
}

// Input makes room for size bytes of input and returns its address, 8-aligned; 0 if there cannot be as much. The input
// before is gone.
func (m *Memory) Input(size uint32) uint32 {
	if size > maxInput {
		return 0
	}
	if int(size) > len(m.input.data) {
		m.input = block{} // so that the collector may have it before the new one is made
		m.input = newBlock(int(size))
	}
	return m.input.base
}

// At is the n bytes of the input at an address; false if they are not in the input.
func (m *Memory) At(at, n uint32) ([]byte, bool) { return m.input.slice(at, n) }

// Reset gives back all room. What stood there may be overwritten from now on.
func (m *Memory) Reset() {
	m.used = 0
	if len(m.full) > 0 {
		clear(m.full)
		m.full = m.full[:0]
	}
	if len(m.room.data) > keepBlock {
		m.room = block{}
	}
}

// Room is n bytes, 8-aligned, that stay as they are until Reset. What stands there before is not defined.
func (m *Memory) Room(n int) []byte {
	p, _ := m.Take(n)
	return p
}

// Take is Room with the address.
func (m *Memory) Take(n int) (p []byte, at uint32) {
	from := (m.used + 7) &^ 7
	if from+n > len(m.room.data) {
		m.more(n)
		from = 0
	}
	m.used = from + n
	return m.room.data[from:m.used:m.used], m.room.base + uint32(from)
}

func (m *Memory) more(n int) {
	if m.used > 0 {
		m.full = append(m.full, m.room)
	}
	m.room, m.used = newBlock(max(n, 2*len(m.room.data))), 0
}

// Place returns p and its address if p stands in the input or in a room of this call, or a copy of p in the room.
func (m *Memory) Place(p []byte) (placed []byte, at uint32) {
	if off, ok := m.input.offset(p); ok {
		return p, m.input.base + off
	}
	if off, ok := m.room.offset(p); ok {
		return p, m.room.base + off
	}
	for i := range m.full {
		if off, ok := m.full[i].offset(p); ok {
			return p, m.full[i].base + off
		}
	}
	placed, at = m.Take(len(p))
	copy(placed, p)
	return placed, at
}
