package record

import (
	"math/bits"
	"sync"
)

const (
	minSlabBits = 8  // 256 B
	maxSlabBits = 20 // 1 MiB; larger slabs are not pooled
	slabClasses = maxSlabBits - minSlabBits + 1
)

// slab is a piece of pooled memory. A pointer to it goes into the pool, so that returning it allocates nothing.
type slab struct{ b []byte }

// slabPool keeps slabs by power-of-two class, so that a batch holds at most twice what it uses.
type slabPool struct{ class [slabClasses]sync.Pool }

func slabClass(n int) int {
	if n <= 1<<minSlabBits {
		return 0
	}
	return bits.Len(uint(n-1)) - minSlabBits
}

// SlabSize is the memory that a batch holds for n bytes kept in one piece.
func SlabSize(n int) int {
	if c := slabClass(n); c < slabClasses {
		return 1 << (c + minSlabBits)
	}
	return n
}

func (p *slabPool) take(n int) *slab {
	c := slabClass(n)
	if c < slabClasses {
		if s, ok := p.class[c].Get().(*slab); ok {
			return s
		}
	}
	return &slab{b: make([]byte, 0, SlabSize(n))}
}

func (p *slabPool) put(s *slab) {
	c := slabClass(cap(s.b))
	if c >= slabClasses {
		return
	}
	s.b = s.b[:0]
	p.class[c].Put(s)
}

// maxSlabGrowth is where the slabs of one arena stop growing.
const maxSlabGrowth = 64 << 10

// arena hands out bytes that stay where they are until release.
type arena struct {
	slabs []*slab // the last one is being filled
	held  int     // capacity of all slabs
}

// reserve makes sure that n bytes are free in the last slab. Slabs double, so that many small records need few of them.
func (a *arena) reserve(p *slabPool, n int) {
	size := n
	if k := len(a.slabs); k > 0 {
		last := a.slabs[k-1].b
		if cap(last)-len(last) >= n {
			return
		}
		size = max(n, min(2*cap(last), maxSlabGrowth))
	}
	s := p.take(size)
	a.slabs = append(a.slabs, s)
	a.held += cap(s.b)
}

// alloc returns n bytes, not zeroed, with no room behind them.
func (a *arena) alloc(p *slabPool, n int) []byte {
	a.reserve(p, n)
	s := a.slabs[len(a.slabs)-1]
	l := len(s.b)
	s.b = s.b[:l+n]
	return s.b[l : l+n : l+n]
}

func (a *arena) release(p *slabPool) {
	for i, s := range a.slabs {
		p.put(s)
		a.slabs[i] = nil
	}
	a.slabs = a.slabs[:0]
	a.held = 0
}
