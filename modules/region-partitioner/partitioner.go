package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/murmur2"
)

// partitioner knows the partitions of each region.
type partitioner struct {
	regions regions
}

// partition is the partition of the key's region. If the region has several, the hash of the whole key chooses, so that a
// key stays where it is.
func (p *partitioner) partition(r *sluice.Record) int32 {
	key := r.Key()
	end, hash := split(key)
	if end <= 0 {
		return sluice.NotMine
	}
	s := p.regions.slot(hash, key[:end])
	if s.name == "" {
		return sluice.NotMine
	}
	if at := s.of(key); at < r.Partitions() {
		return at
	}
	return sluice.NotMine
}

// choice is the partitions of one region: count of them from first on, or those of list.
type choice struct {
	first, count int32
	list         []int32
}

func (c *choice) of(key []byte) int32 {
	switch {
	case c.list != nil:
		return c.list[murmur2.Partition(key, int32(len(c.list)))]
	case c.count == 1:
		return c.first
	default:
		return c.first + murmur2.Partition(key, c.count)
	}
}
