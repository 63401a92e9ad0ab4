package record

// Scratch is pooled memory outside of a batch, to read into before it is known what becomes of the bytes.
// The zero value holds nothing.
type Scratch struct {
	pool *slabPool
	slab *slab
}

// Scratch returns at least n bytes of pooled memory. It must be given back with Free.
func (p *Pool) Scratch(n int) Scratch { return Scratch{pool: &p.slabs, slab: p.slabs.take(n)} }

// Bytes is all of the memory, not zeroed.
func (s *Scratch) Bytes() []byte {
	if s.slab == nil {
		return nil
	}
	return s.slab.b[:cap(s.slab.b)]
}

// Free gives the memory back; its bytes may not be used afterwards. It does nothing to a zero Scratch.
func (s *Scratch) Free() {
	if s.slab != nil {
		s.pool.put(s.slab)
		s.slab = nil
	}
}
