package main

import (
	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

const (
	maxSalts  = 1000
	maxWindow = 10_000_000
)

func (s *salter) configure(c *sluice.Config) error {
	c.Only("keys", "n", "by", "separator", "header", "window", "threshold")
	n := c.Int("/n", 8)
	if n < 2 || n > maxSalts {
		_ = c.Wrong("/n", "must be from 2 to 1000: into how many keys a hot key is split")
	}
	s.n = uint32(n)
	s.separator, s.header = c.String("/separator", "#"), c.String("/header", "")
	if s.separator == "" {
		_ = c.Wrong("/separator", "must not be empty, or key 1 with salt 12 would be key 11 with salt 2")
	}
	s.by = c.String("/by", "")
	if err := json.CheckPointer(s.by); err != nil {
		_ = c.Wrong("/by", "is no JSON Pointer: "+err.Error())
	}
	s.fixed = map[string]*turn{}
	for _, key := range c.Strings("/keys") {
		s.fixed[key] = new(turn)
	}
	return s.detection(c)
}

func (s *salter) detection(c *sluice.Config) error {
	window, threshold := c.Int("/window", 0), c.Int("/threshold", 0)
	switch {
	case c.Err() != nil:
		return c.Err()
	case window < 0 || window > maxWindow:
		return c.Wrong("/window", "must be from 0 (no detection) to 10000000 records")
	case window == 0 && threshold != 0:
		return c.Wrong("/threshold", "needs a window: threshold records of a key within window records make it hot")
	case window > 0 && (threshold < 2 || threshold > window):
		return c.Wrong("/threshold", "must be from 2 to window: so many records of a key within window records make it hot")
	case window == 0 && len(s.fixed) == 0:
		return c.Wrong("", "must name keys, or a window and a threshold")
	}
	s.detector = detector{window: int(window), threshold: int(threshold), tallies: map[string]*tally{}}
	return nil
}
