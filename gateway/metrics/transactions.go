package metrics

import "time"

// Transactions is what is known of Kafka transactions at one moment. Counts are totals since the process began.
type Transactions struct {
	Committed, Unknown, FencedOff, Refused, Rejected, Failed, NoClient, Draining int64 // how they ended

	Run  int64         // transactions that had a client
	Time time.Duration // that they took then, in all

	Waiting             int64 // for a client, now
	Busy, Free, Opening int64 // clients, now
	Fenced              bool  // for good
}

// Transactions sets where the figures of transactions come from. snapshot is called at every scrape, never twice at a time; it
// must not call the Set.
func (s *Set) Transactions(snapshot func() Transactions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transactions = snapshot
}

func (t *Transactions) collect(e *emitter) {
	emit := func(name string, n int64, labels ...string) { e.emit(name, float64(n), labels...) }
	const total = "sluice_transactions_total"
	emit(total, t.Committed, "committed")
	emit(total, t.Unknown, "unknown")
	emit(total, t.FencedOff, "fenced")
	emit(total, t.Refused, "refused")
	emit(total, t.Rejected, "rejected")
	emit(total, t.Failed, "failed")
	emit(total, t.NoClient, "no_client")
	emit(total, t.Draining, "draining")
	emit("sluice_transactions_run_total", t.Run)
	e.emit("sluice_transaction_time_seconds_total", t.Time.Seconds())
	emit("sluice_transactions_waiting", t.Waiting)
	emit("sluice_transaction_clients", t.Busy, "busy")
	emit("sluice_transaction_clients", t.Free, "free")
	emit("sluice_transaction_clients", t.Opening, "opening")
	e.emit("sluice_transactions_fenced", number(t.Fenced))
}
