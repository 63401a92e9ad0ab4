package metrics

import "time"

// Schemas is what is known of serializers and of the schema registry at one moment. Counts are totals since the process began.
type Schemas struct {
	Encodes map[string]int64 // by serializer

	Mismatches, Refused, Unavailable int64 // keys and values that were not written

	Answered, Denied, Failed int64 // requests to the registry
	Latency                  time.Duration
	Stale                    int64

	Known, Subjects, Registrations, Missing int64 // now
	CacheBytes                              int64
	Hits, Misses                            int64
}

// Schemas sets where the figures of serializers come from. snapshot is called at every scrape, never twice at a time; it must not
// call the Set.
func (s *Set) Schemas(snapshot func() Schemas) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schemas = snapshot
}

func (c *Schemas) collect(e *emitter) {
	emit := func(name string, n int64, labels ...string) { e.emit(name, float64(n), labels...) }
	for serializer, n := range c.Encodes {
		emit("sluice_schema_encodes_total", n, serializer)
	}
	emit("sluice_schema_failures_total", c.Mismatches, "mismatch")
	emit("sluice_schema_failures_total", c.Refused, "refused")
	emit("sluice_schema_failures_total", c.Unavailable, "unavailable")
	emit("sluice_schema_registry_requests_total", c.Answered, "answered")
	emit("sluice_schema_registry_requests_total", c.Denied, "denied")
	emit("sluice_schema_registry_requests_total", c.Failed, "failed")
	e.emit("sluice_schema_registry_request_seconds_total", c.Latency.Seconds())
	emit("sluice_schema_stale_total", c.Stale)
	emit("sluice_schema_cache_entries", c.Known, "schemas")
	emit("sluice_schema_cache_entries", c.Subjects, "subjects")
	emit("sluice_schema_cache_entries", c.Registrations, "registrations")
	emit("sluice_schema_cache_entries", c.Missing, "missing")
	emit("sluice_schema_cache_bytes", c.CacheBytes)
	emit("sluice_schema_cache_lookups_total", c.Hits, "hit")
	emit("sluice_schema_cache_lookups_total", c.Misses, "miss")
}
