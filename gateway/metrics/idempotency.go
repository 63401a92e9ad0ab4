package metrics

// Idempotency is what is known of requests with an Idempotency-Key at one moment. Counts are totals since the process began.
type Idempotency struct {
	Executed, Replayed, Reused, InUse, Overloaded int64 // what became of the requests
	Waited, Forgotten, Summarised, Evicted        int64

	InProgress, Answers, Bytes int64 // now
}

// Idempotency sets where the figures of requests with an Idempotency-Key come from. snapshot is called at every scrape, never
// twice at a time; it must not call the Set.
func (s *Set) Idempotency(snapshot func() Idempotency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idempotency = snapshot
}

func (i *Idempotency) collect(e *emitter) {
	emit := func(name string, n int64, labels ...string) { e.emit(name, float64(n), labels...) }
	const requests = "sluice_idempotency_requests_total"
	emit(requests, i.Executed, "executed")
	emit(requests, i.Replayed, "replayed")
	emit(requests, i.Reused, "reused")
	emit(requests, i.InUse, "in_use")
	emit(requests, i.Overloaded, "overloaded")
	emit("sluice_idempotency_waits_total", i.Waited)
	emit("sluice_idempotency_forgotten_total", i.Forgotten)
	emit("sluice_idempotency_summaries_total", i.Summarised)
	emit("sluice_idempotency_evictions_total", i.Evicted)
	emit("sluice_idempotency_entries", i.InProgress, "in_progress")
	emit("sluice_idempotency_entries", i.Answers, "answered")
	emit("sluice_idempotency_bytes", i.Bytes)
}
