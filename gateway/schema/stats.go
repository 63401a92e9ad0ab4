package schema

import (
	"sync/atomic"
	"time"
)

// Stats counts what was done since the process began.
type Stats struct {
	Encodes [numFormats]atomic.Int64 // keys and values that were written, by format

	Mismatches  atomic.Int64 // keys and values that do not fit
	Refused     atomic.Int64 // those for which there is no schema that can be used
	Unavailable atomic.Int64 // those for which the registry did not answer

	Answered     atomic.Int64 // requests to the registry by what came of them
	Denied       atomic.Int64
	Failed       atomic.Int64
	LatencyNanos atomic.Int64 // of all requests
	Stale        atomic.Int64 // refreshes that failed, so that what was known went on
}

func (s *Stats) request(took time.Duration, err *RegistryError) {
	s.LatencyNanos.Add(int64(took))
	switch {
	case err == nil:
		s.Answered.Add(1)
	case err.Unavailable():
		s.Failed.Add(1)
	default:
		s.Denied.Add(1)
	}
}

// CacheStats is the size and use of what is cached.
type CacheStats struct {
	Schemas, Subjects, Registrations, Missing int
	Bytes                                     int // of schema texts, in all of them together
	Hits, Misses                              int64
}
