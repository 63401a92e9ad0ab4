package main

// regions finds what belongs to the region of a key. It is a hash table of its own because Go's map takes longer, compiled
// to WebAssembly, than everything else that this module does.
type regions struct {
	slots []region // a power of two, at most half of them taken
}

type region struct {
	name string // "" is a free slot
	choice
}

func newRegions(n int) regions {
	size := 4
	for size < 2*n {
		size *= 2
	}
	return regions{slots: make([]region, size)}
}

const (
	fnvBasis = 2166136261 // FNV-1a, 32 bits
	fnvPrime = 16777619
)

// split finds the colon that ends a key's region, and hashes the region on the way; -1 if there is none.
func split(key []byte) (end int, hash uint32) {
	hash = fnvBasis
	for i, c := range key {
		if c == ':' {
			return i, hash
		}
		hash = (hash ^ uint32(c)) * fnvPrime
	}
	return -1, 0
}

func hashOf(name string) (hash uint32) {
	hash = fnvBasis
	for i := range len(name) {
		hash = (hash ^ uint32(name[i])) * fnvPrime
	}
	return hash
}

// set adds a region, or changes it if it is there.
func (t *regions) set(name string, c choice) {
	s := t.slot(hashOf(name), []byte(name))
	*s = region{name, c}
}

// slot is where a region stands, or the free slot where it would.
func (t *regions) slot(hash uint32, name []byte) *region {
	mask := uint32(len(t.slots) - 1)
	for i := (hash ^ hash>>15) & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if len(s.name) == 0 || s.name == string(name) {
			return s
		}
	}
}
