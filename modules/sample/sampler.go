package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/murmur2"
)

// hashes is how many values murmur2.Sum can have.
const hashes = 1 << 32

// sampler keeps records whose hash is below a limit.
type sampler struct {
	limit uint64
}

func (s *sampler) configure(c *sluice.Config) error {
	c.Only("percent")
	if !c.Has("/percent") {
		return c.Wrong("/percent", "is missing: it must be a number from 0 to 100, how many percent to keep")
	}
	percent := c.Float("/percent", 0)
	if percent < 0 || percent > 100 {
		return c.Wrong("/percent", "must be from 0 to 100")
	}
	s.limit = uint64(percent / 100 * hashes)
	return nil
}

// onSend goes by the upper bits of the hash, so to say: partitioners take its remainder, which these do not determine.
func (s *sampler) onSend(r *sluice.Record) error {
	of := r.Key()
	if of == nil {
		of = r.Value()
	}
	if uint64(uint32(murmur2.Sum(of))) >= s.limit {
		r.Drop()
	}
	return nil
}
