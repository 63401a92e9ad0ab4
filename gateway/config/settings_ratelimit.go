package config

import (
	"math"
	"time"
)

// RateLimit is rate.limit of a topic: how fast senders may write to it through this replica.
type RateLimit struct {
	Records int64         // rate.limit.records, a second; 0 is no limit
	Bytes   int64         // rate.limit.bytes, a second; 0 is no limit
	Burst   time.Duration // rate.limit.burst.ms
}

func rateLimitSettings() []Setting {
	return []Setting{
		{
			Section: "topics", Name: "rate.limit.records", Type: Int, Default: int64(0), Max: math.MaxInt32, Support: Works,
			Doc:  "How many records a second the topic takes through this replica; more is refused with 429 and Retry-After. Dead letters and records that modules route there do not count. 0 is no limit.",
			into: func(t target) any { return &t.t.RateLimit.Records },
		},
		{
			Section: "topics", Name: "rate.limit.bytes", Type: Bytes, Default: int64(0), Max: math.MaxInt64, Support: Works,
			Doc:  "The same for the bytes of keys, values and headers, as they are sent.",
			into: func(t target) any { return &t.t.RateLimit.Bytes },
		},
		{
			Section: "topics", Name: "rate.limit.burst.ms", Type: Millis, Default: int64(1000), Min: 1, Max: maxMs, Support: Works,
			Doc:  "How far ahead of the two rates senders may get: with 1000, what is allowed in a second may come at once. What is larger is taken whole and then paid off.",
			into: func(t target) any { return &t.t.RateLimit.Burst },
		},
	}
}
