package main

import (
	"strconv"

	sluice "sluice/guest-sdk/go"
	"sluice/guest-sdk/go/json"
)

// maxBuckets leaves room for the other counters among the 64 that a module may have (wasm.counters.max).
const maxBuckets = 30

func (a *auditor) configure(c *sluice.Config) error {
	c.Only("log_every", "buckets_ms")
	if a.logEvery = c.Int("/log_every", 10_000); a.logEvery < 0 {
		return c.Wrong("/log_every", "must be 0 (never) or more")
	}
	bounds := []int64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000}
	if c.Has("/buckets_ms") {
		bounds = boundsOf(c)
	}
	if err := c.Err(); err != nil {
		return err
	}
	a.buckets = nil
	for _, ms := range bounds {
		a.buckets = append(a.buckets, bucket{ms, "latency_to_" + strconv.FormatInt(ms, 10) + "_ms"})
	}
	a.slow = "latency_above_" + strconv.FormatInt(bounds[len(bounds)-1], 10) + "_ms"
	return nil
}

// boundsOf reads ascending upper bounds; what is wrong with them stays with c.
func boundsOf(c *sluice.Config) []int64 {
	const rule = "must be a list of 1 to 30 ascending numbers of milliseconds, such as [10, 100, 1000]"
	var bounds []int64
	last := int64(-1)
	c.Value("/buckets_ms").Elements(func(_ int, e json.Value) bool {
		ms, ok := e.Int()
		if !ok || ms <= last {
			_ = c.Wrong("/buckets_ms", rule)
		}
		last = ms
		bounds = append(bounds, ms)
		return c.Err() == nil
	})
	if len(bounds) == 0 || len(bounds) > maxBuckets {
		_ = c.Wrong("/buckets_ms", rule)
	}
	return bounds
}
